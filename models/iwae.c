/* iwae.c - importance-weighted autoencoder (Burda et al., 2015), one layer,
 * 784-200-200-50.
 *
 *   log w_i = log p(x|z_i) + log p(z_i) - log q(z_i|x),  z_1 ... z_k ~ q(z|x)
 *   loss    = -log(sum_i w_i / k), nats per image: a bound on -log p(x), the
 *             tighter the larger k; --bound elbo has -sum_i log w_i / k, the
 *             VAE trained with as many draws
 */
#include "models/internal.h"

#include <math.h>

struct iwae {
    nn_layer *encoder, *decoder;
    hg_tensor *last_bias; /* of the decoder, [inputs] */
    int64_t latent, k;
    bool elbo;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct iwae *m = model;
    int64_t in = hg_config_int(c, "inputs"), h = hg_config_int(c, "hidden");
    m->latent = hg_config_int(c, "latent");
    m->elbo = hg_config_is(c, "bound", "elbo");
    m->k = hg_config_within(c, "k", 1, 100000);
    m->encoder = nn_mlp(p, "encoder", nn_tanh, in, h, h, 2 * m->latent);
    m->decoder = nn_mlp(p, "decoder", nn_tanh, m->latent, h, h, in);
    m->last_bias = hg_params_find(p, "decoder.4.bias");
}

/* The decoder begins with the mean image. */
static bool prepare(void *model, hg_data *train)
{
    struct iwae *m = model;
    return hg_data_log_odds(train, m->last_bias);
}

static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct iwae *m = model;
    return nn_normal_head(nn_forward(m->encoder, x), nn_std_of_log_var, std);
}

static hg_tensor *decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct iwae *)model)->decoder, z));
}

/* log w, [k, batch] */
static hg_tensor *log_weights(const struct iwae *m, const hg_batch *b,
                              hg_tensor *mu, hg_tensor *std)
{
    hg_tensor *e = hg_randn(HG_SHAPE(m->k, b->size, m->latent));
    hg_tensor *z = hg_add(mu, hg_mul(std, e));
    hg_tensor *logits = nn_forward(m->decoder, z);
    hg_tensor *p = hg_sum(hg_bernoulli_logpmf(b->target, logits), HG_OVER(-1));
    hg_tensor *zero = hg_zeros(HG_SCALAR), *one = hg_ones(HG_SCALAR);
    hg_tensor *ratio =
        hg_sub(hg_normal_logpdf(z, zero, one), hg_normal_logpdf(z, mu, std));
    return hg_add(p, hg_sum(ratio, HG_OVER(-1)));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct iwae *m = model;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_report("kl", hg_sum(hg_normal_kl(mu, std), HG_FROM(1)));
    hg_tensor *log_w = log_weights(m, b, mu, std);
    if (m->elbo)
        return hg_neg(hg_mean(log_w, HG_OVER(0)));
    return hg_rsub(hg_logsumexp(log_w, HG_OVER(0)), log((double)m->k));
}

const hg_model model_iwae = {
    .name = "iwae",
    .about = "importance-weighted autoencoder, 784-200-200-50",
    .source = "Burda et al., 2015",
    .options =
        HG_OPTIONS(HG_NUMBER("k", "draws an image", 50),
                   HG_CHOICE("bound", "iwae, or elbo: a VAE", "iwae", "elbo"),
                   HG_NUMBER("latent", "width of the code", 50),
                   HG_NUMBER("hidden", "units of each hidden layer", 200)),
    .batch_size = 20,
    .epochs = 40,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct iwae),
    .build = build,
    .loss = loss,
    .adam = {.rate = 1e-3, .eps = 1e-4},
    .prepare = prepare,
    .decode = decode,
    .posterior = posterior,
};
