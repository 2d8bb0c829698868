/* slice.cu - the kernels of slice.c on a GPU: a thread an element of the
 * output. */
#include "ops/kernels.cuh"
#include "ops/reduce.h"
#include "ops/slice.h"

__global__ void put_part(hg_real *out, const hg_real *in, int64_t n,
                         hg_axis_view v, hg_part_attr a)
{
    for (HG_EACH(i, n)) {
        int64_t inner = i % v.inner, row = i / v.inner;
        int64_t outer = row / v.size, at = row % v.size - a.start;
        int64_t place = at / a.step;
        bool here = at >= 0 && place * a.step == at && place < a.count;
        out[i] = here ? in[(outer * a.count + place) * v.inner + inner] : 0;
    }
}

extern "C" void hg_unslice_cuda(const hg_kernel *k)
{
    const hg_part_attr *a = (const hg_part_attr *)k->attr;
    HG_RUN(put_part, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, k->out,
           k->in[0], k->n, hg_axis_view_of(k->out_shape, (int)a->axis), *a);
}

__global__ void read_backwards(hg_real *out, const hg_real *first, int64_t n,
                               hg_walk w)
{
    for (HG_EACH(i, n))
        out[i] = first[hg_walk_offset(&w, i)];
}

extern "C" void hg_flip_cuda(const hg_kernel *k)
{
    const hg_real *first;
    hg_walk w = hg_flip_walk(k, &first);
    HG_RUN(read_backwards, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, k->out,
           first, k->n, w);
}
