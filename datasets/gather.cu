/* gather.cu - rows of a data set become a batch: fetched, scaled, transformed,
 * labelled. */
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
    if (g.row)
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

/* ---- Transforms --------------------------------------------------------- */

/* Which pixel the k-th transform has put at place j; -1: black came in. */
static __device__ int64_t came_from(const hg_gather_job &g, int k,
                                    const uint32_t key[4], int64_t j)
{
    int64_t x = j % g.width, row = j / g.width, y = row % g.height;
    double amount = g.transform[k].amount;
    if (g.transform[k].kind == HG_FLIP)
        return (double)hg_word_uniform(key[0]) < amount
                   ? row * g.width + g.width - 1 - x
                   : j;
    if (g.transform[k].kind != HG_SHIFT)
        return j;
    int64_t dy = hg_pixel_step(key[0], amount);
    int64_t dx = hg_pixel_step(key[1], amount);
    bool inside = x - dx >= 0 && x - dx < g.width && y - dy >= 0 &&
                  y - dy < g.height;
    return inside ? j - dy * g.width - dx : -1;
}

static __device__ hg_real noisy(hg_real v, hg_real std, uint32_t number,
                                const float *quantile)
{
    const float *q = quantile + (number >> 20);
    float part = (float)(int32_t)(number & 0xFFFFF) * 0x1p-20f;
    v += std * (hg_real)(q[0] + part * (q[1] - q[0]));
    v = v > 0 ? v : (hg_real)0;
    return v < 1 ? v : (hg_real)1;
}

/* What the k-th transform makes of the value v at place j. */
static __device__ hg_real changed(const hg_gather_job &g, int k, uint32_t key,
                                  int64_t j, hg_real v)
{
    uint32_t number = hg_pixel_number(key, (uint32_t)j);
    float u = hg_word_uniform(number), share = (float)g.transform[k].amount;
    switch (g.transform[k].kind) {
    case HG_BINARIZE:
    case HG_BINARIZE_ONCE:
        return (hg_real)u < v ? (hg_real)1 : (hg_real)0;
    case HG_DEQUANTIZE:
        return (255 * v + (hg_real)u) / 256;
    case HG_GAUSSIAN:
        return noisy(v, (hg_real)g.transform[k].amount, number, g.quantile);
    case HG_MASK:
        return u < share ? (hg_real)0 : v;
    case HG_SALT_PEPPER:
        return u < share ? (hg_real)(number & 1) : v;
    default:
        return v;
    }
}

/* Pixels move among each other, so a thread follows its own back to where it
 * lay, and then through all transforms. Noise comes last and moves nothing. */
static __device__ void transform_pixel(const hg_gather_job &g,
                                       const uint32_t (*key)[4], int64_t source,
                                       int64_t j, hg_real *x, hg_real *target)
{
    int64_t at[HG_MOST_TRANSFORMS + 1];
    int count = (int)g.transforms, k = count;
    for (at[k] = j; k > 0 && at[k] >= 0; k--)
        at[k - 1] = came_from(g, k - 1, key[k - 1], at[k]);
    hg_real v = 0;
    if (at[k] < 0)
        k++;
    else
        v = value_at(g, source * g.features + at[k]);
    *target = v;
    for (; k < count; k++) {
        v = changed(g, k, key[k][0], at[k], v);
        if (g.transform[k].kind < HG_GAUSSIAN)
            *target = v;
    }
    *x = v;
}

/* ---- The batch ---------------------------------------------------------- */

/* A block takes an item: one thread looks it up for all. */
__global__ void gather(hg_gather_job g)
{
    __shared__ int64_t source;
    __shared__ uint32_t key[HG_MOST_TRANSFORMS][4];
    int64_t item = blockIdx.x;
    if (threadIdx.x == 0) {
        int64_t row = row_of(g, item);
        source = source_of(g, row);
        g.index[item] = (int32_t)row;
        if (g.label)
            g.label[item] = g.labels[source];
        for (int k = 0; k < g.transforms; k++)
            hg_pixel_key(g.seed, k, (hg_transform_kind)g.transform[k].kind,
                         (uint64_t)g.turn->epoch, (uint64_t)source, key[k]);
    }
    __syncthreads();
    for (int64_t j = threadIdx.x; j < g.features; j += blockDim.x) {
        hg_real x, target;
        if (g.transforms)
            transform_pixel(g, key, source, j, &x, &target);
        else
            x = target = value_at(g, source * g.features + j);
        g.x[item * g.features + j] = x;
        if (g.target)
            g.target[item * g.features + j] = target;
    }
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
