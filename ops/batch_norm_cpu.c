/* batch_norm_cpu.c - the passes of batch normalisation, channel by channel;
 * where every channel has one place only, neighbouring channels side by side.
 */
#include "ops/batch_norm.h"
#include "ops/internal.h"
#include "ops/norm_kernels.h"

#include <math.h>

/* x as [n, channels, inner]. */
typedef struct {
    const hg_kernel *kernel;
    const hg_norm_kernels *run;
    int64_t n, channels, inner;
} norm_job;

enum { COLUMNS = HG_NORM_COLUMNS };

static norm_job job_of(const hg_kernel *k, hg_shape x)
{
    norm_job job = {k, hg_norm_of(k), x.dim[0], x.dim[1], 1};
    for (int i = 2; i < x.rank; i++)
        job.inner *= x.dim[i];
    return job;
}

/* Calls body for ranges of channels, or of blocks of columns where every
 * channel has one place only. */
static void over_channels(const norm_job *job,
                          void (*body)(void *, int64_t, int64_t))
{
    int64_t work = job->n * job->inner * (job->inner == 1 ? COLUMNS : 1);
    int64_t units = job->inner == 1 ? (job->channels + COLUMNS - 1) / COLUMNS
                                    : job->channels;
    hg_parallel_for(job->kernel->threads, units, (1 << 13) / (work + 1) + 1,
                    body, (void *)(uintptr_t)job);
}

/* Channels from `first` on that are treated together: their passes, and where
 * their values lie, from `at` on. */
typedef struct {
    const hg_norm_passes *run;
    int64_t first, count, at;
    hg_norm_rows rows;
} unit;

static unit unit_at(const norm_job *job, int64_t i)
{
    int64_t stride = job->channels * job->inner;
    if (job->inner != 1)
        return (unit){&job->run->rows,
                      i,
                      1,
                      i * job->inner,
                      {job->n, stride, job->inner}};
    int64_t first = i * COLUMNS, left = job->channels - first;
    int64_t count = left < COLUMNS ? left : COLUMNS;
    return (unit){
        &job->run->columns, first, count, first, {job->n, stride, count}};
}

/* ---- Forward ------------------------------------------------------------ */

/* Writes the statistics of channel c and moves the running ones. */
static void finish_channel(const norm_job *job, int64_t c, double mean,
                           double m2)
{
    const hg_kernel *k = job->kernel;
    const hg_batch_norm_attr *a = k->attr;
    double count = (double)(job->n * job->inner);
    k->out[c] = (hg_real)mean;
    k->out[job->channels + c] = (hg_real)(1 / sqrt(m2 / count + a->eps));
    if (k->arity < 3)
        return;
    hg_real *running_mean = (hg_real *)(uintptr_t)k->in[1] + c;
    hg_real *running_var = (hg_real *)(uintptr_t)k->in[2] + c;
    *running_mean = (hg_real)((1 - a->momentum) * (double)*running_mean +
                              a->momentum * mean);
    *running_var = (hg_real)((1 - a->momentum) * (double)*running_var +
                             a->momentum * m2 / (count - 1));
}

static void stats_channels(void *argument, int64_t from, int64_t to)
{
    const norm_job *job = argument;
    double mean[COLUMNS], m2[COLUMNS];
    for (int64_t i = from; i < to; i++) {
        unit u = unit_at(job, i);
        u.run->moments(job->kernel->in[0] + u.at, u.rows, mean, m2);
        for (int64_t j = 0; j < u.count; j++)
            finish_channel(job, u.first + j, mean[j], m2[j]);
    }
}

void hg_batch_norm_stats_cpu(const hg_kernel *k)
{
    norm_job job = job_of(k, k->in_shape[0]);
    over_channels(&job, stats_channels);
}

static void forward_channels(void *argument, int64_t from, int64_t to)
{
    const norm_job *job = argument;
    const hg_kernel *k = job->kernel;
    const hg_real *mean = k->in[3], *inverse = k->in[3] + job->channels;
    hg_real a[COLUMNS], d[COLUMNS];
    for (int64_t i = from; i < to; i++) {
        unit u = unit_at(job, i);
        for (int64_t j = 0, c = u.first; j < u.count; j++, c++) {
            a[j] = k->in[1][c] * inverse[c];
            d[j] = k->in[2][c] - a[j] * mean[c];
        }
        u.run->scale(k->out + u.at, k->in[0] + u.at, u.rows, a, d);
    }
}

void hg_batch_norm_cpu(const hg_kernel *k)
{
    norm_job job = job_of(k, k->in_shape[0]);
    over_channels(&job, forward_channels);
}

/* ---- Backward ----------------------------------------------------------- */

static void sums_channels(void *argument, int64_t from, int64_t to)
{
    const norm_job *job = argument;
    const hg_kernel *k = job->kernel;
    const hg_real *mean = k->in[2], *inverse = k->in[2] + job->channels;
    double sum[COLUMNS], dot[COLUMNS];
    for (int64_t i = from; i < to; i++) {
        unit u = unit_at(job, i);
        u.run->dots(k->in[0] + u.at, k->in[1] + u.at, u.rows, mean + u.first,
                    sum, dot);
        for (int64_t j = 0, c = u.first; j < u.count; j++, c++) {
            k->out[c] = (hg_real)sum[j];
            k->out[job->channels + c] = (hg_real)(dot[j] * (double)inverse[c]);
        }
    }
}

void hg_batch_norm_sums_cpu(const hg_kernel *k)
{
    norm_job job = job_of(k, k->in_shape[0]);
    over_channels(&job, sums_channels);
}

static void blend_channels(void *argument, int64_t from, int64_t to)
{
    const norm_job *job = argument;
    const hg_kernel *k = job->kernel;
    const hg_real *mean = k->in[3], *inverse = k->in[3] + job->channels;
    const hg_real *sum = k->in[4], *dot = k->in[4] + job->channels;
    hg_real a[COLUMNS], b[COLUMNS], d[COLUMNS];
    hg_real share = (hg_real)(1 / (double)(job->n * job->inner));
    for (int64_t i = from; i < to; i++) {
        unit u = unit_at(job, i);
        for (int64_t j = 0, c = u.first; j < u.count; j++, c++) {
            a[j] = k->in[2][c] * inverse[c];
            b[j] = -a[j] * inverse[c] * dot[c] * share;
            d[j] = -a[j] * sum[c] * share - b[j] * mean[c];
        }
        u.run->blend(k->out + u.at, k->in[0] + u.at, k->in[1] + u.at, u.rows, a,
                     b, d);
    }
}

void hg_batch_norm_dx_cpu(const hg_kernel *k)
{
    norm_job job = job_of(k, k->in_shape[0]);
    over_channels(&job, blend_channels);
}

/* ---- The count of batches ----------------------------------------------- */

void hg_batch_norm_count_cpu(const hg_kernel *k)
{
    int32_t *batches = (int32_t *)(uintptr_t)k->in_int[0];
    *batches += *batches < INT32_MAX;
    *k->out_int = *batches;
}
