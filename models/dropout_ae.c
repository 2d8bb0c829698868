/* dropout_ae.c - an autoencoder regularised by dropout (Srivastava et al.,
 * 2014): units of the code, pixels of the input, or both are dropped.
 *
 *   code = dropout(sigmoid(encoder(dropout(x))))
 *   loss = cross-entropy of sigmoid(decoder(code)) and x, nats per image
 */
#include "models/internal.h"

struct dropout_ae {
    nn_layer *encoder, *decoder;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct dropout_ae *m = model;
    nn_layer *in = nn_linear(p, "encoder", hg_config_int(c, "inputs"),
                             hg_config_int(c, "hidden"));
    m->encoder =
        nn_chain(p, nn_dropout(p, hg_config_number(c, "drop-input")), in,
                 nn_sigmoid(p), nn_dropout(p, hg_config_number(c, "drop")));
    m->decoder =
        nn_linear_mirror(p, "decoder", in, hg_config_is(c, "tied", "yes"));
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct dropout_ae *)model)->encoder, x);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((struct dropout_ae *)model)->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct dropout_ae *m = model;
    return hg_bce_nats(nn_forward(m->decoder, encode(m, b->x)), b);
}

const hg_model model_dropout_ae = {
    .name = "dropout-ae",
    .about = "autoencoder with dropout on the code, 784-1000",
    .source = "Srivastava et al., 2014",
    .options =
        HG_OPTIONS(HG_NUMBER("hidden", "units of the code", 1000),
                   HG_NUMBER("drop", "units of the code dropped", 0.5),
                   HG_NUMBER("drop-input", "pixels dropped", 0), HG_TIED("no")),
    .batch_size = 128,
    .epochs = 20,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct dropout_ae),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
};
