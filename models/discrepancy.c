/* discrepancy.c - how far two sets of points are from one distribution, by
 * kernels: maximum mean discrepancy (Gretton et al., 2012). */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>

typedef struct {
    hg_points a, b;
    double scale;
    double *each; /* [a.count]: sums over b, but for the same place in `self` */
    bool self;
} pairs;

/* The kernel; of scale 0 it tells equal points from others. */
static double kernel(double scale, double square)
{
    return square > 0 ? scale / (scale + square) : 1;
}

static void sum_range(void *argument, int64_t from, int64_t to)
{
    const pairs *p = argument;
    int64_t d = p->a.width;
    for (int64_t i = from; i < to; i++) {
        p->each[i] = 0;
        for (int64_t j = 0; j < p->b.count; j++) {
            double square = 0;
            for (int64_t k = 0; k < d; k++) {
                double off = p->a.values[i * d + k] - p->b.values[j * d + k];
                square += off * off;
            }
            if (!p->self || i != j)
                p->each[i] += kernel(p->scale, square);
        }
    }
}

/* The mean of the kernel over pairs. */
static double mean_kernel(hg_context *context, pairs p)
{
    double sum = 0, n = (double)p.a.count, m = (double)p.b.count;
    hg_parallel_for(context->threads, p.a.count, 8, sum_range, &p);
    for (int64_t i = 0; i < p.a.count; i++)
        sum += p.each[i];
    return sum / (n * (p.self ? m - 1 : m));
}

static double mean_variance(hg_points p)
{
    double total = 0, n = (double)p.count;
    for (int64_t j = 0; j < p.width; j++) {
        double mean = 0, square = 0;
        for (int64_t i = 0; i < p.count; i++)
            mean += p.values[i * p.width + j] / n;
        for (int64_t i = 0; i < p.count; i++)
            square += pow(p.values[i * p.width + j] - mean, 2);
        total += square / n / (double)p.width;
    }
    return total;
}

bool hg_mmd(hg_context *context, hg_points a, hg_points b, double *squared)
{
    if (!hg_context_usable(context, "hg_mmd"))
        return false;
    if (a.width != b.width || a.width < 1 || a.count < 2 || b.count < 2)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_mmd: two sets of at least two points of one width "
                       "are needed, not [%lld, %lld] and [%lld, %lld]",
                       (long long)a.count, (long long)a.width,
                       (long long)b.count, (long long)b.width);
    if (!hg_points_finite(a, "hg_mmd: the first set") ||
        !hg_points_finite(b, "hg_mmd: the second set"))
        return false;
    int64_t most = a.count > b.count ? a.count : b.count;
    size_t size = (size_t)most * sizeof(double);
    double *each = hg_memory_allocate(context, size);
    if (!each)
        return false;
    double scale = 2 * (double)a.width * mean_variance(b);
    *squared = mean_kernel(context, (pairs){a, a, scale, each, true}) +
               mean_kernel(context, (pairs){b, b, scale, each, true}) -
               2 * mean_kernel(context, (pairs){a, b, scale, each, false});
    hg_memory_release(context, each, size);
    return true;
}
