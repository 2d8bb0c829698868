/* vq_vae.c - a vector-quantised autoencoder (van den Oord et al., 2017): codes
 * snap to the nearest row of a codebook, gradients pass straight through. */
#include <hourglass.h>

/* ze [batch, d, h, w], book [count, d]: the quantised codes [-1, d]. */
static hg_tensor *quantise(hg_tensor *ze, hg_tensor *book, hg_tensor **commit,
                           hg_tensor **code)
{
    int64_t d = book->shape.dim[1];
    hg_tensor *flat =
        hg_reshape(hg_permute(ze, HG_OVER(0, 2, 3, 1)), HG_SHAPE(-1, d));
    hg_tensor *k = hg_argmin(hg_cdist_squared(flat, book), 1);
    hg_tensor *zq = hg_index_select(book, 0, k);
    *code = hg_mean(hg_square(hg_sub(zq, hg_detach(flat))), HG_ALL);
    *commit = hg_mean(hg_square(hg_sub(flat, hg_detach(zq))), HG_ALL);
    return hg_straight_through(zq, flat);
}

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_data *data = hg_data_open(ctx, "synthetic:1000", (hg_data_options){0});
    hg_loader *loader = hg_loader_new(data, 50, true);
    hg_params *p = hg_params_new(ctx);
    nn_window half = {.kernel = 4, .stride = 2, .pad = 1};
    nn_layer *encoder = nn_chain(
        p, nn_unflatten(p, 1, 28, 28), nn_conv2d(p, "encoder.0", 1, 16, half),
        nn_relu(p), nn_conv2d(p, "encoder.2", 16, 8, half));
    nn_layer *decoder =
        nn_chain(p, nn_conv_transpose2d(p, "decoder.0", 8, 16, half),
                 nn_relu(p), nn_conv_transpose2d(p, "decoder.2", 16, 1, half),
                 nn_sigmoid(p), nn_flatten(p));
    hg_tensor *book =
        hg_param(p, "book", HG_SHAPE(32, 8), HG_INIT(HG_INIT_NORMAL, 0, 0.1));
    hg_optimizer *adam = hg_adam(p, "adam", (hg_adam_options){.rate = 2e-3});

    hg_real first = 0, last = 0;
    hg_batch b;
    for (int epoch = 0; epoch < 2; epoch++)
        for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b));
             hg_scope_close(s)) {
            hg_tensor *commit, *code, *ze = nn_forward(encoder, b.x);
            hg_tensor *zq = quantise(ze, book, &commit, &code);
            hg_tensor *maps = hg_reshape(zq, HG_SHAPE(b.size, 7, 7, 8));
            hg_tensor *y =
                nn_forward(decoder, hg_permute(maps, HG_OVER(0, 3, 1, 2)));
            hg_tensor *recon = nn_mse_loss(y, b.target, HG_MEAN);
            hg_tensor *loss =
                hg_add(hg_add(recon, code), hg_scale(commit, 0.25));
            last = hg_item(recon);
            first = first > 0 ? first : last;
            if (!hg_minimize(loss, adam))
                return fprintf(stderr, "%s\n", hg_error()), 1;
        }
    if (hg_error())
        return fprintf(stderr, "%s\n", hg_error()), 1;
    printf("the error fell below half: %s\n", last < first / 2 ? "yes" : "no");
    hg_context_free(ctx);
    return 0;
}
