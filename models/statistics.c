/* statistics.c - what `prepare` learns from a whole data set: the mean image,
 * how its pixels vary together, and along which axes. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

#include <string.h>

enum { AT_ONCE = 500 };

/* Sums of pixels and, unless NULL, of products of pixels. */
typedef struct {
    hg_context *context;
    int64_t features;
    double *sum, *products;
} totals;

/* Products of a batch by a matrix product in hg_real, added up in double. */
static bool add_products(const totals *t, hg_tensor *x)
{
    int64_t n = t->features * t->features;
    hg_tensor *both = hg_matmul(hg_transpose(x), x);
    if (!both)
        return false;
    const hg_real *value = hg_fetch_values(both);
    for (int64_t i = 0; value && i < n; i++)
        t->products[i] += (double)value[i];
    return value != NULL;
}

static bool add_rows(const totals *t, const hg_data *data, int64_t from,
                     int64_t n)
{
    hg_batch b;
    if (!hg_data_batch_from(data, from, n, &b))
        return false;
    const hg_real *x = hg_fetch_values(b.x);
    if (!x)
        return false;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < t->features; j++)
            t->sum[j] += (double)x[i * t->features + j];
    return !t->products || add_products(t, b.x);
}

static bool add_all(const totals *t, const hg_data *data)
{
    int64_t n = hg_data_size(data);
    for (int64_t from = 0; from < n; from += AT_ONCE) {
        hg_scope *s = hg_scope_open(t->context, HG_EVAL);
        bool ok = s && add_rows(t, data, from,
                                n - from < AT_ONCE ? n - from : AT_ONCE);
        if (s)
            hg_scope_close(s);
        if (!ok)
            return false;
    }
    return true;
}

/* Mean image [features] and, unless NULL, covariance [features, features] of a
 * whole data set, divided by its size. */
static bool moments_of(const hg_data *data, double *mean, double *covariance)
{
    int64_t d = hg_data_features(data);
    double n = (double)hg_data_size(data);
    totals t = {hg_data_context(data), d, mean, covariance};
    memset(mean, 0, (size_t)d * sizeof *mean);
    if (covariance)
        memset(covariance, 0, (size_t)(d * d) * sizeof *covariance);
    if (n < 1)
        return hg_fail(HG_ERROR_DATA, "%s has no images to learn from",
                       hg_data_name(data));
    if (!add_all(&t, data))
        return false;
    for (int64_t j = 0; j < d; j++)
        mean[j] /= n;
    for (int64_t j = 0; covariance && j < d; j++)
        for (int64_t k = 0; k < d; k++)
            covariance[j * d + k] =
                covariance[j * d + k] / n - mean[j] * mean[k];
    return true;
}

/* ---- Into buffers of a model -------------------------------------------- */

static bool take_axes(hg_context *context, const double *mean,
                      const double *variance, const double *axes,
                      hg_tensor *to[3])
{
    hg_scope *s = hg_scope_open(context, HG_EVAL);
    hg_tensor *part = hg_from(variance, "f8", to[2]->shape);
    hg_tensor *std = hg_sqrt(hg_relu(part)); /* rounding may leave -1e-18 */
    bool ok = hg_assign(to[0], hg_from(mean, "f8", to[0]->shape)) &&
              hg_assign(to[1], hg_from(axes, "f8", to[1]->shape)) &&
              hg_assign(to[2], std);
    if (s)
        hg_scope_close(s);
    return ok;
}

/* From the moments of all images, a batch at a time. */
static bool axes_of_many(hg_context *context, const hg_data *data,
                         hg_tensor *to[3])
{
    int64_t d = hg_data_features(data);
    size_t size = (size_t)(2 * d * (d + 1)) * sizeof(double);
    double *centre = hg_memory_allocate(context, size);
    if (!centre)
        return false;
    double *variance = centre + d, *covariance = variance + d;
    double *all = covariance + d * d;
    bool ok = moments_of(data, centre, covariance) &&
              hg_eigen(context, covariance, d, variance, all) &&
              take_axes(context, centre, variance, all, to);
    hg_memory_release(context, centre, size);
    return ok;
}

/* All images as points [n, d]. */
static bool take_images(hg_context *context, const hg_data *data, double *out)
{
    int64_t n = hg_data_size(data), d = hg_data_features(data);
    for (int64_t i = 0; i < n; i++) {
        hg_batch b;
        hg_scope *s = hg_scope_open(context, HG_EVAL);
        bool ok = s && hg_data_batch_from(data, i, 1, &b);
        ok = ok && hg_doubles_of(b.x, d, out + i * d);
        if (s)
            hg_scope_close(s);
        if (!ok)
            return false;
    }
    return true;
}

/* Of fewer images than pixels, which take less room than a covariance. */
static bool axes_of_few(hg_context *context, const hg_data *data,
                        hg_tensor *to[3])
{
    int64_t n = hg_data_size(data), d = hg_data_features(data);
    int64_t k = to[1]->shape.dim[0];
    size_t size = (size_t)((n + 1 + k) * d + k) * sizeof(double);
    double *x = hg_memory_allocate(context, size);
    if (!x)
        return false;
    double *mean = x + n * d, *axes = mean + d, *variance = axes + k * d;
    bool ok = take_images(context, data, x) &&
              hg_pca(context, (hg_points){x, n, d}, k, mean, axes, variance) &&
              take_axes(context, mean, variance, axes, to);
    hg_memory_release(context, x, size);
    return ok;
}

bool hg_data_axes(const hg_data *data, hg_tensor *mean, hg_tensor *axes,
                  hg_tensor *std)
{
    hg_context *context = hg_data_context(data);
    hg_tensor *to[] = {mean, axes, std};
    int64_t n = hg_data_size(data);
    return n > 0 && n < hg_data_features(data)
               ? axes_of_few(context, data, to)
               : axes_of_many(context, data, to);
}

bool hg_data_log_odds(const hg_data *data, hg_tensor *bias)
{
    hg_context *context = hg_data_context(data);
    int64_t n = hg_data_features(data);
    double *mean = hg_memory_allocate(context, (size_t)n * sizeof *mean);
    if (!mean)
        return false;
    bool ok = moments_of(data, mean, NULL);
    hg_scope *s = ok ? hg_scope_open(context, HG_EVAL) : NULL;
    if (s) {
        hg_tensor *p = hg_from(mean, "f8", HG_SHAPE(n));
        p = hg_clamp(p, 1e-3, 1 - 1e-3);
        ok = hg_assign(bias, hg_log(hg_div(p, hg_rsub(p, 1))));
        hg_scope_close(s);
    }
    hg_memory_release(context, mean, (size_t)n * sizeof *mean);
    return ok && s;
}
