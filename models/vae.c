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
    double beta, pixels;
    bool faithful;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct vae *m = model;
    int64_t in = hg_config_int(c, "inputs"), code = hg_config_int(c, "latent");
    m->encoder = nn_mlp(p, "encoder", nn_relu, in, 256, 64, 2 * code);
    m->decoder = nn_mlp(p, "decoder", nn_relu, code, 64, 256, in);
    m->beta = hg_config_number(c, "beta");
    m->pixels = (double)in;
    m->faithful = hg_config_is(c, "recipe", "faithful");
}

static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    const struct vae *m = model;
    hg_tensor *head = nn_forward(m->encoder, x);
    if (!m->faithful)
        return nn_normal_head(head, nn_std_of_log_var, std);
    return hg_relu(nn_normal_head(head, hg_relu, std));
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

static hg_tensor *decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct vae *)model)->decoder, z));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct vae *m = model;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_tensor *y = decode(m, hg_normal_sample(mu, std));
    hg_tensor *kl = hg_beta_kl_cost(b, divergence(m, mu, std), m->beta);
    hg_tensor *loss = hg_add(hg_gaussian_cost(b, y), kl);
    return m->faithful ? hg_scale(loss, 1 / m->pixels) : loss;
}

static hg_tensor *kl(void *model, hg_tensor *x)
{
    hg_tensor *std, *mu = posterior(model, x, &std);
    return hg_sum(divergence(model, mu, std), HG_FROM(1));
}

const hg_model model_vae = {
    .name = "vae",
    .about = "variational autoencoder, 784-256-64-10",
    .source = "Kingma and Welling, 2013",
    .options = HG_OPTIONS(
        HG_NUMBER("latent", "width of the code", 10),
        HG_NUMBER("beta", "weight of the KL", 1),
        HG_RECIPE("bends mu and std with ReLU, divides by the pixels")),
    .batch_size = 32,
    .published = &(const hg_published){.epochs = 1000},
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .size = sizeof(struct vae),
    .build = build,
    .loss = loss,
    .posterior = posterior,
    .kl = kl,
    .decode = decode,
};
