/* contractive_ae.c - codes that change little where x does (Rifai et al.,
 * 2011).
 *
 *   h    = sigmoid(W x + b),  y = sigmoid(W' h + c)
 *   loss = cross-entropy of y and x + weight * |dh/dx|^2, nats per image
 *
 * The squared Frobenius norm of the Jacobian is had in three ways:
 *   closed   sum_j (h_j (1 - h_j))^2 |W_j|^2, for this one layer
 *   exact    row by row: the gradient of each unit in x, kept on the tape so
 *            that its square can be differentiated; for any encoder
 *   sampled  |v'J|^2 of one normal v an image, whose mean it is (Hutchinson)
 *
 * As published in the Theano tutorial (recipe faithful), the norm is divided
 * by the batch with Python's //, which rounds down and has no gradient: an
 * ordinary autoencoder.
 */
#include "models/internal.h"

struct contractive_ae {
    nn_layer *encoder, *decoder;
    hg_tensor *weight; /* [hidden, inputs] */
    double strength;
    bool faithful, closed, exact;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct contractive_ae *m = model;
    m->faithful = hg_config_is(c, "recipe", "faithful");
    m->strength = hg_config_number(c, "weight");
    m->closed = hg_config_is(c, "jacobian", "closed");
    m->exact = hg_config_is(c, "jacobian", "exact");
    nn_layer *in = nn_linear(p, "encoder", hg_config_int(c, "inputs"),
                             hg_config_int(c, "hidden"));
    m->encoder = nn_chain(p, in, nn_sigmoid(p));
    m->decoder =
        nn_linear_mirror(p, "decoder", in, hg_config_is(c, "tied", "yes"));
    m->weight = hg_params_find(p, "encoder.weight");
}

/* [batch] */
static hg_tensor *closed_form(const struct contractive_ae *m, hg_tensor *h)
{
    hg_tensor *slope = hg_mul(h, hg_rsub(h, 1));
    hg_tensor *lengths = hg_sum(hg_square(m->weight), HG_OVER(1));
    return hg_matmul(hg_square(slope), lengths);
}

/* Gradients in x are wanted in an evaluation too. */
static hg_tensor *penalty(const struct contractive_ae *m, hg_tensor *pixels,
                          hg_tensor **h)
{
    hg_mode was = hg_get_mode();
    hg_set_mode(m->closed ? was : was | HG_RECORD);
    hg_tensor *x = m->closed ? pixels : hg_watch(pixels);
    *h = nn_forward(m->encoder, x);
    hg_tensor *norm = m->closed  ? closed_form(m, *h)
                      : m->exact ? nn_jacobian_norm(*h, x)
                                 : nn_jacobian_norm_sampled(*h, x);
    hg_set_mode(was);
    return norm;
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct contractive_ae *)model)->encoder, x);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    struct contractive_ae *m = model;
    return hg_sigmoid(nn_forward(m->decoder, code));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct contractive_ae *m = model;
    hg_tensor *h = NULL, *norm = penalty(m, b->x, &h);
    if (m->faithful)
        norm = hg_round(hg_shift(hg_mean(hg_detach(norm), HG_ALL), -0.5));
    hg_report("penalty", norm);
    hg_tensor *bce = hg_bce_nats(nn_forward(m->decoder, h), b);
    return hg_add(bce, hg_scale(norm, m->strength));
}

const hg_model model_contractive_ae = {
    .name = "contractive-ae",
    .about = "penalises the encoder's Jacobian, 784-1000 tied",
    .source = "Rifai et al., 2011",
    .options = HG_OPTIONS(
        HG_NUMBER("weight", "of the penalty", 0.1),
        HG_CHOICE("jacobian", "how its norm is had", "closed", "exact",
                  "sampled"),
        HG_NUMBER("hidden", "units of the code", 1000), HG_TIED("yes"),
        HG_RECIPE("rounds the penalty down, which leaves it no gradient")),
    .batch_size = 128,
    .epochs = 20,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct contractive_ae),
    .build = build,
    .loss = loss,
    .encode = encode,
    .decode = decode,
};
