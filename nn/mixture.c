/* mixture.c - a learned mixture of normals as a prior. */
#include "nn/parts.h"

void nn_mixture_new(nn_mixture *m, hg_params *p, int64_t k, int64_t d,
                    hg_tensor *(*scale)(hg_tensor *), hg_init mu)
{
    if (!hg_error() && (k < 1 || d < 1))
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_mixture_new: %lld components of width %lld; at least 1 of "
                "each is needed",
                (long long)k, (long long)d);
    m->k = k;
    m->scale = scale;
    m->logits = hg_param(p, "logits", HG_SHAPE(k), HG_INIT(HG_INIT_ZEROS));
    m->mu = hg_param(p, "mu", HG_SHAPE(k, d), mu);
    m->raw = hg_param(p, "raw", HG_SHAPE(k, d), HG_INIT(HG_INIT_ZEROS));
}

hg_tensor *nn_mixture_joint(const nn_mixture *m, hg_tensor *z)
{
    hg_tensor *each = hg_unsqueeze(z, 1); /* [n, 1, d] */
    hg_tensor *log_p = hg_normal_logpdf(each, m->mu, m->scale(m->raw));
    return hg_add(hg_sum(log_p, HG_OVER(2)), hg_log_softmax(m->logits, 0));
}

hg_tensor *nn_mixture_logpdf(const nn_mixture *m, hg_tensor *z)
{
    return hg_logsumexp(nn_mixture_joint(m, z), HG_OVER(1));
}

/* A component by its probability, then a point of it. */
hg_tensor *nn_mixture_draw(const nn_mixture *m, int64_t n)
{
    hg_tensor *noise = hg_gumbel(HG_SHAPE(n, m->k));
    hg_tensor *c = hg_argmax(hg_add(m->logits, noise), 1);
    hg_tensor *mu = hg_index_select(m->mu, 0, c);
    return hg_normal_sample(mu, hg_index_select(m->scale(m->raw), 0, c));
}
