/* conv_denoising_ae.c - the convolutional denoising autoencoder of Keras'
 * examples (Vincent et al., 2008): 28 -> 14 -> 7 pixels and a code of 16.
 *
 *   spoilt = x with normal noise, clipped, or with pixels set to 0 (masking)
 *   loss   = |x - sigmoid(decoder(encoder(spoilt)))|^2, per image
 *
 * As published (recipe faithful) the noise has mean 1/2, so that spoilt images
 * are also too bright. Adam at the published 1e-3 may leave every unit of a
 * layer dead and all images black; both recipes have 3e-4 here.
 */
#include "models/internal.h"

struct conv_denoising_ae {
    nn_layer *encoder, *decoder;
    hg_noise noise;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct conv_denoising_ae *m = model;
    hg_wants_28(c, "conv-denoising-ae");
    m->encoder = nn_two_convs(hg_params_at(p, "encoder"), 16);
    m->decoder = nn_two_deconvs(hg_params_at(p, "decoder"), 16);
    m->noise = hg_noise_of(c);
    m->noise.mean = hg_config_is(c, "recipe", "faithful") ? 0.5 : 0;
}

static hg_tensor *corrupt(void *model, hg_tensor *x)
{
    return hg_spoil(((struct conv_denoising_ae *)model)->noise, x);
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct conv_denoising_ae *)model)->encoder, x);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(
        nn_forward(((struct conv_denoising_ae *)model)->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    return hg_gaussian_cost(b,
                            decode(model, encode(model, corrupt(model, b->x))));
}

const hg_model model_conv_denoising_ae = {
    .name = "conv-denoising-ae",
    .about = "restores noisy images, convolutional",
    .source = "Keras, examples/mnist_denoising_autoencoder.py",
    .options = HG_OPTIONS(HG_NOISE("gaussian", "masking"),
                          HG_RECIPE("noise of mean 1/2")),
    .batch_size = 128,
    .epochs = 15,
    .adam = {.rate = 3e-4},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .size = sizeof(struct conv_denoising_ae),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
    .corrupt = corrupt,
};
