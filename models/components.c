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

bool hg_pca(hg_context *context, hg_points p, double *mean, double *axes,
            double *variance)
{
    size_t size = (size_t)(p.width * p.width) * sizeof(double);
    double *a = p.width > 0 && hg_context_usable(context, "hg_pca")
                    ? hg_memory_allocate(context, size)
                    : NULL;
    bool ok = (a || p.width < 1) && hg_covariance(context, p, mean, a) &&
              hg_eigen(context, a, p.width, variance, axes);
    if (a)
        hg_memory_release(context, a, size);
    return ok;
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
    }
    for (int64_t j = 0; j < p.width; j++)
        total += variance[j];
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
    size_t size = (size_t)(d * d + 2 * d) * sizeof(double);
    double *axes = hg_memory_allocate(context, size);
    if (!axes)
        return false;
    double *mean = axes + d * d, *variance = mean + d;
    bool ok = hg_pca(context, p, mean, axes, variance);
    if (ok)
        place_on_plane(p, mean, axes, variance, x, y, share);
    hg_memory_release(context, axes, size);
    return ok;
}
