/* random.cu - the kernels of random.c on a GPU. Words and uniforms are the
 * CPU's bit for bit; normals and Gumbels differ by a few units in the last
 * place. */
#include "ops/draw.cuh"
#include "ops/vocabulary.h"

/* ---- One block of the generator ----------------------------------------- */

namespace
{
struct uniform {
    static __device__ void of(const uint32_t w[HG_DRAWN], hg_real v[HG_DRAWN])
    {
        for (int j = 0; j < HG_DRAWN; j++)
            v[j] = hg_word_uniform(w[j]);
    }
};

struct normal {
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
struct gumbel {
    static __device__ void of(const uint32_t w[HG_DRAWN], hg_real v[HG_DRAWN])
    {
        for (int j = 0; j < HG_DRAWN; j++) {
            hg_real below = (R(w[j]) + R(0.5)) * R(0x1p-32);
            hg_real above = (R(~w[j]) + R(0.5)) * R(0x1p-32);
            v[j] = -LOG(-(w[j] >> 31 ? LOG1P(-above) : LOG(below)));
        }
    }
};
} // namespace

/* low + width * x, rounded twice as on the CPU. */
static __device__ hg_real scaled(hg_real low, hg_real width, hg_real x)
{
#ifdef HG_DOUBLE
    return __dadd_rn(low, __dmul_rn(width, x));
#else
    return __fadd_rn(low, __fmul_rn(width, x));
#endif
}

template <typename F>
__global__ void draw_all(hg_real *out, int64_t n, int64_t blocks, hg_source s,
                         hg_real low, hg_real width)
{
    hg_philox philox = hg_philox_of(s);
    for (HG_EACH(b, blocks)) {
        uint32_t w[HG_DRAWN];
        hg_real v[HG_DRAWN] = {};
        hg_philox_block(&philox, (uint64_t)b, w);
        F::of(w, v);
        if (low != 0 || width != 1)
            for (int j = 0; j < HG_DRAWN; j++)
                v[j] = scaled(low, width, v[j]);
        hg_put_drawn(out, b, n, v);
    }
}

template <typename F> static void draw(const hg_kernel *k)
{
    const hg_draw_attr *a = (const hg_draw_attr *)k->attr;
    int64_t blocks = hg_draw_blocks(k);
    HG_RUN(draw_all<F>, hg_blocks(blocks, HG_BLOCK), HG_BLOCK, 0, k, k->out,
           k->n, blocks, hg_source_of(k, a->stream), (hg_real)a->low,
           (hg_real)(a->high - a->low));
}

extern "C" void hg_draw_cuda(const hg_kernel *k)
{
    int64_t kind = ((const hg_draw_attr *)k->attr)->kind;
    if (kind == HG_DRAW_NORMAL)
        draw<normal>(k);
    else if (kind == HG_DRAW_GUMBEL)
        draw<gumbel>(k);
    else
        draw<uniform>(k);
}

/* ---- Draws with a parameter --------------------------------------------- */

__global__ void bernoulli_all(hg_real *out, const hg_real *p, int64_t n,
                              int64_t blocks, hg_source s)
{
    hg_philox philox = hg_philox_of(s);
    for (HG_EACH(b, blocks)) {
        uint32_t w[HG_DRAWN];
        hg_real v[HG_DRAWN] = {};
        hg_philox_block(&philox, (uint64_t)b, w);
        for (int j = 0; j < HG_DRAWN && b * HG_DRAWN + j < n; j++) {
            hg_real x = p[b * HG_DRAWN + j];
            v[j] = x != x ? x : hg_word_uniform(w[j]) < x ? 1 : 0;
        }
        hg_put_drawn(out, b, n, v);
    }
}

extern "C" void hg_bernoulli_cuda(const hg_kernel *k)
{
    const hg_bernoulli_attr *a = (const hg_bernoulli_attr *)k->attr;
    int64_t blocks = hg_draw_blocks(k);
    HG_RUN(bernoulli_all, hg_blocks(blocks, HG_BLOCK), HG_BLOCK, 0, k, k->out,
           k->in[0], k->n, blocks, hg_source_of(k, a->stream));
}
