/* join.cu - the kernel of join.c on a GPU: one launch for all parts. */
#include "ops/join.h"
#include "ops/kernels.cuh"
#include "ops/reduce.h"

namespace
{
/* Row by row of the output: part i is elements start[i] ... start[i + 1]. */
struct parts {
    int count;
    const hg_real *in[HG_MAX_INPUTS];
    int64_t start[HG_MAX_INPUTS + 1];
};
} // namespace

__global__ void copy_parts(hg_real *out, int64_t n, parts p)
{
    int64_t row = p.start[p.count];
    for (HG_EACH(i, n)) {
        int64_t outer = i / row, at = i % row;
        int part = 0;
        while (at >= p.start[part + 1])
            part++;
        int64_t size = p.start[part + 1] - p.start[part];
        out[i] = p.in[part][outer * size + at - p.start[part]];
    }
}

extern "C" void hg_concat_cuda(const hg_kernel *k)
{
    int axis = (int)((const hg_concat_attr *)k->attr)->axis;
    int64_t inner = hg_axis_view_of(k->out_shape, axis).inner;
    parts p = {k->arity, {}, {}};
    for (int i = 0; i < k->arity; i++) {
        p.in[i] = k->in[i];
        p.start[i + 1] = p.start[i] + k->in_shape[i].dim[axis] * inner;
    }
    HG_RUN(copy_parts, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, k->out, k->n,
           p);
}
