/* denoising_ae.c - restoring images from spoilt ones (Vincent et al., 2008):
 * one layer of sigmoids each way, with the same weights.
 *
 *   spoilt = x with pixels set to 0 (masking) or with normal noise, clipped
 *   y      = sigmoid(decoder(encoder(spoilt)))
 *   loss   = cross-entropy of y and the clean x, nats per image
 *
 * As published in the Theano tutorial (recipe faithful), plain gradient descent
 * at 0.1 trains it.
 */
#include "models/internal.h"

struct denoising_ae {
    nn_layer *encoder, *decoder;
    hg_noise noise;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct denoising_ae *m = model;
    nn_layer *in = nn_linear(p, "encoder", hg_config_int(c, "inputs"),
                             hg_config_int(c, "hidden"));
    m->noise = hg_noise_of(c);
    m->encoder = nn_chain(p, in, nn_sigmoid(p));
    m->decoder =
        nn_linear_mirror(p, "decoder", in, hg_config_is(c, "tied", "yes"));
}

static hg_tensor *corrupt(void *model, hg_tensor *x)
{
    return hg_spoil(((struct denoising_ae *)model)->noise, x);
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct denoising_ae *)model)->encoder, x);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(
        nn_forward(((struct denoising_ae *)model)->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct denoising_ae *m = model;
    hg_tensor *code = encode(m, corrupt(m, b->x));
    return hg_bce_nats(nn_forward(m->decoder, code), b);
}

const hg_model model_denoising_ae = {
    .name = "denoising-ae",
    .about = "restores masked or noisy images, 784-500 tied",
    .source = "Vincent et al., 2008",
    .options = HG_OPTIONS(HG_NOISE("masking", "gaussian"),
                          HG_NUMBER("hidden", "units of the code", 500),
                          HG_TIED("yes"), HG_RECIPE("gradient descent at 0.1")),
    .batch_size = 128,
    .epochs = 15,
    .published = &(const hg_published){.sgd = {.rate = 0.1}},
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct denoising_ae),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
    .corrupt = corrupt,
};
