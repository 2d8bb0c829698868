/* index.cu - the kernels of index.c on a GPU: a thread an element of the
 * output. Sums look for their terms in the order of the indices, so no atomic
 * additions are needed and the bits are the CPU's. What an index out of range
 * would have named is NaN until the context hears of it. */
#include "ops/complain.cuh"
#include "ops/index.h"
#include "ops/reduce.h"

#define RUN(kernel, k, ...)                                                    \
    HG_RUN(kernel, hg_blocks((k)->n, HG_BLOCK), HG_BLOCK, 0, k, __VA_ARGS__)

/* Where the index of element (outer, i, inner) lies. */
static __device__ int64_t place_of(const hg_axis_view &v, bool each,
                                   int64_t outer, int64_t i, int64_t inner)
{
    return each ? (outer * v.size + i) * v.inner + inner : i;
}

/* [outer, m, inner] from [outer, size, inner]; v is of the output. */
__global__ void take(hg_real *out, const hg_real *in, const int32_t *index,
                     int64_t n, hg_axis_view v, bool each, hg_critic c)
{
    for (HG_EACH(e, n)) {
        int64_t inner = e % v.inner, row = e / v.inner;
        int64_t outer = row / v.size;
        int64_t place = place_of(v, each, outer, row % v.size, inner);
        bool fits = hg_index_fits(c, index, place);
        int64_t from = (outer * c.subject.size + (fits ? index[place] : 0));
        out[e] = fits ? in[from * v.inner + inner] : (hg_real)NAN;
    }
}

/* [outer, size, inner] from [outer, m, inner]; v is of the input. */
__global__ void add_at(hg_real *out, const hg_real *in, const int32_t *index,
                       int64_t n, hg_axis_view v, bool each, hg_critic c)
{
    int64_t size = c.subject.size;
    for (HG_EACH(i, each ? v.outer * v.size * v.inner : v.size))
        hg_index_fits(c, index, i);
    for (HG_EACH(e, n)) {
        int64_t inner = e % v.inner, row = e / v.inner;
        int64_t outer = row / size, mine = row % size;
        hg_real sum = 0;
        for (int64_t i = 0; i < v.size; i++)
            if (index[place_of(v, each, outer, i, inner)] == mine)
                sum += in[(outer * v.size + i) * v.inner + inner];
        out[e] = sum;
    }
}

extern "C" void hg_take_cuda(const hg_kernel *k)
{
    const hg_index_attr *a = (const hg_index_attr *)k->attr;
    RUN(take, k, k->out, k->in[0], k->in_int[1], k->n,
        hg_axis_view_of(k->out_shape, (int)a->axis), a->each != 0,
        hg_critic_of(k, 1, HG_COMPLAINT_INDEX, a->size));
}

extern "C" void hg_add_at_cuda(const hg_kernel *k)
{
    const hg_index_attr *a = (const hg_index_attr *)k->attr;
    RUN(add_at, k, k->out, k->in[0], k->in_int[1], k->n,
        hg_axis_view_of(k->in_shape[0], (int)a->axis), a->each != 0,
        hg_critic_of(k, 1, HG_COMPLAINT_INDEX, a->size));
}
