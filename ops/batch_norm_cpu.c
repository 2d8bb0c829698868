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

static int64_t width_at(const norm_job *job, int64_t first)
{
    int64_t left = job->channels - first;
    return left < COLUMNS ? left : COLUMNS;
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

static void channel_stats(const norm_job *job, int64_t c)
{
    double mean = 0, m2 = 0;
    for (int64_t i = 0; i < job->n; i++) {
        double here, squares;
        job->run->moments(job->kernel->in[0] +
                              (i * job->channels + c) * job->inner,
                          job->inner, &here, &squares);
        double delta = here - mean, inner = (double)job->inner;
        m2 += squares + delta * delta * inner * (double)i / (double)(i + 1);
        mean += delta / (double)(i + 1);
    }
    finish_channel(job, c, mean, m2);
}

static void stats_channels(void *argument, int64_t from, int64_t to)
{
    const norm_job *job = argument;
    double mean[COLUMNS], m2[COLUMNS];
    for (int64_t i = from; i < to; i++) {
        if (job->inner != 1) {
            channel_stats(job, i);
            continue;
        }
        int64_t first = i * COLUMNS, width = width_at(job, first);
        job->run->column_moments(job->kernel->in[0] + first, job->n,
                                 job->channels, width, mean, m2);
        for (int64_t j = 0; j < width; j++)
            finish_channel(job, first + j, mean[j], m2[j]);
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
        bool columns = job->inner == 1;
        int64_t first = columns ? i * COLUMNS : i;
        int64_t width = columns ? width_at(job, first) : 1;
        for (int64_t j = 0; j < width; j++) {
            a[j] = k->in[1][first + j] * inverse[first + j];
            d[j] = k->in[2][first + j] - a[j] * mean[first + j];
        }
        if (columns)
            job->run->column_scale(k->out + first, k->in[0] + first, job->n,
                                   job->channels, width, a, d);
        for (int64_t r = 0; r < job->n && !columns; r++) {
            int64_t at = (r * job->channels + i) * job->inner;
            job->run->scale(k->out + at, k->in[0] + at, job->inner, *a, *d);
        }
    }
}

void hg_batch_norm_cpu(const hg_kernel *k)
{
    norm_job job = job_of(k, k->in_shape[0]);
    over_channels(&job, forward_channels);
}

/* ---- Backward ----------------------------------------------------------- */

static void channel_sums(const norm_job *job, int64_t c, double *sum,
                         double *dot)
{
    const hg_kernel *k = job->kernel;
    *sum = *dot = 0;
    for (int64_t i = 0; i < job->n; i++) {
        int64_t at = (i * job->channels + c) * job->inner;
        double s, d;
        job->run->dots(k->in[0] + at, k->in[1] + at, k->in[2][c], job->inner,
                       &s, &d);
        *sum += s;
        *dot += d;
    }
}

static void sums_channels(void *argument, int64_t from, int64_t to)
{
    const norm_job *job = argument;
    const hg_kernel *k = job->kernel;
    double sum[COLUMNS], dot[COLUMNS];
    for (int64_t i = from; i < to; i++) {
        bool columns = job->inner == 1;
        int64_t first = columns ? i * COLUMNS : i;
        int64_t width = columns ? width_at(job, first) : 1;
        if (columns)
            job->run->column_dots(k->in[0] + first, k->in[1] + first,
                                  k->in[2] + first, job->n, job->channels,
                                  width, sum, dot);
        else
            channel_sums(job, i, sum, dot);
        for (int64_t j = 0; j < width; j++) {
            double inverse = (double)k->in[2][job->channels + first + j];
            k->out[first + j] = (hg_real)sum[j];
            k->out[job->channels + first + j] = (hg_real)(dot[j] * inverse);
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
    int64_t channels = job->channels;
    hg_real a[COLUMNS], b[COLUMNS], d[COLUMNS];
    hg_real share = (hg_real)(1 / (double)(job->n * job->inner));
    for (int64_t i = from; i < to; i++) {
        bool columns = job->inner == 1;
        int64_t first = columns ? i * COLUMNS : i;
        int64_t width = columns ? width_at(job, first) : 1;
        for (int64_t j = 0, c = first; j < width; j++, c++) {
            hg_real mean = k->in[3][c], inverse = k->in[3][channels + c];
            a[j] = k->in[2][c] * inverse;
            b[j] = -a[j] * inverse * k->in[4][channels + c] * share;
            d[j] = -a[j] * k->in[4][c] * share - b[j] * mean;
        }
        if (columns)
            job->run->column_blend(k->out + first, k->in[0] + first,
                                   k->in[1] + first, job->n, channels, width, a,
                                   b, d);
        for (int64_t r = 0; r < job->n && !columns; r++) {
            int64_t at = (r * channels + i) * job->inner;
            job->run->blend(k->out + at, k->in[0] + at, k->in[1] + at,
                            job->inner, *a, *b, *d);
        }
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
