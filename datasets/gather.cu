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

__global__ void gather(hg_gather_job g)
{
    for (HG_EACH(i, g.size * g.features)) {
        int64_t item = i / g.features, j = i % g.features;
        g.x[i] = value_at(g, g.source[item] * g.features + j);
        if (j)
            continue;
        g.index[item] = g.row[item];
        if (g.label)
            g.label[item] = g.labels[g.source[item]];
    }
}

static void run(hg_stream *stream, const void *arguments)
{
    const hg_gather_job *job = (const hg_gather_job *)arguments;
    HG_LAUNCH(gather, hg_blocks(job->size * job->features, HG_BLOCK), HG_BLOCK,
              0, stream, *job);
}

static const hg_work gathering = {run, NULL};

extern "C" bool hg_gather_on_device(hg_context *context,
                                    const hg_gather_job *job)
{
    return hg_queue(context, "batch", &gathering, job, sizeof *job, NULL, 0);
}
