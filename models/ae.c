/* ae.c - undercomplete autoencoders, dense form.
 *
 *   code = encoder(x),  y = sigmoid(decoder(code))
 *   loss = mean over pixels of (y - x)^2, per image
 *
 * `ae` is 784-256-64-20 with ReLU, `ae-leaky` 784-256-128-64 with leaky ReLU
 * and Glorot weights. As published, both bend the code too (recipe faithful),
 * which kills code units; the corrected recipe leaves it linear.
 */
#include "models/internal.h"

struct ae {
    nn_layer *encoder, *decoder;
};

/* ReLU if the slope is 0. */
static nn_layer *bend(hg_params *p, double slope)
{
    return slope ? nn_leaky_relu(p, slope) : nn_relu(p);
}

static void *build(hg_params *p, const hg_config *c, const int64_t width[2],
                   double slope, nn_linear_options o)
{
    struct ae *m = hg_params_alloc(p, sizeof *m);
    if (!m)
        return NULL;
    hg_params *e = hg_params_at(p, "encoder"), *d = hg_params_at(p, "decoder");
    int64_t in = hg_config_int(c, "inputs"), code = hg_config_int(c, "latent");
    bool faithful = hg_config_is(c, "recipe", "faithful");
    bool tied = hg_config_is(c, "tied", "yes");
    nn_layer *first = nn_linear_with(e, "0", in, width[0], o);
    nn_layer *second = nn_linear_with(e, "2", width[0], width[1], o);
    nn_layer *third = nn_linear_with(e, "4", width[1], code, o);
    m->encoder = nn_chain(e, first, bend(e, slope), second, bend(e, slope),
                          third, faithful ? bend(e, slope) : nn_identity(e));
    m->decoder =
        nn_chain(d, nn_linear_mirror(d, "0", third, tied, o), bend(d, slope),
                 nn_linear_mirror(d, "2", second, tied, o), bend(d, slope),
                 nn_linear_mirror(d, "4", first, tied, o), nn_sigmoid(d));
    return m;
}

static void *ae_build(hg_params *p, const hg_config *c)
{
    return build(p, c, (int64_t[]){256, 64}, 0, (nn_linear_options){0});
}

static void *ae_leaky_build(hg_params *p, const hg_config *c)
{
    nn_linear_options glorot = {.init.kind = HG_INIT_XAVIER_UNIFORM,
                                .bias.kind = HG_INIT_ZEROS};
    return build(p, c, (int64_t[]){256, 128}, 0.2, glorot);
}

static hg_tensor *ae_encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct ae *)model)->encoder, x);
}

static hg_tensor *ae_decode(void *model, hg_tensor *code)
{
    return nn_forward(((struct ae *)model)->decoder, code);
}

static hg_tensor *ae_loss(void *model, const hg_batch *b)
{
    hg_tensor *y = ae_decode(model, ae_encode(model, b->x));
    return hg_mean(hg_square(hg_sub(y, b->target)), HG_FROM(1));
}

static const hg_option ae_options[] = {
    {.name = "latent", .about = "width of the code", .number = 20},
    HG_TIED,
    HG_RECIPE("bends the code with ReLU"),
    {0},
};

static const hg_option ae_leaky_options[] = {
    {.name = "latent", .about = "width of the code", .number = 64},
    HG_TIED,
    HG_RECIPE("bends the code with leaky ReLU"),
    {0},
};

const hg_model model_ae = {
    .name = "ae",
    .about = "autoencoder, 784-256-64-20",
    .options = ae_options,
    .batch_size = 32,
    .published = &(const hg_published){.epochs = 1000},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .build = ae_build,
    .loss = ae_loss,
    .encode = ae_encode,
    .decode = ae_decode,
};

const hg_model model_ae_leaky = {
    .name = "ae-leaky",
    .about = "autoencoder, 784-256-128-64, leaky ReLU",
    .options = ae_leaky_options,
    .batch_size = 128,
    .published = &(
        const hg_published){.epochs = 10, .in_order = true, .drop_last = true},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .build = ae_leaky_build,
    .loss = ae_loss,
    .encode = ae_encode,
    .decode = ae_decode,
};
