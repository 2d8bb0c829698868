/* conv_winograd_kernels.c - the transforms of conv_winograd.h along one
 * dimension, compiled once an instruction set.
 *
 * The points are 0; 1 and -1, 2 and -2, 1/2 and -1/2; and infinity, where a
 * polynomial's value is its highest coefficient. Points in pairs share the sums
 * of even and of odd powers. */
#include "ops/conv_winograd.h"
#include "ops/lanes.h"

enum { PAIRS = 3 };
static const hg_real pair[PAIRS] = {1, 2, (hg_real)0.5};
/* The product of a point's distances from the others: of 0, and of the pairs.
 * G divides by it, so that B, which is applied most often, has short factors.
 */
static const hg_real distances[] = {-1, (hg_real)-4.5, 90, (hg_real)1.40625};
static const hg_real none[] = {1, 1, 1, 1};

/* B' d. Row i: the product of (x - q) over the finite points q but the i-th,
 * with the pixels for powers of x. */
INLINE void pixels_of(const vec *d, vec *out)
{
    /* (x^2 - a^2) (x^2 - b^2) of the other two pairs */
    static const hg_real sum[PAIRS] = {(hg_real)4.25, (hg_real)1.25, 5};
    static const hg_real product[PAIRS] = {1, (hg_real)0.25, 4};
    const hg_real all = (hg_real)5.25;
    out[0] = d[6] - d[0] + all * (d[2] - d[4]);
    UNROLL
    for (int i = 0; i < PAIRS; i++) {
        vec even = d[6] - sum[i] * d[4] + product[i] * d[2];
        vec odd = d[5] - sum[i] * d[3] + product[i] * d[1];
        out[1 + 2 * i] = even + pair[i] * odd;
        out[2 + 2 * i] = even - pair[i] * odd;
    }
    out[7] = d[7] - d[1] + all * (d[3] - d[5]);
}

/* A or G: the polynomial of `count` coefficients at the points. */
INLINE void evaluate(const vec *in, int count, const hg_real *divisor, vec *out)
{
    out[0] = in[0] * (1 / divisor[0]);
    UNROLL
    for (int i = 0; i < PAIRS; i++) {
        hg_real power = pair[i];
        vec even = in[0], odd = power * in[1];
        UNROLL
        for (int k = 2; k < count; k++) {
            power *= pair[i];
            if (k & 1)
                odd += power * in[k];
            else
                even += power * in[k];
        }
        even *= 1 / divisor[i + 1];
        odd *= 1 / divisor[i + 1];
        out[1 + 2 * i] = even + odd;
        out[2 + 2 * i] = even - odd;
    }
    out[HG_POINTS - 1] = in[count - 1];
}

/* A' or G': its transpose. */
INLINE void combine(const vec *in, int count, const hg_real *divisor, vec *out)
{
    out[0] = in[0] * (1 / divisor[0]);
    UNROLL
    for (int i = 0; i < PAIRS; i++) {
        hg_real power = 1 / divisor[i + 1];
        vec even = in[1 + 2 * i] + in[2 + 2 * i];
        vec odd = in[1 + 2 * i] - in[2 + 2 * i];
        UNROLL
        for (int k = 0; k < count; k++) {
            const vec *term = k & 1 ? &odd : &even;
            if (k && !i)
                out[k] = power * *term;
            else
                out[k] += power * *term;
            power *= pair[i];
        }
    }
    out[count - 1] += in[HG_POINTS - 1];
}

/* Only places have as many results as a tile has. */
#define LINES(name, from, to, ...)                                             \
    static void name(const hg_lines *lines, const hg_real *in, hg_real *out)   \
    {                                                                          \
        const hg_lines l = *lines;                                             \
        vec bias = {0};                                                        \
        if (to == HG_SIDE && l.bias)                                           \
            bias = *(const vec *)l.bias;                                       \
        for (int64_t t = 0; t < l.count; t++) {                                \
            vec before[HG_POINTS], after[HG_POINTS];                           \
            UNROLL                                                             \
            for (int i = 0; i < from; i++)                                     \
                before[i] = *(const vec *)(in + i * l.in_apart);               \
            __VA_ARGS__;                                                       \
            UNROLL                                                             \
            for (int i = 0; i < to; i++)                                       \
                if (to != HG_SIDE)                                             \
                    *(vec *)(out + i * l.out_apart) = after[i];                \
                else if (i < l.keep)                                           \
                    *(vec *)(out + i * l.out_apart) = after[i] + bias;         \
            in += l.in_step;                                                   \
            out += l.out_step;                                                 \
        }                                                                      \
    }
LINES(pixels, HG_POINTS, HG_POINTS, pixels_of(before, after))
LINES(places, HG_POINTS, HG_SIDE, combine(before, HG_SIDE, none, after))
LINES(place_gradients, HG_SIDE, HG_POINTS,
      evaluate(before, HG_SIDE, none, after))
LINES(taps, HG_WINDOW, HG_POINTS, evaluate(before, HG_WINDOW, distances, after))
LINES(tap_gradients, HG_POINTS, HG_WINDOW,
      combine(before, HG_WINDOW, distances, after))

const hg_winograd HG_ISA_NAME(hg_winograd) = {
    .pixels = pixels,
    .places = places,
    .place_gradients = place_gradients,
    .taps = taps,
    .tap_gradients = tap_gradients,
};
