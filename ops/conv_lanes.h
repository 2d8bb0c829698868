/* conv_lanes.h - convolution with images in the lanes of vectors.
 *
 * A block of as many images as a vector has lanes is rewritten so that one
 * vector holds one place of all of them. Then every convolution, whatever its
 * stride, padding and dilation, is
 *
 *     out[r, p] = bias[r] + sum over t of weight[t, r] in[base[p] + tap[t]]
 *
 * with vectors for elements: no lane is ever shifted, and zeros around the
 * images make the border like the rest. The transposed convolution is the
 * same for each of its stride x stride phases. */
#ifndef HG_CONV_LANES_H
#define HG_CONV_LANES_H

#include "ops/conv.h"
#include "ops/isa.h"

/* Places and taps are in vectors from the start of a block. */
typedef struct {
    int64_t places, taps;
    const int32_t *base; /* [places] */
    const int32_t *dest; /* [places], in the result; NULL: 0, 1, ... */
    const int32_t *tap;  /* [taps] */
} hg_gather;

typedef struct {
    int64_t lanes; /* images of a block */
    int64_t rows;  /* most rows that are computed together */
    /* Planes [count, size] of `images` images, `image` values apart, to
     * vectors: element i of plane c to out + (c * room + at[i]) * lanes. */
    void (*pack)(const hg_real *in, int64_t image, int64_t images,
                 int64_t count, int64_t size, int64_t room, const int32_t *at,
                 hg_real *out);
    /* And back, with at[i] = i. */
    void (*unpack)(const hg_real *in, int64_t count, int64_t size, hg_real *out,
                   int64_t image, int64_t images);
    /* Rows [0, rows) of the sum above; weight is [taps, rows]; out is
     * [rows, size]. */
    void (*gather)(const hg_gather *, const hg_real *in, const hg_real *weight,
                   const hg_real *bias, int64_t rows, int64_t size,
                   hg_real *out);
    /* out[r, t] = sum over lanes and places of y[r, p] in[base[p] + tap[t]];
     * y is [rows, places]. */
    void (*correlate)(const hg_gather *, const hg_real *in, const hg_real *y,
                      int64_t rows, hg_real *out);
} hg_conv_lanes;

HG_ISA_TABLE(hg_conv_lanes, hg_lanes)

/* How many rows of those left are taken together: a power of two. */
static inline int64_t hg_row_group(int64_t left, int64_t most)
{
    while (most > left)
        most /= 2;
    return most;
}

void hg_conv_forward_lanes(const hg_kernel *, const hg_conv_job *);
void hg_conv_input_lanes(const hg_kernel *, const hg_conv_job *);
void hg_conv_weight_lanes(const hg_kernel *, const hg_conv_job *);

#endif
