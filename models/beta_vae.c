/* beta_vae.c - a variational autoencoder that pays more for its code, so that
 * dimensions separate (Higgins et al., 2017), convolutional.
 *
 *   loss = cross-entropy of sigmoid(decoder(z)) and x + beta KL, nats per image
 *
 * The controlled capacity of Burgess et al. (2018) and a warm-up are options of
 * the training of any model: --capacity, whose --capacity-weight takes beta's
 * place, --capacity-steps, --kl-warmup.
 */
#include "models/internal.h"

struct beta_vae {
    nn_layer *encoder, *decoder;
    double beta;
};

enum { FEATURES = 256 };

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct beta_vae *m = model;
    hg_wants_28(c, "beta-vae");
    hg_params *e = hg_params_at(p, "encoder");
    int64_t latent = hg_config_int(c, "latent");
    m->encoder = nn_chain(e, nn_two_convs(e, FEATURES), nn_relu(e),
                          nn_linear(e, "7", FEATURES, 2 * latent));
    m->decoder = nn_two_deconvs(hg_params_at(p, "decoder"), latent);
    m->beta = hg_config_number(c, "beta");
}

static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct beta_vae *m = model;
    return nn_normal_head(nn_forward(m->encoder, x), nn_std_of_log_var, std);
}

static hg_tensor *decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct beta_vae *)model)->decoder, z));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct beta_vae *m = model;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_tensor *z = hg_normal_sample(mu, std);
    hg_tensor *bce = hg_bce_nats(nn_forward(m->decoder, z), b);
    return hg_add(bce, hg_beta_kl_cost(b, hg_normal_kl(mu, std), m->beta));
}

const hg_model model_beta_vae = {
    .name = "beta-vae",
    .about = "convolutional VAE whose KL weighs more, 10-wide code",
    .source = "Higgins et al., 2017; Burgess et al., 2018",
    .options = HG_OPTIONS(HG_NUMBER("latent", "width of the code", 10),
                          HG_NUMBER("beta", "weight of the KL", 4)),
    .batch_size = 64,
    .epochs = 30,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct beta_vae),
    .build = build,
    .loss = loss,
    .decode = decode,
    .posterior = posterior,
};
