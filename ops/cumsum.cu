/* cumsum.cu - the kernel of cumsum.c on a GPU: a group of threads a line, one
 * tile of it after another. */
#include "ops/cumsum.h"
#include "ops/groups.cuh"
#include "ops/reduce.h"

/* Sums up to and including every lane (Hillis and Steele, "Data Parallel
 * Algorithms", 1986). Writes go to the two rooms in turn, so that one barrier
 * parts them from the reads before. */
static __device__ double sum_up_to(hg_groups g, hg_member m, double x,
                                   double room[2][HG_BLOCK], int *turn)
{
    int t = threadIdx.x;
    for (int step = 1; step < g.lanes; step *= 2, *turn ^= 1) {
        room[*turn][t] = x;
        __syncthreads();
        if (m.lane >= step)
            x += room[*turn][t - step * m.apart];
    }
    return x;
}

__global__ void run_lines(hg_real *out, const hg_real *in, hg_axis_view v,
                          hg_groups g, bool reverse)
{
    __shared__ double room[2][HG_BLOCK];
    hg_member m = hg_member_of(g);
    int64_t line = m.output / v.inner * v.size * v.inner + m.output % v.inner;
    bool inside = m.output < v.outer * v.inner;
    int turn = 0, last = threadIdx.x + (g.lanes - 1 - m.lane) * m.apart;
    double before = 0;
    for (int64_t first = 0; first < v.size; first += g.lanes, turn ^= 1) {
        int64_t i = first + m.lane;
        int64_t at = line + (reverse ? v.size - 1 - i : i) * v.inner;
        bool here = inside && i < v.size;
        double x = here ? (double)in[at] : 0;
        x = sum_up_to(g, m, x, room, &turn);
        if (here)
            out[at] = (hg_real)(before + x);
        room[turn][threadIdx.x] = x;
        __syncthreads();
        before += room[turn][last];
    }
}

extern "C" void hg_cumsum_cuda(const hg_kernel *k)
{
    const hg_cumsum_attr *a = (const hg_cumsum_attr *)k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    int64_t lines = v.outer * v.inner;
    hg_groups g = hg_groups_for(lines, v.size, v.inner > 1);
    HG_RUN(run_lines, hg_group_blocks(g, lines), g.lanes * g.width, 0, k,
           k->out, k->in[0], v, g, a->reverse != 0);
}
