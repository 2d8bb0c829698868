/* denoising_ae.c - restoring images from spoilt ones (Vincent et al., 2008).
 *
 *   spoilt = x with pixels set to 0 (masking) or with normal noise, clipped
 *   y      = sigmoid(decoder(encoder(spoilt)))
 *   loss   = cross-entropy of y and the clean x, nats per image
 *
 * Dense: one layer of sigmoids each way, with the same weights; convolutional:
 * the nets of Keras' example, with squared error. As published (recipe
 * faithful) the first is trained by plain gradient descent at 0.1, and the
 * second's noise has mean 1/2, so that spoilt images are also too bright.
 */
#include "models/evaluation.h"
#include "models/internal.h"

struct denoising_ae {
    nn_layer *encoder, *decoder;
    bool faithful, conv, masking;
    double rate, std;
};

static const char *const nets[] = {"dense", "conv", NULL};
static const char *const noises[] = {"masking", "gaussian", NULL};

static void *build(hg_params *p, const hg_config *c)
{
    struct denoising_ae *m = hg_params_alloc(p, sizeof *m);
    if (!m)
        return NULL;
    m->faithful = hg_config_is(c, "recipe", "faithful");
    m->conv = hg_config_is(c, "net", "conv");
    m->masking = hg_config_is(c, "noise", "masking");
    m->rate = hg_config_number(c, "rate");
    m->std = hg_config_number(c, "std");
    if (m->conv) {
        m->encoder = nn_two_convs(hg_params_at(p, "encoder"), 16);
        m->decoder = nn_two_deconvs(hg_params_at(p, "decoder"), 16);
        return hg_wants_28(c, "denoising-ae --net conv") ? m : NULL;
    }
    nn_layer *in = nn_linear(p, "encoder", hg_config_int(c, "inputs"),
                             hg_config_int(c, "hidden"));
    bool tied = hg_config_is(c, "tied", "yes");
    m->encoder = nn_chain(p, in, nn_sigmoid(p));
    m->decoder =
        nn_linear_mirror(p, "decoder", in, tied, (nn_linear_options){0});
    return m;
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    const struct denoising_ae *m = model;
    hg_sgd_options theano = {.rate = 0.1};
    return hg_optimizers_add(o, m->faithful && !m->conv
                                    ? hg_sgd(p, "sgd", theano)
                                    : hg_adam(p, "adam", (hg_adam_options){0}));
}

static hg_tensor *corrupt(void *model, hg_tensor *x)
{
    const struct denoising_ae *m = model;
    if (m->masking)
        return hg_mask_noise(x, m->rate);
    double mean = m->faithful && m->conv ? 0.5 : 0;
    return hg_add_noise(x, mean, m->std);
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct denoising_ae *)model)->encoder, x);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    struct denoising_ae *m = model;
    return hg_sigmoid(nn_forward(m->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct denoising_ae *m = model;
    hg_tensor *code = encode(m, corrupt(m, b->x));
    return m->conv ? hg_gaussian_cost(b, decode(m, code))
                   : hg_bce_nats(nn_forward(m->decoder, code), b);
}

static const hg_option options[] = {
    HG_CHOICE("net", "dense or conv", "dense", nets),
    HG_CHOICE("noise", "what spoils the images", "masking", noises),
    {.name = "rate", .about = "pixels that masking drops", .number = 0.3},
    {.name = "std", .about = "deviation of gaussian noise", .number = 0.5},
    {.name = "hidden", .about = "units of the dense code", .number = 500},
    HG_TIED("yes"),
    HG_RECIPE("dense: gradient descent at 0.1; conv: noise of mean 1/2"),
    {0},
};

const hg_model model_denoising_ae = {
    .name = "denoising-ae",
    .about = "restores masked or noisy images, 784-500 tied",
    .source = "Vincent et al., 2008",
    .options = options,
    .batch_size = 128,
    .epochs = 15,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .build = build,
    .loss = loss,
    .optimizers = optimizers,
    .encode = encode,
    .decode = decode,
    .corrupt = corrupt,
};
