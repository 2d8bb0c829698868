/* update.cu - what optimisers, clipping and averaging do to whole sets of
 * parameters on a GPU: one launch over all of them, however many there are. */
#include "nn/update.h"
#include "tensor/launch.cuh"

enum { THREADS = 128, PER_THREAD = 4, PER_BLOCK = THREADS * PER_THREAD };
static_assert(PER_BLOCK == HG_UPDATE_PER_BLOCK, "spans are cut alike");

/* ---- Formulas, as in optimizer_kernels.c -------------------------------- */

/* NaN passes. */
static __device__ inline hg_real cut(hg_real g, hg_real bound)
{
    hg_real low = g < -bound ? -bound : g;
    return low > bound ? bound : low;
}

static __device__ inline hg_real root(hg_real x)
{
    return sizeof(hg_real) == sizeof(float) ? (hg_real)sqrtf((float)x)
                                            : (hg_real)sqrt((double)x);
}

static __device__ void adam(const hg_update_there *s, int64_t i, hg_real d,
                            const hg_update &u)
{
    hg_real *m = s->state[0], *v = s->state[1];
    m[i] = u.keep1 * m[i] + u.add1 * d;
    v[i] = u.keep2 * v[i] + u.add2 * (d * d);
    s->w[i] =
        s->w[i] * u.shrink - u.rate * (m[i] / (root(v[i]) * u.correct + u.eps));
}

static __device__ void sgd(const hg_update_there *s, int64_t i, hg_real d,
                           const hg_update &u)
{
    if (s->kernel != HG_UPDATE_SGD) {
        hg_real *m = s->state[0];
        m[i] = u.keep1 * m[i] + u.add1 * d;
        d = s->kernel == HG_UPDATE_SGD_NESTEROV ? d + u.keep1 * m[i] : m[i];
    }
    s->w[i] -= u.rate * d;
}

static __device__ void rmsprop(const hg_update_there *s, int64_t i, hg_real d,
                               const hg_update &u)
{
    hg_real *v = s->state[0], *b = s->state[1], *mean = s->state[2];
    v[i] = u.keep2 * v[i] + u.add2 * (d * d);
    hg_real square = v[i];
    if (mean) {
        mean[i] = u.keep2 * mean[i] + u.add2 * d;
        square -= mean[i] * mean[i];
    }
    hg_real step = d / (root(square) + u.eps);
    if (b)
        step = b[i] = u.keep1 * b[i] + step;
    s->w[i] -= u.rate * step;
}

static __device__ void adadelta(const hg_update_there *s, int64_t i, hg_real d,
                                const hg_update &u)
{
    hg_real *v = s->state[0], *a = s->state[1];
    v[i] = u.keep2 * v[i] + u.add2 * (d * d);
    hg_real step = root(a[i] + u.eps) / root(v[i] + u.eps) * d;
    a[i] = u.keep2 * a[i] + u.add2 * (step * step);
    s->w[i] -= u.rate * step;
}

/* ---- Which span does a block work on? ----------------------------------- */

/* The last span that begins at this block or before it. */
static __device__ const hg_update_there *span_of(const hg_update_there *spans,
                                                 int count, int64_t block)
{
    int low = 0, high = count;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (spans[middle].first_block <= block)
            low = middle;
        else
            high = middle;
    }
    return spans + low;
}

/* ---- The update --------------------------------------------------------- */

/* The table holds the numbers for a rate of 1; the rate itself lies in the
 * optimiser's tensor. */
static __device__ hg_update numbers(const hg_update_there *s)
{
    hg_update u = s->update;
    hg_real rate = *s->rate;
    u.rate *= rate;
    u.shrink = 1 - rate * s->shrink;
    if (s->norm)
        u.scale = *s->norm;
    return u;
}

__global__ void update(const hg_update_there *spans, int count)
{
    const hg_update_there *s = span_of(spans, count, blockIdx.x);
    hg_update u = numbers(s);
    int64_t from = (blockIdx.x - s->first_block) * PER_BLOCK + threadIdx.x;
    for (int j = 0; j < PER_THREAD; j++) {
        int64_t i = from + j * THREADS;
        if (i >= s->n)
            return;
        hg_real d = cut(s->g[i], u.bound) * u.scale + u.decay * s->w[i];
        if (s->kernel == HG_UPDATE_ADAM)
            adam(s, i, d, u);
        else if (s->kernel < HG_UPDATE_RMSPROP)
            sgd(s, i, d, u);
        else if (s->kernel < HG_UPDATE_ADADELTA)
            rmsprop(s, i, d, u);
        else
            adadelta(s, i, d, u);
    }
}

struct update_job {
    const hg_update_there *spans; /* in the control block */
    int count;
    unsigned blocks;
};

static void run_update(hg_stream *stream, const void *arguments)
{
    const update_job *job = (const update_job *)arguments;
    HG_LAUNCH(update, job->blocks, THREADS, 0, stream, job->spans, job->count);
}

static const hg_work updating = {run_update, NULL};

/* ---- Norms -------------------------------------------------------------- */

/* Squares of one block's elements, each first cut, added in a fixed order. */
__global__ void squares(const hg_update_there *spans, int count,
                        double *partial)
{
    __shared__ double sum[THREADS];
    const hg_update_there *s = span_of(spans, count, blockIdx.x);
    int64_t from = (blockIdx.x - s->first_block) * PER_BLOCK + threadIdx.x;
    double mine = 0;
    for (int j = 0; j < PER_THREAD; j++) {
        int64_t i = from + j * THREADS;
        double g = i < s->n ? (double)cut(s->g[i], s->update.bound) : 0;
        mine += g * g;
    }
    sum[threadIdx.x] = mine;
    for (int step = THREADS / 2; step > 0; step /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < step)
            sum[threadIdx.x] += sum[threadIdx.x + step];
    }
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sum[0];
}

/* PyTorch's factor, or with most = 0 the norm itself. */
__global__ void finish_norm(const double *partial, int64_t n, hg_real most,
                            hg_real *out)
{
    __shared__ double sum[THREADS];
    double mine = 0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS)
        mine += partial[i];
    sum[threadIdx.x] = mine;
    for (int step = THREADS / 2; step > 0; step /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < step)
            sum[threadIdx.x] += sum[threadIdx.x + step];
    }
    if (threadIdx.x != 0)
        return;
    hg_real norm = (hg_real)sqrt(sum[0]);
    hg_real factor = most / (norm + (hg_real)1e-6);
    *out = most > 0 ? (factor > 1 ? (hg_real)1 : factor) : norm;
}

struct norm_job {
    const hg_update_there *spans;
    int count;
    unsigned blocks;
    double *partial;
    hg_real most, *out;
};

static void run_norm(hg_stream *stream, const void *arguments)
{
    const norm_job *job = (const norm_job *)arguments;
    HG_LAUNCH(squares, job->blocks, THREADS, 0, stream, job->spans, job->count,
              job->partial);
    HG_LAUNCH(finish_norm, 1, THREADS, 0, stream, (const double *)job->partial,
              (int64_t)job->blocks, job->most, job->out);
}

static const hg_work taking_the_norm = {run_norm, NULL};

/* ---- Averages, and gradients that are rewritten ------------------------- */

__global__ void rework(const hg_update_there *spans, int count,
                       hg_rework_kind kind, hg_real a)
{
    const hg_update_there *s = span_of(spans, count, blockIdx.x);
    int64_t from = (blockIdx.x - s->first_block) * PER_BLOCK + threadIdx.x;
    for (int j = 0; j < PER_THREAD; j++) {
        int64_t i = from + j * THREADS;
        if (i >= s->n)
            return;
        hg_real *average = s->state[0];
        if (kind == HG_REWORK_ADD) {
            s->w[i] += a * s->g[i];
        } else if (kind == HG_REWORK_AVERAGE) {
            average[i] += a * (s->w[i] - average[i]);
        } else if (kind == HG_REWORK_SWAP) {
            hg_real held = s->w[i];
            s->w[i] = average[i];
            average[i] = held;
        } else {
            s->w[i] = cut(s->g[i], s->update.bound) * s->update.scale;
        }
    }
}

struct rework_job {
    const hg_update_there *spans;
    int count;
    unsigned blocks;
    hg_rework_kind kind;
    hg_real a;
};

static void run_rework(hg_stream *stream, const void *arguments)
{
    const rework_job *job = (const rework_job *)arguments;
    HG_LAUNCH(rework, job->blocks, THREADS, 0, stream, job->spans, job->count,
              job->kind, job->a);
}

static const hg_work reworking = {run_rework, NULL};

/* ---- Queued ------------------------------------------------------------- */

static unsigned blocks_of(const hg_update_there *spans, int count)
{
    const hg_update_there *last = &spans[count - 1];
    return (unsigned)(last->first_block +
                      (last->n + PER_BLOCK - 1) / PER_BLOCK);
}

static const hg_update_there *put(hg_context *context,
                                  const hg_update_there *spans, int count)
{
    return (const hg_update_there *)hg_control_put(
        context, spans, (size_t)count * sizeof *spans);
}

extern "C" bool hg_update_on_device(hg_context *context,
                                    const hg_update_there *spans, int count)
{
    update_job job = {put(context, spans, count), count,
                      blocks_of(spans, count)};
    return job.spans && hg_queue(context, "optimiser's update", &updating, &job,
                                 sizeof job, NULL, 0);
}

extern "C" bool hg_norm_on_device(hg_context *context,
                                  const hg_update_there *spans, int count,
                                  hg_real most, hg_real *out)
{
    norm_job job = {};
    job.blocks = blocks_of(spans, count);
    job.count = count;
    job.most = most;
    job.out = out;
    job.partial = (double *)hg_device_scratch(context, job.blocks * 8);
    job.spans = job.partial ? put(context, spans, count) : NULL;
    return job.spans && hg_queue(context, "norm of gradients", &taking_the_norm,
                                 &job, sizeof job, NULL, 0);
}

extern "C" bool hg_rework_on_device(hg_context *context,
                                    const hg_update_there *spans, int count,
                                    hg_rework_kind kind, hg_real a)
{
    rework_job job = {};
    job.spans = put(context, spans, count);
    job.count = count;
    job.blocks = blocks_of(spans, count);
    job.kind = kind;
    job.a = a;
    return job.spans &&
           hg_queue(context, "rework", &reworking, &job, sizeof job, NULL, 0);
}
