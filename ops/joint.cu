/* joint.cu - one kernel that does what several would do, side by side and one
 * after the other in the same threads (tensor/fuse.h). A block finds the line
 * that it works on, does its share of the maker, and goes on with the maps for
 * every value that it made. */
#include "ops/batch_norm.cuh"
#include "ops/conv.cuh"
#include "ops/draw.cuh"
#include "ops/gemm.cuh"
#include "ops/joint.h"
#include "ops/pointwise.cuh"
#include "ops/reduce.cuh"
#include "ops/slice.cuh"
#include "tensor/values.cuh"

/* ---- Maps --------------------------------------------------------------- */

/* Where value i of the inputs lies that are not dense; added to 0. */
static __device__ inline void find_inputs(const hg_step &s, int64_t i,
                                          int offset[HG_STEP_INPUTS])
{
    int left = (int)i;
    for (int d = s.more.walk.rank - 1; d >= 0; d--) {
        int at = d ? left % s.more.walk.dim[d] : left;
#pragma unroll
        for (int j = 0; j < HG_STEP_INPUTS; j++)
            offset[j] += at * s.more.walk.stride[j][d];
        left /= s.more.walk.dim[d];
    }
}

static __device__ inline void read_inputs(const hg_step &s, int64_t i,
                                          hg_real last,
                                          hg_real v[HG_STEP_INPUTS])
{
    int offset[HG_STEP_INPUTS] = {};
    if (s.reads & ~s.dense)
        find_inputs(s, i, offset);
#pragma unroll
    for (int j = 0; j < HG_STEP_INPUTS; j++) {
        if (!(s.reads >> j & 1))
            v[j] = 0;
        else if (s.last >> j & 1)
            v[j] = last;
        else
            v[j] = s.in[j][s.dense >> j & 1 ? i : offset[j]];
    }
}

/* Value i of a draw: one of the four that a block of the generator makes. */
template <typename F>
static __device__ inline hg_real drawn(const hg_step &s, int64_t i)
{
    hg_real v[HG_DRAWN] = {};
    uint32_t w[HG_DRAWN];
    hg_philox philox = hg_philox_of(hg_source_in(s));
    hg_philox_block(&philox, (uint64_t)(i / HG_DRAWN), w);
    F::of(w, v);
    int j = (int)(i % HG_DRAWN);
    hg_real x = j == 0 ? v[0] : j == 1 ? v[1] : j == 2 ? v[2] : v[3];
    return s.a != 0 || s.b != 1 ? hg_scaled(s.a, s.b, x) : x;
}

static __device__ inline hg_real uniform_at(const hg_step &s, int64_t i)
{
    hg_philox philox = hg_philox_of(hg_source_in(s));
    return hg_word_uniform(hg_philox_word(&philox, (uint64_t)i));
}

static __device__ inline hg_real value_of(const hg_step &s, int64_t i,
                                          const hg_real *v)
{
    hg_real a = s.a, b = s.b;
    switch (s.code) {
    case HG_STEP_CONSTANT:
        return a;
    case HG_STEP_COPY:
        return v[0];
    case HG_STEP_ADD:
        return v[0] + v[1];
    case HG_STEP_UNIFORM:
        return drawn<hg_uniform_draw>(s, i);
    case HG_STEP_NORMAL:
        return drawn<hg_normal_draw>(s, i);
    case HG_STEP_GUMBEL:
        return drawn<hg_gumbel_draw>(s, i);
    case HG_STEP_BERNOULLI:
        return hg_bernoulli_of(v[0], uniform_at(s, i));
    case HG_STEP_DROPOUT:
        return hg_dropped(v[0], uniform_at(s, i), a, b);
    case HG_STEP_UNSLICE:
        return hg_unsliced(s.in[0], i, (const int64_t *)s.more.word);
    case HG_STEP_BATCH_NORM:
        return hg_normalized(v[0], v[1], v[2], v[3], v[4]);
    case HG_STEP_BATCH_NORM_DX:
        return hg_normalized_dx(v[0], v[1], v[2], v[3], v[4], v[5], v[6], a);
#define KERNEL(n)                                                              \
    case HG_STEP_POINTWISE + HG_POINTWISE_##n:                                 \
        return f_##n::of(v, a, b);
#include "ops/pointwise_list.h"
#undef KERNEL
    }
    return 0;
}

/* All steps of a line for its value i. No call is made inline, so that every
 * maker goes on with the same code. */
static __device__ __attribute__((noinline)) void go_on(const hg_line *line,
                                                       int64_t i)
{
    hg_real last = 0;
    for (int n = 0; n < line->steps; n++) {
        const hg_step &s = line->step[n];
        hg_real v[HG_STEP_INPUTS];
        read_inputs(s, i, last, v);
        last = value_of(s, i, v);
        s.out[i] = last;
    }
}

/* ---- The kernel --------------------------------------------------------- */

/* A block's share of a line. */
struct share {
    const hg_line *line;
    int64_t block, blocks;

    template <typename J> __device__ const J &job() const
    {
        return *reinterpret_cast<const J *>(line->job.bytes);
    }
    __device__ void made(int64_t i) const
    {
        if (i >= 0 && line->steps)
            go_on(line, i);
    }
    template <typename F> __device__ void each(int64_t n, F act) const
    {
        int64_t step = blocks * HG_BLOCK;
        for (int64_t i = block * HG_BLOCK + threadIdx.x; i < n; i += step)
            act(i);
    }
    template <typename P> __device__ void product(hg_real *room) const
    {
        const auto &j = job<hg_product_job<P>>();
        int64_t tiles = blocks / j.parts.count;
        hg_product_block(j.all, j.parts, block % tiles, block / tiles, room,
                         [this](int64_t i) { made(i); });
    }
    /* Whatever the tile is: the sums lie alike. Of a convolution's phases some
     * have places for no result, so that there are more than values. */
    template <typename P> __device__ void add_parts() const
    {
        const auto &j = job<hg_product_job<P>>();
        each(j.all.count * j.all.m * j.all.n,
             [&](int64_t i) { made(hg_add_parts_of(j.all, j.parts, i)); });
    }
    __device__ void sum(double *room) const
    {
        const auto &j = job<hg_fold_job<hg_plain_sum>>();
        int64_t across = blocks / j.chunks;
        hg_fold_block(j, block % across, block / across, room,
                      [this](int64_t i) { made(i); });
    }
    __device__ void sum_chunks(double *room) const
    {
        hg_join_chunks(job<hg_fold_job<hg_plain_sum>>(), block, room,
                       [this](int64_t i) { made(i); });
    }
};

static __device__ share share_of(const hg_joint &all)
{
    int j = 0;
    while (blockIdx.x >= all.first[j + 1])
        j++;
    return {all.line + j, blockIdx.x - all.first[j],
            all.first[j + 1] - all.first[j]};
}

union joint_room {
    hg_real small[hg_small_tile::ROOM], middle[hg_middle_tile::ROOM];
    hg_real large[hg_large_tile::ROOM], flat[hg_flat_tile::ROOM];
    double sums[HG_BLOCK];
};

template <template <typename> class P>
static __device__ inline void convolve(const share &s, int what,
                                       joint_room &room)
{
    if (what == HG_CONV_ADD_PARTS)
        s.add_parts<P<hg_flat_tile>>();
    else if (what)
        s.product<P<hg_square_tile>>(room.middle);
    else
        s.product<P<hg_flat_tile>>(room.flat);
}

static __global__ void __launch_bounds__(HG_BLOCK, 2) joint(hg_joint all)
{
    __shared__ __align__(16) joint_room room;
    share s = share_of(all);
    int maker = s.line->maker;
    switch (maker) {
    case HG_MAKER_NONE:
        s.each(s.line->n, [&](int64_t i) { s.made(i); });
        break;
    case HG_MAKER_REPORT:
        hg_report(s.job<hg_report_job>(), room.sums);
        break;
    case HG_MAKER_PRODUCT_16:
        s.product<hg_strided<hg_small_tile>>(room.small);
        break;
    case HG_MAKER_PRODUCT_32:
        s.product<hg_strided<hg_middle_tile>>(room.middle);
        break;
    case HG_MAKER_PRODUCT_64:
        s.product<hg_strided<hg_large_tile>>(room.large);
        break;
    case HG_MAKER_ADD_PARTS:
        s.add_parts<hg_strided<hg_small_tile>>();
        break;
    case HG_MAKER_SUM:
        s.sum(room.sums);
        break;
    case HG_MAKER_SUM_CHUNKS:
        s.sum_chunks(room.sums);
        break;
    default:
        if (maker < HG_MAKER_CONV_X)
            convolve<hg_conv_y>(s, maker - HG_MAKER_CONV_Y, room);
        else if (maker < HG_MAKER_CONV_W)
            convolve<hg_conv_x>(s, maker - HG_MAKER_CONV_X, room);
        else
            convolve<hg_conv_w>(s, maker - HG_MAKER_CONV_W, room);
    }
}

extern "C" void hg_run_joint(hg_stream *stream, const hg_joint *all)
{
    HG_LAUNCH(joint, all->first[all->lines], HG_BLOCK, 0, stream, *all);
}
