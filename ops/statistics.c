/* statistics.c - reductions that are sums of something else: mean, variance,
 * logsumexp, p-norm. */
#include "ops/reduce.h"

#include <math.h>

/* ---- mean and variance -------------------------------------------------- */

hg_tensor *hg_mean(hg_tensor *x, hg_axes axes)
{
    int64_t n = hg_reduced_count("mean", x, axes, 0);
    return n < 0 ? NULL : hg_scale(hg_sum(x, axes), n ? 1 / (double)n : 0);
}

hg_tensor *hg_var(hg_tensor *x, hg_axes axes, double correction)
{
    int64_t n =
        hg_reduced_count("var", x, axes, correction > 0 ? correction : 0);
    if (n < 0)
        return NULL;
    hg_axes keep = axes;
    keep.keep = true;
    hg_tensor *deviation = hg_sub(x, hg_mean(x, keep));
    return hg_scale(hg_sum(hg_square(deviation), axes),
                    1 / ((double)n - correction));
}

/* ---- logsumexp ---------------------------------------------------------- */

/* Takes the shift that keeps exp from overflowing; an infinite one would make
 * NaN of infinity - infinity, and 0 does then. */
static void exp_shifted(const hg_rows *rows, hg_real *to, const hg_real *in,
                        int64_t step, int64_t n, const hg_real *shift,
                        int64_t shift_step, double a)
{
    bool infinite = false;
    (void)a;
    for (int64_t i = 0; i < (shift_step ? n : 1); i++)
        infinite |= isinf(shift[i]);
    if (!infinite)
        rows->decay(to, in, step, n, shift, shift_step);
    else
        for (int64_t i = 0; i < n; i++) {
            hg_real s = shift[i * shift_step];
            to[i] =
                (hg_real)exp((double)in[i * step] - (isinf(s) ? 0 : (double)s));
        }
}

static double log_and_back(double sum, double shift, double a)
{
    (void)a;
    return log(sum) + (isinf(shift) ? 0 : shift);
}

static void logsumexp_cpu(const hg_kernel *k)
{
    unsigned mask = (unsigned)((const hg_reduce_attr *)k->attr)->mask;
    hg_extreme_cpu(k, mask, 1);
    hg_sum_cpu(k, mask, &(hg_sum_form){exp_shifted, log_and_back, 0});
}

/* g exp(x - z): the softmax. */
static void logsumexp_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *share = hg_exp(hg_sub(z->in[0], hg_unreduce(z, z)));
    dx[0] = hg_mul(hg_unreduce(z, g), share);
}

static const hg_op logsumexp_op = {
    .name = "logsumexp",
    .arity = 1,
    .shape = hg_reduce_shape,
    .attr_size = sizeof(hg_reduce_attr),
    .cpu = logsumexp_cpu,
    .cuda = HG_CUDA(hg_logsumexp_cuda),
    .backward = logsumexp_backward,
    .doc = "log of the sum of exponentials, without overflow",
};

hg_tensor *hg_logsumexp(hg_tensor *x, hg_axes axes)
{
    return hg_reduce(&logsumexp_op, x, axes);
}

/* ---- norm --------------------------------------------------------------- */

static void power(const hg_rows *rows, hg_real *to, const hg_real *in,
                  int64_t step, int64_t n, const hg_real *shift,
                  int64_t shift_step, double p)
{
    (void)rows, (void)shift, (void)shift_step;
    if (p == 2)
        for (int64_t i = 0; i < n; i++)
            to[i] = in[i * step] * in[i * step];
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = (hg_real)pow(fabs((double)in[i * step]), p);
}

static double root(double sum, double shift, double p)
{
    (void)shift;
    return p == 2 ? sqrt(sum) : pow(sum, 1 / p);
}

static void norm_cpu(const hg_kernel *k)
{
    const hg_reduce_attr *a = k->attr;
    hg_sum_cpu(k, (unsigned)a->mask, &(hg_sum_form){power, root, a->a});
}

/* t, with 1 in place of 0, so that 0 times its powers is 0. */
static hg_tensor *off_zero(hg_tensor *t)
{
    return hg_add(t, hg_equal(t, hg_zeros(HG_SCALAR)));
}

/* dz/dx = x |x|^(p - 2) / z^(p - 1), and 0 where x is. */
static void norm_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    double p = ((const hg_reduce_attr *)z->attr)->a;
    hg_tensor *x = z->in[0], *along = x, *length = off_zero(z);
    if (p != 2) {
        along = hg_mul(x, hg_pow_scalar(off_zero(hg_abs(x)), p - 2));
        length = hg_pow_scalar(length, p - 1);
    }
    dx[0] = hg_mul(along, hg_unreduce(z, hg_div(g, length)));
}

static const hg_op norm_op = {
    .name = "norm",
    .arity = 1,
    .shape = hg_reduce_shape,
    .attr_size = sizeof(hg_reduce_attr),
    .cpu = norm_cpu,
    .cuda = HG_CUDA(hg_norm_cuda),
    .backward = norm_backward,
    .doc = "p-norm over a set of axes",
};

hg_tensor *hg_norm(hg_tensor *x, double p, hg_axes axes)
{
    if (!(p > 0)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "norm: p is %g; use a positive number or INFINITY", p);
        return NULL;
    }
    if (isinf(p))
        return hg_max(hg_abs(x), axes);
    if (p == 1)
        return hg_sum(hg_abs(x), axes);
    return hg_reduce_with(&norm_op, x, axes, p);
}
