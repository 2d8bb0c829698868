/* ae.c - an undercomplete autoencoder, dense, 784-256-64-20.
 *
 *   code = encoder(x),  y = sigmoid(decoder(code))
 *   loss = mean over pixels of (y - x)^2, per image
 *
 * As published (recipe faithful) ReLU bends the code too, which kills code
 * units; the corrected recipe leaves it linear.
 */
#include "models/internal.h"

struct ae {
    nn_layer *encoder, *decoder;
    bool faithful;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct ae *m = model;
    int64_t in = hg_config_int(c, "inputs"), code = hg_config_int(c, "latent");
    bool tied = hg_config_is(c, "tied", "yes");
    nn_mirrored_mlp(p, nn_relu, tied, (nn_linear_options){0}, &m->encoder,
                    &m->decoder, in, 256, 64, code);
    m->faithful = hg_config_is(c, "recipe", "faithful");
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    struct ae *m = model;
    hg_tensor *code = nn_forward(m->encoder, x);
    return m->faithful ? hg_relu(code) : code;
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((struct ae *)model)->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    hg_tensor *y = decode(model, encode(model, b->x));
    return hg_mean(hg_square(hg_sub(y, b->target)), HG_FROM(1));
}

const hg_model model_ae = {
    .name = "ae",
    .about = "autoencoder, 784-256-64-20",
    .options = HG_OPTIONS(HG_NUMBER("latent", "width of the code", 20),
                          HG_TIED("no"), HG_RECIPE("bends the code with ReLU")),
    .batch_size = 32,
    .published = &(const hg_published){.epochs = 1000},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .size = sizeof(struct ae),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
};
