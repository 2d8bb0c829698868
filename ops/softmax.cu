/* softmax.cu - the kernels of softmax.c on a GPU: a group of threads a line,
 * which goes over it three times (largest, sum, result). */
#include "ops/reduce.cuh"
#include "ops/softmax.h"

__global__ void softmax_lines(hg_real *out, const hg_real *in, hg_axis_view v,
                              hg_groups g, bool logarithm)
{
    __shared__ hg_real tops[HG_BLOCK], totals[HG_BLOCK];
    hg_member m = hg_member_of(g);
    int64_t line = m.output / v.inner * v.size * v.inner + m.output % v.inner;
    bool inside = m.output < v.outer * v.inner;
    int64_t size = inside ? v.size : 0;
    const hg_largest larger = {1};
    hg_real top = larger.none(), total = 0;
    for (int64_t i = m.lane; i < size; i += g.lanes)
        top = larger(top, in[line + i * v.inner]);
    top = hg_group_all(g, m, top, larger, tops);
    for (int64_t i = m.lane; i < size; i += g.lanes)
        total += EXP(in[line + i * v.inner] - top);
    total = hg_group_all(g, m, total, hg_plus(), totals);
    hg_real log_total = logarithm ? LOG(total) : 0, share = 1 / total;
    for (int64_t i = m.lane; i < size; i += g.lanes) {
        hg_real x = in[line + i * v.inner] - top;
        out[line + i * v.inner] = logarithm ? x - log_total : EXP(x) * share;
    }
}

static void run(const hg_kernel *k, bool logarithm)
{
    const hg_softmax_attr *a = (const hg_softmax_attr *)k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    int64_t lines = v.outer * v.inner;
    hg_groups g = hg_groups_for(lines, v.size, v.inner > 1);
    HG_RUN(softmax_lines, hg_group_blocks(g, lines), g.lanes * g.width, 0, k,
           k->out, k->in[0], v, g, logarithm);
}

extern "C" void hg_softmax_cuda(const hg_kernel *k)
{
    run(k, false);
}

extern "C" void hg_log_softmax_cuda(const hg_kernel *k)
{
    run(k, true);
}
