/* pairs.c - an image and one of its nearest neighbours, as two batches: what
 * belongs together is read off the pixels before a model is trained. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"
#include "tensor/random.h"

enum { AXES = 32, AT_ONCE = 500 }; /* distances want no more */

/* Where pixels vary most: destinations of hg_data_axes. */
typedef struct {
    hg_tensor *mean, *axes, *std; /* [features], [width, features], [width] */
    int64_t width;
} plane;

/* ---- Neighbours --------------------------------------------------------- */

static bool project_rows(const hg_data *data, const plane *p, int64_t from,
                         int64_t n, double *out)
{
    int64_t rows[AT_ONCE];
    hg_batch b;
    for (int64_t i = 0; i < n; i++)
        rows[i] = from + i;
    if (!hg_data_batch(data, rows, n, &b))
        return false;
    hg_tensor *x = hg_sub(b.x, p->mean);
    const hg_real *at = hg_fetch_values(hg_matmul(x, hg_transpose(p->axes)));
    for (int64_t i = 0; at && i < n * p->width; i++)
        out[i] = (double)at[i];
    return at != NULL;
}

/* [images, width] */
static bool project(const hg_data *data, const plane *p, double *out)
{
    int64_t size = hg_data_size(data);
    for (int64_t from = 0; from < size; from += AT_ONCE) {
        int64_t n = size - from < AT_ONCE ? size - from : AT_ONCE;
        hg_scope *s = hg_scope_open(hg_data_context(data), HG_EVAL);
        bool ok = s && project_rows(data, p, from, n, out + from * p->width);
        if (s)
            hg_scope_close(s);
        if (!ok)
            return false;
    }
    return true;
}

static bool find_on(const plane *p, hg_data *data, int k, int32_t *near)
{
    hg_context *context = hg_data_context(data);
    int64_t n = hg_data_size(data);
    size_t size = (size_t)(n * p->width) * sizeof(double);
    double *at = hg_memory_allocate(context, size);
    if (!at)
        return false;
    hg_points points = {at, n, p->width};
    bool ok = hg_data_axes(data, p->mean, p->axes, p->std) &&
              project(data, p, at) &&
              hg_nearest(context, points, points, k, near, NULL);
    hg_memory_release(context, at, size);
    return ok;
}

/* Of the images as they are, not moved. */
static bool find(hg_data *data, int k, int32_t *near)
{
    int64_t d = hg_data_features(data), width = d < AXES ? d : AXES;
    hg_scope *s = hg_scope_open(hg_data_context(data), HG_EVAL);
    plane p = {hg_zeros(HG_SHAPE(d)), hg_zeros(HG_SHAPE(width, d)),
               hg_zeros(HG_SHAPE(width)), width};
    bool ok = s && p.std && find_on(&p, data, k, near);
    if (s)
        hg_scope_close(s);
    return ok;
}

bool hg_pairs_find(hg_pairs *pairs, hg_params *p, hg_data *train, int64_t k)
{
    int64_t n = hg_data_size(train), each = k + 1; /* the nearest is itself */
    if (n < each)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--neighbours %lld: there are %lld images, each of "
                       "which has fewer",
                       (long long)k, (long long)n);
    size_t size = (size_t)(n * each) * sizeof *pairs->near;
    *pairs = (hg_pairs){train, hg_params_alloc(p, size), k};
    return pairs->near &&
           find(hg_data_spread(train, 0), (int)each, pairs->near);
}

/* ---- Batches ------------------------------------------------------------ */

/* All images in an order of the epoch's own, each with one of its neighbours,
 * which are taken in turn, and the two transformed each by itself. */
bool hg_pairs_batch(const hg_pairs *pairs, int64_t step, int64_t n,
                    hg_batch *one, hg_batch *other)
{
    int64_t rows[HG_MOST_PAIRS], size = hg_data_size(pairs->data);
    int64_t epoch = step * n / size, each = pairs->k + 1;
    uint64_t seed = hg_context_seed(hg_data_context(pairs->data));
    for (int64_t i = 0; i < n; i++) {
        int64_t at = step * n + i;
        rows[i] = hg_permuted(seed, (uint64_t)(at / size), size, at % size);
    }
    if (!hg_data_batch_in(pairs->data, 2 * epoch, rows, n, one))
        return false;
    for (int64_t i = 0; i < n; i++)
        rows[i] = pairs->near[rows[i] * each + 1 + (epoch + i) % pairs->k];
    return hg_data_batch_in(pairs->data, 2 * epoch + 1, rows, n, other);
}
