/* tfp_vae.c - the convolutional VAE of TensorFlow Probability's examples.
 *
 *   28 -> 14 -> 7 -> 1 pixels by 5x5 and 7x7 convolutions, leaky ReLU 0.2;
 *   other sizes, grey or colour: halved until the side is at most 7
 *   q(z|x) = N(mu(x), softplus(raw(x) + 0.5413)^2): the spread starts near 1
 *   p(z)   = N(0, I), p(x|z) = Bernoulli with logits decoder(z)
 *   loss   = -log p(x|z) + KL(q(z|x) || p(z)), nats per image
 */
#include "models/internal.h"

struct tfp_vae {
    nn_layer *encoder, *decoder;
    int64_t latent;
};

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

static void *tfp_vae_build(hg_params *p, const hg_config *c)
{
    levels l = {0};
    struct tfp_vae *m = hg_params_alloc(p, sizeof *m);
    if (!m || !levels_of(&l, c))
        return NULL;
    m->latent = hg_config_int(c, "latent");
    m->encoder = encoder(hg_params_at(p, "encoder"), &l, m->latent);
    m->decoder = decoder(hg_params_at(p, "decoder"), &l, m->latent);
    return m;
}

/* mu and std of q(z|x), each [batch, latent]; pixels enter as -1 ... 1. */
static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    const struct tfp_vae *m = model;
    hg_tensor *centred = hg_shift(hg_scale(x, 2), -1), *head[2] = {0};
    if (!hg_split(nn_forward(m->encoder, centred), 1, 2, head))
        return NULL;
    *std = hg_softplus(hg_shift(head[1], 0.5413248546129181));
    return head[0];
}

static hg_tensor *tfp_vae_loss(void *model, const hg_batch *b)
{
    struct tfp_vae *m = model;
    hg_tensor *std = NULL, *mu = posterior(m, b->x, &std);
    hg_tensor *z = hg_normal_sample(mu, std);
    hg_tensor *logits = nn_forward(m->decoder, z);
    hg_tensor *bce = hg_sum(hg_bce_with_logits(logits, b->target), HG_FROM(1));
    return hg_add(bce, hg_kl_cost(b, hg_normal_kl(mu, std)));
}

static hg_tensor *tfp_vae_encode(void *model, hg_tensor *x)
{
    hg_tensor *std = NULL;
    return posterior(model, x, &std);
}

static hg_tensor *tfp_vae_sample(void *model, hg_tensor *x)
{
    hg_tensor *std = NULL, *mu = posterior(model, x, &std);
    return hg_normal_sample(mu, std);
}

static hg_tensor *tfp_vae_kl(void *model, hg_tensor *x)
{
    hg_tensor *std = NULL, *mu = posterior(model, x, &std);
    return hg_sum(hg_normal_kl(mu, std), HG_FROM(1));
}

static hg_tensor *tfp_vae_decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct tfp_vae *)model)->decoder, z));
}

static hg_tensor *tfp_vae_log_likelihood(void *model, hg_tensor *x,
                                         hg_tensor *z)
{
    hg_tensor *logits = nn_forward(((struct tfp_vae *)model)->decoder, z);
    return hg_sum(hg_bernoulli_logpmf(x, logits), HG_FROM(1));
}

static hg_tensor *tfp_vae_prior(void *model, int64_t n)
{
    return hg_randn(HG_SHAPE(n, ((struct tfp_vae *)model)->latent));
}

static const hg_option tfp_vae_options[] = {
    {.name = "latent", .about = "width of the code", .number = 16},
    HG_WIDTH(32),
    {0},
};

const hg_model model_tfp_vae = {
    .name = "tfp-vae",
    .about = "convolutional VAE, 5x5 kernels, 16-wide code, Bernoulli",
    .source = "TensorFlow Probability, examples/vae.py",
    .options = tfp_vae_options,
    .batch_size = 64,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .build = tfp_vae_build,
    .loss = tfp_vae_loss,
    .encode = tfp_vae_encode,
    .sample = tfp_vae_sample,
    .decode = tfp_vae_decode,
    .prior = tfp_vae_prior,
    .kl = tfp_vae_kl,
    .posterior = posterior,
    .log_likelihood = tfp_vae_log_likelihood,
};
