/* ae_leaky.c - an undercomplete autoencoder with leaky ReLU and Glorot
 * weights, dense, 784-256-128-64.
 *
 *   code = encoder(x),  y = sigmoid(decoder(code))
 *   loss = mean over pixels of (y - x)^2, per image
 *
 * As published (recipe faithful) the code is bent too; the corrected recipe
 * leaves it linear.
 */
#include "models/internal.h"

#define SLOPE 0.2

struct ae_leaky {
    nn_layer *encoder, *decoder;
    bool faithful;
};

static nn_layer *leaky_relu(hg_params *p)
{
    return nn_leaky_relu(p, SLOPE);
}

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct ae_leaky *m = model;
    nn_linear_options glorot = {.init.kind = HG_INIT_XAVIER_UNIFORM,
                                .bias.kind = HG_INIT_ZEROS};
    int64_t in = hg_config_int(c, "inputs"), code = hg_config_int(c, "latent");
    bool tied = hg_config_is(c, "tied", "yes");
    nn_mirrored_mlp(p, leaky_relu, tied, glorot, &m->encoder, &m->decoder, in,
                    256, 128, code);
    m->faithful = hg_config_is(c, "recipe", "faithful");
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    struct ae_leaky *m = model;
    hg_tensor *code = nn_forward(m->encoder, x);
    return m->faithful ? hg_leaky_relu(code, SLOPE) : code;
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((struct ae_leaky *)model)->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    hg_tensor *y = decode(model, encode(model, b->x));
    return hg_mean(hg_square(hg_sub(y, b->target)), HG_FROM(1));
}

const hg_model model_ae_leaky = {
    .name = "ae-leaky",
    .about = "autoencoder, 784-256-128-64, leaky ReLU",
    .options =
        HG_OPTIONS(HG_NUMBER("latent", "width of the code", 64), HG_TIED("no"),
                   HG_RECIPE("bends the code with leaky ReLU")),
    .batch_size = 128,
    .published = &(
        const hg_published){.epochs = 10, .in_order = true, .drop_last = true},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .size = sizeof(struct ae_leaky),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
};
