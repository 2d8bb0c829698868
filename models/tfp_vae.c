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

static const char *const kls[] = {"auto", "analytic", "sampled", NULL};

static const nn_window same = {.kernel = 5, .pad = 2};
static const nn_window down = {.kernel = 5, .pad = 2, .stride = 2};

enum { MOST_HALVINGS = 16 };

/* Sides and channels of the levels; level `halvings` is seen by one window. */
typedef struct {
    int halvings;
    int64_t colours, width, side[MOST_HALVINGS + 1];
} levels;

static bool levels_of(levels *l, const hg_config *c)
{
    int64_t height = hg_config_int(c, "image_height");
    int n = 0;
    l->colours = hg_config_int(c, "channels");
    l->width = hg_config_int(c, "width");
    l->side[0] = hg_config_int(c, "image_width");
    if (hg_error())
        return false;
    if (l->side[0] != height || l->width < 1 || l->width > 1024)
        return hg_fail(HG_ERROR_DATA,
                       "tfp-vae takes square images and a width of 1 to 1024, "
                       "these are %lld x %lld with --width %lld; --image-size "
                       "makes pictures square",
                       (long long)height, (long long)l->side[0],
                       (long long)l->width);
    for (; n < MOST_HALVINGS && l->side[n] > 7; n++)
        l->side[n + 1] = (l->side[n] + 1) / 2;
    l->halvings = n;
    return true;
}

/* 32 channels at the image's own size, 64 at all others. */
static int64_t channels_at(const levels *l, int i)
{
    return i ? 2 * l->width : l->width;
}

static nn_window whole(const levels *l)
{
    return (nn_window){.kernel = l->side[l->halvings]};
}

static void add_bent(nn_stack *s, nn_layer *layer)
{
    nn_stack_add(s, layer);
    nn_stack_add(s, nn_leaky_relu(s->params, 0.2));
}

static nn_layer *encoder(hg_params *p, const levels *l, int64_t latent)
{
    nn_stack s = {.params = p};
    int64_t in = l->colours;
    nn_stack_add_unnamed(&s, nn_unflatten(p, in, l->side[0], l->side[0]));
    for (int i = 0; i < l->halvings; i++) {
        int64_t out = channels_at(l, i);
        add_bent(&s, nn_conv2d(p, nn_stack_name(&s), in, out, same));
        add_bent(&s, nn_conv2d(p, nn_stack_name(&s), out, out, down));
        in = out;
    }
    int64_t top = channels_at(l, 1);
    add_bent(&s, nn_conv2d(p, nn_stack_name(&s), in, top, whole(l)));
    nn_stack_add(&s, nn_flatten(p));
    nn_stack_add(&s, nn_linear(p, nn_stack_name(&s), top, 2 * latent));
    return nn_stack_chain(&s);
}

static nn_layer *decoder(hg_params *p, const levels *l, int64_t latent)
{
    nn_stack s = {.params = p};
    int64_t in = channels_at(l, 1);
    nn_stack_add_unnamed(&s, nn_unflatten(p, latent, 1, 1));
    add_bent(&s,
             nn_conv_transpose2d(p, nn_stack_name(&s), latent, in, whole(l)));
    for (int i = l->halvings - 1; i >= 0; i--) {
        int64_t out = channels_at(l, i);
        nn_window up = down;
        up.output_pad = l->side[i] % 2 == 0;
        add_bent(&s, nn_conv_transpose2d(p, nn_stack_name(&s), in, out, same));
        add_bent(&s, nn_conv_transpose2d(p, nn_stack_name(&s), out, out, up));
        in = out;
    }
    add_bent(&s, nn_conv_transpose2d(p, nn_stack_name(&s), in, in, same));
    nn_stack_add(&s, nn_conv2d(p, nn_stack_name(&s), in, l->colours, same));
    nn_stack_add(&s, nn_flatten(p));
    return nn_stack_chain(&s);
}

/* Glorot's bound for the components' means, whose deviations begin at 1. */
static bool add_prior(struct tfp_vae *m, hg_params *p, const hg_config *c)
{
    int64_t k = hg_config_int(c, "components");
    m->samples = hg_config_int(c, "samples");
    m->sampled_kl = k > 1 || hg_config_is(c, "kl", "sampled");
    m->mixture.k = 1;
    if (!hg_error() && m->samples < 1)
        return hg_fail(HG_ERROR_ARGUMENT, "--samples %lld: at least 1",
                       (long long)m->samples);
    if (k > 1 && hg_config_is(c, "kl", "analytic"))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--kl analytic: the KL to a mixture of %lld has no "
                       "closed form; use --kl sampled or --components 1",
                       (long long)k);
    return k == 1 ||
           nn_mixture_new(&m->mixture, hg_params_at(p, "prior"), k, m->latent,
                          nn_std_from_one, HG_INIT(HG_INIT_XAVIER_UNIFORM));
}

static void *build(hg_params *p, const hg_config *c)
{
    levels l = {0};
    struct tfp_vae *m = hg_params_alloc(p, sizeof *m);
    if (!m || !levels_of(&l, c))
        return NULL;
    m->latent = hg_config_int(c, "latent");
    m->encoder = encoder(hg_params_at(p, "encoder"), &l, m->latent);
    m->decoder = decoder(hg_params_at(p, "decoder"), &l, m->latent);
    return add_prior(m, p, c) ? m : NULL;
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
    hg_tensor *zero = hg_zeros(HG_SCALAR), *one = hg_ones(HG_SCALAR);
    return hg_sum(hg_normal_logpdf(z, zero, one), HG_FROM(1));
}

static hg_tensor *log_likelihood(void *model, hg_tensor *x, hg_tensor *z)
{
    hg_tensor *logits = nn_forward(((struct tfp_vae *)model)->decoder, z);
    return hg_sum(hg_bernoulli_logpmf(x, logits), HG_FROM(1));
}

/* [batch, ...] `samples` times over: [samples * batch, ...]. */
static hg_tensor *again(const struct tfp_vae *m, hg_tensor *t)
{
    if (!t || m->samples == 1)
        return t;
    int64_t n = t->shape.dim[0], d = t->shape.dim[1];
    hg_tensor *many = hg_expand(t, HG_SHAPE(m->samples, n, d));
    return hg_reshape(many, HG_SHAPE(m->samples * n, d));
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

static hg_tensor *encode(void *model, hg_tensor *x)
{
    hg_tensor *std;
    return posterior(model, x, &std);
}

static hg_tensor *sample(void *model, hg_tensor *x)
{
    hg_tensor *std, *mu = posterior(model, x, &std);
    return hg_normal_sample(mu, std);
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

static const hg_option options[] = {
    {.name = "latent", .about = "width of the code", .number = 16},
    {.name = "components",
     .about = "normals of the prior, 1: N(0, I)",
     .number = 1},
    {.name = "kl",
     .about = "in closed form, or by draws",
     .text = "auto",
     .choices = kls},
    {.name = "samples", .about = "draws an image", .number = 1},
    HG_WIDTH(32),
    {0},
};

const hg_model model_tfp_vae = {
    .name = "tfp-vae",
    .about = "convolutional VAE, 5x5 kernels, 16-wide code, Bernoulli",
    .source = "TensorFlow Probability, examples/vae.py",
    .options = options,
    .batch_size = 64,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .build = build,
    .loss = loss,
    .encode = encode,
    .sample = sample,
    .decode = decode,
    .prior = prior,
    .kl = kl,
    .posterior = posterior,
    .log_prior = log_prior,
    .log_likelihood = log_likelihood,
};
