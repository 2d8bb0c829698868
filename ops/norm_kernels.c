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

/* ---- Runs: a piece of a long row, or several short rows ----------------- */

typedef struct {
    hg_norm_rows all, run;
    int64_t at;          /* where `run` begins */
    int64_t row, column; /* of what is left */
} runs;

static bool next_run(runs *r)
{
    const hg_norm_rows *all = &r->all;
    if (!all->n || r->row >= all->count)
        return false;
    int64_t group = all->n < RUN ? RUN / all->n : 1;
    int64_t rows = all->count - r->row, n = all->n - r->column;
    r->run = (hg_norm_rows){rows < group ? rows : group, all->stride,
                            n < RUN ? n : RUN};
    r->at = r->row * all->stride + r->column;
    r->column = (r->column + r->run.n) % all->n;
    if (!r->column)
        r->row += r->run.count;
    return true;
}

static double sum_of(const hg_real *x, hg_norm_rows run)
{
    vec sum = {0};
    double rest = 0;
    for (int64_t row = 0; row < run.count; row++, x += run.stride) {
        int64_t i = 0;
        for (; i + LANES <= run.n; i += LANES)
            sum += *(const vec *)(x + i);
        for (; i < run.n; i++)
            rest += (double)x[i];
    }
    return total_of(&sum) + rest;
}

/* The sums of the deviations from `near` and of their squares. */
static double deviations_of(const hg_real *x, hg_norm_rows run, hg_real near,
                            double *squares)
{
    vec sum = {0}, square = {0};
    double rest = 0;
    *squares = 0;
    for (int64_t row = 0; row < run.count; row++, x += run.stride) {
        int64_t i = 0;
        for (; i + LANES <= run.n; i += LANES) {
            vec d = *(const vec *)(x + i) - near;
            sum += d;
            square += d * d;
        }
        for (; i < run.n; i++) {
            double d = (double)(x[i] - near);
            rest += d;
            *squares += d * d;
        }
    }
    *squares += total_of(&square);
    return total_of(&sum) + rest;
}

/* Mean and sum of squared deviations of a run, in two passes: the first mean is
 * rounded, the second pass says by how much. Rounding must not make the sum of
 * squares negative, and NaN stays. */
static double moments_of(const hg_real *x, hg_norm_rows run, double *m2)
{
    double count = (double)(run.count * run.n), squares;
    hg_real near = (hg_real)(sum_of(x, run) / count);
    double off = deviations_of(x, run, near, &squares) / count;
    squares -= count * off * off;
    *m2 = squares < 0 ? 0 : squares;
    return (double)near + off;
}

static void add_dots(const hg_real *g, const hg_real *x, hg_real mean,
                     hg_norm_rows run, double *sum, double *dot)
{
    vec s = {0}, d = {0};
    for (int64_t row = 0; row < run.count; row++) {
        int64_t i = 0;
        for (; i + LANES <= run.n; i += LANES) {
            vec here = *(const vec *)(g + i);
            s += here;
            d += here * (*(const vec *)(x + i) - mean);
        }
        for (; i < run.n; i++) {
            *sum += (double)g[i];
            *dot += (double)g[i] * (double)(x[i] - mean);
        }
        g += run.stride;
        x += run.stride;
    }
    *sum += total_of(&s);
    *dot += total_of(&d);
}

/* ---- Rows --------------------------------------------------------------- */

static void row_moments(const hg_real *x, hg_norm_rows rows, double *mean,
                        double *m2)
{
    double seen = 0;
    *mean = *m2 = 0;
    for (runs r = {.all = rows}; next_run(&r);) {
        double count = (double)(r.run.count * r.run.n), squares;
        double here = moments_of(x + r.at, r.run, &squares);
        double delta = here - *mean, all = seen + count;
        *m2 += squares + delta * delta * seen * count / all;
        *mean += delta * count / all;
        seen = all;
    }
}

static void row_dots(const hg_real *g, const hg_real *x, hg_norm_rows rows,
                     const hg_real *mean, double *sum, double *dot)
{
    *sum = *dot = 0;
    for (runs r = {.all = rows}; next_run(&r);)
        add_dots(g + r.at, x + r.at, *mean, r.run, sum, dot);
}

static void row_scale(hg_real *restrict out, const hg_real *restrict x,
                      hg_norm_rows rows, const hg_real *restrict a,
                      const hg_real *restrict d)
{
    for (int64_t r = 0; r < rows.count; r++)
        for (int64_t i = r * rows.stride; i < r * rows.stride + rows.n; i++)
            out[i] = *a * x[i] + *d;
}

static void row_blend(hg_real *restrict out, const hg_real *restrict g,
                      const hg_real *restrict x, hg_norm_rows rows,
                      const hg_real *restrict a, const hg_real *restrict b,
                      const hg_real *restrict d)
{
    for (int64_t r = 0; r < rows.count; r++)
        for (int64_t i = r * rows.stride; i < r * rows.stride + rows.n; i++)
            out[i] = *a * g[i] + *b * x[i] + *d;
}

/* ---- Columns ------------------------------------------------------------ */

static void column_moments(const hg_real *x, hg_norm_rows rows, double *mean,
                           double *m2)
{
    for (int64_t j = 0; j < rows.n; j++)
        mean[j] = m2[j] = 0;
    for (int64_t i = 0; i < rows.count; i++)
        for (int64_t j = 0; j < rows.n; j++)
            mean[j] += (double)x[i * rows.stride + j];
    for (int64_t j = 0; j < rows.n; j++)
        mean[j] /= (double)rows.count;
    for (int64_t i = 0; i < rows.count; i++)
        for (int64_t j = 0; j < rows.n; j++) {
            double d = (double)x[i * rows.stride + j] - mean[j];
            m2[j] += d * d;
        }
}

static void column_dots(const hg_real *g, const hg_real *x, hg_norm_rows rows,
                        const hg_real *mean, double *sum, double *dot)
{
    for (int64_t j = 0; j < rows.n; j++)
        sum[j] = dot[j] = 0;
    for (int64_t i = 0; i < rows.count; i++)
        for (int64_t j = 0; j < rows.n; j++) {
            double here = (double)g[i * rows.stride + j];
            sum[j] += here;
            dot[j] += here * (double)(x[i * rows.stride + j] - mean[j]);
        }
}

static void column_scale(hg_real *restrict out, const hg_real *restrict x,
                         hg_norm_rows rows, const hg_real *restrict a,
                         const hg_real *restrict d)
{
    for (int64_t i = 0; i < rows.count * rows.stride; i += rows.stride)
        for (int64_t j = 0; j < rows.n; j++)
            out[i + j] = a[j] * x[i + j] + d[j];
}

static void column_blend(hg_real *restrict out, const hg_real *restrict g,
                         const hg_real *restrict x, hg_norm_rows rows,
                         const hg_real *restrict a, const hg_real *restrict b,
                         const hg_real *restrict d)
{
    for (int64_t i = 0; i < rows.count * rows.stride; i += rows.stride)
        for (int64_t j = 0; j < rows.n; j++)
            out[i + j] = a[j] * g[i + j] + b[j] * x[i + j] + d[j];
}

const hg_norm_kernels HG_ISA_NAME(hg_norm) = {
    .rows = {row_moments, row_dots, row_scale, row_blend},
    .columns = {column_moments, column_dots, column_scale, column_blend},
};
