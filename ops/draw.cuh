/* draw.cuh - the words that random operations draw, on a GPU: one thread a
 * block of the generator, which makes four neighbours of the output. */
#ifndef HG_DRAW_CUH
#define HG_DRAW_CUH

#include "ops/draw.h"
#include "ops/kernels.cuh"
#include "tensor/random.h"

enum { HG_DRAWN = 4 }; /* elements a block of the generator */

/* As hg_stream_of; the step is read on the device, so that a replayed step
 * draws its own numbers. */
struct hg_source {
    uint64_t seed, domain, stream;
    const uint64_t *step_at;
};

static inline hg_source hg_source_of(const hg_kernel *k, uint64_t stream)
{
    return {k->seed, k->domain, stream, k->step_at};
}

static __device__ inline hg_philox hg_philox_of(const hg_source &s)
{
    return hg_philox_make(s.seed, s.domain, hg_sequence(s.stream, *s.step_at));
}

/* Writes up to four values from element 4 * block on; `out` is aligned. */
static __device__ inline void hg_put_drawn(hg_real *out, int64_t block,
                                           int64_t n, const hg_real v[HG_DRAWN])
{
    struct alignas(HG_DRAWN * sizeof(hg_real)) pack {
        hg_real v[HG_DRAWN];
    };
    int64_t first = block * HG_DRAWN;
    if (first + HG_DRAWN <= n)
        ((pack *)out)[block] = {{v[0], v[1], v[2], v[3]}};
    else
        for (int j = 0; j < n - first; j++)
            out[first + j] = v[j];
}

static inline int64_t hg_draw_blocks(const hg_kernel *k)
{
    return (k->n + HG_DRAWN - 1) / HG_DRAWN;
}

#endif
