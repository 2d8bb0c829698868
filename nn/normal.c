/* normal.c - normal posteriors from a net's head, their prior and draws. */
#include "nn/parts.h"

hg_tensor *nn_normal_head(hg_tensor *head, hg_tensor *(*scale)(hg_tensor *),
                          hg_tensor **std)
{
    hg_tensor *half[2] = {0};
    *std = NULL;
    if (!hg_split(head, 1, 2, half))
        return NULL;
    *std = scale(half[1]);
    return half[0];
}

hg_tensor *nn_std_of_log_var(hg_tensor *x)
{
    return hg_exp(hg_scale(x, 0.5));
}

hg_tensor *nn_std_from_one(hg_tensor *x)
{
    return hg_softplus(hg_shift(x, 0.5413248546129181)); /* log(e - 1) */
}

hg_tensor *nn_unit_normal_logpdf(hg_tensor *z)
{
    hg_tensor *zero = hg_zeros(HG_SCALAR), *one = hg_ones(HG_SCALAR);
    return hg_sum(hg_normal_logpdf(z, zero, one), HG_FROM(1));
}

hg_tensor *nn_repeat(hg_tensor *t, int64_t times)
{
    hg_tensor *one = hg_unsqueeze(t, 0);
    if (!one)
        return NULL;
    hg_shape many = one->shape, flat = t->shape;
    many.dim[0] = times;
    flat.dim[0] *= times;
    return hg_reshape(hg_expand(one, many), flat);
}
