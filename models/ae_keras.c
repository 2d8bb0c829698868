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

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct ae_keras *m = model;
    nn_linear_options glorot = {.init.kind = HG_INIT_XAVIER_UNIFORM,
                                .bias.kind = HG_INIT_ZEROS};
    m->faithful = hg_config_is(c, "recipe", "faithful");
    nn_layer *in = nn_linear_with(p, "encoder", hg_config_int(c, "inputs"),
                                  hg_config_int(c, "latent"), glorot);
    m->encoder = nn_chain(p, in, m->faithful ? nn_relu(p) : nn_identity(p));
    m->decoder = nn_linear_mirror_with(p, "decoder", in,
                                       hg_config_is(c, "tied", "yes"), glorot);
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

const hg_model model_ae_keras = {
    .name = "ae-keras",
    .about = "autoencoder, 784-32-784, cross-entropy",
    .source = "Chollet, Building Autoencoders in Keras, 2016",
    .options =
        HG_OPTIONS(HG_NUMBER("latent", "width of the code", 32), HG_TIED("no"),
                   HG_RECIPE("ReLU on the code, Adadelta at 1.0")),
    .batch_size = 256,
    .epochs = 50,
    .published = &(
        const hg_published){.adadelta = {.rate = 1, .rho = 0.95, .eps = 1e-7}},
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct ae_keras),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
};
