/* divisor.cuh - division of indices by a number that is known at launch: a
 * multiplication and a shift (Granlund & Montgomery, 1994), exact for all
 * indices below 2^31; a plain division beyond. */
#ifndef HG_DIVISOR_CUH
#define HG_DIVISOR_CUH

#include <cuda_runtime.h>
#include <stdint.h>

struct hg_divisor {
    int64_t d;
    uint32_t multiplier, shift;

    hg_divisor() = default;
    explicit hg_divisor(int64_t by) : d(by), multiplier(0), shift(0)
    {
        if (d < 1 || d >> 31)
            return;
        while ((int64_t(1) << shift) < d)
            shift++;
        uint64_t more = (uint64_t(1) << shift) - (uint64_t)d;
        multiplier = (uint32_t)((more << 32) / (uint64_t)d + 1);
    }
    /* x / d, and x becomes x % d; x and d are below 2^31. */
    __device__ int split(int &x) const
    {
        uint32_t at = (uint32_t)x;
        int q = (int)((__umulhi(at, multiplier) + at) >> shift);
        x -= q * (int)d;
        return q;
    }
    /* The same for any x >= 0. */
    __device__ int64_t split(int64_t &x) const
    {
        int64_t q;
        if ((x | d) >> 31) {
            q = x / d;
        } else {
            int low = (int)x;
            q = split(low);
        }
        x -= q * d;
        return q;
    }
};

/* The place of a window that begins at `start`, counted from the first one's
 * beginning; -1 if there is none. */
static __device__ inline int64_t hg_place_of(int64_t start,
                                             const hg_divisor &stride,
                                             int64_t places)
{
    if (start < 0)
        return -1;
    int64_t p = stride.split(start);
    return start == 0 && p < places ? p : -1;
}

#endif
