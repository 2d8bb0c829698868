/* dropout.cu - the kernel of dropout.c on a GPU: the mask is drawn where it is
 * used, forward and backward. */
#include "ops/draw.cuh"

__global__ void drop_all(hg_real *out, const hg_real *x, int64_t n,
                         int64_t blocks, hg_source s, hg_real p, hg_real scale)
{
    hg_philox philox = hg_philox_of(s);
    for (HG_EACH(b, blocks)) {
        uint32_t w[HG_DRAWN];
        hg_real v[HG_DRAWN] = {};
        hg_philox_block(&philox, (uint64_t)b, w);
        for (int j = 0; j < HG_DRAWN && b * HG_DRAWN + j < n; j++)
            v[j] = hg_dropped(x[b * HG_DRAWN + j], hg_word_uniform(w[j]), p,
                              scale);
        hg_put_drawn(out, b, n, v);
    }
}

extern "C" void hg_dropout_cuda(const hg_kernel *k)
{
    const hg_dropout_attr *a = (const hg_dropout_attr *)k->attr;
    int64_t blocks = hg_draw_blocks(k);
    hg_real scale = a->p < 1 ? (hg_real)(1 / (1 - a->p)) : 0;
    HG_RUN(drop_all, hg_blocks(blocks, HG_BLOCK), HG_BLOCK, 0, k, k->out,
           k->in[0], k->n, blocks, hg_source_of(k, a->stream), (hg_real)a->p,
           scale);
}
