/* sparse_ae.c - autoencoders with more units than pixels need, few at work.
 *
 *   loss = cross-entropy of sigmoid(decoder(h)) and x, nats per image, and
 *   l1        weight * sum |h|, h = relu                   (weight 0.1)
 *   kl        weight * sum_j KL(rho || mean over the batch of h_j), h = sigmoid
 *                                           (Ng, 2011; weight 3, rho 0.05)
 *   k-sparse  nothing; h keeps its k largest (Makhzani and Frey, 2013; k = 25)
 */
#include "models/internal.h"

struct sparse_ae {
    nn_layer *encoder, *decoder;
    bool l1, kl;
    double weight, rho;
    int64_t k;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct sparse_ae *m = model;
    int64_t in = hg_config_int(c, "inputs"), h = hg_config_int(c, "hidden");
    m->l1 = hg_config_is(c, "penalty", "l1");
    m->kl = hg_config_is(c, "penalty", "kl");
    double weight = hg_config_number(c, "weight");
    m->weight = weight >= 0 ? weight : m->kl ? 3 : 0.1;
    m->rho = hg_config_number(c, "rho");
    m->k = m->l1 || m->kl ? 0 : hg_config_within(c, "k", 1, h);
    m->encoder = nn_linear(p, "encoder", in, h);
    m->decoder = nn_linear_mirror(p, "decoder", m->encoder,
                                  hg_config_is(c, "tied", "yes"));
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    const struct sparse_ae *m = model;
    hg_tensor *h = nn_forward(m->encoder, x);
    return m->l1   ? hg_relu(h)
           : m->kl ? hg_sigmoid(h)
                   : nn_keep_largest(h, m->k);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((struct sparse_ae *)model)->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct sparse_ae *m = model;
    hg_tensor *h = encode(m, b->x);
    hg_tensor *bce = hg_bce_nats(nn_forward(m->decoder, h), b);
    if (m->k)
        return bce;
    hg_tensor *penalty =
        m->l1 ? hg_sum(hg_abs(h), HG_FROM(1)) : nn_activity_kl(h, m->rho);
    hg_report("penalty", penalty);
    return hg_add(bce, hg_scale(penalty, m->weight));
}

const hg_model model_sparse_ae = {
    .name = "sparse-ae",
    .about = "autoencoder with few active units, 784-1000",
    .source = "Ng, 2011; Makhzani and Frey, 2013",
    .options = HG_OPTIONS(HG_CHOICE("penalty", "what makes the code sparse",
                                    "l1", "kl", "k-sparse"),
                          HG_NUMBER("weight", "of it (-1: 0.1 l1, 3 kl)", -1),
                          HG_NUMBER("rho", "kl: mean activity wanted", 0.05),
                          HG_NUMBER("k", "k-sparse: units at work", 25),
                          HG_NUMBER("hidden", "units of the code", 1000),
                          HG_TIED("no")),
    .batch_size = 128,
    .epochs = 20,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct sparse_ae),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
};
