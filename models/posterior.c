/* posterior.c - what follows from q(z|x) = N(mu, std^2): a model that has the
 * slot `posterior` need fill none of encode, sample, kl and prior.
 *
 *   encode   mu                      sample   mu + std * noise
 *   kl       KL(q || N(0, I))        prior    N(0, I), as wide as "latent"
 *
 * and without the slot `log_prior` it is that of N(0, I).
 */
#include "models/model.h"

bool hg_model_has_code(const hg_model *m)
{
    return m->encode || m->posterior;
}

hg_tensor *hg_model_encode(const hg_model *m, void *state, hg_tensor *x)
{
    hg_tensor *std = NULL;
    return m->encode ? m->encode(state, x) : m->posterior(state, x, &std);
}

bool hg_model_reconstructs(const hg_model *m)
{
    return hg_model_has_code(m) && m->decode;
}

bool hg_model_has_draws(const hg_model *m)
{
    return m->sample || m->posterior;
}

hg_tensor *hg_model_sample(const hg_model *m, void *state, hg_tensor *x)
{
    if (m->sample)
        return m->sample(state, x);
    hg_tensor *std = NULL, *mu = m->posterior(state, x, &std);
    return hg_normal_sample(mu, std);
}

bool hg_model_has_kl(const hg_model *m)
{
    return m->kl || (m->posterior && !m->log_prior);
}

hg_tensor *hg_model_kl(const hg_model *m, void *state, hg_tensor *x)
{
    if (m->kl)
        return m->kl(state, x);
    hg_tensor *std = NULL, *mu = m->posterior(state, x, &std);
    return hg_sum(hg_normal_kl(mu, std), HG_FROM(1));
}

bool hg_model_has_prior(const hg_model *m)
{
    return m->prior || (m->posterior && !m->log_prior);
}

hg_tensor *hg_model_prior(const hg_model *m, void *state, const hg_config *c,
                          int64_t n)
{
    if (m->prior)
        return m->prior(state, n);
    return hg_randn(HG_SHAPE(n, hg_config_int(c, "latent")));
}

hg_tensor *hg_model_log_prior(const hg_model *m, void *state, hg_tensor *z)
{
    return m->log_prior ? m->log_prior(state, z) : nn_unit_normal_logpdf(z);
}
