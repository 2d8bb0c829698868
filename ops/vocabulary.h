/* vocabulary.h - the names that rows of pointwise.def may use.
 *
 * Each back end defines them: the reference one here in terms of libm, the
 * vector one (vocabulary_vector.h) as branch-free polynomials that compilers
 * turn into SIMD code, CUDA in terms of its device functions. A row is thus
 * written once. NaN must pass through every one of them.
 */
#ifndef HG_VOCABULARY_H
#define HG_VOCABULARY_H

#include "tensor/inline.h"
#include "tensor/tensor.h"

#include <math.h>

#include "ops/gamma.h"

#define R(x) ((hg_real)(x))

#ifdef HG_DOUBLE
#define HG_LIBM(name) name
#else
#define HG_LIBM(name) name##f
#endif

HG_INLINE hg_real hg_picked(bool c, hg_real x, hg_real y)
{
    return c ? x : y;
}

#define ABS(x)   HG_LIBM(fabs)(x)
#define SIGN(x)  ((x) > 0 ? R(1) : (x) < 0 ? R(-1) : (x))
#define SQRT(x)  HG_LIBM(sqrt)(x)
#define RSQRT(x) (R(1) / HG_LIBM(sqrt)(x))
#define ROUND(x) HG_LIBM(nearbyint)(x) /* halves to even */
#define SIN(x)   HG_LIBM(sin)(x)
#define COS(x)   HG_LIBM(cos)(x)
/* Both sides are computed: compilers then need no branch. */
#define SELECT(c, x, y) hg_picked(c, x, y)
#define POW(x, y)       HG_LIBM(pow)(x, y)
#ifdef __CUDACC__
#define LGAMMA(x) HG_LIBM(lgamma)(x)
#else
#define LGAMMA(x) R(hg_log_gamma((double)(x)))
HG_BEGIN_DECLS
double hg_log_gamma(double x); /* thread-safe */
HG_END_DECLS
#endif
#define DIGAMMA(x)    R(hg_digamma_value((double)(x)))
#define TRIGAMMA(x)   R(hg_trigamma_value((double)(x)))
#define TETRAGAMMA(x) R(hg_tetragamma_value((double)(x)))

#if defined(HG_VECTOR_VOCABULARY) && !defined(HG_DOUBLE)
#include "ops/vocabulary_vector.h"
#else

#define EXP(x)      HG_LIBM(exp)(x)
#define EXPM1(x)    HG_LIBM(expm1)(x)
#define LOG(x)      HG_LIBM(log)(x)
#define LOG1P(x)    HG_LIBM(log1p)(x)
#define TANH(x)     HG_LIBM(tanh)(x)
#define ERF(x)      HG_LIBM(erf)(x)
#define SIGMOID(x)  hg_sigmoid_value(x)
#define SOFTPLUS(x) (((x) < 0 ? R(0) : (x)) + LOG1P(EXP(-ABS(x))))
#define DECAY(x)    EXP(x) /* of x <= 0 */

/* Stable on both sides: never exponentiates a positive number. */
HG_INLINE hg_real hg_sigmoid_value(hg_real x)
{
    hg_real e = EXP(-ABS(x));
    return (x < 0 ? e : R(1)) / (R(1) + e);
}

#endif

/* Density and distribution function of the standard normal. */
#define NORMAL_PDF(x) (R(0.39894228040143268) * DECAY(R(-0.5) * (x) * (x)))
#define NORMAL_CDF(x) (R(0.5) + R(0.5) * ERF(R(0.70710678118654752) * (x)))

/* Fixed points of mean and variance (Klambauer et al., 2017). */
#define SELU_SCALE R(1.0507009873554804934)
#define SELU_ALPHA R(1.6732632423543772848)

/* PyTorch's bounds of the binary cross entropy, so that x = 0 and x = 1 have
 * finite values and gradients. */
#define BOUNDED_LOG(l) ((l) < R(-100) ? R(-100) : (l))
#define BCE_CURVE(x)   hg_bce_curve(x)

HG_INLINE hg_real hg_bce_curve(hg_real x)
{
    hg_real c = x * (R(1) - x);
    return c < R(1e-12) ? R(1e-12) : c;
}

#endif
