/* pointwise.c - descriptors, rules and public functions of pointwise.def, and
 * the shape rule that broadcasting rests on. */
#include "ops/internal.h"
#include "ops/joint.h"
#include "ops/pointwise.h"
#include "ops/unary.h"

/* ---- Shapes ------------------------------------------------------------- */

bool hg_pointwise_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    for (int i = 1; i < z->arity; i++)
        if (!hg_shape_equal(*out, z->in[i]->shape))
            return hg_fail(HG_ERROR_SHAPE, "shapes %s and %s differ",
                           HG_SHAPE_TEXT(*out), HG_SHAPE_TEXT(z->in[i]->shape));
    return true;
}

/* The NumPy rule: sizes agree from the last axis on, or one of them is 1. */
bool hg_broadcast_shape(hg_shape a, hg_shape b, hg_shape *out)
{
    out->rank = a.rank > b.rank ? a.rank : b.rank;
    for (int i = 0; i < out->rank; i++) {
        int da = i - (out->rank - a.rank), db = i - (out->rank - b.rank);
        int64_t na = da < 0 ? 1 : a.dim[da], nb = db < 0 ? 1 : b.dim[db];
        if (na != nb && na != 1 && nb != 1)
            return hg_fail(HG_ERROR_SHAPE,
                           "cannot broadcast %s with %s: sizes %lld and %lld "
                           "of axis %d (counted from the end: %d) differ and "
                           "neither is 1; line the axes up with "
                           "hg_unsqueeze, hg_transpose or hg_reshape",
                           HG_SHAPE_TEXT(a), HG_SHAPE_TEXT(b), (long long)na,
                           (long long)nb, i, i - out->rank);
        out->dim[i] = na == 1 ? nb : na;
    }
    return true;
}

static hg_tensor *expanded(hg_tensor *t, hg_shape shape)
{
    return hg_shape_equal(shape, t->shape) ? t : hg_expand(t, shape);
}

bool hg_broadcast(const char *name, hg_tensor **x, hg_tensor **y)
{
    hg_ambient *here = hg_ambient_here();
    const char *outer = here->op;
    here->op = name;
    hg_shape shape;
    bool ok = hg_usable(*x, "input 0") && hg_usable(*y, "input 1") &&
              hg_broadcast_shape((*x)->shape, (*y)->shape, &shape);
    here->op = outer;
    if (!ok)
        return false;
    *x = expanded(*x, shape);
    *y = expanded(*y, shape);
    return *x && *y;
}

/* ---- Rules -------------------------------------------------------------- */

/* g h f'', the gradient of g f' in x; f'' has the inputs from z->in[1] on. */
static hg_tensor *curved(const hg_op *second, int64_t kernel, hg_tensor *z,
                         hg_tensor *h)
{
    hg_pointwise_attr attr = *(const hg_pointwise_attr *)z->attr;
    attr.kernel = kernel;
    return hg_mul(hg_mul(z->in[0], h),
                  hg_apply_n(second, &attr, z->in + 1, z->arity - 1));
}

/* Is a curvature of a row left out, being zero? */
#define IS_NONE(curvature)                                                     \
    (sizeof #curvature == sizeof "NONE" && #curvature[0] == 'N' &&             \
     #curvature[3] == 'E')

/* What a rule reads: x and y are inputs of the function, z its result. */
enum {
    NOTHING = HG_READS_NOTHING,
    X = HG_READS_IN(0),
    Z = HG_READS_OUT,
    XY = HG_READS_IN(0) | HG_READS_IN(1),
    XZ = X | Z,
    YZ = HG_READS_IN(1) | Z,
    XYZ = XY | Z
};

#define OPERATION(n, count, rule, what, text)                                  \
    static const hg_op n##_op = {                                              \
        .name = #n,                                                            \
        .arity = count,                                                        \
        .shape = hg_pointwise_shape,                                           \
        .attr_size = sizeof(hg_pointwise_attr),                                \
        .cpu = hg_pointwise_cpu,                                               \
        .cuda = HG_CUDA(hg_pointwise_cuda),                                    \
        .parts = hg_pointwise_parts,                                           \
        .backward = rule,                                                      \
        .reads = what,                                                         \
        .doc = text,                                                           \
    };

#define ATTR(n, a, b) (&(hg_pointwise_attr){HG_POINTWISE_##n, a, b})
#define SAME(n, z)                                                             \
    ATTR(n, ((const hg_pointwise_attr *)(z)->attr)->a,                         \
         ((const hg_pointwise_attr *)(z)->attr)->b)

/* z = f(x); n_dx = g f'(x), linear in g; n_d2 = f''(x). */
#define UNARY_RULES(n, what, curvature, text)                                  \
    OPERATION(n##_d2, 2, hg_unary_third, 0, "second derivative of " #n)        \
    static void n##_dx_backward(hg_tensor *, hg_tensor *, hg_tensor **);       \
    OPERATION(n##_dx, 3, n##_dx_backward, 0, "gradient of " #n)                \
    static void n##_dx_backward(hg_tensor *z, hg_tensor *h, hg_tensor **dx)    \
    {                                                                          \
        if (hg_needs(z, 0))                                                    \
            dx[0] = hg_apply(&n##_dx_op, z->attr, h, z->in[1], z->in[2]);      \
        if (hg_needs(z, 1) && !IS_NONE(curvature))                             \
            dx[1] = curved(&n##_d2_op, HG_POINTWISE_##n##_d2, z, h);           \
    }                                                                          \
    static void n##_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)       \
    {                                                                          \
        dx[0] = hg_apply(&n##_dx_op, SAME(n##_dx, z), g, z->in[0], z);         \
    }                                                                          \
    OPERATION(n, 1, n##_backward, what, text)

#define UNARY(n, value, gradient, reads, curvature, domain, doc)               \
    UNARY_RULES(n, reads, curvature, doc)                                      \
    hg_tensor *hg_##n(hg_tensor *x)                                            \
    {                                                                          \
        return hg_apply(&n##_op, ATTR(n, 0, 0), x);                            \
    }
#define UNARY_A(n, value, gradient, reads, curvature, domain, doc)             \
    UNARY_RULES(n, reads, curvature, doc)                                      \
    hg_tensor *hg_##n(hg_tensor *x, double a)                                  \
    {                                                                          \
        return hg_apply(&n##_op, ATTR(n, a, 0), x);                            \
    }
#define UNARY_AB(n, value, gradient, reads, curvature, domain, doc)            \
    UNARY_RULES(n, reads, curvature, doc)                                      \
    hg_tensor *hg_##n(hg_tensor *x, double a, double b)                        \
    {                                                                          \
        return hg_apply(&n##_op, ATTR(n, a, b), x);                            \
    }

#define PUBLIC_BINARY(n)                                                       \
    hg_tensor *hg_##n(hg_tensor *x, hg_tensor *y)                              \
    {                                                                          \
        return hg_broadcast(#n, &x, &y)                                        \
                   ? hg_apply(&n##_op, ATTR(n, 0, 0), x, y)                    \
                   : NULL;                                                     \
    }

/* The rule of n_dx(g, x, y, z) = g fx: in g it is itself, in x and y curved. */
#define BINARY_RULE(n, side, along_x, fx, along_y, fy)                         \
    static void n##_##side##_backward(hg_tensor *, hg_tensor *, hg_tensor **); \
    OPERATION(n##_##side, 4, n##_##side##_backward, 0, "gradient of " #n)      \
    static void n##_##side##_backward(hg_tensor *z, hg_tensor *h,              \
                                      hg_tensor **dx)                          \
    {                                                                          \
        if (hg_needs(z, 0))                                                    \
            dx[0] = hg_apply(&n##_##side##_op, z->attr, h, z->in[1], z->in[2], \
                             z->in[3]);                                        \
        if (hg_needs(z, 1) && !IS_NONE(fx))                                    \
            dx[1] = curved(&n##_##along_x##_op, HG_POINTWISE_##n##_##along_x,  \
                           z, h);                                              \
        if (hg_needs(z, 2) && !IS_NONE(fy))                                    \
            dx[2] = curved(&n##_##along_y##_op, HG_POINTWISE_##n##_##along_y,  \
                           z, h);                                              \
    }

#define BINARY(n, value, gx, gy, reads, fxx, fxy, fyy, domain, doc)            \
    OPERATION(n##_dxx, 3, hg_unary_third, 0, "second derivative of " #n)       \
    OPERATION(n##_dxy, 3, hg_unary_third, 0, "second derivative of " #n)       \
    OPERATION(n##_dyy, 3, hg_unary_third, 0, "second derivative of " #n)       \
    BINARY_RULE(n, dx, dxx, fxx, dxy, fxy)                                     \
    BINARY_RULE(n, dy, dxy, fxy, dyy, fyy)                                     \
    static void n##_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)       \
    {                                                                          \
        hg_tensor *x = z->in[0], *y = z->in[1];                                \
        if (hg_needs(z, 0))                                                    \
            dx[0] = hg_apply(&n##_dx_op, ATTR(n##_dx, 0, 0), g, x, y, z);      \
        if (hg_needs(z, 1))                                                    \
            dx[1] = hg_apply(&n##_dy_op, ATTR(n##_dy, 0, 0), g, x, y, z);      \
    }                                                                          \
    OPERATION(n, 2, n##_backward, reads, doc)                                  \
    PUBLIC_BINARY(n)

#define LINEAR(n, value, gx, gy, reads, domain, doc)                           \
    static void n##_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)       \
    {                                                                          \
        hg_tensor *x = z->in[0], *y = z->in[1];                                \
        (void)x, (void)y;                                                      \
        if (hg_needs(z, 0))                                                    \
            dx[0] = gx;                                                        \
        if (hg_needs(z, 1))                                                    \
            dx[1] = gy;                                                        \
    }                                                                          \
    OPERATION(n, 2, n##_backward, reads, doc)                                  \
    PUBLIC_BINARY(n)

#define COMPARE(n, value, doc)                                                 \
    OPERATION(n, 2, NULL, 0, doc)                                              \
    PUBLIC_BINARY(n)

#define TERNARY(n, value, doc)

#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"
