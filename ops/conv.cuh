/* conv.cuh - convolution and its two gradients as problems of product.cuh: one
 * operand is read from where it would lie if the windows were unfolded, but
 * nothing is. */
#ifndef HG_CONV_CUH
#define HG_CONV_CUH

#include "ops/conv.h"
#include "ops/divisor.cuh"
#include "ops/product.cuh"

/* Tiles for few channels, for more, and for many. */
typedef hg_tile<16, 64, 32> hg_flat_tile;
typedef hg_tile<32, 32, 32> hg_square_tile;
typedef hg_tile<64, 64, 16> hg_wide_tile;

/* What the three have in common: the job's sizes, and how the places that are
 * numbered through (of y, or of a phase of x) and the taps come apart. */
struct hg_conv_problem {
    int64_t m, n, k, count;
    hg_conv_job job;
    hg_divisor area, width;  /* of places */
    hg_divisor window, side; /* of taps */

    hg_conv_problem(const hg_conv_job &j, int64_t rows, int64_t columns,
                    int64_t high, int64_t wide)
        : m(), n(), k(), count(1), job(j), area(rows * columns), width(columns),
          window(high * wide), side(wide)
    {
    }
    static __device__ constexpr bool a_along_k()
    {
        return true;
    }
    /* What tap `j` of all channels' sees of x at place `q` of all images'. */
    __device__ hg_real seen(int j, int q) const
    {
        const hg_conv &s = job.shape;
        int64_t image = area.split(q), p = width.split(q);
        int64_t c = window.split(j), i = side.split(j);
        int64_t h = p * s.stride - s.padding + i * s.dilation;
        int64_t w = q * s.stride - s.padding + j * s.dilation;
        bool inside = h >= 0 && h < s.h && w >= 0 && w < s.w;
        return inside ? job.x[((image * s.c + c) * s.h + h) * s.w + w] : 0;
    }
};

/* ---- Forward: y [O, N places] = weight [O, C taps] x [C taps, N places] -- */

template <typename T> struct hg_conv_y : hg_conv_problem {
    typedef T tile;

    explicit hg_conv_y(const hg_conv_job &j)
        : hg_conv_problem(j, j.shape.oh, j.shape.ow, j.shape.kh, j.shape.kw)
    {
        m = j.shape.o;
        n = j.shape.n * j.shape.oh * j.shape.ow;
        k = j.shape.c * j.shape.kh * j.shape.kw;
    }
    __device__ hg_conv_y of(int64_t) const
    {
        return *this;
    }
    static __device__ constexpr bool b_along_k()
    {
        return false;
    }
    __device__ hg_real a(int64_t o, int64_t l) const
    {
        return job.weight[o * k + l];
    }
    __device__ hg_real b(int64_t l, int64_t place) const
    {
        return seen((int)l, (int)place);
    }
    __device__ int64_t put(int64_t o, int64_t place, hg_real sum) const
    {
        const hg_conv &s = job.shape;
        int at = (int)place;
        int64_t image = area.split(at);
        int64_t to = (image * s.o + o) * s.oh * s.ow + at;
        job.out[to] = job.bias ? sum + job.bias[o] : sum;
        return to;
    }
};

/* ---- The input gradient, stride x stride phases ------------------------- */

static inline int64_t hg_conv_shares(int64_t size, int64_t stride)
{
    return (size + stride - 1) / stride;
}

/* Pixels with the same remainder of the stride see the same taps, and those
 * taps see neighbouring places of y, one after the other:
 * x [C, N pixels] = weight [C, O taps] y [O taps, N pixels].
 * A phase with fewer pixels or taps than the others has zeros in their place.
 * Stride or dilation must be 1. */
template <typename T> struct hg_conv_x : hg_conv_problem {
    typedef T tile;
    int64_t top, left, up, back; /* a phase's first pixel and tap */

    explicit hg_conv_x(const hg_conv_job &j)
        : hg_conv_problem(j, hg_conv_shares(j.shape.h, j.shape.stride),
                          hg_conv_shares(j.shape.w, j.shape.stride),
                          hg_conv_shares(j.shape.kh, j.shape.stride),
                          hg_conv_shares(j.shape.kw, j.shape.stride)),
          top(), left(), up(), back()
    {
        m = j.shape.c;
        n = j.shape.n * area.d;
        k = j.shape.o * window.d;
        count = j.shape.stride * j.shape.stride;
    }
    __device__ hg_conv_x of(int64_t phase) const
    {
        hg_conv_x p = *this;
        p.top = phase / job.shape.stride;
        p.left = phase % job.shape.stride;
        p.up = (p.top + job.shape.padding) % job.shape.stride;
        p.back = (p.left + job.shape.padding) % job.shape.stride;
        return p;
    }
    static __device__ constexpr bool b_along_k()
    {
        return false;
    }
    __device__ hg_real a(int64_t c, int64_t l) const
    {
        const hg_conv &s = job.shape;
        int tap = (int)l;
        int64_t o = window.split(tap);
        int64_t i = up + side.split(tap) * s.stride;
        int64_t j = back + tap * s.stride;
        bool inside = i < s.kh && j < s.kw;
        return inside ? job.weight[((o * s.c + c) * s.kh + i) * s.kw + j] : 0;
    }
    /* Tap 0 of the phase's pixel 0 sees this place; the next pixel the next
     * place, the next tap the one before. */
    __device__ hg_real b(int64_t l, int64_t pixel) const
    {
        const hg_conv &s = job.shape;
        int q = (int)pixel, tap = (int)l;
        int64_t image = area.split(q), p = width.split(q);
        int64_t o = window.split(tap), i = side.split(tap);
        p += (top + s.padding - up) / s.stride - i * s.dilation;
        int64_t at = q + (left + s.padding - back) / s.stride;
        at -= tap * s.dilation;
        bool inside = p >= 0 && p < s.oh && at >= 0 && at < s.ow;
        return inside ? job.y[((image * s.o + o) * s.oh + p) * s.ow + at] : 0;
    }
    __device__ int64_t put(int64_t c, int64_t pixel, hg_real sum) const
    {
        const hg_conv &s = job.shape;
        int q = (int)pixel;
        int64_t image = area.split(q);
        int64_t h = top + width.split(q) * s.stride, w = left + q * s.stride;
        if (h >= s.h || w >= s.w)
            return -1;
        int64_t to = ((image * s.c + c) * s.h + h) * s.w + w;
        job.out[to] = job.bias ? sum + job.bias[c] : sum;
        return to;
    }
};

/* ---- The weight gradient ------------------------------------------------ */

/* weight [O, C taps] = y [O, N places] x [N places, C taps] */
template <typename T> struct hg_conv_w : hg_conv_problem {
    typedef T tile;

    explicit hg_conv_w(const hg_conv_job &j)
        : hg_conv_problem(j, j.shape.oh, j.shape.ow, j.shape.kh, j.shape.kw)
    {
        m = j.shape.o;
        n = j.shape.c * j.shape.kh * j.shape.kw;
        k = j.shape.n * j.shape.oh * j.shape.ow;
    }
    __device__ hg_conv_w of(int64_t) const
    {
        return *this;
    }
    static __device__ constexpr bool b_along_k()
    {
        return true;
    }
    __device__ hg_real a(int64_t o, int64_t l) const
    {
        const hg_conv &s = job.shape;
        int at = (int)l;
        int64_t image = area.split(at);
        return job.y[(image * s.o + o) * s.oh * s.ow + at];
    }
    __device__ hg_real b(int64_t l, int64_t tap) const
    {
        return seen((int)tap, (int)l);
    }
    __device__ int64_t put(int64_t o, int64_t tap, hg_real sum) const
    {
        job.out[o * n + tap] = sum;
        return o * n + tap;
    }
};

#endif
