/* create.cu - the kernels of create.c on a GPU. */
#include "ops/complain.cuh"
#include "ops/create.h"

#define RUN(kernel, k, ...)                                                    \
    HG_RUN(kernel, hg_blocks((k)->n, HG_BLOCK), HG_BLOCK, 0, k, __VA_ARGS__)

__global__ void count(int32_t *out, int64_t n)
{
    for (HG_EACH(i, n))
        out[i] = (int32_t)i;
}

extern "C" void hg_arange_cuda(const hg_kernel *k)
{
    RUN(count, k, k->out_int, k->n);
}

__global__ void mark(hg_real *out, const int32_t *index, int64_t n,
                     int64_t classes, hg_critic c)
{
    for (HG_EACH(i, n)) {
        int64_t place = i / classes, mine = i % classes;
        if (mine == 0)
            hg_index_fits(c, index, place);
        out[i] = index[place] == mine ? 1 : 0;
    }
}

extern "C" void hg_one_hot_cuda(const hg_kernel *k)
{
    int64_t classes = ((const hg_one_hot_attr *)k->attr)->classes;
    RUN(mark, k, k->out, k->in_int[0], k->n, classes,
        hg_critic_of(k, 0, HG_COMPLAINT_INDEX, classes));
}

__global__ void to_real(hg_real *out, const int32_t *in, int64_t n)
{
    for (HG_EACH(i, n))
        out[i] = (hg_real)in[i];
}

extern "C" void hg_real_of_cuda(const hg_kernel *k)
{
    RUN(to_real, k, k->out, k->in_int[0], k->n);
}

__global__ void to_int(int32_t *out, const hg_real *in, int64_t n, hg_critic c)
{
    for (HG_EACH(i, n)) {
        bool fits = hg_is_int32((double)in[i]);
        if (!fits)
            hg_complain(c, i, __float_as_uint((float)in[i]));
        out[i] = fits ? (int32_t)in[i] : 0;
    }
}

extern "C" void hg_int_of_cuda(const hg_kernel *k)
{
    RUN(to_int, k, k->out_int, k->in[0], k->n,
        hg_critic_of(k, 0, HG_COMPLAINT_INT32, 0));
}
