/* 04_autoencoder.c - an autoencoder on synthetic digits, loop and all. */
#include <hourglass.h>

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_data *all = hg_data_open(ctx, "synthetic:2000", (hg_data_options){0});
    hg_loader *loader = hg_loader_new(hg_data_split(all, "train", 0), 50, true);

    hg_params *p = hg_params_new(ctx);
    nn_layer *encoder = nn_chain(p, nn_linear(p, "encoder.0", 784, 64),
                                 nn_relu(p), nn_linear(p, "encoder.2", 64, 16));
    nn_layer *decoder =
        nn_chain(p, nn_linear(p, "decoder.0", 16, 64), nn_relu(p),
                 nn_linear(p, "decoder.2", 64, 784), nn_sigmoid(p));
    hg_optimizer *adam = hg_adam(p, "adam", (hg_adam_options){.rate = 2e-3});

    for (int epoch = 1; epoch <= 3; epoch++) {
        hg_batch b;
        for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b));
             hg_scope_close(s)) {
            hg_tensor *y = nn_forward(decoder, nn_forward(encoder, b.x));
            hg_tensor *loss = nn_mse_loss(y, b.target, HG_MEAN);
            hg_report("loss", loss);
            if (!hg_minimize(loss, adam))
                return fprintf(stderr, "%s\n", hg_error()), 1;
        }
        hg_real mean;
        if (!hg_report_mean(ctx, "loss", &mean))
            return fprintf(stderr, "%s\n", hg_error()), 1;
        printf("epoch %d  mean squared error %.2f\n", epoch, (double)mean);
    }
    hg_context_free(ctx);
    return 0;
}
