/* vae_keras.c - the variational autoencoder of Keras' examples: 784-512 and a
 * plane of codes, or its convolutional sibling.
 *
 *   q(z|x) = N(mu(x), exp(log_var(x))),  p(z) = N(0, I)
 *   loss   = cross-entropy of sigmoid(decoder(z)) and x + KL, nats per image
 *
 * As first published (May 2016, recipe faithful) the cross-entropy was a mean
 * over pixels beside a KL that is a sum, the noise had deviation 0.01, and
 * RMSprop trained it: the KL, 784 times too heavy, leaves little in the code.
 */
#include "models/internal.h"

struct vae_keras {
    nn_layer *encoder, *decoder;
    double scale; /* of the cross-entropy */
    bool faithful;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct vae_keras *m = model;
    bool conv = hg_config_is(c, "net", "conv");
    if (conv)
        hg_wants_28(c, "vae-keras --net conv");
    hg_params *e = hg_params_at(p, "encoder"), *d = hg_params_at(p, "decoder");
    int64_t in = hg_config_int(c, "inputs"), h = hg_config_int(c, "hidden");
    int64_t code = hg_config_int(c, "latent");
    m->encoder = conv ? nn_chain(e, nn_two_convs(e, 16), nn_relu(e),
                                 nn_linear(e, "7", 16, 2 * code))
                      : nn_mlp(p, "encoder", nn_relu, in, h, 2 * code);
    m->decoder = conv ? nn_two_deconvs(d, code)
                      : nn_mlp(p, "decoder", nn_relu, code, h, in);
    m->faithful = hg_config_is(c, "recipe", "faithful");
    m->scale = m->faithful ? 1 / (double)in : 1;
}

static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct vae_keras *m = model;
    return nn_normal_head(nn_forward(m->encoder, x), nn_std_of_log_var, std);
}

static hg_tensor *decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct vae_keras *)model)->decoder, z));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct vae_keras *m = model;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_tensor *noise = m->faithful ? hg_scale(std, 0.01) : std;
    hg_tensor *logits = nn_forward(m->decoder, hg_normal_sample(mu, noise));
    hg_tensor *kl = hg_kl_cost(b, hg_normal_kl(mu, std));
    return hg_add(hg_scale(hg_bce_nats(logits, b), m->scale), kl);
}

const hg_model model_vae_keras = {
    .name = "vae-keras",
    .about = "variational autoencoder, 784-512-2, or convolutional",
    .source = "Keras, examples/variational_autoencoder.py",
    .options = HG_OPTIONS(
        HG_CHOICE("net", "dense or conv", "dense", "conv"),
        HG_NUMBER("latent", "width of the code", 2),
        HG_NUMBER("hidden", "units of the dense net", 512),
        HG_RECIPE(
            "cross-entropy a mean over pixels, hardly any noise, RMSprop")),
    .batch_size = 128,
    .epochs = 50,
    .published = &(const hg_published){.rmsprop = {.rate = 1e-3, .alpha = 0.9}},
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct vae_keras),
    .build = build,
    .loss = loss,
    .posterior = posterior,
    .decode = decode,
};
