/* tfp_vae.c - the convolutional VAE of TensorFlow Probability's examples.
 *
 *   28 -> 14 -> 7 -> 1 pixels by 5x5 and 7x7 convolutions, leaky ReLU 0.2
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
static const nn_window up = {
    .kernel = 5, .pad = 2, .stride = 2, .output_pad = 1};
static const nn_window whole = {.kernel = 7};

static nn_layer *encoder(hg_params *p, int64_t latent)
{
    nn_layer *bend = nn_leaky_relu(p, 0.2);
    return nn_chain(
        p, nn_unflatten(p, 1, 28, 28), nn_conv2d(p, "0", 1, 32, same), bend,
        nn_conv2d(p, "2", 32, 32, down), bend, nn_conv2d(p, "4", 32, 64, same),
        bend, nn_conv2d(p, "6", 64, 64, down), bend,
        nn_conv2d(p, "8", 64, 64, whole), bend, nn_flatten(p),
        nn_linear(p, "11", 64, 2 * latent));
}

static nn_layer *decoder(hg_params *p, int64_t latent)
{
    nn_layer *bend = nn_leaky_relu(p, 0.2);
    return nn_chain(p, nn_unflatten(p, latent, 1, 1),
                    nn_conv_transpose2d(p, "0", latent, 64, whole), bend,
                    nn_conv_transpose2d(p, "2", 64, 64, same), bend,
                    nn_conv_transpose2d(p, "4", 64, 64, up), bend,
                    nn_conv_transpose2d(p, "6", 64, 32, same), bend,
                    nn_conv_transpose2d(p, "8", 32, 32, up), bend,
                    nn_conv_transpose2d(p, "10", 32, 32, same), bend,
                    nn_conv2d(p, "12", 32, 1, same), nn_flatten(p));
}

static void *tfp_vae_build(hg_params *p, const hg_config *c)
{
    if (hg_config_int(c, "inputs") != 784) {
        hg_fail(HG_ERROR_DATA,
                "tfp-vae takes images of 1 x 28 x 28, these have %lld values",
                (long long)hg_config_int(c, "inputs"));
        return NULL;
    }
    struct tfp_vae *m = hg_params_alloc(p, sizeof *m);
    if (!m)
        return NULL;
    m->latent = hg_config_int(c, "latent");
    m->encoder = encoder(hg_params_at(p, "encoder"), m->latent);
    m->decoder = decoder(hg_params_at(p, "decoder"), m->latent);
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
    hg_tensor *kl = hg_sum(hg_normal_kl(mu, std), HG_FROM(1));
    hg_report("kl", kl);
    return hg_add(bce, kl);
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
