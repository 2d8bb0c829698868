/* norm_kernels.c - the passes of norm_kernels.h, compiled once an instruction
 * set. Values are added in lanes of hg_real over short runs, the runs' sums in
 * double: Welford's formula (Chan et al., 1979) joins their moments. */
#include "ops/norm_kernels.h"

enum { RUN = 1024 };

typedef hg_real vec
    __attribute__((vector_size(64), aligned(sizeof(hg_real)), may_alias));
enum { LANES = (int)(sizeof(vec) / sizeof(hg_real)) };

static double total_of(const vec *lanes)
{
    const hg_real *lane = (const hg_real *)lanes;
    double total = 0;
    for (int l = 0; l < LANES; l++)
        total += (double)lane[l];
    return total;
}

static double sum_of(const hg_real *x, int64_t n)
{
    vec sum = {0};
    double rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sum += *(const vec *)(x + i);
    for (; i < n; i++)
        rest += (double)x[i];
    return total_of(&sum) + rest;
}

static double squares_of(const hg_real *x, int64_t n, hg_real mean)
{
    vec sum = {0};
    double rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec d = *(const vec *)(x + i) - mean;
        sum += d * d;
    }
    for (; i < n; i++)
        rest += (double)(x[i] - mean) * (double)(x[i] - mean);
    return total_of(&sum) + rest;
}

static void run_moments(const hg_real *x, int64_t n, double *mean, double *m2)
{
    double seen = 0;
    *mean = *m2 = 0;
    for (int64_t i = 0; i < n; i += RUN) {
        int64_t count = n - i < RUN ? n - i : RUN;
        double here = sum_of(x + i, count) / (double)count;
        double delta = here - *mean, all = seen + (double)count;
        double off = here - (double)(hg_real)here; /* lost by rounding */
        *m2 += squares_of(x + i, count, (hg_real)here) -
               (double)count * off * off +
               delta * delta * seen * (double)count / all;
        *mean += delta * (double)count / all;
        seen = all;
    }
}

static void run_dots(const hg_real *g, const hg_real *x, hg_real mean,
                     int64_t n, double *sum, double *dot)
{
    *sum = *dot = 0;
    for (int64_t from = 0; from < n; from += RUN) {
        int64_t to = n - from < RUN ? n : from + RUN, i = from;
        vec s = {0}, d = {0};
        for (; i + LANES <= to; i += LANES) {
            vec here = *(const vec *)(g + i);
            s += here;
            d += here * (*(const vec *)(x + i) - mean);
        }
        *sum += total_of(&s);
        *dot += total_of(&d);
        for (; i < to; i++) {
            *sum += (double)g[i];
            *dot += (double)g[i] * (double)(x[i] - mean);
        }
    }
}

static void run_scale(hg_real *restrict out, const hg_real *restrict x,
                      int64_t n, hg_real a, hg_real d)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a * x[i] + d;
}

static void run_blend(hg_real *restrict out, const hg_real *restrict g,
                      const hg_real *restrict x, int64_t n, hg_real a,
                      hg_real b, hg_real d)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a * g[i] + b * x[i] + d;
}

static void column_moments(const hg_real *x, int64_t n, int64_t stride,
                           int64_t width, double *mean, double *m2)
{
    for (int64_t j = 0; j < width; j++)
        mean[j] = m2[j] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++)
            mean[j] += (double)x[i * stride + j];
    for (int64_t j = 0; j < width; j++)
        mean[j] /= (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++) {
            double d = (double)x[i * stride + j] - mean[j];
            m2[j] += d * d;
        }
}

static void column_dots(const hg_real *g, const hg_real *x, const hg_real *mean,
                        int64_t n, int64_t stride, int64_t width, double *sum,
                        double *dot)
{
    for (int64_t j = 0; j < width; j++)
        sum[j] = dot[j] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++) {
            double here = (double)g[i * stride + j];
            sum[j] += here;
            dot[j] += here * (double)(x[i * stride + j] - mean[j]);
        }
}

static void column_scale(hg_real *restrict out, const hg_real *restrict x,
                         int64_t n, int64_t stride, int64_t width,
                         const hg_real *restrict a, const hg_real *restrict d)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++)
            out[i * stride + j] = a[j] * x[i * stride + j] + d[j];
}

static void column_blend(hg_real *restrict out, const hg_real *restrict g,
                         const hg_real *restrict x, int64_t n, int64_t stride,
                         int64_t width, const hg_real *restrict a,
                         const hg_real *restrict b, const hg_real *restrict d)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++)
            out[i * stride + j] =
                a[j] * g[i * stride + j] + b[j] * x[i * stride + j] + d[j];
}

const hg_norm_kernels HG_ISA_NAME(hg_norm) = {
    .moments = run_moments,
    .dots = run_dots,
    .scale = run_scale,
    .blend = run_blend,
    .column_moments = column_moments,
    .column_dots = column_dots,
    .column_scale = column_scale,
    .column_blend = column_blend,
};
