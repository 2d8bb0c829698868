/* batch_norm.cu - batch normalisation on a GPU. Statistics and sums take a
 * block a channel, or, where every channel has one place only, a block for 32
 * neighbouring ones, a lane each. The rest is one result a thread. */
#include "ops/batch_norm.cuh"
#include "ops/batch_norm.h"
#include "ops/divisor.cuh"
#include "ops/moments.cuh"

enum { MOST_THREADS = 1024 };

/* x as [n, channels, inner]. */
struct layout {
    int64_t channels, inner, count; /* values of a channel */
    bool columns;                   /* inner is 1 */
    hg_divisor places, planes;      /* by inner, by channels */

    /* Where value i of channel c lies. */
    __device__ int64_t at(int64_t c, int64_t i) const
    {
        int64_t image = places.split(i);
        return (image * channels + c) * inner + i;
    }
    /* The channel of the element at this place. */
    __device__ int64_t channel_of(int64_t place) const
    {
        int64_t c = places.split(place);
        planes.split(c);
        return c;
    }
};

static layout layout_of(const hg_shape &x)
{
    layout l = {x.dim[1], 1, x.dim[0], true, {}, {}};
    for (int i = 2; i < x.rank; i++)
        l.inner *= x.dim[i];
    l.count *= l.inner;
    l.columns = l.inner == 1;
    l.places = hg_divisor(l.inner);
    l.planes = hg_divisor(l.channels);
    return l;
}

/* ---- A channel's threads ------------------------------------------------ */

struct team {
    int64_t channel, first, end, step; /* this thread's values */
    bool columns;
    double *room; /* a value a thread */

    __device__ team(const layout &l, double *shared)
        : channel(blockIdx.x), first(threadIdx.x), end(l.count),
          step(blockDim.x), columns(l.columns), room(shared)
    {
        if (!columns)
            return;
        channel = (int64_t)blockIdx.x * HG_WARP + threadIdx.x % HG_WARP;
        first = threadIdx.x / HG_WARP;
        step = blockDim.x / HG_WARP;
        if (channel >= l.channels)
            end = 0;
    }
    __device__ bool leads() const
    {
        return first == 0 && end > 0;
    }
    /* The sum over the channel's threads; all of the block must ask. */
    __device__ double total(double x) const
    {
        return columns ? down_the_column(x) : hg_block_sum(x, room);
    }
    __device__ double down_the_column(double x) const
    {
        __syncthreads(); /* room may still be read from a call before */
        room[threadIdx.x] = x;
        __syncthreads();
        double sum = 0;
        for (int64_t row = 0; row < step; row++)
            sum += room[row * HG_WARP + threadIdx.x % HG_WARP];
        return sum;
    }
};

/* ---- Statistics: [2, C], mean and 1 / standard deviation ---------------- */

struct running {
    hg_real *mean, *var; /* or NULL */
    double momentum;
};

static __global__ void __launch_bounds__(MOST_THREADS)
    statistics(hg_real *out, const hg_real *x, layout l, double eps,
               running moving)
{
    __shared__ double room[MOST_THREADS];
    team t(l, room);
    int64_t c = t.channel;
    double count = (double)l.count, rate = moving.momentum;
    hg_moments s = hg_moments_of(
        t.first, t.end, t.step, eps, [&](int64_t i) { return x[l.at(c, i)]; },
        [&](double sum) { return t.total(sum); }, count);
    if (!t.leads())
        return;
    out[c] = s.mean;
    out[l.channels + c] = s.inverse;
    if (!moving.mean)
        return;
    moving.mean[c] =
        (hg_real)((1 - rate) * (double)moving.mean[c] + rate * s.m);
    moving.var[c] = (hg_real)((1 - rate) * (double)moving.var[c] +
                              rate * s.m2 / (count - 1));
}

/* ---- Sums: [2, C], the gradients of bias and weight --------------------- */

static __global__ void __launch_bounds__(MOST_THREADS)
    sums(hg_real *out, const hg_real *g, const hg_real *x, const hg_real *stats,
         layout l)
{
    __shared__ double room[MOST_THREADS];
    team t(l, room);
    int64_t c = t.channel;
    hg_real mean = t.end ? stats[c] : hg_real(0);
    double sum, dot;
    hg_dots_of(
        t.first, t.end, t.step, mean, [&](int64_t i) { return g[l.at(c, i)]; },
        [&](int64_t i) { return x[l.at(c, i)]; },
        [&](double part) { return t.total(part); }, &sum, &dot);
    if (!t.leads())
        return;
    out[c] = (hg_real)sum;
    out[l.channels + c] = (hg_real)(dot * (double)stats[l.channels + c]);
}

/* ---- Every value -------------------------------------------------------- */

static __global__ void forward(hg_real *out, const hg_real *x, const hg_real *w,
                               const hg_real *b, const hg_real *stats, layout l,
                               int64_t n)
{
    for (HG_EACH(i, n)) {
        int64_t c = l.channel_of(i);
        out[i] =
            hg_normalized(x[i], w[c], b[c], stats[c], stats[l.channels + c]);
    }
}

struct gradient_inputs {
    const hg_real *g, *x, *w, *stats, *sums;
};

static __global__ void gradient(hg_real *out, gradient_inputs in, layout l,
                                hg_real share, int64_t n)
{
    for (HG_EACH(i, n)) {
        int64_t c = l.channel_of(i);
        out[i] = hg_normalized_dx(in.g[i], in.x[i], in.w[c], in.stats[c],
                                  in.stats[l.channels + c], in.sums[c],
                                  in.sums[l.channels + c], share);
    }
}

/* ---- Launching ---------------------------------------------------------- */

static unsigned blocks_of(const layout &l)
{
    return (unsigned)(l.columns ? (l.channels + HG_WARP - 1) / HG_WARP
                                : l.channels);
}

static unsigned threads_of(const layout &l)
{
    int64_t wanted = l.columns ? l.count * HG_WARP : l.count / 4;
    return wanted < HG_BLOCK       ? hg_threads_for(wanted)
           : wanted < MOST_THREADS ? +HG_BLOCK
                                   : +MOST_THREADS;
}

extern "C" void hg_batch_norm_stats_cuda(const hg_kernel *k)
{
    const hg_batch_norm_attr *a = (const hg_batch_norm_attr *)k->attr;
    layout l = layout_of(k->in_shape[0]);
    running moving = {NULL, NULL, a->momentum};
    if (k->arity == 3) {
        moving.mean = (hg_real *)(uintptr_t)k->in[1];
        moving.var = (hg_real *)(uintptr_t)k->in[2];
    }
    HG_RUN(statistics, blocks_of(l), threads_of(l), 0, k, k->out, k->in[0], l,
           a->eps, moving);
}

extern "C" void hg_batch_norm_sums_cuda(const hg_kernel *k)
{
    layout l = layout_of(k->in_shape[0]);
    HG_RUN(sums, blocks_of(l), threads_of(l), 0, k, k->out, k->in[0], k->in[1],
           k->in[2], l);
}

extern "C" void hg_batch_norm_cuda(const hg_kernel *k)
{
    HG_RUN(forward, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, k->out, k->in[0],
           k->in[1], k->in[2], k->in[3], layout_of(k->in_shape[0]), k->n);
}

extern "C" void hg_batch_norm_dx_cuda(const hg_kernel *k)
{
    layout l = layout_of(k->in_shape[0]);
    gradient_inputs in = {k->in[0], k->in[1], k->in[2], k->in[3], k->in[4]};
    HG_RUN(gradient, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, k->out, in, l,
           (hg_real)(1 / (double)l.count), k->n);
}

/* ---- The count of batches ----------------------------------------------- */

__global__ void count_batch(int32_t *batches, int32_t *out)
{
    *batches += *batches < INT32_MAX;
    *out = *batches;
}

extern "C" void hg_batch_norm_count_cuda(const hg_kernel *k)
{
    HG_RUN(count_batch, 1, 1, 0, k, (int32_t *)k->in_int[0], k->out_int);
}
