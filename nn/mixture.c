/* mixture.c - a learned mixture of normals as a prior.
 *
 * With full covariances a component is a chain of regressions: each coordinate
 * is normal about what the ones before it foretell. In the rows of a triangle T
 * [d, d] with ones on its diagonal,
 *
 *   r = T (z - mu),  r_j ~ N(0, std_j^2) independently,  |T| = 1,
 *
 * so that the covariance is T^-1 diag(std^2) T^-1', any there is, and a density
 * needs neither an inverse nor a determinant. T = I is a diagonal one.
 */
#include "nn/parts.h"

void nn_mixture_new(nn_mixture *m, hg_params *p, nn_mixture_options o)
{
    int64_t k = o.components, d = o.width;
    if (!hg_error() && (k < 1 || d < 1))
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_mixture_new: %lld components of width %lld; at least 1 of "
                "each is needed",
                (long long)k, (long long)d);
    hg_init zeros = HG_INIT(HG_INIT_ZEROS);
    *m = (nn_mixture){.scale = o.scale, .k = k, .d = d};
    m->logits = hg_param(p, "logits", HG_SHAPE(k), zeros);
    m->mu = hg_param(p, "mu", HG_SHAPE(k, d), o.mu);
    m->raw = hg_param(p, "raw", HG_SHAPE(k, d), zeros);
    if (o.full)
        m->below = hg_param(p, "below", HG_SHAPE(k, d, d), zeros);
}

/* ---- Along a component's own axes --------------------------------------- */

/* T, [k, d, d]; NULL where it is the identity. */
static hg_tensor *triangles(const nn_mixture *m)
{
    if (!m->below)
        return NULL;
    hg_tensor *column = hg_real_of(hg_arange(m->d));
    hg_tensor *row = hg_unsqueeze(column, 1);
    hg_tensor *below = hg_mul(m->below, hg_less(column, row));
    return hg_add(below, hg_equal(column, row));
}

/* z [n, d] by every one of these matrices: [n, k, d]. */
static hg_tensor *turned(const nn_mixture *m, hg_tensor *t, hg_tensor *z)
{
    if (!t)
        return hg_unsqueeze(z, 1);
    hg_tensor *rows = hg_reshape(t, HG_SHAPE(m->k * m->d, m->d));
    return hg_reshape(hg_linear(z, rows, NULL), HG_SHAPE(-1, m->k, m->d));
}

/* T mu, [k, d]. */
static hg_tensor *centres(const nn_mixture *m, hg_tensor *t)
{
    if (!t)
        return m->mu;
    return hg_sum(hg_mul(t, hg_unsqueeze(m->mu, 1)), HG_OVER(2));
}

/* ---- Densities ---------------------------------------------------------- */

hg_tensor *nn_mixture_joint(const nn_mixture *m, hg_tensor *z)
{
    hg_tensor *t = triangles(m);
    hg_tensor *log_p =
        hg_normal_logpdf(turned(m, t, z), centres(m, t), m->scale(m->raw));
    return hg_add(hg_sum(log_p, HG_OVER(2)), hg_log_softmax(m->logits, 0));
}

hg_tensor *nn_mixture_logpdf(const nn_mixture *m, hg_tensor *z)
{
    return hg_logsumexp(nn_mixture_joint(m, z), HG_OVER(1));
}

/* Turned, the posterior's coordinates depend on each other. What a KL of them
 * one by one leaves out is log(product of their deviations / those before),
 * since |T| = 1. */
hg_tensor *nn_mixture_kl(const nn_mixture *m, hg_tensor *mu, hg_tensor *std)
{
    hg_tensor *t = triangles(m), *wide = hg_unsqueeze(std, 1);
    if (t)
        wide = hg_sqrt(turned(m, hg_square(t), hg_square(std)));
    hg_tensor *kl = hg_normal_kl_between(turned(m, t, mu), wide, centres(m, t),
                                         m->scale(m->raw));
    if (t)
        kl = hg_add(kl, hg_log(hg_div(wide, hg_unsqueeze(std, 1))));
    return hg_sum(kl, HG_OVER(2));
}

/* ---- Draws -------------------------------------------------------------- */

/* Row by row: after i passes the first i + 1 rows are right and stay so. */
hg_tensor *nn_unit_inverse(hg_tensor *t, int64_t d)
{
    hg_tensor *one = hg_one_hot(hg_arange(d), d), *inverse = one;
    hg_tensor *below = hg_sub(one, t);
    for (int64_t i = 1; i < d; i++)
        inverse = hg_add(one, hg_matmul(below, inverse));
    return d > 1 ? inverse : t;
}

/* A component by its probability, then a point of it. */
hg_tensor *nn_mixture_draw(const nn_mixture *m, int64_t n)
{
    hg_tensor *noise = hg_gumbel(HG_SHAPE(n, m->k));
    hg_tensor *c = hg_argmax(hg_add(m->logits, noise), 1);
    hg_tensor *mu = hg_index_select(m->mu, 0, c), *t = triangles(m);
    hg_tensor *std = hg_index_select(m->scale(m->raw), 0, c);
    if (!t)
        return hg_normal_sample(mu, std);
    hg_tensor *back = hg_index_select(nn_unit_inverse(t, m->d), 0, c);
    hg_tensor *r = hg_normal_sample(hg_zeros(HG_SCALAR), std);
    hg_tensor *off = hg_mul(back, hg_unsqueeze(r, 1)); /* [n, d, d] */
    return hg_add(mu, hg_sum(off, HG_OVER(2)));
}
