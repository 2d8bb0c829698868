/* penalties.c - what keeps a code that is wider than it need be from copying:
 * few units at work, or small slopes. */
#include "nn/parts.h"

hg_tensor *nn_keep_largest(hg_tensor *h, int64_t k)
{
    hg_tensor *last = hg_slice(hg_topk(h, k, 1, NULL), 1, -1, HG_END, 1);
    return hg_mul(h, hg_greater_equal(h, hg_detach(last)));
}

/* Kept from the ends, where the KL is infinite; a unit that is there is still
 * drawn away. */
hg_tensor *nn_activity_kl(hg_tensor *h, double rho)
{
    if (!(rho > 0 && rho < 1)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_activity_kl: rho = %g must lie between 0 and 1", rho);
        return NULL;
    }
    hg_tensor *mean = hg_mean(h, HG_OVER(0));
    mean = hg_straight_through(hg_clamp(mean, 1e-6, 1 - 1e-6), mean);
    hg_tensor *on = hg_scale(hg_log(hg_scale(mean, 1 / rho)), -rho);
    hg_tensor *off = hg_scale(hg_rsub(mean, 1), 1 / (1 - rho));
    return hg_sum(hg_sub(on, hg_scale(hg_log(off), 1 - rho)), HG_ALL);
}

/* |v'J|^2, [batch]: v [batch, width], or NULL with h one unit, [batch]. */
static hg_tensor *row(hg_tensor *h, hg_tensor *x, hg_tensor *v)
{
    return hg_sum(hg_square(hg_grad(h, x, v)), HG_FROM(1));
}

hg_tensor *nn_jacobian_norm(hg_tensor *h, hg_tensor *x)
{
    hg_tensor *sum = h ? row(hg_select(h, 1, 0), x, NULL) : NULL;
    for (int64_t k = 1; sum && k < h->shape.dim[1]; k++)
        sum = hg_add(sum, row(hg_select(h, 1, k), x, NULL));
    return sum;
}

hg_tensor *nn_jacobian_norm_sampled(hg_tensor *h, hg_tensor *x)
{
    return h ? row(h, x, hg_randn(h->shape)) : NULL;
}
