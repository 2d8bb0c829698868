/* own_loop.c - one's own array, one's own loop, a schedule, the precision of
 * the arithmetic by name, and a picture of what was learnt. */
#include <hourglass.h>

#include <stdlib.h>

enum { ITEMS = 500, PIXELS = 64 };

/* Smooth ramps in random directions. */
static void fill(float *x)
{
    for (int i = 0; i < ITEMS; i++)
        for (int j = 0; j < PIXELS; j++) {
            float u = (float)(i * 7919 % ITEMS) / ITEMS;
            float row = (float)(j / 8) / 7, column = (float)(j % 8) / 7;
            x[i * PIXELS + j] = u * row + (1 - u) * column;
        }
}

static hg_tensor *vae_loss(nn_layer *head, nn_layer *decoder, hg_tensor *weight,
                           const hg_batch *b)
{
    hg_tensor *part[2] = {0};
    if (!hg_split(nn_forward(head, b->x), 1, 2, part))
        return NULL;
    hg_tensor *std = hg_softplus(part[1]);
    hg_tensor *y = nn_forward(decoder, hg_normal_sample(part[0], std));
    hg_tensor *error = hg_sum(hg_square(hg_sub(y, b->target)), HG_FROM(1));
    hg_tensor *kl = hg_sum(hg_normal_kl(part[0], std), HG_FROM(1));
    return hg_add(error, hg_mul(kl, weight));
}

/* Eight ramps, and below them what the decoder makes of their codes. */
static bool save_picture(nn_layer *head, nn_layer *decoder, const hg_data *data)
{
    hg_batch b;
    hg_tensor *code[2] = {0};
    hg_scope *s = hg_scope_open(hg_data_context(data), HG_EVAL);
    bool ok = s && hg_data_batch_from(data, 0, 8, &b) &&
              hg_split(nn_forward(head, b.x), 1, 2, code);
    if (ok) {
        hg_tensor *y = hg_concat(0, b.x, nn_forward(decoder, code[0]));
        ok = hg_images_save(hg_reshape(y, HG_SHAPE(-1, 1, 8, 8)), 8,
                            "own_loop.png");
    }
    if (s)
        hg_scope_close(s);
    return ok;
}

int main(int argc, char **argv)
{
    float *x = malloc(sizeof(float) * ITEMS * PIXELS);
    if (!x)
        return 1;
    fill(x);
    hg_context *ctx = hg_context_new(argc > 1 ? argv[1] : "cpu", 42);
    if (!hg_context_set_precision(ctx, HG_BF16)) {
        printf("%s\n", hg_error()); /* a named choice, never a silent one */
        hg_error_clear();
    }
    hg_data_options range = {.low = 0, .high = 1};
    hg_data *data =
        hg_data_from(ctx, x, "f4", HG_SHAPE(ITEMS, PIXELS), NULL, range);
    hg_loader *loader = hg_loader_new(data, 50, true);
    hg_params *p = hg_params_new(ctx);
    nn_layer *head = nn_linear(p, "head", PIXELS, 4);
    nn_layer *decoder = nn_linear(p, "decoder", 2, PIXELS);
    hg_tensor *weight = hg_buffer(p, "kl_weight", HG_SCALAR, 0);
    hg_optimizer *adam = hg_adam(p, "adam", (hg_adam_options){.rate = 1e-2});

    hg_real mean = 0, first = 0;
    for (int epoch = 0; epoch < 10; epoch++) {
        hg_set(weight, epoch < 5 ? (hg_real)epoch / 5 : 1); /* warm-up */
        hg_batch b;
        for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b));
             hg_scope_close(s)) {
            hg_tensor *loss =
                hg_mean(vae_loss(head, decoder, weight, &b), HG_ALL);
            hg_report("loss", loss);
            if (!hg_minimize(loss, adam))
                return fprintf(stderr, "%s\n", hg_error()), 1;
        }
        if (!hg_report_mean(ctx, "loss", &mean))
            return fprintf(stderr, "%s\n", hg_error()), 1;
        first = epoch ? first : mean;
    }
    printf("the loss fell: %s\n", mean < first ? "yes" : "no");
    if (!save_picture(head, decoder, data))
        fprintf(stderr, "%s\n", hg_error()); /* no libpng, say */
    bool ok = hg_params_save(p, "own_loop.safetensors");
    hg_context_free(ctx);
    free(x);
    return !ok;
}
