/* probe.c - what a linear classifier reads from points: softmax regression,
 * trained with the engine itself. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"
#include "tensor/random.h"

#include <math.h>
#include <string.h>

enum { STEPS = 1000, BATCH = 500 };

typedef struct {
    hg_points points;
    const int32_t *label;
    double *mean, *std; /* [width] */
} table;

/* Chosen rows, standardised: [n, width], and their labels [n]. */
static hg_tensor *rows_of(const table *t, const int64_t *row, int64_t n,
                          hg_tensor **label)
{
    int64_t d = t->points.width;
    hg_tensor *x = hg_full(HG_SHAPE(n, d), 0);
    hg_real *out = hg_room_for(x);
    int32_t named[BATCH];
    for (int64_t i = 0; out && i < n; i++) {
        named[i] = t->label[row[i]];
        for (int64_t j = 0; j < d; j++)
            out[i * d + j] =
                (hg_real)((t->points.values[row[i] * d + j] - t->mean[j]) /
                          t->std[j]);
    }
    *label = hg_send_values(x, out) ? hg_from(named, "i4", HG_SHAPE(n)) : NULL;
    return *label ? x : NULL;
}

/* Batches go through the points in an order of their own each time round. */
static int64_t choose_rows(uint64_t seed, int64_t step, int64_t count,
                           int64_t *row)
{
    int64_t n = count < BATCH ? count : BATCH;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = step * n + i;
        row[i] = hg_permuted(seed, (uint64_t)(at / count), count, at % count);
    }
    return n;
}

static bool fit(hg_context *context, const table *t, nn_layer *layer,
                hg_optimizer *adam, uint64_t seed)
{
    int64_t row[BATCH];
    hg_schedule cosine = {
        .kind = HG_SCHEDULE_COSINE, .first = (hg_real)0.02, .steps = STEPS};
    for (int64_t step = 0; step < STEPS; step++) {
        int64_t n = choose_rows(seed, step, t->points.count, row);
        hg_set(hg_optimizer_rate(adam), hg_schedule_at(&cosine, step));
        hg_scope *s = hg_scope_open(context, HG_TRAIN);
        hg_tensor *label = NULL, *x = s ? rows_of(t, row, n, &label) : NULL;
        hg_tensor *logits = nn_forward(layer, x);
        bool ok =
            hg_minimize(nn_cross_entropy_loss(logits, label, HG_MEAN), adam);
        if (s)
            hg_scope_close(s);
        if (!ok)
            return false;
    }
    return true;
}

static bool count_right(hg_context *context, const table *t, nn_layer *layer,
                        double *accuracy)
{
    double right = 0;
    for (int64_t from = 0; from < t->points.count; from += BATCH) {
        int64_t row[BATCH], left = t->points.count - from;
        int64_t n = left < BATCH ? left : BATCH;
        int32_t guess[BATCH];
        for (int64_t i = 0; i < n; i++)
            row[i] = from + i;
        hg_scope *s = hg_scope_open(context, HG_EVAL);
        hg_tensor *label = NULL, *x = s ? rows_of(t, row, n, &label) : NULL;
        hg_tensor *best = hg_argmax(nn_forward(layer, x), 1);
        bool ok = best && hg_read_int(best, guess, n);
        for (int64_t i = 0; ok && i < n; i++)
            right += guess[i] == t->label[from + i];
        if (s)
            hg_scope_close(s);
        if (!ok)
            return false;
    }
    *accuracy = right / (double)t->points.count;
    return true;
}

/* A store of the probe's own, with all that it needs; freed with the context
 * that it lives in. */
static bool probe(hg_context *context, const table *train, const table *test,
                  int classes, uint64_t seed, double *accuracy)
{
    hg_context *own = hg_context_new_with(hg_context_device(context), seed,
                                          context->allocator);
    if (!own)
        return false;
    hg_context_set_threads(own, hg_context_threads(context));
    hg_params *p = hg_params_new(own);
    nn_linear_options zeros = {.init.kind = HG_INIT_ZEROS,
                               .bias.kind = HG_INIT_ZEROS};
    nn_layer *layer =
        nn_linear_with(p, "probe", train->points.width, classes, zeros);
    hg_adam_options o = {.rate = 0.02, .weight_decay = 1e-3};
    hg_optimizer *adam = hg_adamw(p, "adam", o);
    bool ok = layer && adam && fit(own, train, layer, adam, seed) &&
              count_right(own, test, layer, accuracy);
    hg_context_free(own);
    return ok;
}

static bool check(hg_points train, const int32_t *label, hg_points test,
                  int classes)
{
    if (train.width != test.width || train.count < 1 || test.count < 1)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_linear_probe: points [%lld, %lld] and [%lld, %lld]",
                       (long long)train.count, (long long)train.width,
                       (long long)test.count, (long long)test.width);
    for (int64_t i = 0; i < train.count; i++)
        if (label[i] < 0 || label[i] >= classes)
            return hg_fail(HG_ERROR_DATA,
                           "hg_linear_probe: label %d of point %lld; there "
                           "are %d classes",
                           (int)label[i], (long long)i, classes);
    return hg_points_finite(train, "hg_linear_probe: the training set") &&
           hg_points_finite(test, "hg_linear_probe: the test set");
}

/* A tenth of the largest: pixels that are hardly ever lit would be blown up. */
static void floor_spread(double *std, int64_t d)
{
    double most = 0;
    for (int64_t j = 0; j < d; j++)
        most = fmax(most, std[j]);
    for (int64_t j = 0; j < d; j++)
        std[j] = most > 0 ? fmax(std[j], 0.1 * most) : 1;
}

bool hg_linear_probe(hg_context *context, hg_points train, const int32_t *label,
                     hg_points test, const int32_t *test_label, int classes,
                     uint64_t seed, double *accuracy)
{
    if (!hg_context_usable(context, "hg_linear_probe") ||
        !check(train, label, test, classes))
        return false;
    size_t size = (size_t)(2 * train.width) * sizeof(double);
    double *mean = hg_memory_allocate(context, size);
    if (!mean)
        return false;
    double *std = mean + train.width;
    hg_moments(train, mean, std);
    floor_spread(std, train.width);
    table a = {train, label, mean, std}, b = {test, test_label, mean, std};
    bool ok = probe(context, &a, &b, classes, seed, accuracy);
    hg_memory_release(context, mean, size);
    return ok;
}

/* ---- Few labels --------------------------------------------------------- */

bool hg_choose_labelled(const int32_t *label, int64_t n, int classes,
                        int64_t each, uint64_t seed, int64_t *rows)
{
    uint64_t stream = hg_hash_text("labels") & 0xFFFFFFFFu;
    int64_t count = 0;
    for (int c = 0; c < classes; c++) {
        int64_t found = 0;
        for (int64_t i = 0; i < n && found < each; i++) {
            int64_t row = hg_permuted(seed, stream, n, i);
            if (label[row] != c)
                continue;
            rows[count++] = row;
            found++;
        }
        if (found < each)
            return hg_fail(HG_ERROR_DATA,
                           "class %d has %lld items, %lld are needed", c,
                           (long long)found, (long long)each);
    }
    return true;
}
