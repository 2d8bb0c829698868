/* match.c - do codes look like draws from the prior? Two-sample statistics of
 * Kolmogorov and Smirnov on the marginals. */
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>
#include <stdlib.h>

/* Quantile of Kolmogorov's distribution: sqrt(log(2 / 0.01) / 2). */
#define ONE_IN_A_HUNDRED 1.6276236307187293

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest distance of two empirical distributions; sorts both. */
static double largest_gap(double *a, double *b, int64_t n)
{
    double gap = 0;
    int64_t i = 0, j = 0;
    qsort(a, (size_t)n, sizeof *a, by_size);
    qsort(b, (size_t)n, sizeof *b, by_size);
    while (i < n && j < n) {
        double at = a[i] < b[j] ? a[i] : b[j];
        while (i < n && a[i] <= at)
            i++;
        while (j < n && b[j] <= at)
            j++;
        gap = fmax(gap, fabs((double)(i - j)) / (double)n);
    }
    return gap;
}

bool hg_prior_match(hg_context *context, const double *codes,
                    const double *draws, int64_t n, int64_t d, hg_match *match)
{
    if (!hg_context_usable(context, "hg_prior_match"))
        return false;
    if (!codes || !draws || n < 1 || d < 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_prior_match: codes and draws of at least one point "
                       "are needed");
    size_t size = (size_t)(2 * n) * sizeof(double);
    double *column = hg_memory_allocate(context, size);
    if (!column)
        return false;
    *match = (hg_match){.line = ONE_IN_A_HUNDRED * sqrt(2 / (double)n)};
    for (int64_t k = 0; k < d; k++) {
        for (int64_t i = 0; i < n; i++) {
            column[i] = codes[i * d + k];
            column[n + i] = draws[i * d + k];
        }
        double gap = largest_gap(column, column + n, n);
        match->mean += gap / (double)d;
        match->worst = fmax(match->worst, gap);
        match->within += gap < match->line;
    }
    hg_memory_release(context, column, size);
    return true;
}
