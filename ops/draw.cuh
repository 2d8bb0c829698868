/* draw.cuh - the words that random operations draw, on a GPU: one thread a
 * block of the generator, which makes four neighbours of the output. */
#ifndef HG_DRAW_CUH
#define HG_DRAW_CUH

#include "ops/draw.h"
#include "ops/joint.h"
#include "ops/kernels.cuh"
#include "ops/vocabulary.h"
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

/* As the step of a joint kernel holds it. */
static __device__ inline hg_source hg_source_in(const hg_step &s)
{
    const uint64_t *w = s.more.word;
    return {w[0], w[1], w[2], (const uint64_t *)(uintptr_t)w[3]};
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

/* ---- One block of the generator ----------------------------------------- */

struct hg_uniform_draw {
    static __device__ void of(const uint32_t w[HG_DRAWN], hg_real v[HG_DRAWN])
    {
        for (int j = 0; j < HG_DRAWN; j++)
            v[j] = hg_word_uniform(w[j]);
    }
};

struct hg_normal_draw {
    static __device__ void of(const uint32_t w[HG_DRAWN], hg_real v[HG_DRAWN])
    {
        float z[HG_DRAWN];
        hg_words_normal(w[0], w[1], z);
        hg_words_normal(w[2], w[3], z + 2);
        for (int j = 0; j < HG_DRAWN; j++)
            v[j] = z[j];
    }
};

/* -log(-log u), u = 2^-32 (w + 1/2); from 1/2 on by way of 1 - u, which float
 * holds far better than u. */
struct hg_gumbel_draw {
    static __device__ void of(const uint32_t w[HG_DRAWN], hg_real v[HG_DRAWN])
    {
        for (int j = 0; j < HG_DRAWN; j++) {
            hg_real below = (R(w[j]) + R(0.5)) * R(0x1p-32);
            hg_real above = (R(~w[j]) + R(0.5)) * R(0x1p-32);
            v[j] = -LOG(-(w[j] >> 31 ? LOG1P(-above) : LOG(below)));
        }
    }
};
/* low + width * x, rounded twice as on the CPU. */
static __device__ inline hg_real hg_scaled(hg_real low, hg_real width,
                                           hg_real x)
{
#ifdef HG_DOUBLE
    return __dadd_rn(low, __dmul_rn(width, x));
#else
    return __fadd_rn(low, __fmul_rn(width, x));
#endif
}

/* ---- What is made of a uniform draw u ----------------------------------- */

static __device__ inline hg_real hg_bernoulli_of(hg_real p, hg_real u)
{
    return p != p ? p : u < p ? 1 : 0;
}

/* A product, so that NaN passes through. */
static __device__ inline hg_real hg_dropped(hg_real x, hg_real u, hg_real p,
                                            hg_real scale)
{
    return x * (u < p ? 0 : scale);
}

#endif
