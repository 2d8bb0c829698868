/* pointwise.c - descriptors, rules and public functions of pointwise.def, and
 * the one loop over strided tensors that all of its kernels share. */
#include "ops/internal.h"
#include "ops/pointwise.h"

#include <string.h>

/* ---- The loop
 * ------------------------------------------------------------------ */

/* The iteration space with needless axes merged away. */
typedef struct {
    const hg_kernel *kernel;
    hg_pointwise_run *run;
    hg_real a, b;
    int rank;
    int64_t dim[HG_MAX_RANK];
    int64_t stride[HG_MAX_INPUTS][HG_MAX_RANK];
} walk;

/* Can axis d of the output be walked as one with the last axis of w? */
static bool merges(const walk *w, const hg_kernel *k, int d)
{
    int last = w->rank - 1;
    for (int i = 0; i < k->arity; i++)
        if (w->stride[i][last] != k->in_stride[i][d] * k->out_shape.dim[d])
            return false;
    return true;
}

static void add_axis(walk *w, const hg_kernel *k, int d)
{
    int64_t size = k->out_shape.dim[d];
    if (size == 1)
        return;
    if (w->rank && merges(w, k, d))
        w->dim[w->rank - 1] *= size;
    else
        w->dim[w->rank++] = size;
    for (int i = 0; i < k->arity; i++)
        w->stride[i][w->rank - 1] = k->in_stride[i][d];
}

static walk plan(const hg_kernel *k, hg_pointwise_run *run)
{
    const hg_pointwise_attr *attr = k->attr;
    walk w = {.kernel = k, .run = run};
    w.a = (hg_real)attr->a;
    w.b = (hg_real)attr->b;
    for (int d = 0; d < k->out_shape.rank; d++)
        add_axis(&w, k, d);
    if (!w.rank) {
        w.rank = 1;
        w.dim[0] = 1;
    }
    return w;
}

/* Elements from ... to of the output, run by run along the last axis. */
static void run_range(void *argument, int64_t from, int64_t to)
{
    const walk *w = argument;
    const hg_kernel *k = w->kernel;
    int last = w->rank - 1;
    int64_t length = w->dim[last], step[HG_MAX_INPUTS];
    for (int i = 0; i < k->arity; i++)
        step[i] = w->stride[i][last];
    while (from < to) {
        int64_t row = from / length, skip = from % length;
        int64_t n = length - skip < to - from ? length - skip : to - from;
        const hg_real *in[HG_MAX_INPUTS];
        for (int i = 0; i < k->arity; i++) {
            int64_t rest = row;
            in[i] = k->in[i] + skip * step[i];
            for (int d = last - 1; d >= 0; d--) {
                in[i] += rest % w->dim[d] * w->stride[i][d];
                rest /= w->dim[d];
            }
        }
        w->run(k->out + from, in, step, n, w->a, w->b);
        from += n;
    }
}

static hg_pointwise_run *choose(const hg_kernel *k)
{
    int64_t kernel = ((const hg_pointwise_attr *)k->attr)->kernel;
    if (k->reference)
        return hg_pointwise_reference[kernel];
#if defined(__x86_64__) && !defined(HG_DOUBLE)
    if (k->isa == HG_ISA_V4)
        return hg_pointwise_v4[kernel];
    if (k->isa == HG_ISA_V3)
        return hg_pointwise_v3[kernel];
#endif
    return hg_pointwise_base[kernel];
}

void hg_pointwise_cpu(const hg_kernel *k)
{
    walk w = plan(k, choose(k));
    hg_parallel_for(k->threads, k->n, 1 << 14, run_range, &w);
}

/* ---- Shapes
 * ---------------------------------------------------------------------- */

static bool pointwise_shape(hg_tensor *z, hg_shape *out)
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
                           "neither is 1",
                           HG_SHAPE_TEXT(a), HG_SHAPE_TEXT(b), (long long)na,
                           (long long)nb, i, i - out->rank);
        out->dim[i] = na == 1 ? nb : na;
    }
    return true;
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
    if (!hg_shape_equal(shape, (*x)->shape))
        *x = hg_expand(*x, shape);
    if (!hg_shape_equal(shape, (*y)->shape))
        *y = hg_expand(*y, shape);
    return *x && *y;
}

/* ---- Rules
 * -------------------------------------------------------------------------- */

static void third_derivative(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)g;
    (void)dx;
    hg_fail(HG_ERROR_STATE,
            "third derivatives of %s are not available; write the function "
            "with operations that have them (add, sub, mul, div)",
            z->op->name);
}

#define OPERATION(n, count, rule, text)                                        \
    static const hg_op n##_op = {                                              \
        .name = #n,                                                            \
        .arity = count,                                                        \
        .shape = pointwise_shape,                                              \
        .attr_size = sizeof(hg_pointwise_attr),                                \
        .cpu = hg_pointwise_cpu,                                               \
        .backward = rule,                                                      \
        .doc = text,                                                           \
    };

#define ATTR(n, a, b) (&(hg_pointwise_attr){HG_POINTWISE_##n, a, b})
#define SAME(n, z)                                                             \
    ATTR(n, ((const hg_pointwise_attr *)(z)->attr)->a,                         \
         ((const hg_pointwise_attr *)(z)->attr)->b)

/* z = f(x); n_dx = g f'(x), linear in g; n_d2 = f''(x). */
#define UNARY_RULES(n, text, curved)                                           \
    OPERATION(n##_d2, 2, third_derivative, "f'' of " #n)                       \
    static void n##_dx_backward(hg_tensor *, hg_tensor *, hg_tensor **);       \
    OPERATION(n##_dx, 3, n##_dx_backward, "gradient of " #n)                   \
    static void n##_dx_backward(hg_tensor *z, hg_tensor *h, hg_tensor **dx)    \
    {                                                                          \
        hg_tensor *g = z->in[0], *x = z->in[1], *y = z->in[2];                 \
        if (hg_needs(z, 0))                                                    \
            dx[0] = hg_apply(&n##_dx_op, SAME(n##_dx, z), h, x, y);            \
        if (hg_needs(z, 1) && curved)                                          \
            dx[1] = hg_mul(hg_mul(g, h),                                       \
                           hg_apply(&n##_d2_op, SAME(n##_d2, z), x, y));       \
    }                                                                          \
    static void n##_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)       \
    {                                                                          \
        dx[0] = hg_apply(&n##_dx_op, SAME(n##_dx, z), g, z->in[0], z);         \
    }                                                                          \
    OPERATION(n, 1, n##_backward, text)

#define UNARY(n, value, gradient, curvature, domain, doc)                      \
    UNARY_RULES(n, doc, strcmp(#curvature, "NONE"))                            \
    hg_tensor *hg_##n(hg_tensor *x)                                            \
    {                                                                          \
        return hg_apply(&n##_op, ATTR(n, 0, 0), x);                            \
    }
#define UNARY_A(n, value, gradient, curvature, domain, doc)                    \
    UNARY_RULES(n, doc, strcmp(#curvature, "NONE"))                            \
    hg_tensor *hg_##n(hg_tensor *x, double a)                                  \
    {                                                                          \
        return hg_apply(&n##_op, ATTR(n, a, 0), x);                            \
    }
#define UNARY_AB(n, value, gradient, curvature, domain, doc)                   \
    UNARY_RULES(n, doc, strcmp(#curvature, "NONE"))                            \
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
#define BINARY_RULE(n, side, along_x, along_y)                                 \
    static void n##_##side##_backward(hg_tensor *, hg_tensor *, hg_tensor **); \
    OPERATION(n##_##side, 4, n##_##side##_backward, "gradient of " #n)         \
    static void n##_##side##_backward(hg_tensor *z, hg_tensor *h,              \
                                      hg_tensor **dx)                          \
    {                                                                          \
        hg_tensor *g = z->in[0], *x = z->in[1], *y = z->in[2], *v = z->in[3];  \
        if (hg_needs(z, 0))                                                    \
            dx[0] = hg_apply(&n##_##side##_op, ATTR(n##_##side, 0, 0), h, x,   \
                             y, v);                                            \
        if (hg_needs(z, 1))                                                    \
            dx[1] = hg_mul(hg_mul(g, h),                                       \
                           hg_apply(&n##_##along_x##_op,                       \
                                    ATTR(n##_##along_x, 0, 0), x, y, v));      \
        if (hg_needs(z, 2))                                                    \
            dx[2] = hg_mul(hg_mul(g, h),                                       \
                           hg_apply(&n##_##along_y##_op,                       \
                                    ATTR(n##_##along_y, 0, 0), x, y, v));      \
    }

#define BINARY(n, value, gx, gy, fxx, fxy, fyy, domain, doc)                   \
    OPERATION(n##_dxx, 3, third_derivative, "second derivative of " #n)        \
    OPERATION(n##_dxy, 3, third_derivative, "second derivative of " #n)        \
    OPERATION(n##_dyy, 3, third_derivative, "second derivative of " #n)        \
    BINARY_RULE(n, dx, dxx, dxy)                                               \
    BINARY_RULE(n, dy, dxy, dyy)                                               \
    static void n##_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)       \
    {                                                                          \
        hg_tensor *x = z->in[0], *y = z->in[1];                                \
        if (hg_needs(z, 0))                                                    \
            dx[0] = hg_apply(&n##_dx_op, ATTR(n##_dx, 0, 0), g, x, y, z);      \
        if (hg_needs(z, 1))                                                    \
            dx[1] = hg_apply(&n##_dy_op, ATTR(n##_dy, 0, 0), g, x, y, z);      \
    }                                                                          \
    OPERATION(n, 2, n##_backward, doc)                                         \
    PUBLIC_BINARY(n)

#define LINEAR(n, value, gx, gy, domain, doc)                                  \
    static void n##_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)       \
    {                                                                          \
        hg_tensor *x = z->in[0], *y = z->in[1];                                \
        (void)x, (void)y;                                                      \
        if (hg_needs(z, 0))                                                    \
            dx[0] = gx;                                                        \
        if (hg_needs(z, 1))                                                    \
            dx[1] = gy;                                                        \
    }                                                                          \
    OPERATION(n, 2, n##_backward, doc)                                         \
    PUBLIC_BINARY(n)

#define COMPARE(n, value, doc)                                                 \
    OPERATION(n, 2, NULL, doc)                                                 \
    PUBLIC_BINARY(n)

#include "ops/pointwise.def"
