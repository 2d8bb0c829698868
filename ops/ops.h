/* ops.h - every operation.
 *
 * All of them take tensors of any strides and return a new tensor that the
 * open scope owns; NULL, with hg_error set, if the shapes do not fit. Pointwise
 * operations of two tensors broadcast as NumPy does.
 *
 *     hg_tensor *h = hg_relu(hg_linear(x, w, b));       // [batch, out]
 *     hg_tensor *loss = hg_mean(hg_square(hg_sub(h, y)), HG_ALL);
 */
#ifndef HG_OPS_H
#define HG_OPS_H

#include "autograd/autograd.h"

HG_BEGIN_DECLS

/* ---- Pointwise: one row of pointwise.def each ----------------------------- */

#define UNARY(n, ...)    HG_API hg_tensor *hg_##n(hg_tensor *x);
#define UNARY_A(n, ...)  HG_API hg_tensor *hg_##n(hg_tensor *x, double a);
#define UNARY_AB(n, ...) HG_API hg_tensor *hg_##n(hg_tensor *x, double a, double b);
#define BINARY(n, ...)   HG_API hg_tensor *hg_##n(hg_tensor *x, hg_tensor *y);
#define LINEAR(n, ...)   HG_API hg_tensor *hg_##n(hg_tensor *x, hg_tensor *y);
#define COMPARE(n, ...)  HG_API hg_tensor *hg_##n(hg_tensor *x, hg_tensor *y);
#include "ops/pointwise.def"
#undef UNARY
#undef UNARY_A
#undef UNARY_AB
#undef BINARY
#undef LINEAR
#undef COMPARE

/* ---- Reductions ------------------------------------------------------------ */

/* Over a set of axes: HG_ALL, HG_OVER(1), HG_KEEP(-1), HG_FROM(1). */
HG_API hg_tensor *hg_sum(hg_tensor *x, hg_axes axes);
HG_API hg_tensor *hg_mean(hg_tensor *x, hg_axes axes);

/* ---- Shapes ---------------------------------------------------------------- */

/* Broadcasts to a shape, without copying; -1 keeps a size. */
HG_API hg_tensor *hg_expand(hg_tensor *x, hg_shape shape);
/* The mirror of expand: sums over the axes that expand would broadcast. */
HG_API hg_tensor *hg_sum_to(hg_tensor *x, hg_shape shape);
/* The same values in another shape; one size may be -1. */
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

/* ---- Products --------------------------------------------------------------- */

/* [..., m, k] by [..., k, n] gives [..., m, n]; leading axes broadcast. */
HG_API hg_tensor *hg_matmul(hg_tensor *a, hg_tensor *b);
/* x [..., in], w [out, in], b [out] or NULL: x w' + b, [..., out]. */
HG_API hg_tensor *hg_linear(hg_tensor *x, hg_tensor *w, hg_tensor *b);

/* ---- Random draws: draws in every mode --------------------------------------- */

/* Standard normal. */
HG_API hg_tensor *hg_randn(hg_shape shape);
/* Uniform in [0, 1). */
HG_API hg_tensor *hg_rand(hg_shape shape);

HG_END_DECLS

#endif
