/* points.c - rows of doubles: out of tensors, and whether they are finite. */
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>

bool hg_doubles_of(const hg_tensor *t, int64_t n, double *out)
{
    if (t && hg_numel(t) != n)
        return hg_fail(HG_ERROR_SHAPE, "%lld values are needed, %s has %lld",
                       (long long)n, HG_SHAPE_TEXT(t->shape),
                       (long long)hg_numel(t));
    const hg_real *v = hg_fetch_values(t);
    for (int64_t i = 0; v && i < n; i++)
        out[i] = (double)v[i];
    return v != NULL;
}

bool hg_points_finite(hg_points p, const char *who)
{
    for (int64_t i = 0; i < p.count * p.width; i++)
        if (!isfinite(p.values[i]))
            return hg_fail(HG_ERROR_NONFINITE,
                           "%s: coordinate %lld of point %lld is %g", who,
                           (long long)(i % p.width), (long long)(i / p.width),
                           p.values[i]);
    return true;
}
