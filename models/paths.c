/* paths.c - ways between codes, and where columns of codes lie. */
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>
#include <stdlib.h>

/* a times u plus b times v. */
static void blend(const double *a, double u, const double *b, double v,
                  int64_t d, double *out)
{
    for (int64_t j = 0; j < d; j++)
        out[j] = u * a[j] + v * b[j];
}

static double share(int64_t i, int64_t steps)
{
    return steps > 1 ? (double)i / (double)(steps - 1) : 0;
}

void hg_line(const double *a, const double *b, int64_t d, int64_t steps,
             double *out)
{
    for (int64_t i = 0; i < steps; i++) {
        double t = share(i, steps);
        blend(a, 1 - t, b, t, d, out + i * d);
    }
}

static double dot(const double *a, const double *b, int64_t d)
{
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += a[j] * b[j];
    return sum;
}

void hg_arc(const double *a, const double *b, int64_t d, int64_t steps,
            double *out)
{
    double la = sqrt(dot(a, a, d)), lb = sqrt(dot(b, b, d));
    double cosine = la > 0 && lb > 0 ? dot(a, b, d) / (la * lb) : 1;
    double angle = acos(fmax(-1, fmin(1, cosine))), sine = sin(angle);
    if (!(sine > 1e-9)) { /* one direction, or opposite ones: no arc */
        hg_line(a, b, d, steps, out);
        return;
    }
    for (int64_t i = 0; i < steps; i++) {
        double t = share(i, steps), length = (1 - t) * la + t * lb;
        double u = length * sin((1 - t) * angle) / (sine * la);
        double v = length * sin(t * angle) / (sine * lb);
        blend(a, u, b, v, d, out + i * d);
    }
}

/* ---- Columns ------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool hg_quantiles(hg_context *context, hg_points p, int64_t j, int64_t n,
                  double *out)
{
    if (!hg_context_usable(context, "hg_quantiles"))
        return false;
    if (p.count < 1 || j < 0 || j >= p.width)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_quantiles: no column %lld in points [%lld, %lld]",
                       (long long)j, (long long)p.count, (long long)p.width);
    size_t size = (size_t)p.count * sizeof(double);
    double *column = hg_memory_allocate(context, size);
    if (!column)
        return false;
    for (int64_t i = 0; i < p.count; i++)
        column[i] = p.values[i * p.width + j];
    qsort(column, (size_t)p.count, sizeof *column, by_size);
    for (int64_t i = 0; i < n; i++) {
        double at = ((double)i + 0.5) / (double)n * (double)p.count - 0.5;
        int64_t low = at > 0 ? (int64_t)at : 0;
        int64_t high = low + 1 < p.count ? low + 1 : low;
        double part = fmax(0, at - (double)low);
        out[i] = (1 - part) * column[low] + part * column[high];
    }
    hg_memory_release(context, column, size);
    return true;
}

void hg_moments(hg_points p, double *mean, double *std)
{
    for (int64_t j = 0; j < p.width; j++) {
        double sum = 0, square = 0;
        for (int64_t i = 0; i < p.count; i++)
            sum += p.values[i * p.width + j];
        mean[j] = p.count ? sum / (double)p.count : 0;
        for (int64_t i = 0; i < p.count; i++) {
            double off = p.values[i * p.width + j] - mean[j];
            square += off * off;
        }
        std[j] = p.count ? sqrt(square / (double)p.count) : 0;
    }
}

/* Does item a come before item b? Equal values keep their order. */
static bool before(const double *values, int64_t a, int64_t b)
{
    return values[a] > values[b] || (values[a] == values[b] && a < b);
}

/* Lets the item at `at` of a heap, the last in order on top, sink. */
static void sink(const double *values, int64_t *order, int64_t at, int64_t n)
{
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && before(values, order[child], order[child + 1]))
            child++;
        if (before(values, order[child], order[at]))
            return;
        int64_t item = order[at];
        order[at] = order[child];
        order[child] = item;
    }
}

void hg_order(const double *values, int64_t n, int64_t *order)
{
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    for (int64_t i = n / 2; i-- > 0;)
        sink(values, order, i, n);
    for (int64_t left = n; left-- > 1;) {
        int64_t last = order[0];
        order[0] = order[left];
        order[left] = last;
        sink(values, order, 0, left);
    }
}
