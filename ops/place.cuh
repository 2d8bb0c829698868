/* place.cuh - a value and where it lies. NaN is above every number, and of
 * equals the first comes first, so that there is exactly one order. */
#ifndef HG_PLACE_CUH
#define HG_PLACE_CUH

#include "ops/place.h"
#include "ops/reduce.cuh"

struct hg_candidate {
    hg_real value;
    int32_t place;
};

/* What every candidate comes before. */
static __device__ inline hg_candidate hg_no_candidate()
{
    return {-(hg_real)INFINITY, INT32_MAX};
}

/* Does a come before b? */
static __device__ inline bool hg_comes_before(hg_candidate a, hg_candidate b)
{
    bool a_nan = a.value != a.value, b_nan = b.value != b.value;
    if (a_nan != b_nan)
        return a_nan;
    if (!a_nan && a.value != b.value)
        return a.value > b.value;
    return a.place < b.place;
}

struct hg_first {
    __device__ hg_candidate operator()(hg_candidate a, hg_candidate b) const
    {
        return hg_comes_before(b, a) ? b : a;
    }
};

#endif
