/* ops.h - every operation.
 *
 * All of them take tensors of any strides and return a new tensor that the
 * open scope owns; NULL, with hg_error set, if the shapes do not fit. Pointwise
 * operations of two tensors broadcast as NumPy does. docs/ops.md lists them
 * all.
 *
 *     hg_tensor *h = hg_relu(hg_linear(x, w, b));       // [batch, out]
 *     hg_tensor *loss = hg_mean(hg_square(hg_sub(h, y)), HG_ALL);
 */
#ifndef HG_OPS_H
#define HG_OPS_H

#include "autograd/autograd.h"
#include "ops/unary.h"

HG_BEGIN_DECLS

/* ---- Pointwise: one row of pointwise.def each --------------------------- */

#define UNARY(n, ...)   HG_API hg_tensor *hg_##n(hg_tensor *x);
#define UNARY_A(n, ...) HG_API hg_tensor *hg_##n(hg_tensor *x, double a);
#define UNARY_AB(n, ...)                                                       \
    HG_API hg_tensor *hg_##n(hg_tensor *x, double a, double b);
#define BINARY(n, ...)  HG_API hg_tensor *hg_##n(hg_tensor *x, hg_tensor *y);
#define LINEAR(n, ...)  HG_API hg_tensor *hg_##n(hg_tensor *x, hg_tensor *y);
#define COMPARE(n, ...) HG_API hg_tensor *hg_##n(hg_tensor *x, hg_tensor *y);
#define TERNARY(n, ...)
#include "ops/pointwise.def"
#undef UNARY
#undef UNARY_A
#undef UNARY_AB
#undef BINARY
#undef LINEAR
#undef COMPARE
#undef TERNARY

/* x where the condition is not 0, else y; all three broadcast. Only the chosen
 * side's value and gradient count, so a NaN in the other does no harm. */
HG_API hg_tensor *hg_where(hg_tensor *condition, hg_tensor *x, hg_tensor *y);

/* ---- Reductions --------------------------------------------------------- */

/* Over a set of axes: HG_ALL, HG_OVER(1), HG_KEEP(-1), HG_FROM(1). Results do
 * not depend on the number of threads. The sum of nothing is 0; mean, var,
 * max and min of nothing are errors. NaN passes through all of them. */
HG_API hg_tensor *hg_sum(hg_tensor *x, hg_axes axes);
HG_API hg_tensor *hg_mean(hg_tensor *x, hg_axes axes);
/* Squared deviations from the mean, divided by n - correction (1: unbiased,
 * 0: the mean square). */
HG_API hg_tensor *hg_var(hg_tensor *x, hg_axes axes, double correction);
/* Equal largest (smallest) values share the gradient evenly. */
HG_API hg_tensor *hg_max(hg_tensor *x, hg_axes axes);
HG_API hg_tensor *hg_min(hg_tensor *x, hg_axes axes);
/* log(sum(exp(x))) without overflow. */
HG_API hg_tensor *hg_logsumexp(hg_tensor *x, hg_axes axes);
/* The p-norm, p > 0 or INFINITY; its gradient at 0 is 0. */
HG_API hg_tensor *hg_norm(hg_tensor *x, double p, hg_axes axes);
/* Where the largest (smallest) value lies along an axis, which goes: int32.
 * The first one of equals; NaN counts as the most extreme. */
HG_API hg_tensor *hg_argmax(hg_tensor *x, int axis);
HG_API hg_tensor *hg_argmin(hg_tensor *x, int axis);
/* The k largest along an axis, largest first; their positions (int32) go to
 * *index unless it is NULL. */
HG_API hg_tensor *hg_topk(hg_tensor *x, int64_t k, int axis, hg_tensor **index);
/* Running sums along an axis. */
HG_API hg_tensor *hg_cumsum(hg_tensor *x, int axis);
/* exp(x) / sum(exp(x)) along an axis, and its logarithm; -infinity is legal. */
HG_API hg_tensor *hg_softmax(hg_tensor *x, int axis);
HG_API hg_tensor *hg_log_softmax(hg_tensor *x, int axis);

/* ---- Shapes ------------------------------------------------------------- */

/* Broadcasts to a shape, without copying; -1 keeps a size. */
HG_API hg_tensor *hg_expand(hg_tensor *x, hg_shape shape);
/* The mirror of expand: sums over the axes that expand would broadcast. */
HG_API hg_tensor *hg_sum_to(hg_tensor *x, hg_shape shape);
/* The same values in another shape; one size may be -1. Copies only where
 * strides cannot say it. */
HG_API hg_tensor *hg_reshape(hg_tensor *x, hg_shape shape);
/* Axis i of the result is axis axes.axis[i] of x. No copy. */
HG_API hg_tensor *hg_permute(hg_tensor *x, hg_axes axes);
/* Swaps the last two axes. No copy. */
HG_API hg_tensor *hg_transpose(hg_tensor *x);
/* Inserts an axis of size 1, which becomes axis `axis` of the result. */
HG_API hg_tensor *hg_unsqueeze(hg_tensor *x, int axis);
/* Removes these axes, which must have size 1; with HG_ALL or HG_FROM those
 * that have it. */
HG_API hg_tensor *hg_squeeze(hg_tensor *x, hg_axes axes);
/* Every step-th position from start up to, not including, stop, step >= 1.
 * Negative positions count from the end; HG_END is the end. No copy. */
HG_API hg_tensor *hg_slice(hg_tensor *x, int axis, int64_t start, int64_t stop,
                           int64_t step);
#define HG_END INT64_MAX
/* One position along an axis, which goes. No copy. */
HG_API hg_tensor *hg_select(hg_tensor *x, int axis, int64_t position);
/* Zeros before and after along an axis. */
HG_API hg_tensor *hg_pad(hg_tensor *x, int axis, int64_t before, int64_t after);
/* Reverses the order along axes. */
HG_API hg_tensor *hg_flip(hg_tensor *x, hg_axes axes);
/* One after another along an axis that they have, and along a new axis. Any
 * number of tensors. */
HG_API hg_tensor *hg_concat_n(int axis, hg_tensor *const *tensors, int count);
HG_API hg_tensor *hg_stack_n(int axis, hg_tensor *const *tensors, int count);
#define hg_concat(axis, ...)                                                   \
    hg_concat_n(axis, HG_ARRAY(hg_tensor *, __VA_ARGS__),                      \
                HG_COUNT(hg_tensor *, __VA_ARGS__))
#define hg_stack(axis, ...)                                                    \
    hg_stack_n(axis, HG_ARRAY(hg_tensor *, __VA_ARGS__),                       \
               HG_COUNT(hg_tensor *, __VA_ARGS__))
/* Cuts an axis into equal parts: out[0] ... out[parts - 1]. No copy. */
HG_API HG_CHECK bool hg_split(hg_tensor *x, int axis, int parts,
                              hg_tensor **out);

/* ---- Indices ------------------------------------------------------------ */

/* Positions index[0], index[1], ... of an axis; index is int32 [m]. */
HG_API hg_tensor *hg_index_select(hg_tensor *x, int axis, hg_tensor *index);
/* The mirror of index_select: zeros of `size` along the axis, to which slice i
 * of source is added at index[i]. */
HG_API hg_tensor *hg_scatter_add(hg_tensor *source, int axis, hg_tensor *index,
                                 int64_t size);
/* result[.., j, ..] = x[.., index[.., j, ..], ..]; index (int32) has x's shape
 * but for the axis. With labels as [batch, 1] it picks log p(label). */
HG_API hg_tensor *hg_take_along(hg_tensor *x, int axis, hg_tensor *index);
/* The mirror of take_along: adds into zeros of `size` along the axis. */
HG_API hg_tensor *hg_add_along(hg_tensor *source, int axis, hg_tensor *index,
                               int64_t size);
/* 1 at the index, 0 elsewhere: real, of shape [.., classes]. */
HG_API hg_tensor *hg_one_hot(hg_tensor *index, int64_t classes);
/* 0, 1, ..., n - 1 as int32. */
HG_API hg_tensor *hg_arange(int64_t n);
/* Between the two types; to int32 by dropping the fraction. No gradient. */
HG_API hg_tensor *hg_real_of(hg_tensor *index);
HG_API hg_tensor *hg_int_of(hg_tensor *x);

/* ---- Products ----------------------------------------------------------- */

/* [..., m, k] by [..., k, n] gives [..., m, n]; leading axes broadcast. A
 * vector [k] on the left is a row, on the right a column, which the result
 * then lacks. Transposed operands are not copied. */
HG_API hg_tensor *hg_matmul(hg_tensor *a, hg_tensor *b);
/* x [..., in], w [out, in], b [out] or NULL: x w' + b, [..., out]. */
HG_API hg_tensor *hg_linear(hg_tensor *x, hg_tensor *w, hg_tensor *b);
/* Squared distances of all points x [..., n, d] to all of y [..., m, d]: [...,
 * n, m], the squares of PyTorch's cdist; leading axes broadcast. */
HG_API hg_tensor *hg_cdist_squared(hg_tensor *x, hg_tensor *y);

/* ---- Convolutions: images are [N, C, H, W] ------------------------------ */

/* The same along both axes; what is left out has the default. */
typedef struct {
    int64_t stride;         /* [1] */
    int64_t padding;        /* zeros on every side [0] */
    int64_t dilation;       /* distance of the window's taps [1] */
    int64_t output_padding; /* transposed only: rows and columns more at the
                               end, less than the stride [0] */
} hg_conv_options;

/* x [N, C, H, W], w [O, C, kh, kw], b [O] or NULL: the cross-correlation,
 * [N, O, (H + 2 padding - dilation (kh - 1) - 1) / stride + 1, ...]. On a CPU
 * 5 x 5 windows at stride 1 between channels in sixteens are values of
 * polynomials (conv_winograd.h): an infinity is NaN there, as far as three
 * places beyond the window. */
HG_API hg_tensor *hg_conv2d(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                            hg_conv_options);
/* x [N, C, H, W], w [C, O, kh, kw], b [O] or NULL: the gradient of hg_conv2d
 * in its input, [N, O, (H - 1) stride - 2 padding + dilation (kh - 1) +
 * output_padding + 1, ...]. */
HG_API hg_tensor *hg_conv_transpose2d(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                                      hg_conv_options);
/* The windows of x as columns: [N, C kh kw, places]. */
HG_API hg_tensor *hg_unfold(hg_tensor *x, int64_t kh, int64_t kw,
                            hg_conv_options);
/* The mirror of unfold: adds columns [N, C kh kw, places] into images of
 * H by W. */
HG_API hg_tensor *hg_fold(hg_tensor *columns, int64_t height, int64_t width,
                          int64_t kh, int64_t kw, hg_conv_options);

typedef struct {
    int64_t kernel;  /* side of the square window */
    int64_t stride;  /* [kernel] */
    int64_t padding; /* at most half the window [0] */
} hg_pool_options;

/* The largest value of each window; the gradient goes to the first of equal
 * ones. */
HG_API hg_tensor *hg_max_pool2d(hg_tensor *x, hg_pool_options);
/* The mean of each window, zeros of the padding counted. */
HG_API hg_tensor *hg_avg_pool2d(hg_tensor *x, hg_pool_options);

typedef enum { HG_NEAREST, HG_BILINEAR } hg_interpolation;

/* [N, C, H, W] to [N, C, H scale, W scale]; bilinear places are pixel
 * centres (PyTorch's align_corners=False). */
HG_API hg_tensor *hg_upsample(hg_tensor *x, int64_t scale, hg_interpolation);
/* The same to any height and width. */
HG_API hg_tensor *hg_resize(hg_tensor *x, int64_t height, int64_t width,
                            hg_interpolation);

/* ---- Normalisation ------------------------------------------------------ */

/* x [N, C] or [N, C, ...], all others [C]: (x - mean) / sqrt(var + eps) w + b
 * for each channel. In a stochastic scope mean and variance are the batch's,
 * and the running ones, if not NULL, move towards them by `momentum` (the
 * unbiased variance, as PyTorch); else the running ones are used. Those of a
 * store are put back if an error comes before the next update. w and b may be
 * NULL (Ioffe & Szegedy, 2015). */
HG_API hg_tensor *hg_batch_norm(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                                hg_tensor *running_mean, hg_tensor *running_var,
                                double momentum, double eps);
/* Over the last axes of x, as many as w has; w and b have their shape, or are
 * NULL: then over the last axis (Ba et al., 2016). */
HG_API hg_tensor *hg_layer_norm(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                                double eps);
/* x [N, C, ...]: over each of `groups` sets of neighbouring channels; w and b
 * [C] or NULL (Wu & He, 2018). */
HG_API hg_tensor *hg_group_norm(hg_tensor *x, int64_t groups, hg_tensor *w,
                                hg_tensor *b, double eps);

/* ---- Random draws: draws in every mode ---------------------------------- */

/* A draw is a function of the context's seed, the step (outermost scope) and
 * the number of random operations called before it in the step; the number of
 * threads does not matter (tensor/random.h). Write one draw a statement: C
 * does not say in which order the arguments of a call are computed. */

/* Standard normal. */
HG_API hg_tensor *hg_randn(hg_shape shape);
/* Uniform in [0, 1). */
HG_API hg_tensor *hg_rand(hg_shape shape);
/* Uniform in [low, high); rounding may give high itself. */
HG_API hg_tensor *hg_uniform(hg_shape shape, double low, double high);
/* 1 with probability p, else 0; p's shape. No gradient. */
HG_API hg_tensor *hg_bernoulli(hg_tensor *p);
/* Standard Gumbel, -log(-log u): argmax(logits + gumbel) is a categorical
 * draw (Maddison et al., 2017; Jang et al., 2017). */
HG_API hg_tensor *hg_gumbel(hg_shape shape);
/* mu + std * randn: gradients reach mu and std (Kingma & Welling, 2014). */
HG_API hg_tensor *hg_normal_sample(hg_tensor *mu, hg_tensor *std);
/* In a stochastic scope each element is dropped with probability p and the
 * others are scaled by 1 / (1 - p); else x itself (Srivastava et al., 2014). */
HG_API hg_tensor *hg_dropout(hg_tensor *x, double p);

/* ---- Densities: never reduced ------------------------------------------- */

/* Logarithms of densities and probabilities in nats, element by element; the
 * arguments broadcast. Add up what is one observation yourself:
 *
 *     hg_tensor *kl = hg_sum(hg_normal_kl(mu, std), HG_FROM(1));  // [batch]
 */
HG_API hg_tensor *hg_normal_logpdf(hg_tensor *x, hg_tensor *mu, hg_tensor *std);
/* x in [0, 1]; values between count as expected (continuous) pixels. */
HG_API hg_tensor *hg_bernoulli_logpmf(hg_tensor *x, hg_tensor *logits);
/* label int32 [...], logits [..., k]: [...]. */
HG_API hg_tensor *hg_categorical_logpmf(hg_tensor *label, hg_tensor *logits);
/* The scale is positive. */
HG_API hg_tensor *hg_laplace_logpdf(hg_tensor *x, hg_tensor *mu,
                                    hg_tensor *scale);
HG_API hg_tensor *hg_logistic_logpdf(hg_tensor *x, hg_tensor *mu,
                                     hg_tensor *scale);
/* nu > 0 degrees of freedom. */
HG_API hg_tensor *hg_student_t_logpdf(hg_tensor *x, hg_tensor *nu,
                                      hg_tensor *mu, hg_tensor *std);
/* log sum_k exp(log_weight_k + log_density_k) over an axis, which goes; the
 * weights are normalised by you (hg_log_softmax). */
HG_API hg_tensor *hg_mixture_logpdf(hg_tensor *log_weight,
                                    hg_tensor *log_density, int axis);
/* KL(N(mu, std^2) || N(0, 1)), and against N(mu2, std2^2). */
HG_API hg_tensor *hg_normal_kl(hg_tensor *mu, hg_tensor *std);
HG_API hg_tensor *hg_normal_kl_between(hg_tensor *mu, hg_tensor *std,
                                       hg_tensor *mu2, hg_tensor *std2);

/* ---- Losses: names, arguments and reductions of PyTorch ----------------- */

typedef enum { HG_MEAN, HG_SUM, HG_NONE } hg_reduce_mode;

/* x and the target broadcast. The mean of nothing is an error. */
HG_API hg_tensor *nn_mse_loss(hg_tensor *x, hg_tensor *target, hg_reduce_mode);
HG_API hg_tensor *nn_l1_loss(hg_tensor *x, hg_tensor *target, hg_reduce_mode);
/* Square within delta of the target, linear beyond (Huber, 1964). */
HG_API hg_tensor *nn_huber_loss(hg_tensor *x, hg_tensor *target, double delta,
                                hg_reduce_mode);
/* Of probabilities p in [0, 1]; logarithms are at least -100. */
HG_API hg_tensor *nn_bce_loss(hg_tensor *p, hg_tensor *target, hg_reduce_mode);
/* The same of probabilities sigmoid(logits), without overflow. */
HG_API hg_tensor *nn_bce_with_logits_loss(hg_tensor *logits, hg_tensor *target,
                                          hg_reduce_mode);
/* logits [..., k], labels int32 [...]. */
HG_API hg_tensor *nn_cross_entropy_loss(hg_tensor *logits, hg_tensor *labels,
                                        hg_reduce_mode);
/* (log var + (x - target)^2 / var) / 2, var at least 1e-6, as PyTorch with
 * full=False. */
HG_API hg_tensor *nn_gaussian_nll_loss(hg_tensor *x, hg_tensor *target,
                                       hg_tensor *var, hg_reduce_mode);

HG_END_DECLS

#endif
