/* distance.c - squared distances of all points of two sets, composed of
 * operations: |x - y|^2 = |x|^2 + |y|^2 - 2 x'y, one product for all. */
#include "ops/internal.h"

static bool points_fit(const hg_tensor *x, const hg_tensor *y)
{
    if (!hg_usable(x, "hg_cdist_squared: x") ||
        !hg_usable(y, "hg_cdist_squared: y"))
        return false;
    int a = x->shape.rank, b = y->shape.rank;
    return (a >= 2 && b >= 2 && x->shape.dim[a - 1] == y->shape.dim[b - 1]) ||
           hg_fail(HG_ERROR_SHAPE,
                   "hg_cdist_squared: points %s and %s; [..., n, d] and [..., "
                   "m, d] are needed",
                   HG_SHAPE_TEXT(x->shape), HG_SHAPE_TEXT(y->shape));
}

/* The mean of the points, [..., 1, d]. */
static hg_tensor *centre_of(hg_tensor *y)
{
    double m = (double)y->shape.dim[y->shape.rank - 2];
    return hg_scale(hg_sum(y, HG_KEEP(-2)), m > 0 ? 1 / m : 0);
}

/* Seen from the middle of y, since the squares of points far from 0 would
 * cancel; distances do not depend on where that is, nor do gradients. */
hg_tensor *hg_cdist_squared(hg_tensor *x, hg_tensor *y)
{
    if (!points_fit(x, y))
        return NULL;
    hg_tensor *centre = hg_detach(centre_of(y));
    x = hg_sub(x, centre);
    y = hg_sub(y, centre);
    hg_tensor *right = hg_unsqueeze(hg_sum(hg_square(y), HG_OVER(-1)), -2);
    hg_tensor *both = hg_add(hg_sum(hg_square(x), HG_KEEP(-1)), right);
    hg_tensor *inner = hg_matmul(x, hg_transpose(y));
    return hg_relu(hg_sub(both, hg_scale(inner, 2))); /* rounding: -1e-7 */
}
