/* basic.cu - the kernels of basic.c on a GPU: constants, dense copies, and the
 * sum of two gradients. */
#include "autograd/basic.h"
#include "autograd/cuda.h"
#include "autograd/joint_walk.h"
#include "tensor/launch.cuh"

#define RUN(kernel, k, ...)                                                    \
    HG_LAUNCH(kernel, hg_blocks((k)->n, HG_BLOCK), HG_BLOCK, 0,                \
              (hg_stream *)(k)->stream, __VA_ARGS__)

__global__ void fill_all(hg_real *out, int64_t n, hg_real value)
{
    for (HG_EACH(i, n))
        out[i] = value;
}

extern "C" void hg_full_cuda(const hg_kernel *k)
{
    const hg_full_attr *a = (const hg_full_attr *)k->attr;
    RUN(fill_all, k, k->out, k->n, (hg_real)a->value);
}

__global__ void copy_all(hg_real *out, const hg_real *x, int64_t n,
                         hg_joint_walk w)
{
    for (HG_EACH(i, n)) {
        int64_t at;
        hg_joint_offsets(&w, i, 1, &at);
        out[i] = x[at];
    }
}

extern "C" void hg_dense_cuda(const hg_kernel *k)
{
    RUN(copy_all, k, k->out, k->in[0], k->n, hg_joint_walk_of(k));
}

__global__ void add_all(hg_real *out, const hg_real *x, const hg_real *y,
                        int64_t n, hg_joint_walk w)
{
    for (HG_EACH(i, n)) {
        int64_t at[2];
        hg_joint_offsets(&w, i, 2, at);
        out[i] = x[at[0]] + y[at[1]];
    }
}

extern "C" void hg_accumulate_cuda(const hg_kernel *k)
{
    RUN(add_all, k, k->out, k->in[0], k->in[1], k->n, hg_joint_walk_of(k));
}
