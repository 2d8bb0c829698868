/* gather.cu - rows of a data set become a batch: fetched, scaled, labelled. */
#include "datasets/gather.h"
#include "tensor/launch.cuh"

enum { BYTES, FLOATS };

/* Bytes in hg_real, the rest in double, as on the host (loader.c). */
static __device__ inline hg_real value_at(const hg_gather_job &g, int64_t at)
{
    if (g.kind == BYTES)
        return ((hg_real)((const uint8_t *)g.values)[at] - (hg_real)g.low) /
               (hg_real)g.span;
    double v = g.kind == FLOATS ? (double)((const float *)g.values)[at]
                                : ((const double *)g.values)[at];
    return (hg_real)((v - g.low) / g.span);
}

/* Which row of the set item `i` of the batch is, and where that row lies. */
static __device__ inline int64_t row_of(const hg_gather_job &g, int64_t i)
{
    if (!g.turn)
        return g.row[i];
    int64_t place = g.turn->first + i;
    return g.turn->shuffled ? hg_permutation_at(&g.turn->order, place) : place;
}

static __device__ inline int64_t source_of(const hg_gather_job &g, int64_t row)
{
    int64_t place = g.first + row;
    if (g.sorted)
        return g.sorted[place];
    return g.permuted ? hg_permutation_at(&g.split, place) : place;
}

/* A block takes an item: one thread looks it up for all. */
__global__ void gather(hg_gather_job g)
{
    __shared__ int64_t source;
    int64_t item = blockIdx.x;
    if (threadIdx.x == 0) {
        int64_t row = row_of(g, item);
        source = source_of(g, row);
        g.index[item] = (int32_t)row;
        if (g.label)
            g.label[item] = g.labels[source];
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < g.features; j += blockDim.x)
        g.x[item * g.features + j] = value_at(g, source * g.features + j);
}

static void run(hg_stream *stream, const void *arguments)
{
    const hg_gather_job *job = (const hg_gather_job *)arguments;
    HG_LAUNCH(gather, (unsigned)job->size, HG_BLOCK, 0, stream, *job);
}

static const hg_work gathering = {run, NULL};

extern "C" bool hg_gather_on_device(hg_context *context,
                                    const hg_gather_job *job)
{
    return hg_queue(context, "batch", &gathering, job, sizeof *job, NULL, 0);
}
