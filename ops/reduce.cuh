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

#include "ops/divisor.cuh"
#include "ops/groups.cuh"
#include "ops/reduce.h"
#include "ops/vocabulary.h"

enum {
    HG_FOLD_RUN = 64,    /* values in one part; twice as many of a thread are
                            worth a second launch, so that there are chunks */
    HG_FOLD_FEWEST = 16, /* of a thread in a chunk */
    HG_FOLD_AHEAD = 4,   /* are loaded before the first is needed */
    HG_FOLD_BLOCKS = 64  /* are enough without chunks */
};

/* The reduced axes, whose places are found without dividing. */
struct hg_fold_axes {
    hg_walk walk;
    hg_divisor by[HG_MAX_RANK];

    explicit hg_fold_axes(const hg_walk &w) : walk(w)
    {
        for (int d = 0; d < HG_MAX_RANK; d++)
            by[d] = hg_divisor(w.dim[d]);
    }
    /* hg_walk_offset. */
    __device__ int64_t offset(int64_t i) const
    {
        int64_t offset = 0;
        for (int d = walk.rank - 1; d > 0; d--) {
            int64_t at = i;
            i = by[d].split(at);
            offset += at * walk.stride[d];
        }
        return walk.rank ? offset + i * walk.stride[0] : 0;
    }
};

/* ---- Kernels ------------------------------------------------------------ */

/* Places from, from + step, ... below `to` of the reduced axes. Values are
 * added in this order, though several are on their way at a time. */
template <typename F>
static __device__ typename F::total hg_fold_some(const F &f, const hg_real *in,
                                                 const hg_fold_axes &gone,
                                                 int64_t from, int64_t to,
                                                 int step, hg_real shift)
{
    typename F::total total = f.none();
    while (from < to) {
        typename F::part part = (typename F::part)f.none();
        for (int i = 0; i < HG_FOLD_RUN && from < to; i += HG_FOLD_AHEAD) {
            hg_real x[HG_FOLD_AHEAD];
            int64_t at = from;
#pragma unroll
            for (int n = 0; n < HG_FOLD_AHEAD; n++, at += step)
                x[n] = at < to ? in[gone.offset(at)] : 0;
#pragma unroll
            for (int n = 0; n < HG_FOLD_AHEAD; n++, from += step)
                if (from < to)
                    part = f.add(part, x[n], from, shift);
        }
        total = f(total, (typename F::total)part);
    }
    return total;
}

/* All that the kernels of one reduction are told. */
template <typename F> struct hg_fold_job {
    typename F::result *out;
    typename F::total *partial; /* [chunks, outputs] if there are several */
    const hg_real *in;
    hg_walk kept;
    hg_fold_axes gone;
    hg_groups groups, joining; /* of the values, and of the chunks */
    int chunks;
    F f;
};

/* A chunk of the outputs of one block. `made` is told of every output. `room`
 * holds a total a thread. */
template <typename F, typename M>
static __device__ inline void hg_fold_block(const hg_fold_job<F> &j,
                                            int64_t block, int64_t chunk,
                                            typename F::total *room, M made)
{
    hg_member m = hg_member_of(j.groups, block);
    int64_t from = j.gone.walk.size * chunk / j.chunks;
    int64_t to = j.gone.walk.size * (chunk + 1) / j.chunks;
    bool inside = m.output < j.kept.size;
    typename F::total total = j.f.none();
    hg_real shift = 0;
    if (F::shifted && inside)
        shift = (hg_real)j.out[m.output];
    if (inside)
        total = hg_fold_some(j.f, j.in + hg_walk_offset(&j.kept, m.output),
                             j.gone, from + m.lane, to, j.groups.lanes, shift);
    total = hg_group_fold(j.groups, m, total, j.f, room);
    if (!inside || m.lane)
        return;
    if (j.partial) {
        j.partial[chunk * j.kept.size + m.output] = total;
    } else {
        j.out[m.output] = j.f.finish(total, shift);
        made(m.output);
    }
}

template <typename F, typename M>
static __device__ inline void hg_join_chunks(const hg_fold_job<F> &j,
                                             int64_t block,
                                             typename F::total *room, M made)
{
    hg_member m = hg_member_of(j.joining, block);
    bool inside = m.output < j.kept.size;
    typename F::total total = j.f.none();
    for (int c = m.lane; inside && c < j.chunks; c += j.joining.lanes)
        total = j.f(total, j.partial[c * j.kept.size + m.output]);
    total = hg_group_fold(j.joining, m, total, j.f, room);
    if (!inside || m.lane)
        return;
    j.out[m.output] =
        j.f.finish(total, F::shifted ? (hg_real)j.out[m.output] : 0);
    made(m.output);
}

template <typename F> __global__ void hg_fold_values(hg_fold_job<F> j)
{
    __shared__ typename F::total room[HG_BLOCK];
    hg_fold_block(j, blockIdx.x, blockIdx.y, room, [](int64_t) {});
}

template <typename F> __global__ void hg_fold_chunks(hg_fold_job<F> j)
{
    __shared__ typename F::total room[HG_BLOCK];
    hg_join_chunks(j, blockIdx.x, room, [](int64_t) {});
}

/* ---- Launches ----------------------------------------------------------- */

static inline int hg_fold_chunks_of(const hg_groups &g, unsigned blocks,
                                    int64_t n)
{
    int64_t chunks = n / (HG_FOLD_FEWEST * g.lanes);
    if (blocks >= HG_FOLD_BLOCKS || n < 2 * HG_FOLD_RUN * g.lanes)
        return 1;
    int most = 4 * HG_FOLD_BLOCKS / (int)blocks;
    return chunks < most ? (int)chunks : most;
}

/* Of input 0 over the axes of the mask, without room for chunks. */
template <typename F>
static hg_fold_job<F> hg_fold_job_of(const hg_kernel *k,
                                     typename F::result *out, unsigned mask,
                                     F f)
{
    hg_walk kept = hg_walk_of(k, 0, mask, false);
    hg_walk gone = hg_walk_of(k, 0, mask, true);
    bool beside =
        kept.rank && (!gone.rank || hg_walk_step(&kept) < hg_walk_step(&gone));
    hg_groups g = hg_groups_for(kept.size, gone.size, beside);
    unsigned blocks = hg_group_blocks(g, kept.size);
    int chunks = hg_fold_chunks_of(g, blocks, gone.size);
    hg_groups h = hg_groups_for(kept.size, chunks, true);
    return {out, NULL, k->in[0], kept, hg_fold_axes(gone), g, h, chunks, f};
}

template <typename F> static size_t hg_fold_room(const hg_fold_job<F> &j)
{
    return (size_t)(j.chunks * j.kept.size) * sizeof *j.partial;
}

/* Folds input 0 over the axes of the mask. */
template <typename F>
static void hg_fold(const hg_kernel *k, typename F::result *out, unsigned mask,
                    F f)
{
    hg_fold_job<F> j = hg_fold_job_of(k, out, mask, f);
    const hg_groups &g = j.groups, &h = j.joining;
    if (j.chunks > 1) {
        j.partial =
            (typename F::total *)hg_device_scratch(k->context, hg_fold_room(j));
        if (!j.partial)
            return;
    }
    HG_RUN(hg_fold_values<F>, dim3(hg_group_blocks(g, j.kept.size), j.chunks),
           g.lanes * g.width, 0, k, j);
    if (j.chunks > 1)
        HG_RUN(hg_fold_chunks<F>, hg_group_blocks(h, j.kept.size),
               h.lanes * h.width, 0, k, j);
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

/* Of the values themselves. */
struct hg_plain_sum : hg_sum_total {
    __device__ hg_real add(hg_real sum, hg_real x, int64_t, hg_real) const
    {
        return sum + x;
    }
    __device__ hg_real finish(double sum, hg_real) const
    {
        return (hg_real)sum;
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
