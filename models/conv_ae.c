/* conv_ae.c - a convolutional autoencoder with a small code, the sibling of
 * conv-vae: the same nets, a linear code.
 *
 *   28 -> 14 -> 7 -> 3 pixels by stride-2 convolutions of 8, 16, 32 channels;
 *   other sizes, grey or colour: halved until the longer side is at most 4
 *   loss = mean over pixels of (decoder(code) - x)^2, per image
 */
#include "models/internal.h"

struct conv_ae {
    nn_layer *encoder, *code, *decoder;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct conv_ae *m = model;
    int64_t latent = hg_config_int(c, "latent");
    int64_t width = hg_config_int(c, "width");
    hg_shape image = hg_config_image(c);
    m->encoder = nn_halving_convs(hg_params_at(p, "encoder"), image, width);
    m->code = nn_linear(p, "code", 128, latent);
    m->decoder =
        nn_doubling_convs(hg_params_at(p, "decoder"), latent, image, width);
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    struct conv_ae *m = model;
    return nn_forward(m->code, nn_forward(m->encoder, x));
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return nn_forward(((struct conv_ae *)model)->decoder, code);
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    hg_tensor *y = decode(model, encode(model, b->x));
    return hg_mean(hg_square(hg_sub(y, b->target)), HG_FROM(1));
}

const hg_model model_conv_ae = {
    .name = "conv-ae",
    .about = "convolutional autoencoder, 4-wide code",
    .source = "E. Anello, Pytorch-tutorial, convAE",
    .options =
        HG_OPTIONS(HG_NUMBER("latent", "width of the code", 4), HG_WIDTH(8)),
    .batch_size = 256,
    .epochs = 30,
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .adam = {.rate = 1e-3, .weight_decay = 1e-5},
    .size = sizeof(struct conv_ae),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
};
