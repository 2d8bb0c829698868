/* gemm.c - how a product is cut up: which operand is broadcast, which packed,
 * and what each thread does. Depends on shapes and strides only. */
#include "ops/gemm_kernels.h"
#include "ops/internal.h"
#include "ops/onednn.h"

enum { ENOUGH = 1 << 17 }; /* multiply-adds worth a thread */

typedef struct {
    const hg_gemm_job *job;
    const hg_gemm_kernels *run;
    int64_t chunks; /* of rows, a panel */
} gemm_work;

static void run_units(void *argument, int64_t from, int64_t to)
{
    const gemm_work *w = argument;
    int64_t m = w->job->m, chunks = w->chunks;
    if (chunks == 1) {
        w->run->panels(w->job, from, to, 0, m);
        return;
    }
    for (int64_t i = from; i < to; i++) {
        int64_t panel = i / chunks, chunk = i % chunks;
        w->run->panels(w->job, panel, panel + 1, m * chunk / chunks,
                       m * (chunk + 1) / chunks);
    }
}

/* C' = B' A' */
static hg_gemm_job swapped(const hg_gemm_job *j)
{
    return (hg_gemm_job){
        .m = j->n,
        .n = j->m,
        .k = j->k,
        .a = j->b,
        .a_row = j->b_col,
        .a_col = j->b_row,
        .b = j->a,
        .b_row = j->a_col,
        .b_col = j->a_row,
        .c = j->c,
        .c_row = j->c_col,
        .c_col = j->c_row,
        .bias = j->bias,
        .bias_row = j->bias_col,
        .bias_col = j->bias_row,
    };
}

/* About the time of a product done this way round, in vector operations: the
 * arithmetic of whole vectors, packing B, and storing C column by column. */
static double cost(const hg_gemm_job *j, int64_t width)
{
    int64_t lanes = width / 2;
    double m = (double)j->m, n = (double)j->n, k = (double)j->k;
    double vectors = (double)((j->n + lanes - 1) / lanes);
    double arithmetic = vectors * m * k;
    double packing = j->b_col == 1 ? vectors * k * 2 : n * k * 0.5;
    double storing = j->c_col == 1 ? vectors * m : m * n;
    return arithmetic + packing + storing;
}

/* Panels alone where they share out evenly, else cut into rows too. */
static int64_t chunks_of(const hg_kernel *k, const hg_gemm_kernels *run,
                         int64_t panels, int64_t m)
{
    if (panels % k->threads == 0 || panels >= 8 * k->threads)
        return 1;
    int64_t tiles = (m + run->rows - 1) / run->rows;
    return tiles < k->threads ? tiles : k->threads;
}

static void gemm_cpu(const hg_kernel *k, const hg_gemm_job *job)
{
    if (!job->m || !job->n)
        return;
    if (k->reference) {
        hg_gemm_reference(k, job);
        return;
    }
    if (hg_onednn_gemm(k, job))
        return;
    const hg_gemm_kernels *run = hg_gemm_of(k);
    hg_gemm_job other = swapped(job);
    if (cost(&other, run->width) < cost(job, run->width))
        job = &other;
    int64_t panels = (job->n + run->width - 1) / run->width;
    gemm_work w = {job, run, chunks_of(k, run, panels, job->m)};
    int64_t unit = job->m * run->width * job->k / w.chunks + 1;
    hg_parallel_for(k->threads, panels * w.chunks, ENOUGH / unit + 1, run_units,
                    &w);
}

static void (*const gemm_cuda)(const hg_kernel *, const hg_gemm_job *,
                               const hg_gemm_batch *) = HG_CUDA(hg_gemm_cuda);

/* The product with this number. */
static hg_gemm_job numbered(const hg_gemm_job *first, const hg_gemm_batch *b,
                            int64_t number)
{
    hg_gemm_job job = *first;
    job.c += number * job.m * job.n;
    for (int d = b->rank - 1; d >= 0; d--) {
        job.a += number % b->dim[d] * b->a_stride[d];
        job.b += number % b->dim[d] * b->b_stride[d];
        number /= b->dim[d];
    }
    return job;
}

void hg_gemm_many(const hg_kernel *k, const hg_gemm_job *first,
                  const hg_gemm_batch *batch)
{
    int64_t count = 1;
    if (k->stream) {
        gemm_cuda(k, first, batch);
        return;
    }
    for (int d = 0; d < batch->rank; d++)
        count *= batch->dim[d];
    for (int64_t i = 0; i < count; i++) {
        hg_gemm_job job = numbered(first, batch, i);
        gemm_cpu(k, &job);
    }
}

void hg_gemm(const hg_kernel *k, const hg_gemm_job *job)
{
    hg_gemm_many(k, job, &(hg_gemm_batch){0});
}

int hg_gemm_parts(const hg_kernel *k, const hg_gemm_job *first,
                  const hg_gemm_batch *batch, hg_part *p)
{
    static int (*const parts)(const hg_kernel *, const hg_gemm_job *,
                              const hg_gemm_batch *, hg_part *) =
        HG_CUDA(hg_gemm_parts_cuda);
    return parts ? parts(k, first, batch, p) : 0;
}
