/* unary.c - what all functions defined with HG_UNARY share. */
#include "ops/unary.h"
#include "ops/internal.h"
#include "ops/pointwise.h"

bool hg_unary_shape(hg_tensor *z, hg_shape *out)
{
    return hg_pointwise_shape(z, out);
}

void hg_unary_third(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)g;
    (void)dx;
    hg_fail(HG_ERROR_STATE,
            "third derivatives are not available (%s); write the function "
            "with operations that have them (add, sub, mul, div)",
            z->op->doc);
}

/* z = g f'(x), inputs g, x and f(x): linear in g, and g h f'' in x. */
void hg_unary_second(hg_tensor *z, hg_tensor *h, hg_tensor **dx,
                     const hg_op *curvature)
{
    hg_tensor *g = z->in[0], *x = z->in[1], *y = z->in[2];
    if (hg_needs(z, 0))
        dx[0] = hg_apply(z->op, NULL, h, x, y);
    if (hg_needs(z, 1))
        dx[1] = hg_mul(hg_mul(g, h), hg_apply(curvature, NULL, x, y));
}
