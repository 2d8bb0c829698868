/* moments.cuh - what the normalisations share on a GPU. A thread adds up a few
 * values in hg_real; sums over threads are in double. */
#ifndef HG_MOMENTS_CUH
#define HG_MOMENTS_CUH

#include "ops/kernels.cuh"

struct hg_moments {
    hg_real mean, inverse; /* 1 / standard deviation */
    double m, m2;          /* the mean; the sum of squared deviations from it */
};

/* Of n values: value(i) for i = first, first + step, ... are this thread's;
 * total adds up over the threads, in three calls. */
template <typename V, typename S>
static __device__ hg_moments hg_moments_of(int64_t first, int64_t n,
                                           int64_t step, double eps, V value,
                                           S total, double count)
{
    hg_real sum = 0, squares = 0, rest = 0;
#pragma unroll 4
    for (int64_t i = first; i < n; i += step)
        sum += value(i);
    hg_real near = (hg_real)(total((double)sum) / count);
#pragma unroll 4
    for (int64_t i = first; i < n; i += step) {
        hg_real d = value(i) - near;
        rest += d;
        squares += d * d;
    }
    /* The first mean is rounded, and so is the sum of squares: it must not
     * become negative, and NaN stays. */
    double off = total((double)rest) / count;
    double m2 = total((double)squares) - count * off * off;
    hg_moments result;
    result.m = (double)near + off;
    result.mean = (hg_real)result.m;
    result.m2 = m2 < 0 ? 0 : m2;
    result.inverse = (hg_real)(1 / sqrt(result.m2 / count + eps));
    return result;
}

/* The sums of g and of g (x - mean). */
template <typename G, typename V, typename S>
static __device__ void hg_dots_of(int64_t first, int64_t n, int64_t step,
                                  hg_real mean, G gradient, V value, S total,
                                  double *sum, double *dot)
{
    hg_real s = 0, d = 0;
#pragma unroll 4
    for (int64_t i = first; i < n; i += step) {
        hg_real g = gradient(i);
        s += g;
        d += g * (value(i) - mean);
    }
    *sum = total((double)s);
    *dot = total((double)d);
}

#endif
