/* slice.cuh - one value of a part among zeros. */
#ifndef HG_SLICE_CUH
#define HG_SLICE_CUH

#include "ops/kernels.cuh"
#include "ops/slice.h"

/* Element i of the output, whose sizes and part are in hg_unslice_numbers. */
static __device__ inline hg_real hg_unsliced(const hg_real *in, int64_t i,
                                             const int64_t *number)
{
    int64_t inside = number[HG_UNSLICE_INNER], size = number[HG_UNSLICE_SIZE];
    int64_t step = number[HG_UNSLICE_STEP], count = number[HG_UNSLICE_COUNT];
    int64_t inner = i % inside, row = i / inside;
    int64_t outer = row / size, at = row % size - number[HG_UNSLICE_START];
    int64_t place = at / step;
    bool here = at >= 0 && place * step == at && place < count;
    return here ? in[(outer * count + place) * inside + inner] : 0;
}

#endif
