/* kmeans.c - Lloyd's algorithm from k-means++ starts: each further start is
 * drawn with a probability that grows with its squared distance from those
 * chosen (Arthur and Vassilvitskii, 2007). */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"
#include "tensor/random.h"

#include <math.h>
#include <string.h>

enum { MOST_ROUNDS = 100 };

typedef struct {
    hg_points p;
    int k;
    const double *centres;
    int32_t *group;
    double *distance; /* squared, to the nearest centre */
} assignment;

static double squared_distance(const double *a, const double *b, int64_t d)
{
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

static void assign_range(void *argument, int64_t from, int64_t to)
{
    const assignment *a = argument;
    int64_t d = a->p.width;
    for (int64_t i = from; i < to; i++) {
        a->distance[i] = INFINITY;
        for (int c = 0; c < a->k; c++) {
            double s =
                squared_distance(a->p.values + i * d, a->centres + c * d, d);
            if (s < a->distance[i]) {
                a->distance[i] = s;
                a->group[i] = c;
            }
        }
    }
}

/* The sum of squared distances to the nearest centres. */
static double assign(hg_context *context, assignment *a)
{
    double sum = 0;
    hg_parallel_for(context->threads, a->p.count, 64, assign_range, a);
    for (int64_t i = 0; i < a->p.count; i++)
        sum += a->distance[i];
    return sum;
}

static int64_t pick(const double *weight, int64_t n, double share)
{
    double total = 0, sum = 0;
    for (int64_t i = 0; i < n; i++)
        total += weight[i];
    for (int64_t i = 0; i < n; i++) {
        sum += weight[i];
        if (sum > share * total)
            return i;
    }
    return (int64_t)(share * (double)n); /* all weights are zero */
}

static void seed_centres(hg_context *context, assignment *a, double *centres,
                         uint64_t seed, int try)
{
    hg_philox draw = hg_philox_make(seed, HG_DOMAIN_DATA,
                                    hg_hash_text("k-means") + (uint64_t)try);
    int64_t d = a->p.width;
    int k = a->k;
    for (int64_t i = 0; i < a->p.count; i++)
        a->distance[i] = 1;
    for (int c = 0; c < k; c++) {
        double share =
            (double)hg_word_uniform(hg_philox_word(&draw, (uint64_t)c));
        int64_t i = pick(a->distance, a->p.count, share);
        memcpy(centres + c * d, a->p.values + i * d,
               (size_t)d * sizeof *centres);
        a->k = c + 1;
        assign(context, a);
    }
    a->k = k;
}

/* Means of the groups; an empty one keeps its centre. */
static void move_centres(const assignment *a, double *centres, double *sums)
{
    int64_t d = a->p.width;
    int64_t size = a->k * (d + 1);
    double *count = sums + a->k * d;
    memset(sums, 0, (size_t)size * sizeof *sums);
    for (int64_t i = 0; i < a->p.count; i++) {
        count[a->group[i]]++;
        for (int64_t j = 0; j < d; j++)
            sums[a->group[i] * d + j] += a->p.values[i * d + j];
    }
    for (int c = 0; c < a->k; c++)
        for (int64_t j = 0; count[c] > 0 && j < d; j++)
            centres[c * d + j] = sums[c * d + j] / count[c];
}

static double descend(hg_context *context, assignment *a, double *centres,
                      double *sums)
{
    double before = INFINITY, now = assign(context, a);
    for (int round = 0; round < MOST_ROUNDS && now < before; round++) {
        move_centres(a, centres, sums);
        before = now;
        now = assign(context, a);
    }
    return now;
}

static void run_tries(hg_context *context, assignment *a, int tries,
                      uint64_t seed, double *own, double *centres,
                      int32_t *group)
{
    int64_t size = a->k * a->p.width;
    double best = INFINITY, *sums = own + size;
    for (int try = 0; try < tries || try == 0; try++) {
        seed_centres(context, a, own, seed, try);
        double spread = descend(context, a, own, sums);
        if (!(spread < best) && try > 0)
            continue;
        best = spread;
        memcpy(centres, own, (size_t)size * sizeof *own);
        memcpy(group, a->group, (size_t)a->p.count * sizeof *group);
    }
}

bool hg_kmeans(hg_context *context, hg_points p, int k, int tries,
               uint64_t seed, double *centres, int32_t *group)
{
    if (!hg_context_usable(context, "hg_kmeans"))
        return false;
    if (k < 1 || p.count < k || p.width < 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_kmeans: %lld points of width %lld cannot make %d "
                       "groups",
                       (long long)p.count, (long long)p.width, k);
    if (!hg_points_finite(p, "hg_kmeans"))
        return false;
    int64_t numbers = 2 * k * p.width + k + p.count;
    size_t size =
        (size_t)numbers * sizeof(double) + (size_t)p.count * sizeof(int32_t);
    double *own = hg_memory_allocate(context, size);
    if (!own)
        return false;
    assignment a = {p, k, own, (int32_t *)(own + numbers),
                    own + numbers - p.count};
    memset(a.group, 0, (size_t)p.count * sizeof *a.group);
    run_tries(context, &a, tries, seed, own, centres, group);
    hg_memory_release(context, own, size);
    return true;
}
