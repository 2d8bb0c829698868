/* ae_keras.c - the autoencoder of Keras' blog, 784-32-784 (Chollet, 2016).
 *
 *   code = relu(encoder(x)),  y = sigmoid(decoder(code))
 *   loss = binary cross-entropy, mean over pixels, per image
 *
 * As published (recipe faithful) it is trained by Adadelta at 1.0 with Glorot
 * weights; the corrected recipe is Adam and a linear code, since ReLU on the
 * code kills units.
 */
#include "models/internal.h"

struct ae_keras {
    nn_layer *encoder, *decoder;
    bool faithful;
};

static void *build(hg_params *p, const hg_config *c)
{
    struct ae_keras *m = hg_params_alloc(p, sizeof *m);
    if (!m)
        return NULL;
    nn_linear_options glorot = {.init.kind = HG_INIT_XAVIER_UNIFORM,
                                .bias.kind = HG_INIT_ZEROS};
    m->faithful = hg_config_is(c, "recipe", "faithful");
    nn_layer *in = nn_linear_with(p, "encoder", hg_config_int(c, "inputs"),
                                  hg_config_int(c, "latent"), glorot);
    m->encoder = nn_chain(p, in, m->faithful ? nn_relu(p) : nn_identity(p));
    m->decoder = nn_linear_mirror(p, "decoder", in,
                                  hg_config_is(c, "tied", "yes"), glorot);
    return m;
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    bool faithful = ((struct ae_keras *)model)->faithful;
    hg_adadelta_options keras = {.rate = 1, .rho = 0.95, .eps = 1e-7};
    return hg_optimizers_add(o, faithful
                                    ? hg_adadelta(p, "adadelta", keras)
                                    : hg_adam(p, "adam", (hg_adam_options){0}));
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct ae_keras *)model)->encoder, x);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((struct ae_keras *)model)->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct ae_keras *m = model;
    hg_tensor *logits = nn_forward(m->decoder, encode(m, b->x));
    return hg_mean(hg_bce_with_logits(logits, b->target), HG_FROM(1));
}

static const hg_option options[] = {
    {.name = "latent", .about = "width of the code", .number = 32},
    HG_TIED("no"),
    HG_RECIPE("ReLU on the code, Adadelta at 1.0"),
    {0},
};

const hg_model model_ae_keras = {
    .name = "ae-keras",
    .about = "autoencoder, 784-32-784, cross-entropy",
    .source = "Chollet, Building Autoencoders in Keras, 2016",
    .options = options,
    .batch_size = 256,
    .epochs = 50,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .build = build,
    .loss = loss,
    .optimizers = optimizers,
    .encode = encode,
    .decode = decode,
};
