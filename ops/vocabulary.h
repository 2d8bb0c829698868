/* vocabulary.h - the names that rows of pointwise.def may use.
 *
 * Each back end defines them: the reference one here in terms of libm, the
 * vector one (vocabulary_vector.h) as branch-free polynomials that compilers
 * turn into SIMD code, CUDA in terms of its device functions. A row is thus
 * written once. NaN must pass through every one of them.
 */
#ifndef HG_VOCABULARY_H
#define HG_VOCABULARY_H

#include <math.h>

#define R(x) ((hg_real)(x))

#if defined(HG_VECTOR_VOCABULARY) && !defined(HG_DOUBLE)
#include "ops/vocabulary_vector.h"
#else

#ifdef HG_DOUBLE
#define HG_LIBM(name) name
#else
#define HG_LIBM(name) name##f
#endif

#define ABS(x)    HG_LIBM(fabs)(x)
#define SQRT(x)   HG_LIBM(sqrt)(x)
#define RSQRT(x)  (R(1) / HG_LIBM(sqrt)(x))
#define EXP(x)    HG_LIBM(exp)(x)
#define EXPM1(x)  HG_LIBM(expm1)(x)
#define LOG(x)    HG_LIBM(log)(x)
#define LOG1P(x)  HG_LIBM(log1p)(x)
#define SIN(x)    HG_LIBM(sin)(x)
#define COS(x)    HG_LIBM(cos)(x)
#define TANH(x)   HG_LIBM(tanh)(x)
#define ERF(x)    HG_LIBM(erf)(x)
#define LGAMMA(x) hg_lgamma(x)
#define POW(x, y) HG_LIBM(pow)(x, y)
#define ROUND(x)  HG_LIBM(nearbyint)(x)
#define SIGMOID(x) hg_sigmoid_value(x)

/* Stable on both sides: never exponentiates a positive number. */
static inline hg_real hg_sigmoid_value(hg_real x)
{
    hg_real e = EXP(-ABS(x));
    return (x < 0 ? e : R(1)) / (R(1) + e);
}

#endif

#endif
