/* pointwise_rows.h - the rows of pointwise.def as tables, for tests over all of
 * them. Parameters are a = 0.3 and b = 0.8. */
#ifndef POINTWISE_ROWS_H
#define POINTWISE_ROWS_H

#include "ops/pointwise.h"
#include "support.h"
#include "tensor/cpu.h"
#include "tensor/random.h"

#define PARAMETER_A 0.3
#define PARAMETER_B 0.8

/* What a gradient says that it reads, as in pointwise.c. */
enum { NOTHING = 0, X = 1, Y = 2, Z = 4, XY = 3, XZ = 5, YZ = 6, XYZ = 7 };

typedef enum {
    ANYWHERE,
    POSITIVE,
    OFF_ZERO,
    OFF_TIES,
    OFF_BOUNDS,
    OFF_HALVES,
    OPEN_UNIT
} domain;

/* u in [-1, 1) moved to where the function is smooth. */
UNUSED static double inside(domain d, double u)
{
    double away = u < 0 ? u - 0.2 : u + 0.2;
    switch (d) {
    case POSITIVE:
        return 1.2 + u;
    case OFF_ZERO:
        return 2 * away;
    case OFF_BOUNDS: /* -0.7, 0.55 or 1.7 and a little: see PARAMETER_A */
        return (u < -0.3 ? -0.7 : u < 0.3 ? 0.55 : 1.7) + 0.2 * u;
    case OFF_HALVES:
        return floor(4 * u) + 0.4 * u;
    case OPEN_UNIT:
        return 0.5 + 0.4 * u;
    default:
        return 2 * u;
    }
}

/* The public functions, called alike. */
#define UNARY(n, ...)                                                          \
    UNUSED static hg_tensor *call_##n(void *user, hg_tensor *const *in,        \
                                      int count)                               \
    {                                                                          \
        (void)user, (void)count;                                               \
        return hg_##n(in[0]);                                                  \
    }
#define UNARY_A(n, ...)                                                        \
    UNUSED static hg_tensor *call_##n(void *user, hg_tensor *const *in,        \
                                      int count)                               \
    {                                                                          \
        (void)user, (void)count;                                               \
        return hg_##n(in[0], PARAMETER_A);                                     \
    }
#define UNARY_AB(n, ...)                                                       \
    UNUSED static hg_tensor *call_##n(void *user, hg_tensor *const *in,        \
                                      int count)                               \
    {                                                                          \
        (void)user, (void)count;                                               \
        return hg_##n(in[0], PARAMETER_A, PARAMETER_B);                        \
    }
#define BINARY(n, ...)                                                         \
    UNUSED static hg_tensor *call_##n(void *user, hg_tensor *const *in,        \
                                      int count)                               \
    {                                                                          \
        (void)user, (void)count;                                               \
        return hg_##n(in[0], in[1]);                                           \
    }
#define LINEAR(n, ...)  BINARY(n, )
#define COMPARE(n, ...) BINARY(n, )
#define TERNARY(n, ...)
#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"

typedef struct {
    const char *name;
    hg_function call;
    int inputs;
    int reads; /* -1: kernels of no gradient */
    domain domain;
    int first, last; /* kernels */
} row;

UNUSED static const row rows[] = {
#define UNARY(n, value, dx, reads, d2, domain, doc)                            \
    {#n, call_##n, 1, reads, domain, HG_POINTWISE_##n, HG_POINTWISE_##n##_d2},
#define UNARY_A  UNARY
#define UNARY_AB UNARY
#define BINARY(n, value, dx, dy, reads, dxx, dxy, dyy, domain, doc)            \
    {#n, call_##n, 2, reads, domain, HG_POINTWISE_##n, HG_POINTWISE_##n##_dyy},
#define LINEAR(n, value, dx, dy, reads, domain, doc)                           \
    {#n, call_##n, 2, -1, domain, HG_POINTWISE_##n, HG_POINTWISE_##n},
#define COMPARE(n, value, doc)
#define TERNARY(n, value, doc)
#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"
};

#define ROWS ((int)(sizeof rows / sizeof *rows))

/* A number of [-1, 1) from a counter. */
UNUSED static double noise(uint64_t i)
{
    hg_philox p = hg_philox_make(7, HG_DOMAIN_DATA, 0);
    return 2 * (double)hg_word_uniform(hg_philox_word(&p, i)) - 1;
}

#endif
