/* pointwise.cuh - the formulas of pointwise.def as functions of a GPU: f_NAME,
 * of one value of each input and the parameters a and b. */
#ifndef HG_POINTWISE_CUH
#define HG_POINTWISE_CUH

#include "ops/kernels.cuh"
#include "ops/pointwise.h"
#include "ops/pointwise_loads.h"
#include "ops/vocabulary.h"

#define NONE R(0)

#define LOAD(i, v) [[maybe_unused]] hg_real v = in[i]
#define FUNCTION(n, inputs, often, loads, formula)                             \
    struct f_##n {                                                             \
        enum { arity = inputs, common = often };                               \
        static __device__ hg_real of(const hg_real *in,                        \
                                     [[maybe_unused]] hg_real a,               \
                                     [[maybe_unused]] hg_real b)               \
        {                                                                      \
            loads;                                                             \
            return (formula);                                                  \
        }                                                                      \
    };

#define UNARY(n, value, gradient, reads, curvature, ...)                       \
    FUNCTION(n, 1, true, LOAD1(x), value)                                      \
    FUNCTION(n##_dx, 3, true, LOAD3(g, x, z), gradient)                        \
    FUNCTION(n##_d2, 2, false, LOAD2(x, z), curvature)
#define UNARY_A  UNARY
#define UNARY_AB UNARY
#define BINARY(n, value, dx, dy, reads, dxx, dxy, dyy, ...)                    \
    FUNCTION(n, 2, true, LOAD2(x, y), value)                                   \
    FUNCTION(n##_dx, 4, true, LOAD4(g, x, y, z), dx)                           \
    FUNCTION(n##_dy, 4, true, LOAD4(g, x, y, z), dy)                           \
    FUNCTION(n##_dxx, 3, false, LOAD3(x, y, z), dxx)                           \
    FUNCTION(n##_dxy, 3, false, LOAD3(x, y, z), dxy)                           \
    FUNCTION(n##_dyy, 3, false, LOAD3(x, y, z), dyy)
#define LINEAR(n, value, ...)  FUNCTION(n, 2, true, LOAD2(x, y), value)
#define COMPARE(n, value, ...) FUNCTION(n, 2, false, LOAD2(x, y), value)
#define TERNARY(n, value, ...) FUNCTION(n, 3, true, LOAD3(x, y, z), value)
#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"

#undef NONE
#undef LOAD
#undef LOAD1
#undef LOAD2
#undef LOAD3
#undef LOAD4
#undef FUNCTION

#endif
