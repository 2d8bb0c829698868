/* random.cu - the kernels of random.c on a GPU. Words and uniforms are the
 * CPU's bit for bit; normals and Gumbels differ by a few units in the last
 * place. */
#include "ops/draw.cuh"

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
                v[j] = hg_scaled(low, width, v[j]);
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
        draw<hg_normal_draw>(k);
    else if (kind == HG_DRAW_GUMBEL)
        draw<hg_gumbel_draw>(k);
    else
        draw<hg_uniform_draw>(k);
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
        for (int j = 0; j < HG_DRAWN && b * HG_DRAWN + j < n; j++)
            v[j] = hg_bernoulli_of(p[b * HG_DRAWN + j], hg_word_uniform(w[j]));
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
