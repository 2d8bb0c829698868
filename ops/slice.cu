/* slice.cu - the kernels of slice.c on a GPU: a thread an element of the
 * output. */
#include "ops/slice.cuh"

struct numbers {
    int64_t of[HG_UNSLICE_NUMBERS];
};

__global__ void put_part(hg_real *out, const hg_real *in, int64_t n,
                         numbers number)
{
    for (HG_EACH(i, n))
        out[i] = hg_unsliced(in, i, number.of);
}

extern "C" void hg_unslice_cuda(const hg_kernel *k)
{
    numbers number;
    hg_unslice_numbers(k, number.of);
    HG_RUN(put_part, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, k->out,
           k->in[0], k->n, number);
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
