/* pointwise_kernels.c - the loops behind pointwise.def. Compiled once for
 * every instruction set (HG_ISA: base, v3, v4) with the vector vocabulary, and
 * once (pointwise_reference.c) with libm's. */
#include "ops/pointwise.h"
#include "ops/pointwise_loads.h"
#include "ops/vocabulary.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define NONE        R(0)

/* A kernel is one loop. `load` declares the operands; those that the formula
 * does not use cost nothing, since the compiler drops the load. */
#define RUN(name, load, formula)                                               \
    static void run_##name(hg_real *restrict out, const hg_real *const *in,    \
                           int64_t n, hg_real a, hg_real b)                    \
    {                                                                          \
        (void)a, (void)b;                                                      \
        for (int64_t i = 0; i < n; i++) {                                      \
            load;                                                              \
            out[i] = (formula);                                                \
        }                                                                      \
    }
#define LOAD(k, v)                                                             \
    hg_real v = in[k][i];                                                      \
    (void)v

#define UNARY(n, value, gradient, reads, curvature, ...)                       \
    RUN(n, LOAD1(x), value)                                                    \
    RUN(n##_dx, LOAD3(g, x, z), gradient)                                      \
    RUN(n##_d2, LOAD2(x, z), curvature)
#define UNARY_A  UNARY
#define UNARY_AB UNARY
#define BINARY(n, value, dx, dy, reads, dxx, dxy, dyy, ...)                    \
    RUN(n, LOAD2(x, y), value)                                                 \
    RUN(n##_dx, LOAD4(g, x, y, z), dx)                                         \
    RUN(n##_dy, LOAD4(g, x, y, z), dy)                                         \
    RUN(n##_dxx, LOAD3(x, y, z), dxx)                                          \
    RUN(n##_dxy, LOAD3(x, y, z), dxy)                                          \
    RUN(n##_dyy, LOAD3(x, y, z), dyy)
#define LINEAR(n, value, ...)  RUN(n, LOAD2(x, y), value)
#define COMPARE(n, value, ...) RUN(n, LOAD2(x, y), value)
#define TERNARY(n, value, ...) RUN(n, LOAD3(x, y, z), value)
#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"

hg_pointwise_run *const JOIN(hg_pointwise_, HG_ISA)[] = {
#define KERNEL(name) run_##name,
#include "ops/pointwise_list.h"
#undef KERNEL
};
