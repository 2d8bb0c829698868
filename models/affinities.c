/* affinities.c - which points belong together, for t-SNE: exact neighbours,
 * and Gaussians around each point that are as wide as the perplexity asks. */
#include "models/tsne.h"

#include <math.h>
#include <string.h>

typedef struct {
    hg_points p;
    double perplexity;
    int64_t k;
    int32_t *neighbour; /* [n, k], unordered */
    double *value;      /* [n, k]: squared distance, then p_j|i */
} search;

/* ---- Neighbours --------------------------------------------------------- */

static double squared_distance(const double *a, const double *b, int64_t d)
{
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

/* Lets the value at place 0 of a heap, largest first, sink. */
static void sink(double *value, int32_t *index, int64_t k)
{
    for (int64_t at = 0, next; (next = 2 * at + 1) < k; at = next) {
        if (next + 1 < k && value[next + 1] > value[next])
            next++;
        if (value[at] >= value[next])
            return;
        double v = value[at];
        int32_t i = index[at];
        value[at] = value[next];
        index[at] = index[next];
        value[next] = v;
        index[next] = i;
    }
}

static void nearest_of(const search *s, int64_t i)
{
    double *value = s->value + i * s->k;
    int32_t *index = s->neighbour + i * s->k;
    int64_t d = s->p.width;
    for (int64_t c = 0; c < s->k; c++)
        value[c] = INFINITY;
    for (int64_t j = 0; j < s->p.count; j++) {
        if (j == i)
            continue;
        double square =
            squared_distance(s->p.values + i * d, s->p.values + j * d, d);
        if (square < value[0]) {
            value[0] = square;
            index[0] = (int32_t)j;
            sink(value, index, s->k);
        }
    }
}

/* ---- Widths ------------------------------------------------------------- */

/* Weights exp(-precision (square - least)) and the entropy of their shares. */
static double entropy_of(const double *square, int64_t k, double precision,
                         double least, double *sum)
{
    double mean = 0;
    *sum = 0;
    for (int64_t c = 0; c < k; c++) {
        double w = exp(-precision * (square[c] - least));
        *sum += w;
        mean += w * (square[c] - least);
    }
    return log(*sum) + precision * mean / *sum;
}

/* Squared distances become p_j|i with the entropy log(perplexity). */
static void condition(double *value, int64_t k, double perplexity)
{
    double low = 0, high = INFINITY, precision = 1, sum = 1, least = value[0];
    double mean = 0;
    for (int64_t c = 0; c < k; c++) {
        least = fmin(least, value[c]);
        mean += value[c] / (double)k;
    }
    if (mean - least > 0)
        precision = 1 / (mean - least);
    for (int step = 0; step < 200; step++) {
        double gap =
            entropy_of(value, k, precision, least, &sum) - log(perplexity);
        if (fabs(gap) < 1e-10)
            break;
        if (gap > 0)
            low = precision;
        else
            high = precision;
        precision = isinf(high) ? 2 * precision : (low + high) / 2;
    }
    entropy_of(value, k, precision, least, &sum);
    for (int64_t c = 0; c < k; c++)
        value[c] = exp(-precision * (value[c] - least)) / sum;
}

static void search_range(void *argument, int64_t from, int64_t to)
{
    const search *s = argument;
    for (int64_t i = from; i < to; i++) {
        nearest_of(s, i);
        condition(s->value + i * s->k, s->k, s->perplexity);
    }
}

/* ---- Symmetry ----------------------------------------------------------- */

static double *find(hg_affinities *a, const int64_t *filled, int64_t i,
                    int32_t j)
{
    for (int64_t at = a->start[i]; at < filled[i]; at++)
        if (a->column[at] == j)
            return &a->p[at];
    return NULL;
}

static void add_pair(hg_affinities *a, int64_t *filled, int64_t i, int32_t j,
                     double p)
{
    double *there = find(a, filled, i, j);
    if (there) {
        *there += p;
        return;
    }
    a->column[filled[i]] = j;
    a->p[filled[i]++] = p;
}

/* Room for k own entries and one for each point that names this one. */
static void reserve(hg_affinities *a, const search *s, int64_t *filled)
{
    for (int64_t i = 0; i <= s->p.count; i++)
        a->start[i] = i ? s->k : 0;
    for (int64_t c = 0; c < s->p.count * s->k; c++)
        a->start[s->neighbour[c] + 1]++;
    for (int64_t i = 0; i < s->p.count; i++) {
        a->start[i + 1] += a->start[i];
        filled[i] = a->start[i];
    }
}

/* Closes the gaps that pairs named twice have left. */
static void compact(hg_affinities *a, const int64_t *filled)
{
    int64_t to = 0;
    for (int64_t i = 0; i < a->n; i++) {
        int64_t from = a->start[i], n = filled[i] - from;
        memmove(a->column + to, a->column + from, (size_t)n * sizeof(int32_t));
        memmove(a->p + to, a->p + from, (size_t)n * sizeof(double));
        a->start[i] = to;
        to += n;
    }
    a->start[a->n] = to;
}

static void symmetrise(hg_affinities *a, const search *s, int64_t *filled)
{
    double half = 1 / (2 * (double)s->p.count);
    reserve(a, s, filled);
    for (int64_t i = 0; i < s->p.count; i++)
        for (int64_t c = i * s->k; c < (i + 1) * s->k; c++) {
            add_pair(a, filled, i, s->neighbour[c], half * s->value[c]);
            add_pair(a, filled, s->neighbour[c], (int32_t)i,
                     half * s->value[c]);
        }
    compact(a, filled);
}

bool hg_affinities_make(hg_context *context, hg_region *region, hg_points p,
                        double perplexity, hg_affinities *a)
{
    size_t n = (size_t)p.count, k = (size_t)(3 * perplexity);
    k = k < 1 ? 1 : k > n - 1 ? n - 1 : k;
    search s = {p, perplexity, (int64_t)k, NULL, NULL};
    s.neighbour = hg_region_take(region, n * k * sizeof(int32_t));
    s.value = hg_region_take(region, n * k * sizeof(double));
    int64_t *filled = hg_region_take(region, n * sizeof *filled);
    a->n = p.count;
    a->start = hg_region_take(region, (n + 1) * sizeof *a->start);
    a->column = hg_region_take(region, 2 * n * k * sizeof *a->column);
    a->p = hg_region_take(region, 2 * n * k * sizeof *a->p);
    if (!s.neighbour || !s.value || !filled || !a->start || !a->column || !a->p)
        return false;
    hg_parallel_for(context->threads, p.count, 8, search_range, &s);
    symmetrise(a, &s, filled);
    return true;
}
