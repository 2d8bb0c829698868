/* vae.c - Auto-Encoding Variational Bayes (Kingma and Welling, 2013), dense.
 *
 *   q(z|x) = N(mu(x), std(x)^2),  p(z) = N(0, I)
 *   p(x|z) = N(decoder(z), 1/2):  -log p(x|z) = |x - decoder(z)|^2 + constant
 *   loss   = |x - decoder(z)|^2 + beta KL(q(z|x) || p(z)), nats per image
 *
 * As published (recipe faithful) ReLU bends mu and std, which keeps q away
 * from the prior, and everything is divided by the number of pixels; the
 * corrected recipe has linear heads and reads the second as log variance.
 */
#include "models/internal.h"

struct vae {
    nn_layer *encoder, *decoder;
    int64_t latent;
    bool faithful;
    hg_tensor *beta;
};

static void *vae_build(hg_params *p, const hg_config *c)
{
    struct vae *m = hg_params_alloc(p, sizeof *m);
    if (!m)
        return NULL;
    hg_params *e = hg_params_at(p, "encoder"), *d = hg_params_at(p, "decoder");
    int64_t in = hg_config_int(c, "inputs");
    m->latent = hg_config_int(c, "latent");
    m->faithful = hg_config_is(c, "recipe", "faithful");
    m->encoder = nn_chain(e, nn_linear(e, "0", in, 256), nn_relu(e),
                          nn_linear(e, "2", 256, 64), nn_relu(e),
                          nn_linear(e, "4", 64, 2 * m->latent),
                          m->faithful ? nn_relu(e) : nn_identity(e));
    m->decoder = nn_chain(d, nn_linear(d, "0", m->latent, 64), nn_relu(d),
                          nn_linear(d, "2", 64, 256), nn_relu(d),
                          nn_linear(d, "4", 256, in), nn_sigmoid(d));
    m->beta =
        hg_buffer(p, "beta", HG_SCALAR, (hg_real)hg_config_number(c, "beta"));
    return m;
}

/* mu and std of q(z|x), each [batch, latent]. */
static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    const struct vae *m = model;
    hg_tensor *head[2] = {0};
    if (!hg_split(nn_forward(m->encoder, x), 1, 2, head))
        return NULL;
    *std = m->faithful ? head[1] : hg_exp(hg_scale(head[1], 0.5));
    return head[0];
}

/* [batch, latent]; the faithful recipe keeps log(0) away with 1e-8. */
static hg_tensor *divergence(const struct vae *m, hg_tensor *mu, hg_tensor *std)
{
    if (!m->faithful)
        return hg_normal_kl(mu, std);
    hg_tensor *variance = hg_square(std);
    hg_tensor *twice = hg_sub(hg_add(hg_square(mu), variance),
                              hg_log(hg_shift(variance, 1e-8)));
    return hg_scale(hg_shift(twice, -1), 0.5);
}

static hg_tensor *vae_decode(void *model, hg_tensor *z)
{
    return nn_forward(((struct vae *)model)->decoder, z);
}

static hg_tensor *vae_sample(void *model, hg_tensor *x)
{
    hg_tensor *std = NULL, *mu = posterior(model, x, &std);
    return hg_normal_sample(mu, std);
}

static hg_tensor *vae_loss(void *model, const hg_batch *b)
{
    struct vae *m = model;
    hg_tensor *std = NULL, *mu = posterior(m, b->x, &std);
    hg_tensor *z = hg_normal_sample(mu, std);
    hg_tensor *sse = hg_gaussian_cost(b, vae_decode(m, z));
    hg_tensor *kl = hg_kl_cost(b, divergence(m, mu, std));
    hg_tensor *loss = hg_add(sse, hg_mul(kl, m->beta));
    if (!loss || !m->faithful)
        return loss;
    return hg_scale(loss, 1.0 / (double)b->x->shape.dim[1]);
}

static hg_tensor *vae_encode(void *model, hg_tensor *x)
{
    hg_tensor *std = NULL;
    return posterior(model, x, &std);
}

static hg_tensor *vae_kl(void *model, hg_tensor *x)
{
    hg_tensor *std = NULL, *mu = posterior(model, x, &std);
    return hg_sum(divergence(model, mu, std), HG_FROM(1));
}

static hg_tensor *vae_prior(void *model, int64_t n)
{
    return hg_randn(HG_SHAPE(n, ((struct vae *)model)->latent));
}

static const hg_option vae_options[] = {
    {.name = "latent", .about = "width of the code", .number = 10},
    {.name = "beta", .about = "weight of the KL", .number = 1},
    HG_RECIPE("bends mu and std with ReLU, divides by the pixels"),
    {0},
};

const hg_model model_vae = {
    .name = "vae",
    .about = "variational autoencoder, 784-256-64-10",
    .source = "Kingma and Welling, 2013",
    .options = vae_options,
    .batch_size = 32,
    .published = &(const hg_published){.epochs = 1000},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .build = vae_build,
    .loss = vae_loss,
    .encode = vae_encode,
    .sample = vae_sample,
    .decode = vae_decode,
    .prior = vae_prior,
    .kl = vae_kl,
    .posterior = posterior,
};
