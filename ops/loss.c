/* loss.c - PyTorch's losses by PyTorch's names, composed of operations. */
#include "ops/internal.h"

#include <math.h>

static hg_tensor *reduced(const char *name, hg_tensor *loss,
                          hg_reduce_mode mode)
{
    if (!loss || mode == HG_NONE)
        return loss;
    if (mode == HG_SUM)
        return hg_sum(loss, HG_ALL);
    if (hg_numel(loss))
        return hg_mean(loss, HG_ALL);
    hg_fail(HG_ERROR_SHAPE,
            "%s: the mean over nothing: the shape is %s; use HG_SUM, or leave "
            "empty batches out",
            name, HG_SHAPE_TEXT(loss->shape));
    return NULL;
}

/* (x - target)^2 */
hg_tensor *nn_mse_loss(hg_tensor *x, hg_tensor *target, hg_reduce_mode mode)
{
    return reduced("nn_mse_loss", hg_square(hg_sub(x, target)), mode);
}

/* |x - target| */
hg_tensor *nn_l1_loss(hg_tensor *x, hg_tensor *target, hg_reduce_mode mode)
{
    return reduced("nn_l1_loss", hg_abs(hg_sub(x, target)), mode);
}

/* d^2 / 2 within delta, delta (|d| - delta / 2) beyond, d = x - target: with
 * c = min(|d|, delta) both are c (|d| - c / 2). */
hg_tensor *nn_huber_loss(hg_tensor *x, hg_tensor *target, double delta,
                         hg_reduce_mode mode)
{
    if (!(delta > 0)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_huber_loss: delta = %g must be greater than 0", delta);
        return NULL;
    }
    hg_tensor *d = hg_abs(hg_sub(x, target)), *c = hg_clamp(d, 0, delta);
    hg_tensor *loss = hg_mul(c, hg_sub(d, hg_scale(c, 0.5)));
    return reduced("nn_huber_loss", loss, mode);
}

/* -(target log p + (1 - target) log(1 - p)) */
hg_tensor *nn_bce_loss(hg_tensor *p, hg_tensor *target, hg_reduce_mode mode)
{
    return reduced("nn_bce_loss", hg_bce(p, target), mode);
}

/* -(target log s + (1 - target) log(1 - s)), s = sigmoid(logits) */
hg_tensor *nn_bce_with_logits_loss(hg_tensor *logits, hg_tensor *target,
                                   hg_reduce_mode mode)
{
    return reduced("nn_bce_with_logits_loss",
                   hg_bce_with_logits(logits, target), mode);
}

/* -log softmax(logits)[label] */
hg_tensor *nn_cross_entropy_loss(hg_tensor *logits, hg_tensor *labels,
                                 hg_reduce_mode mode)
{
    return reduced("nn_cross_entropy_loss",
                   hg_neg(hg_categorical_logpmf(labels, logits)), mode);
}

/* (log v + (x - target)^2 / v) / 2, v = max(var, 1e-6). The gradient passes
 * the bound as if it were not there. */
hg_tensor *nn_gaussian_nll_loss(hg_tensor *x, hg_tensor *target, hg_tensor *var,
                                hg_reduce_mode mode)
{
    hg_tensor *bounded = hg_clamp(var, 1e-6, INFINITY);
    hg_tensor *v = hg_straight_through(bounded, var);
    hg_tensor *square = hg_square(hg_sub(x, target));
    hg_tensor *loss = hg_scale(hg_add(hg_log(v), hg_div(square, v)), 0.5);
    return reduced("nn_gaussian_nll_loss", loss, mode);
}
