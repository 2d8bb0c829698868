/* optimizer_kernels.c - the loops of the optimisers, each one pass over
 * weight, gradient and state. Compiled once for every instruction set. */
#include "nn/optimizer.h"

#include <math.h>

#ifdef HG_DOUBLE
#define ROOT sqrt
#else
#define ROOT sqrtf
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

/* NaN passes. */
static inline hg_real cut(hg_real g, hg_real bound)
{
    hg_real low = g < -bound ? -bound : g;
    return low > bound ? bound : low;
}

/* The gradient after clipping and weight decay. */
static inline hg_real gradient(hg_real g, hg_real w, const hg_update *u)
{
    return cut(g, u->bound) * u->scale + u->decay * w;
}

/* Kingma and Ba, 2015, in PyTorch's order; with `shrink` AdamW's. */
static void adam(hg_real *restrict w, const hg_real *restrict g,
                 hg_real *const *state, int64_t n, const hg_update *update)
{
    hg_real *restrict m = state[0], *restrict v = state[1];
    const hg_update u = *update;
    for (int64_t i = 0; i < n; i++) {
        hg_real d = gradient(g[i], w[i], &u);
        m[i] = u.keep1 * m[i] + u.add1 * d;
        v[i] = u.keep2 * v[i] + u.add2 * (d * d);
        w[i] = w[i] * u.shrink -
               u.rate * (m[i] / (ROOT(v[i]) * u.correct + u.eps));
    }
}

static void sgd(hg_real *restrict w, const hg_real *restrict g,
                hg_real *const *state, int64_t n, const hg_update *update)
{
    (void)state;
    const hg_update u = *update;
    for (int64_t i = 0; i < n; i++)
        w[i] -= u.rate * gradient(g[i], w[i], &u);
}

static void sgd_momentum(hg_real *restrict w, const hg_real *restrict g,
                         hg_real *const *state, int64_t n,
                         const hg_update *update)
{
    hg_real *restrict m = state[0];
    const hg_update u = *update;
    for (int64_t i = 0; i < n; i++) {
        hg_real d = gradient(g[i], w[i], &u);
        m[i] = u.keep1 * m[i] + u.add1 * d;
        w[i] -= u.rate * m[i];
    }
}

static void sgd_nesterov(hg_real *restrict w, const hg_real *restrict g,
                         hg_real *const *state, int64_t n,
                         const hg_update *update)
{
    hg_real *restrict m = state[0];
    const hg_update u = *update;
    for (int64_t i = 0; i < n; i++) {
        hg_real d = gradient(g[i], w[i], &u);
        m[i] = u.keep1 * m[i] + u.add1 * d;
        w[i] -= u.rate * (d + u.keep1 * m[i]);
    }
}

/* Hinton's RMSProp as PyTorch has it; `centered` subtracts the squared mean
 * (Graves, 2013). State: second moment, momentum, mean. */
static inline void rmsprop_any(hg_real *restrict w, const hg_real *restrict g,
                               hg_real *const *state, int64_t n,
                               const hg_update *update, bool centered,
                               bool momentum)
{
    hg_real *restrict v = state[0], *restrict b = state[1],
                      *restrict mean = state[2];
    const hg_update u = *update;
    for (int64_t i = 0; i < n; i++) {
        hg_real d = gradient(g[i], w[i], &u);
        v[i] = u.keep2 * v[i] + u.add2 * (d * d);
        hg_real square = v[i];
        if (centered) {
            mean[i] = u.keep2 * mean[i] + u.add2 * d;
            square -= mean[i] * mean[i];
        }
        hg_real step = d / (ROOT(square) + u.eps);
        if (momentum)
            step = b[i] = u.keep1 * b[i] + step;
        w[i] -= u.rate * step;
    }
}

#define RMSPROP(name, centered, momentum)                                      \
    static void name(hg_real *w, const hg_real *g, hg_real *const *state,      \
                     int64_t n, const hg_update *u)                            \
    {                                                                          \
        rmsprop_any(w, g, state, n, u, centered, momentum);                    \
    }
RMSPROP(rmsprop, false, false)
RMSPROP(rmsprop_momentum, false, true)
RMSPROP(rmsprop_centered, true, false)
RMSPROP(rmsprop_centered_momentum, true, true)

/* Zeiler, 2012. State: squared gradients, squared updates. */
static void adadelta(hg_real *restrict w, const hg_real *restrict g,
                     hg_real *const *state, int64_t n, const hg_update *update)
{
    hg_real *restrict v = state[0], *restrict s = state[1];
    const hg_update u = *update;
    for (int64_t i = 0; i < n; i++) {
        hg_real d = gradient(g[i], w[i], &u);
        v[i] = u.keep2 * v[i] + u.add2 * (d * d);
        hg_real step = ROOT(s[i] + u.eps) / ROOT(v[i] + u.eps) * d;
        s[i] = u.keep2 * s[i] + u.add2 * (step * step);
        w[i] -= u.rate * step;
    }
}

/* Sixteen sums side by side, in double. */
static double squares(const hg_real *g, int64_t n, hg_real bound)
{
    double lane[16] = {0}, sum = 0;
    int64_t whole = n / 16 * 16;
    for (int64_t i = 0; i < whole; i += 16)
        for (int j = 0; j < 16; j++) {
            double x = (double)cut(g[i + j], bound);
            lane[j] += x * x;
        }
    for (int64_t i = whole; i < n; i++) {
        double x = (double)cut(g[i], bound);
        lane[i - whole] += x * x;
    }
    for (int j = 0; j < 16; j++)
        sum += lane[j];
    return sum;
}

const hg_update_table JOIN(hg_update_, HG_ISA) = {
    .update =
        {
            [HG_UPDATE_ADAM] = adam,
            [HG_UPDATE_SGD] = sgd,
            [HG_UPDATE_SGD_MOMENTUM] = sgd_momentum,
            [HG_UPDATE_SGD_NESTEROV] = sgd_nesterov,
            [HG_UPDATE_RMSPROP] = rmsprop,
            [HG_UPDATE_RMSPROP_MOMENTUM] = rmsprop_momentum,
            [HG_UPDATE_RMSPROP_CENTERED] = rmsprop_centered,
            [HG_UPDATE_RMSPROP_CENTERED_MOMENTUM] = rmsprop_centered_momentum,
            [HG_UPDATE_ADADELTA] = adadelta,
        },
    .squares = squares,
};
