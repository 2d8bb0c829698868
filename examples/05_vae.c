/* 05_vae.c - from the autoencoder to the variational one (Kingma and Welling,
 * 2014): the code of an image becomes a distribution, from which a draw is
 * decoded; what is decoded from draws of the prior are new digits. */
#include <hourglass.h>

enum { PIXELS = 784, HIDDEN = 128, LATENT = 8 };

/* The reparameterisation trick: the noise comes from outside, so that z is a
 * differentiable function of mu and log_var. */
static hg_tensor *draw(hg_tensor *mu, hg_tensor *log_var)
{
    hg_tensor *std = hg_exp(hg_scale(log_var, 0.5));
    return hg_add(mu, hg_mul(std, hg_randn(mu->shape)));
}

/* KL(N(mu, var) || N(0, 1)) = (mu^2 + var - log var - 1) / 2, summed over the
 * code: one number per image. */
static hg_tensor *divergence(hg_tensor *mu, hg_tensor *log_var)
{
    hg_tensor *twice = hg_add(hg_square(mu), hg_exp(log_var));
    twice = hg_shift(hg_sub(twice, log_var), -1);
    return hg_sum(hg_scale(twice, 0.5), HG_FROM(1));
}

/* The negative evidence lower bound, one number per image. */
static hg_tensor *loss_of(nn_layer *encoder, nn_layer *decoder,
                          const hg_batch *b)
{
    hg_tensor *half[2] = {0};
    if (!hg_split(nn_forward(encoder, b->x), 1, 2, half))
        return NULL;
    hg_tensor *logits = nn_forward(decoder, draw(half[0], half[1]));
    hg_tensor *error = nn_bce_with_logits_loss(logits, b->target, HG_NONE);
    hg_tensor *kl = divergence(half[0], half[1]);
    error = hg_sum(error, HG_FROM(1));
    hg_report("error", error);
    hg_report("kl", kl);
    return hg_add(error, kl);
}

/* 32 new digits. */
static bool save_samples(hg_context *ctx, nn_layer *decoder)
{
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_tensor *z = hg_randn(HG_SHAPE(32, LATENT));
    hg_tensor *x = hg_sigmoid(nn_forward(decoder, z));
    bool ok =
        hg_images_save(hg_reshape(x, HG_SHAPE(32, 1, 28, 28)), 8, "05_vae.png");
    hg_scope_close(s);
    return ok;
}

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_data *all = hg_data_open(ctx, "synthetic:5000", (hg_data_options){0});
    hg_loader *loader = hg_loader_new(hg_data_split(all, "train", 0), 50, true);

    hg_params *p = hg_params_new(ctx);
    nn_layer *encoder =
        nn_mlp(p, "encoder", nn_relu, PIXELS, HIDDEN, 2 * LATENT);
    nn_layer *decoder = nn_mlp(p, "decoder", nn_relu, LATENT, HIDDEN, PIXELS);
    hg_optimizer *adam = hg_adam(p, "adam", (hg_adam_options){.rate = 3e-3});

    for (int epoch = 1; epoch <= 4; epoch++) {
        hg_batch b;
        for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b));
             hg_scope_close(s)) {
            hg_tensor *loss = hg_mean(loss_of(encoder, decoder, &b), HG_ALL);
            if (!hg_minimize(loss, adam))
                return fprintf(stderr, "%s\n", hg_error()), 1;
        }
        hg_real error, kl;
        if (!hg_report_mean(ctx, "error", &error) ||
            !hg_report_mean(ctx, "kl", &kl))
            return fprintf(stderr, "%s\n", hg_error()), 1;
        printf("epoch %d  reconstruction %.0f nats  KL %.0f nats\n", epoch,
               (double)error, (double)kl);
    }
    if (!save_samples(ctx, decoder))
        fprintf(stderr, "%s\n", hg_error()); /* no libpng, say */
    hg_context_free(ctx);
    return 0;
}
