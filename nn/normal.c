/* normal.c - normal posteriors from a net's head. */
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
