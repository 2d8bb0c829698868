/* topk.cu - the kernel of topk.c on a GPU: the first of all, then k - 1 times
 * the first of those that come after the last one found. */
#include "ops/place.cuh"

namespace
{
struct line {
    hg_axis_view v;
    int64_t k;
};
} // namespace

/* The first that comes after `last`, of what this lane looks at. */
static __device__ hg_candidate next_of(const hg_real *in, hg_axis_view v,
                                       int lane, int lanes, hg_candidate last,
                                       bool any)
{
    hg_candidate best = hg_no_candidate();
    for (int64_t i = lane; i < v.size; i += lanes) {
        hg_candidate c = {in[i * v.inner], (int32_t)i};
        if (any || hg_comes_before(last, c))
            best = hg_first()(best, c);
    }
    return best;
}

__global__ void select_largest(int32_t *out, const hg_real *in, line l,
                               hg_groups g)
{
    __shared__ hg_candidate room[HG_BLOCK];
    hg_member m = hg_member_of(g);
    int64_t outer = m.output / l.v.inner, inner = m.output % l.v.inner;
    bool inside = outer < l.v.outer;
    hg_candidate found = hg_no_candidate();
    for (int64_t j = 0; j < l.k; j++) {
        if (inside)
            found = next_of(in + outer * l.v.size * l.v.inner + inner, l.v,
                            m.lane, g.lanes, found, j == 0);
        found = hg_group_all(g, m, found, hg_first(), room);
        if (inside && m.lane == 0)
            out[(outer * l.k + j) * l.v.inner + inner] = found.place;
        __syncthreads(); /* the room is used again */
    }
}

extern "C" void hg_topk_cuda(const hg_kernel *k)
{
    const hg_topk_attr *a = (const hg_topk_attr *)k->attr;
    line l = {hg_axis_view_of(k->in_shape[0], (int)a->axis), a->k};
    int64_t lines = l.v.outer * l.v.inner;
    hg_groups g = hg_groups_for(lines, l.v.size, l.v.inner > 1);
    HG_RUN(select_largest, hg_group_blocks(g, lines), g.lanes * g.width, 0, k,
           k->out_int, k->in[0], l, g);
}
