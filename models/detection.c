/* detection.c - areas under ROC and precision-recall curves, with intervals. */
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    double score;
    bool positive;
} item;

/* Larger scores first. */
static int by_score(const void *a, const void *b)
{
    double x = ((const item *)a)->score, y = ((const item *)b)->score;
    return (x < y) - (x > y);
}

/* Sorted items; NULL with an error. */
static item *sorted(hg_context *context, const char *who, const double *score,
                    const bool *positive, int64_t n, int64_t *positives)
{
    if (!hg_context_usable(context, who))
        return NULL;
    *positives = 0;
    for (int64_t i = 0; i < n; i++) {
        *positives += positive[i];
        if (!isfinite(score[i])) {
            hg_fail(HG_ERROR_NONFINITE, "%s: score %lld is %g", who,
                    (long long)i, score[i]);
            return NULL;
        }
    }
    if (*positives == 0 || *positives == n) {
        hg_fail(HG_ERROR_DATA,
                "%s: %lld of %lld items are positive; both kinds must occur",
                who, (long long)*positives, (long long)n);
        return NULL;
    }
    item *items = hg_memory_allocate(context, (size_t)n * sizeof *items);
    for (int64_t i = 0; items && i < n; i++)
        items[i] = (item){score[i], positive[i]};
    if (items)
        qsort(items, (size_t)n, sizeof *items, by_score);
    return items;
}

/* The end of the run of equal scores that begins at i. */
static int64_t tie_end(const item *items, int64_t n, int64_t i)
{
    int64_t j = i;
    while (j < n && items[j].score == items[i].score)
        j++;
    return j;
}

/* Sums of values and squares, for a variance. */
typedef struct {
    double n, sum, square;
} moments;

static void add(moments *m, double value, double times)
{
    m->n += times;
    m->sum += value * times;
    m->square += value * value * times;
}

static double variance(const moments *m)
{
    if (m->n < 2)
        return 0;
    return (m->square - m->sum * m->sum / m->n) / (m->n - 1);
}

static double within(double p)
{
    return fmax(0, fmin(1, p));
}

bool hg_auroc(hg_context *context, const double *score, const bool *positive,
              int64_t n, hg_interval *out)
{
    int64_t positives;
    item *items = sorted(context, "hg_auroc", score, positive, n, &positives);
    if (!items)
        return false;
    double p = (double)positives, q = (double)(n - positives);
    double above_p = 0, above_q = 0; /* items with larger scores */
    moments placed_p = {0, 0, 0}, placed_q = {0, 0, 0};
    for (int64_t i = 0, j; i < n; i = j) {
        double tied_p = 0;
        j = tie_end(items, n, i);
        for (int64_t k = i; k < j; k++)
            tied_p += items[k].positive;
        double tied_q = (double)(j - i) - tied_p;
        /* The share of the other kind that a positive outranks, and that
         * outranks a negative. */
        add(&placed_p, (q - above_q - tied_q / 2) / q, tied_p);
        add(&placed_q, (above_p + tied_p / 2) / p, tied_q);
        above_p += tied_p;
        above_q += tied_q;
    }
    hg_memory_release(context, items, (size_t)n * sizeof *items);
    double area = placed_p.sum / p;
    double half = 1.959963984540054 *
                  sqrt(variance(&placed_p) / p + variance(&placed_q) / q);
    *out = (hg_interval){area, within(area - half), within(area + half)};
    return true;
}

bool hg_auprc(hg_context *context, const double *score, const bool *positive,
              int64_t n, hg_interval *out)
{
    int64_t positives;
    item *items = sorted(context, "hg_auprc", score, positive, n, &positives);
    if (!items)
        return false;
    double p = (double)positives, found = 0, area = 0;
    for (int64_t i = 0, j; i < n; i = j) {
        double now = 0;
        j = tie_end(items, n, i);
        for (int64_t k = i; k < j; k++)
            now += items[k].positive;
        found += now;
        area += now / p * found / (double)j;
    }
    hg_memory_release(context, items, (size_t)n * sizeof *items);
    *out = (hg_interval){area, area, area};
    if (area > 0 && area < 1) {
        double centre = log(area / (1 - area));
        double half = 1.959963984540054 / sqrt(p * area * (1 - area));
        out->low = 1 / (1 + exp(half - centre));
        out->high = 1 / (1 + exp(-half - centre));
    }
    return true;
}
