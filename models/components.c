/* components.c - covariances and principal components of points. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { ROWS_AT_ONCE = 500 };

/* ---- Covariance --------------------------------------------------------- */

static void mean_of(hg_points p, double *mean)
{
    memset(mean, 0, (size_t)p.width * sizeof *mean);
    for (int64_t i = 0; i < p.count; i++)
        for (int64_t j = 0; j < p.width; j++)
            mean[j] += p.values[i * p.width + j];
    for (int64_t j = 0; j < p.width; j++)
        mean[j] /= (double)p.count;
}

/* Deviations of rows from ... from + n - 1 as a tensor [n, d]. */
static hg_tensor *deviations(hg_points p, const double *mean, int64_t from,
                             int64_t n)
{
    hg_tensor *t = hg_full(HG_SHAPE(n, p.width), 0);
    hg_real *out = hg_room_for(t);
    for (int64_t i = 0; out && i < n; i++)
        for (int64_t j = 0; j < p.width; j++)
            out[i * p.width + j] =
                (hg_real)(p.values[(from + i) * p.width + j] - mean[j]);
    return hg_send_values(t, out) ? t : NULL;
}

/* Adds X'X / count of some rows. */
static bool add_products(hg_context *context, hg_points p, const double *mean,
                         int64_t from, int64_t n, double *a)
{
    hg_scope *s = hg_scope_open(context, HG_EVAL);
    hg_tensor *x = s ? deviations(p, mean, from, n) : NULL;
    hg_tensor *product = hg_matmul(hg_transpose(x), x);
    const hg_real *values = hg_fetch_values(product);
    for (int64_t i = 0; values && i < p.width * p.width; i++)
        a[i] += (double)values[i] / (double)p.count;
    if (s)
        hg_scope_close(s);
    return values != NULL;
}

static void make_symmetric(double *a, int64_t d)
{
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < i; j++)
            a[i * d + j] = a[j * d + i] = (a[i * d + j] + a[j * d + i]) / 2;
}

bool hg_covariance(hg_context *context, hg_points p, double *mean, double *a)
{
    if (!hg_context_usable(context, "hg_covariance"))
        return false;
    if (p.count < 1 || p.width < 1)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_covariance: %lld points of width %lld have none",
                       (long long)p.count, (long long)p.width);
    if (!hg_points_finite(p, "hg_covariance"))
        return false;
    mean_of(p, mean);
    memset(a, 0, (size_t)(p.width * p.width) * sizeof *a);
    for (int64_t from = 0; from < p.count; from += ROWS_AT_ONCE) {
        int64_t left = p.count - from;
        if (!add_products(context, p, mean, from,
                          left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE, a))
            return false;
    }
    make_symmetric(a, p.width);
    return true;
}

/* ---- Components --------------------------------------------------------- */

/* From the covariance [d, d]. */
static bool components(hg_context *context, hg_points p, int64_t k,
                       double *mean, double *axes, double *variance)
{
    int64_t d = p.width;
    size_t size = (size_t)((2 * d + 1) * d) * sizeof(double);
    double *a = hg_memory_allocate(context, size);
    if (!a)
        return false;
    double *value = a + d * d, *vector = value + d;
    bool ok = hg_covariance(context, p, mean, a) &&
              hg_eigen(context, a, d, value, vector);
    if (ok) {
        memcpy(variance, value, (size_t)k * sizeof *variance);
        memcpy(axes, vector, (size_t)(k * d) * sizeof *axes);
    }
    hg_memory_release(context, a, size);
    return ok;
}

typedef struct {
    int64_t n, d;
    double *x;    /* deviations from the mean, [n, d] */
    double *gram; /* [n, n] */
} gram_job;

/* Four sums at a time, since each waits for itself. */
static double dot(const double *a, const double *b, int64_t n)
{
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++)
            sum[j] += a[i + j] * b[i + j];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return sum[0] + sum[1] + sum[2] + sum[3];
}

static void gram_rows(void *argument, int64_t from, int64_t to)
{
    gram_job *g = argument;
    for (int64_t i = from; i < to; i++)
        for (int64_t j = 0; j <= i; j++)
            g->gram[i * g->n + j] = g->gram[j * g->n + i] =
                dot(g->x + i * g->d, g->x + j * g->d, g->d) / (double)g->n;
}

/* An axis [d] of length 1, its largest entry positive, from an eigenvector [n]
 * of the Gram matrix; no axis where nothing varies. */
static void axis_of(const gram_job *g, const double *vector, double variance,
                    double *axis)
{
    memset(axis, 0, (size_t)g->d * sizeof *axis);
    if (variance <= 0)
        return;
    for (int64_t i = 0; i < g->n; i++)
        for (int64_t j = 0; j < g->d; j++)
            axis[j] += vector[i] * g->x[i * g->d + j];
    double length = sqrt(dot(axis, axis, g->d)), peak = 0;
    for (int64_t j = 0; j < g->d; j++)
        peak = fabs(axis[j]) > fabs(peak) ? axis[j] : peak;
    for (int64_t j = 0; j < g->d; j++)
        axis[j] *= (peak < 0 ? -1 : 1) / length;
}

/* From the Gram matrix [n, n] of fewer points than dimensions: X X' has the
 * eigenvalues of X'X, and X' takes its eigenvectors to the axes. */
static bool components_of_few(hg_context *context, hg_points p, int64_t k,
                              double *mean, double *axes, double *variance)
{
    int64_t n = p.count, d = p.width;
    size_t size = (size_t)(n * (d + 2 * n + 1)) * sizeof(double);
    double *x = hg_memory_allocate(context, size);
    if (!x)
        return false;
    gram_job g = {n, d, x, x + n * d};
    double *value = g.gram + n * n, *vector = value + n;
    mean_of(p, mean);
    for (int64_t i = 0; i < n * d; i++)
        x[i] = p.values[i] - mean[i % d];
    hg_parallel_for(context->threads, n, 8, gram_rows, &g);
    bool ok = hg_eigen(context, g.gram, n, value, vector);
    /* Below that an eigenvalue is what rounding left of 0. */
    double least = 1e-13 * (double)n * (ok ? value[0] : 0);
    for (int64_t c = 0; ok && c < k; c++) {
        variance[c] = c < n - 1 && value[c] > least ? value[c] : 0;
        axis_of(&g, vector + c * n, variance[c], axes + c * d);
    }
    hg_memory_release(context, x, size);
    return ok;
}

bool hg_pca(hg_context *context, hg_points p, int64_t k, double *mean,
            double *axes, double *variance)
{
    if (!hg_context_usable(context, "hg_pca"))
        return false;
    if (p.count < 1 || k < 1 || k > p.width)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_pca: %lld points of width %lld have no %lld "
                       "components",
                       (long long)p.count, (long long)p.width, (long long)k);
    if (!hg_points_finite(p, "hg_pca"))
        return false;
    return p.count < p.width
               ? components_of_few(context, p, k, mean, axes, variance)
               : components(context, p, k, mean, axes, variance);
}

void hg_pca_apply(hg_points p, const double *mean, const double *axes,
                  int64_t k, double *out)
{
    for (int64_t i = 0; i < p.count; i++)
        for (int64_t c = 0; c < k; c++) {
            double sum = 0;
            for (int64_t j = 0; j < p.width; j++)
                sum += axes[c * p.width + j] *
                       (p.values[i * p.width + j] - mean[j]);
            out[i * k + c] = sum;
        }
}

/* ---- The plane of a picture --------------------------------------------- */

static void place_on_plane(hg_points p, const double *mean, const double *axes,
                           const double *variance, double *x, double *y,
                           double *share)
{
    hg_points one = {NULL, 1, p.width};
    double at[2], total = 0;
    for (int64_t i = 0; i < p.count; i++) {
        one.values = p.values + i * p.width;
        hg_pca_apply(one, mean, axes, 2, at);
        x[i] = at[0];
        y[i] = at[1];
        for (int64_t j = 0; j < p.width; j++) {
            double off = one.values[j] - mean[j];
            total += off * off / (double)p.count;
        }
    }
    *share = total > 0 ? (variance[0] + variance[1]) / total : 1;
}

bool hg_principal_plane(hg_context *context, const double *points, int64_t n,
                        int64_t d, double *x, double *y, double *share)
{
    if (!hg_context_usable(context, "hg_principal_plane"))
        return false;
    if (n < 1 || d < 2)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_principal_plane: %lld points of width %lld span no "
                       "plane",
                       (long long)n, (long long)d);
    hg_points p = {points, n, d};
    size_t size = (size_t)(3 * d) * sizeof(double);
    double *axes = hg_memory_allocate(context, size), variance[2];
    if (!axes)
        return false;
    double *mean = axes + 2 * d;
    bool ok = hg_pca(context, p, 2, mean, axes, variance);
    if (ok)
        place_on_plane(p, mean, axes, variance, x, y, share);
    hg_memory_release(context, axes, size);
    return ok;
}
