/* pointwise_kernels.c - the loops behind pointwise.def. Compiled once for
 * every instruction set (HG_ISA: base, v3, v4) with the vector vocabulary, and
 * once (pointwise_reference.c) with libm's. */
#include "ops/pointwise.h"
#include "ops/vocabulary.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define NONE        R(0)

#define ARGUMENTS                                                              \
    hg_real *restrict out, const hg_real *const *in, const int64_t *step,      \
        int64_t n, hg_real a, hg_real b

/* One loop over n elements; `load` declares what the formula reads. The
 * operands a formula does not use cost nothing: the compiler drops the load. */
#define LOOP(load, formula)                                                    \
    for (int64_t i = 0; i < n; i++) {                                          \
        load;                                                                  \
        out[i] = (formula);                                                    \
    }

#define KERNEL1(name, x, formula)                                              \
    static void run_##name(ARGUMENTS)                                                \
    {                                                                          \
        (void)a, (void)b;                                                      \
        const hg_real *restrict p = in[0];                                     \
        int64_t s = step[0];                                                   \
        if (s == 1)                                                            \
            LOOP(hg_real x = p[i]; (void)x, formula)                           \
        else                                                                   \
            LOOP(hg_real x = p[i * s]; (void)x, formula)                       \
    }

#define KERNEL2(name, x, y, formula)                                           \
    static void run_##name(ARGUMENTS)                                                \
    {                                                                          \
        (void)a, (void)b;                                                      \
        const hg_real *restrict p = in[0], *restrict q = in[1];                \
        int64_t s = step[0], t = step[1];                                      \
        if (s == 1 && t == 1)                                                  \
            LOOP(hg_real x = p[i]; hg_real y = q[i]; (void)x; (void)y, formula) \
        else if (s == 1 && t == 0)                                             \
            LOOP(hg_real x = p[i]; hg_real y = q[0]; (void)x; (void)y, formula) \
        else if (s == 0 && t == 1)                                             \
            LOOP(hg_real x = p[0]; hg_real y = q[i]; (void)x; (void)y, formula) \
        else                                                                   \
            LOOP(hg_real x = p[i * s]; hg_real y = q[i * t]; (void)x;          \
                 (void)y, formula)                                             \
    }

#define KERNEL3(name, g, x, z, formula)                                        \
    static void run_##name(ARGUMENTS)                                                \
    {                                                                          \
        (void)a, (void)b;                                                      \
        const hg_real *restrict o = in[0], *restrict p = in[1],                \
                                *restrict q = in[2];                           \
        int64_t r = step[0], s = step[1], t = step[2];                         \
        if (r == 1 && s == 1 && t == 1)                                        \
            LOOP(hg_real g = o[i]; hg_real x = p[i]; hg_real z = q[i];         \
                 (void)g; (void)x; (void)z, formula)                           \
        else                                                                   \
            LOOP(hg_real g = o[i * r]; hg_real x = p[i * s];                   \
                 hg_real z = q[i * t]; (void)g; (void)x; (void)z, formula)     \
    }

#define KERNEL4(name, g, x, y, z, formula)                                     \
    static void run_##name(ARGUMENTS)                                                \
    {                                                                          \
        (void)a, (void)b;                                                      \
        const hg_real *restrict o = in[0], *restrict p = in[1],                \
                                *restrict q = in[2], *restrict w = in[3];      \
        int64_t r = step[0], s = step[1], t = step[2], u = step[3];            \
        if (r == 1 && s == 1 && t == 1 && u == 1)                              \
            LOOP(hg_real g = o[i]; hg_real x = p[i]; hg_real y = q[i];         \
                 hg_real z = w[i]; (void)g; (void)x; (void)y; (void)z,         \
                 formula)                                                      \
        else                                                                   \
            LOOP(hg_real g = o[i * r]; hg_real x = p[i * s];                   \
                 hg_real y = q[i * t]; hg_real z = w[i * u]; (void)g; (void)x; \
                 (void)y; (void)z, formula)                                    \
    }

#define UNARY(n, value, gradient, curvature, ...)                              \
    KERNEL1(n, x, value)                                                       \
    KERNEL3(n##_dx, g, x, z, gradient)                                         \
    KERNEL2(n##_d2, x, z, curvature)
#define UNARY_A  UNARY
#define UNARY_AB UNARY
#define BINARY(n, value, dx, dy, dxx, dxy, dyy, ...)                           \
    KERNEL2(n, x, y, value)                                                    \
    KERNEL4(n##_dx, g, x, y, z, dx)                                            \
    KERNEL4(n##_dy, g, x, y, z, dy)                                            \
    KERNEL3(n##_dxx, x, y, z, dxx)                                             \
    KERNEL3(n##_dxy, x, y, z, dxy)                                             \
    KERNEL3(n##_dyy, x, y, z, dyy)
#define LINEAR(n, value, ...)  KERNEL2(n, x, y, value)
#define COMPARE(n, value, ...) KERNEL2(n, x, y, value)
#include "ops/pointwise.def"
#undef UNARY
#undef UNARY_A
#undef UNARY_AB
#undef BINARY
#undef LINEAR
#undef COMPARE

hg_pointwise_run *const JOIN(hg_pointwise_, HG_ISA)[] = {
#define KERNEL(name) run_##name,
#include "ops/pointwise_list.h"
#undef KERNEL
};
