/* reduce.cuh - reductions over sets of axes, as one kernel with the operation
 * as a parameter, a form:
 *
 *     typedef part;      what a few values are folded into
 *     typedef total;     what parts are folded into
 *     typedef result;    of the output
 *     enum { shifted };  is there a shift an output, in k->out beforehand?
 *     total none();
 *     part add(part, x, place, shift);
 *     total operator()(total, total);
 *     result finish(total, shift);
 *
 * Few outputs of many values are cut into chunks, whose totals a second kernel
 * folds. */
#ifndef HG_REDUCE_CUH
#define HG_REDUCE_CUH

#include "ops/groups.cuh"
#include "ops/reduce.h"
#include "ops/vocabulary.h"

enum {
    HG_FOLD_RUN = 64,   /* values in one part, and the fewest of a thread in a
                           chunk */
    HG_FOLD_BLOCKS = 64 /* are enough without chunks */
};

/* ---- Kernels ------------------------------------------------------------ */

/* Places from, from + step, ... below `to` of the reduced axes. */
template <typename F>
static __device__ typename F::total hg_fold_some(const F &f, const hg_real *in,
                                                 const hg_walk &gone,
                                                 int64_t from, int64_t to,
                                                 int step, hg_real shift)
{
    typename F::total total = f.none();
    while (from < to) {
        typename F::part part = (typename F::part)f.none();
        for (int i = 0; i < HG_FOLD_RUN && from < to; i++, from += step)
            part = f.add(part, in[hg_walk_offset(&gone, from)], from, shift);
        total = f(total, (typename F::total)part);
    }
    return total;
}

/* Chunk blockIdx.y of the outputs of block blockIdx.x; into `partial` [chunks,
 * outputs] if there is more than one chunk. */
template <typename F>
__global__ void hg_fold_values(typename F::result *out,
                               typename F::total *partial, const hg_real *in,
                               hg_walk kept, hg_walk gone, hg_groups g, F f)
{
    __shared__ typename F::total room[HG_BLOCK];
    hg_member m = hg_member_of(g);
    int64_t from = gone.size * blockIdx.y / gridDim.y;
    int64_t to = gone.size * (blockIdx.y + 1) / gridDim.y;
    bool inside = m.output < kept.size;
    typename F::total total = f.none();
    hg_real shift = 0;
    if (F::shifted && inside)
        shift = (hg_real)out[m.output];
    if (inside)
        total = hg_fold_some(f, in + hg_walk_offset(&kept, m.output), gone,
                             from + m.lane, to, g.lanes, shift);
    total = hg_group_fold(g, m, total, f, room);
    if (!inside || m.lane)
        return;
    if (partial)
        partial[blockIdx.y * kept.size + m.output] = total;
    else
        out[m.output] = f.finish(total, shift);
}

template <typename F>
__global__ void hg_fold_chunks(typename F::result *out,
                               const typename F::total *partial, int chunks,
                               int64_t outputs, hg_groups g, F f)
{
    __shared__ typename F::total room[HG_BLOCK];
    hg_member m = hg_member_of(g);
    bool inside = m.output < outputs;
    typename F::total total = f.none();
    for (int c = m.lane; inside && c < chunks; c += g.lanes)
        total = f(total, partial[c * outputs + m.output]);
    total = hg_group_fold(g, m, total, f, room);
    if (inside && m.lane == 0)
        out[m.output] =
            f.finish(total, F::shifted ? (hg_real)out[m.output] : 0);
}

/* ---- Launches ----------------------------------------------------------- */

static inline int hg_fold_chunks_of(const hg_groups &g, unsigned blocks,
                                    int64_t n)
{
    int64_t chunks = n / (HG_FOLD_RUN * g.lanes);
    if (chunks > 4 * HG_FOLD_BLOCKS / blocks)
        chunks = 4 * HG_FOLD_BLOCKS / blocks;
    return blocks >= HG_FOLD_BLOCKS || chunks < 1 ? 1 : (int)chunks;
}

/* Folds input 0 over the axes of the mask. */
template <typename F>
static void hg_fold(const hg_kernel *k, typename F::result *out, unsigned mask,
                    F f)
{
    hg_walk kept = hg_walk_of(k, 0, mask, false);
    hg_walk gone = hg_walk_of(k, 0, mask, true);
    bool beside =
        kept.rank && (!gone.rank || hg_walk_step(&kept) < hg_walk_step(&gone));
    hg_groups g = hg_groups_for(kept.size, gone.size, beside);
    unsigned blocks = hg_group_blocks(g, kept.size);
    int chunks = hg_fold_chunks_of(g, blocks, gone.size);
    typename F::total *partial = NULL;
    if (chunks > 1) {
        partial = (typename F::total *)hg_device_scratch(
            k->context, chunks * kept.size * sizeof *partial);
        if (!partial)
            return;
    }
    HG_RUN(hg_fold_values<F>, dim3(blocks, chunks), g.lanes * g.width, 0, k,
           out, partial, k->in[0], kept, gone, g, f);
    if (chunks == 1)
        return;
    hg_groups h = hg_groups_for(kept.size, chunks, true);
    HG_RUN(hg_fold_chunks<F>, hg_group_blocks(h, kept.size), h.lanes * h.width,
           0, k, out, partial, chunks, kept.size, h, f);
}

/* ---- Forms that several files use --------------------------------------- */

/* Sums are added in hg_real, the sums of HG_FOLD_RUN values in double. */
struct hg_sum_total {
    typedef hg_real part;
    typedef double total;
    typedef hg_real result;
    enum { shifted = false };
    __device__ double none() const
    {
        return 0;
    }
    __device__ double operator()(double a, double b) const
    {
        return a + b;
    }
};

/* The largest of sign * x, times sign; NaN counts as largest. */
struct hg_largest {
    typedef hg_real part, total, result;
    enum { shifted = false };
    hg_real sign;
    __device__ hg_real none() const
    {
        return -(hg_real)INFINITY;
    }
    __device__ hg_real operator()(hg_real a, hg_real b) const
    {
        return b > a || b != b ? b : a;
    }
    __device__ hg_real add(hg_real best, hg_real x, int64_t, hg_real) const
    {
        return (*this)(best, sign * x);
    }
    __device__ hg_real finish(hg_real best, hg_real) const
    {
        return sign * best;
    }
};

#endif
