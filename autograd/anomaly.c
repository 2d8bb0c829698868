/* anomaly.c - which operation made the first NaN or infinity, and from what.
 */
#include "autograd/internal.h"

#include <math.h>

typedef struct {
    int64_t nan, infinite;
    double min, max, mean; /* of the finite values */
} statistics;

static statistics statistics_of(const hg_real *x, int64_t n)
{
    statistics s = {.min = INFINITY, .max = -INFINITY};
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i])) {
            s.nan++;
        } else if (isinf(x[i])) {
            s.infinite++;
        } else {
            s.min = fmin(s.min, (double)x[i]);
            s.max = fmax(s.max, (double)x[i]);
            s.mean += (double)x[i];
        }
    }
    int64_t finite = n - s.nan - s.infinite;
    s.mean /= finite ? (double)finite : 1;
    return s;
}

/* Values may lie on a device, with others between them. */
static bool fetch_statistics(const hg_tensor *t, statistics *s)
{
    hg_region *r = &hg_scope_here()->owner.region;
    size_t bytes = (size_t)hg_numel(t) * sizeof(hg_real);
    hg_real *dense = hg_region_take(r, bytes);
    if (!dense || !hg_gather_values(t, dense))
        return false;
    *s = statistics_of(dense, hg_numel(t));
    hg_region_give(r, dense, bytes);
    return true;
}

/* The result of an operation is dense. */
static bool all_finite(const hg_tensor *z)
{
    statistics s;
    if (z->storage->context->gpu)
        return !fetch_statistics(z, &s) || !(s.nan + s.infinite);
    const hg_real *x = hg_data(z);
    bool finite = true;
    for (int64_t i = 0, n = hg_numel(z); i < n; i++)
        finite &= isfinite(x[i]) != 0;
    return finite;
}

static int describe(char *text, size_t size, int i, const hg_tensor *t,
                    const statistics *s)
{
    return snprintf(text, size,
                    "; input %d %s: min %.4g, max %.4g, mean %.4g, %lld bad", i,
                    HG_SHAPE_TEXT(t->shape), s->min, s->max, s->mean,
                    (long long)(s->nan + s->infinite));
}

static bool fail_with(const hg_tensor *z, const char *inputs)
{
    statistics s;
    if (!fetch_statistics(z, &s))
        return false;
    bool backward = z->storage->context->in_pass;
    return hg_fail(HG_ERROR_NONFINITE,
                   "made the first non-finite values%s: %lld NaN and %lld "
                   "infinite of %lld in %s%s",
                   backward ? " in the backward pass" : "", (long long)s.nan,
                   (long long)s.infinite, (long long)hg_numel(z),
                   HG_SHAPE_TEXT(z->shape), inputs);
}

bool hg_anomaly_check(const hg_tensor *z)
{
    /* A constant is what was asked for; a view has no values of its own. */
    if (z->dtype != HG_REAL || z->op->view || !z->arity || all_finite(z))
        return true;
    char text[600] = "";
    size_t at = 0;
    for (int i = 0; i < z->arity; i++) {
        statistics s;
        if (z->in[i]->dtype != HG_REAL)
            continue;
        if (!fetch_statistics(z->in[i], &s))
            return false;
        if (s.nan + s.infinite)
            return true; /* it came in from outside */
        if (at < sizeof text)
            at +=
                (size_t)describe(text + at, sizeof text - at, i, z->in[i], &s);
    }
    return fail_with(z, text);
}
