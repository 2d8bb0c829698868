/* batch_norm.cuh - the formulas of batch normalisation for one value. */
#ifndef HG_BATCH_NORM_CUH
#define HG_BATCH_NORM_CUH

#include "ops/kernels.cuh"

/* w xhat + b = a x + d */
static __device__ inline hg_real hg_normalized(hg_real x, hg_real w, hg_real b,
                                               hg_real mean, hg_real inverse)
{
    hg_real a = w * inverse;
    return a * x + (b - a * mean);
}

/* w / std (g - mean(g) - xhat mean(g xhat)) = a g + b x + d; `share` is
 * 1 / values of a channel. */
static __device__ inline hg_real hg_normalized_dx(hg_real g, hg_real x,
                                                  hg_real w, hg_real mean,
                                                  hg_real inverse, hg_real sum,
                                                  hg_real dot, hg_real share)
{
    hg_real a = w * inverse;
    hg_real b = -a * inverse * dot * share;
    hg_real d = -a * sum * share - b * mean;
    return a * g + b * x + d;
}

#endif
