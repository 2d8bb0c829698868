/* conv_vae.c - a convolutional variational autoencoder with a small code.
 *
 *   28 -> 14 -> 7 -> 3 pixels by stride-2 convolutions of 8, 16, 32 channels;
 *   other sizes, grey or colour: halved until the longer side is at most 4
 *   q(z|x) = N(mu(x), sigma(x)^2), sigma = exp(head)
 *   loss   = |x - decoder(z)|^2 + KL(q(z|x) || N(0, I)), nats per image
 *
 * As published (recipe faithful) the KL lacks the factor 1/2 on sigma^2 + mu^2:
 * it is the KL to N(0, I/2) plus 0.3466 a dimension, so its prior is drawn
 * with that spread; and the batch is summed, not averaged.
 */
#include "models/internal.h"

struct conv_vae {
    nn_layer *encoder, *mu, *log_sigma, *decoder;
    int64_t latent;
    bool faithful;
};

/* The spread of the faithful prior. */
#define FAITHFUL_STD 0.70710678118654752

static void conv_vae_build(void *model, hg_params *p, const hg_config *c)
{
    struct conv_vae *m = model;
    hg_shape image = hg_config_image(c);
    int64_t width = hg_config_int(c, "width");
    m->latent = hg_config_int(c, "latent");
    m->faithful = hg_config_is(c, "recipe", "faithful");
    m->encoder = nn_halving_convs(hg_params_at(p, "encoder"), image, width);
    m->mu = nn_linear(p, "mu", 128, m->latent);
    m->log_sigma = nn_linear(p, "log_sigma", 128, m->latent);
    m->decoder =
        nn_doubling_convs(hg_params_at(p, "decoder"), m->latent, image, width);
}

/* sigma^2 + mu^2 - log sigma - 1/2, the first two halved if corrected: [batch,
 * latent]. */
static hg_tensor *divergence(const struct conv_vae *m, hg_tensor *mu,
                             hg_tensor *log_sigma)
{
    hg_tensor *squares = hg_add(hg_square(hg_exp(log_sigma)), hg_square(mu));
    if (!m->faithful)
        squares = hg_scale(squares, 0.5);
    return hg_shift(hg_sub(squares, log_sigma), -0.5);
}

static hg_tensor *conv_vae_decode(void *model, hg_tensor *z)
{
    return nn_forward(((struct conv_vae *)model)->decoder, z);
}

static hg_tensor *conv_vae_loss(void *model, const hg_batch *b)
{
    struct conv_vae *m = model;
    hg_tensor *h = nn_forward(m->encoder, b->x);
    hg_tensor *mu = nn_forward(m->mu, h);
    hg_tensor *log_sigma = nn_forward(m->log_sigma, h);
    hg_tensor *z = hg_normal_sample(mu, hg_exp(log_sigma));
    hg_tensor *sse = hg_gaussian_cost(b, conv_vae_decode(m, z));
    return hg_add(sse, hg_kl_cost(b, divergence(m, mu, log_sigma)));
}

static bool conv_vae_step(void *model, const hg_batch *b,
                          const hg_optimizers *o)
{
    hg_tensor *loss = conv_vae_loss(model, b);
    hg_report("loss", loss);
    bool sum = ((struct conv_vae *)model)->faithful;
    return hg_minimize(sum ? hg_sum(loss, HG_ALL) : hg_mean(loss, HG_ALL),
                       o->list[0]);
}

static hg_tensor *conv_vae_posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct conv_vae *m = model;
    hg_tensor *h = nn_forward(m->encoder, x);
    *std = hg_exp(nn_forward(m->log_sigma, h));
    return nn_forward(m->mu, h);
}

/* The true KL: to N(0, I / 2) for the faithful recipe, ln(2) / 2 less. */
static hg_tensor *conv_vae_kl(void *model, hg_tensor *x)
{
    struct conv_vae *m = model;
    hg_tensor *h = nn_forward(m->encoder, x);
    hg_tensor *mu = nn_forward(m->mu, h);
    hg_tensor *log_sigma = nn_forward(m->log_sigma, h);
    hg_tensor *kl = hg_sum(divergence(m, mu, log_sigma), HG_FROM(1));
    double excess = 0.34657359027997264 * (double)m->latent;
    return m->faithful ? hg_shift(kl, -excess) : kl;
}

static hg_tensor *conv_vae_prior(void *model, int64_t n)
{
    struct conv_vae *m = model;
    hg_tensor *z = hg_randn(HG_SHAPE(n, m->latent));
    return m->faithful ? hg_scale(z, FAITHFUL_STD) : z;
}

static hg_tensor *conv_vae_log_prior(void *model, hg_tensor *z)
{
    hg_tensor *std = hg_full(HG_SCALAR, ((struct conv_vae *)model)->faithful
                                            ? (hg_real)FAITHFUL_STD
                                            : 1);
    hg_tensor *log_p = hg_normal_logpdf(z, hg_zeros(HG_SCALAR), std);
    return hg_sum(log_p, HG_FROM(1));
}

const hg_model model_conv_vae = {
    .name = "conv-vae",
    .about = "convolutional variational autoencoder, 4-wide code",
    .options = HG_OPTIONS(
        HG_NUMBER("latent", "width of the code", 4), HG_WIDTH(8),
        HG_RECIPE("weighs the KL's squares by 1, sums over the batch")),
    .batch_size = 256,
    .published = &(
        const hg_published){.epochs = 50, .validation = 0.2, .in_order = true},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .adam = {.rate = 1e-3, .weight_decay = 1e-5},
    .size = sizeof(struct conv_vae),
    .build = conv_vae_build,
    .loss = conv_vae_loss,
    .step = conv_vae_step,
    .decode = conv_vae_decode,
    .prior = conv_vae_prior,
    .kl = conv_vae_kl,
    .posterior = conv_vae_posterior,
    .log_prior = conv_vae_log_prior,
};
