/* neighbours.c - exact nearest neighbours, by matrix products:
 * |x - y|^2 = |x|^2 + |y|^2 - 2 x y', a tile of queries by points at a time. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { QUERIES_AT_ONCE = 250, POINTS_AT_ONCE = 2000, MOST_NEIGHBOURS = 128 };

typedef struct {
    hg_points points, queries;
    double *mean; /* of the points: differences of far points would cancel */
    int k;
    int32_t *index; /* [queries, k], nearest first */
    double *squared;
    /* The tile under way. */
    const hg_real *product;     /* [tall, wide] */
    const double *left, *right; /* squared lengths of its queries and points */
    int64_t query, point, wide;
} search;

/* Puts a point in its place among the nearest so far. */
static void offer(const search *s, int64_t query, int32_t point, double square)
{
    double *squared = s->squared + query * s->k;
    int32_t *index = s->index + query * s->k;
    int at = s->k - 1;
    if (!(square < squared[at]))
        return;
    for (; at > 0 && square < squared[at - 1]; at--) {
        squared[at] = squared[at - 1];
        index[at] = index[at - 1];
    }
    squared[at] = square;
    index[at] = point;
}

static void offer_range(void *argument, int64_t from, int64_t to)
{
    const search *s = argument;
    for (int64_t i = from; i < to; i++)
        for (int64_t j = 0; j < s->wide; j++)
            offer(s, s->query + i, (int32_t)(s->point + j),
                  fmax(0, s->left[i] + s->right[j] -
                              2 * (double)s->product[i * s->wide + j]));
}

/* Rows less the mean as a tensor [n, d], and their squared lengths. */
static hg_tensor *centred(const search *s, hg_points p, int64_t from, int64_t n,
                          double *length)
{
    hg_tensor *t = hg_full(HG_SHAPE(n, p.width), 0);
    hg_real *out = hg_room_for(t);
    for (int64_t i = 0; out && i < n; i++) {
        length[i] = 0;
        for (int64_t j = 0; j < p.width; j++) {
            hg_real v =
                (hg_real)(p.values[(from + i) * p.width + j] - s->mean[j]);
            out[i * p.width + j] = v;
            length[i] += (double)v * (double)v;
        }
    }
    return hg_send_values(t, out) ? t : NULL;
}

static bool search_tile(hg_context *context, search *s, hg_tensor *x,
                        int64_t tall, int64_t from)
{
    int64_t left = s->points.count - from;
    double length[POINTS_AT_ONCE];
    s->point = from;
    s->wide = left < POINTS_AT_ONCE ? left : POINTS_AT_ONCE;
    s->right = length;
    hg_scope *scope = hg_scope_open(context, HG_EVAL);
    hg_tensor *y = scope ? centred(s, s->points, from, s->wide, length) : NULL;
    hg_tensor *product = hg_matmul(x, hg_transpose(y));
    s->product = hg_fetch_values(product);
    if (s->product)
        hg_parallel_for(context->threads, tall, 16, offer_range, s);
    if (scope)
        hg_scope_close(scope);
    return s->product != NULL;
}

static bool search_queries(hg_context *context, search *s, int64_t from)
{
    int64_t left = s->queries.count - from;
    int64_t n = left < QUERIES_AT_ONCE ? left : QUERIES_AT_ONCE;
    double length[QUERIES_AT_ONCE];
    s->query = from;
    s->left = length;
    hg_scope *scope = hg_scope_open(context, HG_EVAL);
    hg_tensor *x = scope ? centred(s, s->queries, from, n, length) : NULL;
    bool ok = x != NULL;
    for (int64_t at = 0; ok && at < s->points.count; at += POINTS_AT_ONCE)
        ok = search_tile(context, s, x, n, at);
    if (scope)
        hg_scope_close(scope);
    return ok;
}

static bool search_all(hg_context *context, search *s)
{
    int64_t d = s->points.width, n = s->points.count;
    memset(s->mean, 0, (size_t)d * sizeof *s->mean);
    for (int64_t i = 0; i < n * d; i++)
        s->mean[i % d] += s->points.values[i] / (double)n;
    for (int64_t i = 0; i < s->queries.count * s->k; i++)
        s->squared[i] = INFINITY;
    for (int64_t at = 0; at < s->queries.count; at += QUERIES_AT_ONCE)
        if (!search_queries(context, s, at))
            return false;
    return true;
}

bool hg_nearest(hg_context *context, hg_points points, hg_points queries, int k,
                int32_t *index, double *squared)
{
    if (!hg_context_usable(context, "hg_nearest"))
        return false;
    if (points.width != queries.width || points.width < 1 || k < 1 ||
        k > MOST_NEIGHBOURS || points.count < k)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_nearest: %d of [%lld, %lld] nearest to [%lld, "
                       "%lld]; widths must be equal, and 1 to %d be asked for",
                       k, (long long)points.count, (long long)points.width,
                       (long long)queries.count, (long long)queries.width,
                       MOST_NEIGHBOURS);
    if (!hg_points_finite(points, "hg_nearest") ||
        !hg_points_finite(queries, "hg_nearest"))
        return false;
    int64_t own = squared ? 0 : queries.count * k;
    size_t size = (size_t)(points.width + own) * sizeof(double);
    double *room = hg_memory_allocate(context, size);
    if (!room)
        return false;
    search s = {.points = points, .queries = queries, .mean = room, .k = k};
    s.index = index;
    s.squared = squared ? squared : room + points.width;
    bool ok = search_all(context, &s);
    hg_memory_release(context, room, size);
    return ok;
}

/* ---- Votes -------------------------------------------------------------- */

/* Neighbours come nearest first, so the first class to reach the most votes
 * among equals is that with the nearest. */
static int32_t vote(const int32_t *index, const int32_t *label, int k)
{
    int most = 0;
    int32_t winner = -1;
    for (int i = 0; i < k; i++) {
        int votes = 0;
        for (int j = 0; j < k; j++)
            votes += label[index[j]] == label[index[i]];
        if (votes > most) {
            most = votes;
            winner = label[index[i]];
        }
    }
    return winner;
}

bool hg_knn_accuracy(hg_context *context, hg_points train, const int32_t *label,
                     hg_points test, const int32_t *test_label, int k,
                     double *accuracy)
{
    if (!hg_context_usable(context, "hg_knn_accuracy"))
        return false;
    int64_t right = 0;
    size_t size = (size_t)(test.count * k + 1) * sizeof(int32_t);
    int32_t *index = k > 0 ? hg_memory_allocate(context, size) : NULL;
    bool ok =
        (index || k < 1) && hg_nearest(context, train, test, k, index, NULL);
    for (int64_t i = 0; ok && i < test.count; i++)
        right += vote(index + i * k, label, k) == test_label[i];
    *accuracy = (double)right / (double)test.count;
    if (index)
        hg_memory_release(context, index, size);
    return ok;
}
