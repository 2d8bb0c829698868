/* pairs.c - an image and one of its nearest neighbours, as two batches: what
 * belongs together is read off the pixels before a model is trained. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"
#include "tensor/random.h"

#include <math.h>

enum { AXES = 32, AT_ONCE = 500 }; /* distances want no more */

/* Where pixels vary most: destinations of hg_data_axes. */
typedef struct {
    hg_tensor *mean, *axes, *std; /* [features], [width, features], [width] */
    int64_t width;
    bool upright; /* images are straightened before they lie there */
} plane;

/* ---- Slant -------------------------------------------------------------- */

/* How far a picture [h, w] leans, in columns a row, and about which row. */
static double slant_of(const hg_real *x, int64_t h, int64_t w, double *row)
{
    double sum = 0, y = 0, c = 0, yy = 0, yc = 0;
    for (int64_t i = 0; i < h * w; i++) {
        double v = (double)x[i], r = (double)(i / w), k = (double)(i % w);
        sum += v;
        y += v * r;
        c += v * k;
        yy += v * r * r;
        yc += v * r * k;
    }
    double spread = yy * sum - y * y;
    *row = sum > 0 ? y / sum : 0;
    return spread > 0 ? (yc * sum - y * c) / spread : 0;
}

/* Each row moves sideways until the picture leans no more (LeCun et al., 1998,
 * section III-A): handwriting that differs in its slant alone becomes near. */
static void straighten(const hg_real *x, int64_t h, int64_t w, hg_real *out)
{
    double middle, slant = slant_of(x, h, w, &middle);
    for (int64_t i = 0; i < h * w; i++) {
        double from = (double)(i % w) + slant * ((double)(i / w) - middle);
        double left = floor(from), part = from - left;
        const hg_real *row = x + i / w * w;
        double a =
            left >= 0 && left < (double)w ? (double)row[(int64_t)left] : 0;
        double b = left >= -1 && left < (double)(w - 1)
                       ? (double)row[(int64_t)left + 1]
                       : 0;
        out[i] = (hg_real)((1 - part) * a + part * b);
    }
}

/* Every channel by itself; x [n, features] anew. */
static hg_tensor *straightened(hg_tensor *x, hg_shape item)
{
    int64_t h = item.dim[1], w = item.dim[2];
    hg_tensor *t = hg_zeros(x->shape);
    const hg_real *from = hg_fetch_values(x);
    hg_real *to = from ? hg_room_for(t) : NULL;
    for (int64_t i = 0, n = hg_numel(x); to && i < n; i += h * w)
        straighten(from + i, h, w, to + i);
    return hg_send_values(t, to) ? t : NULL;
}

/* ---- Neighbours --------------------------------------------------------- */

static bool project_rows(const hg_data *data, const plane *p, int64_t from,
                         int64_t n, double *out)
{
    hg_batch b;
    if (!hg_data_batch_from(data, from, n, &b))
        return false;
    if (p->upright)
        b.x = straightened(b.x, hg_data_shape(data));
    hg_tensor *x = hg_sub(b.x, p->mean);
    hg_tensor *at = hg_matmul(x, hg_transpose(p->axes));
    return hg_doubles_of(at, n * p->width, out);
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
static bool find(hg_data *data, bool upright, int k, int32_t *near)
{
    int64_t d = hg_data_features(data), width = d < AXES ? d : AXES;
    hg_scope *s = hg_scope_open(hg_data_context(data), HG_EVAL);
    plane p = {hg_zeros(HG_SHAPE(d)), hg_zeros(HG_SHAPE(width, d)),
               hg_zeros(HG_SHAPE(width)), width, upright};
    bool ok = s && p.std && find_on(&p, data, k, near);
    if (s)
        hg_scope_close(s);
    return ok;
}

bool hg_pairs_find(hg_pairs *pairs, hg_params *p, hg_data *train, bool upright,
                   int64_t k)
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
           find(hg_data_spread(train, 0), upright, (int)each, pairs->near);
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

bool hg_pairs_join(const hg_pairs *pairs,
                   hg_tensor *(*classify)(void *, hg_tensor *), void *model,
                   int64_t n, hg_optimizer *o)
{
    uint64_t steps[2];
    hg_batch one, other;
    if (!pairs->data)
        return hg_fail(HG_ERROR_STATE,
                       "--neighbours: they were not looked for; call "
                       "hg_model_prepare before the first step");
    n = n < HG_MOST_PAIRS ? n : HG_MOST_PAIRS;
    hg_context_steps(hg_data_context(pairs->data), steps);
    if (!hg_pairs_batch(pairs, (int64_t)steps[0], n, &one, &other))
        return false;
    hg_tensor *loss =
        nn_pair_loss(classify(model, one.x), classify(model, other.x), 2);
    hg_report("neighbours", loss);
    return hg_minimize(loss, o);
}
