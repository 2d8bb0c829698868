/* objective.c - the terms of a loss as the trainer weighs them. */
#include "models/objective.h"

#include <math.h>

/* [batch, latent] or [batch] -> [batch] */
static hg_tensor *each(hg_tensor *kl)
{
    return kl && kl->shape.rank > 1 ? hg_sum(kl, HG_FROM(1)) : kl;
}

/* The batch's mean of each dimension, but at least the free bits; summed. */
static hg_tensor *with_free_bits(hg_tensor *kl, double nats)
{
    hg_tensor *mean = hg_mean(kl, HG_OVER(0));
    return hg_sum(hg_maximum(mean, hg_full(HG_SCALAR, (hg_real)nats)), HG_ALL);
}

hg_tensor *hg_kl_cost(const hg_batch *b, hg_tensor *kl)
{
    hg_objective *o = b ? b->objective : NULL;
    hg_tensor *cost = each(kl);
    hg_report("kl", cost);
    if (!o)
        return cost;
    o->weighed_kl = true;
    if (o->free_bits > 0)
        cost = with_free_bits(kl, o->free_bits);
    if (o->capacity)
        cost = hg_scale(hg_abs(hg_sub(hg_mean(cost, HG_ALL), o->capacity)),
                        o->capacity_weight);
    return o->kl_weight ? hg_mul(cost, o->kl_weight) : cost;
}

hg_tensor *hg_beta_kl_cost(const hg_batch *b, hg_tensor *kl, double beta)
{
    hg_tensor *cost = hg_kl_cost(b, kl);
    bool weighed = b && b->objective && b->objective->capacity;
    return weighed ? cost : hg_scale(cost, beta);
}

/* log std, a scalar; `error` holds the squares. */
static hg_tensor *log_std_of(const hg_objective *o, hg_tensor *error)
{
    if (o->spread == HG_SPREAD_LEARNED)
        return o->log_std;
    if (o->spread == HG_SPREAD_FIXED)
        return hg_full(HG_SCALAR, (hg_real)log(o->std));
    /* A perfect reconstruction must not make it minus infinity. */
    return hg_scale(hg_log(hg_shift(hg_mean(error, HG_ALL), 1e-8)), 0.5);
}

hg_tensor *hg_gaussian_cost(const hg_batch *b, hg_tensor *y)
{
    hg_objective *o = b ? b->objective : NULL;
    hg_tensor *error = b ? hg_square(hg_sub(y, b->target)) : NULL;
    hg_tensor *sse = hg_sum(error, HG_FROM(1));
    if (!o || !sse)
        return sse;
    o->took_variance = true;
    if (o->spread == HG_SPREAD_RECIPE)
        return sse;
    hg_tensor *log_std = log_std_of(o, error);
    hg_tensor *precision = hg_exp(hg_scale(log_std, -2)); /* 1 / std^2 */
    double features = (double)(hg_numel(error) / error->shape.dim[0]);
    /* sse / (2 std^2) + features log(std sqrt(2)) */
    return hg_add(hg_scale(hg_mul(sse, precision), 0.5),
                  hg_scale(hg_shift(log_std, 0.34657359027997264), features));
}
