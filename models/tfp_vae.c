/* tfp_vae.c - the convolutional VAE of TensorFlow Probability's examples.
 *
 *   28 -> 14 -> 7 -> 1 pixels by 5x5 and 7x7 convolutions, leaky ReLU 0.2;
 *   other sizes, grey or colour: halved until the side is at most 7
 *   q(z|x) = N(mu(x), softplus(raw(x) + 0.5413)^2): the spread starts near 1
 *   p(z)   = N(0, I), or a learned mixture of --components normals
 *   p(x|z) = Bernoulli with logits decoder(z)
 *   loss   = -log p(x|z) + KL(q(z|x) || p(z)), nats per image, mean over
 *            --samples draws; the KL in closed form where there is one, or as
 *            log q(z|x) - log p(z) at the draws
 */
#include "models/internal.h"

struct tfp_vae {
    nn_layer *encoder, *decoder;
    nn_mixture mixture; /* k = 1: N(0, I) instead */
    int64_t latent, samples;
    bool sampled_kl;
};

/* Glorot's bound for the components' means, whose deviations begin at 1. */
static void add_prior(struct tfp_vae *m, hg_params *p, const hg_config *c)
{
    int64_t k = hg_config_int(c, "components");
    m->samples = hg_config_within(c, "samples", 1, 100000);
    m->sampled_kl = k > 1 || hg_config_is(c, "kl", "sampled");
    m->mixture.k = k;
    if (k > 1 && hg_config_is(c, "kl", "analytic"))
        hg_fail(HG_ERROR_ARGUMENT,
                "--kl analytic: the KL to a mixture of %lld has no "
                "closed form; use --kl sampled or --components 1",
                (long long)k);
    if (k != 1)
        nn_mixture_new(&m->mixture, hg_params_at(p, "prior"),
                       (nn_mixture_options){
                           k, m->latent, hg_config_is(c, "covariance", "full"),
                           nn_std_from_one, HG_INIT(HG_INIT_XAVIER_UNIFORM)});
}

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct tfp_vae *m = model;
    hg_params *e = hg_params_at(p, "encoder"), *d = hg_params_at(p, "decoder");
    hg_shape image = hg_config_image(c);
    int64_t width = hg_config_int(c, "width");
    m->latent = hg_config_int(c, "latent");
    m->encoder = nn_wide_convs(e, image, width, 2 * m->latent);
    m->decoder = nn_wide_deconvs(d, image, width, m->latent);
    add_prior(m, p, c);
}

/* mu and std of q(z|x), each [batch, latent]; pixels enter as -1 ... 1. */
static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct tfp_vae *m = model;
    hg_tensor *centred = hg_shift(hg_scale(x, 2), -1);
    return nn_normal_head(nn_forward(m->encoder, centred), nn_std_from_one,
                          std);
}

/* [n, latent] -> [n] */
static hg_tensor *log_prior(void *model, hg_tensor *z)
{
    const struct tfp_vae *m = model;
    if (m->mixture.k > 1)
        return nn_mixture_logpdf(&m->mixture, z);
    return nn_unit_normal_logpdf(z);
}

static hg_tensor *log_likelihood(void *model, hg_tensor *x, hg_tensor *z)
{
    hg_tensor *logits = nn_forward(((struct tfp_vae *)model)->decoder, z);
    return hg_sum(hg_bernoulli_logpmf(x, logits), HG_FROM(1));
}

/* [batch, ...] `samples` times over: [samples * batch, ...]. */
static hg_tensor *again(const struct tfp_vae *m, hg_tensor *t)
{
    return m->samples > 1 ? nn_repeat(t, m->samples) : t;
}

/* Mean over the samples: [samples * batch] -> [batch]. */
static hg_tensor *mean_of(const struct tfp_vae *m, hg_tensor *t)
{
    if (m->samples == 1)
        return t;
    return hg_mean(hg_reshape(t, HG_SHAPE(m->samples, -1)), HG_OVER(0));
}

static hg_tensor *estimate(struct tfp_vae *m, hg_tensor *mu, hg_tensor *std,
                           hg_tensor *z)
{
    hg_tensor *log_q = hg_sum(hg_normal_logpdf(z, mu, std), HG_FROM(1));
    return hg_sub(log_q, log_prior(m, z));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct tfp_vae *m = model;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_tensor *centre = again(m, mu), *spread = again(m, std);
    hg_tensor *z = hg_normal_sample(centre, spread);
    hg_tensor *p = mean_of(m, log_likelihood(m, again(m, b->target), z));
    hg_tensor *kl = m->sampled_kl ? mean_of(m, estimate(m, centre, spread, z))
                                  : hg_normal_kl(mu, std);
    return hg_sub(hg_kl_cost(b, kl), p);
}

/* To a mixture: an estimate, by one draw. */
static hg_tensor *kl(void *model, hg_tensor *x)
{
    struct tfp_vae *m = model;
    hg_tensor *std, *mu = posterior(m, x, &std);
    if (m->mixture.k > 1)
        return estimate(m, mu, std, hg_normal_sample(mu, std));
    return hg_sum(hg_normal_kl(mu, std), HG_FROM(1));
}

static hg_tensor *decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct tfp_vae *)model)->decoder, z));
}

static hg_tensor *prior(void *model, int64_t n)
{
    const struct tfp_vae *m = model;
    return m->mixture.k > 1 ? nn_mixture_draw(&m->mixture, n)
                            : hg_randn(HG_SHAPE(n, m->latent));
}

const hg_model model_tfp_vae = {
    .name = "tfp-vae",
    .about = "convolutional VAE, 5x5 kernels, 16-wide code, Bernoulli",
    .source = "TensorFlow Probability, examples/vae.py",
    .options = HG_OPTIONS(
        HG_NUMBER("latent", "width of the code", 16),
        HG_NUMBER("components", "normals of the prior, 1: N(0, I)", 1),
        HG_CHOICE("covariance", "of these normals, diagonal or full",
                  "diagonal", "full"),
        HG_CHOICE("kl", "in closed form, or by draws", "auto", "analytic",
                  "sampled"),
        HG_NUMBER("samples", "draws an image", 1), HG_WIDTH(32)),
    .batch_size = 64,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct tfp_vae),
    .build = build,
    .loss = loss,
    .decode = decode,
    .prior = prior,
    .kl = kl,
    .posterior = posterior,
    .log_prior = log_prior,
    .log_likelihood = log_likelihood,
};
