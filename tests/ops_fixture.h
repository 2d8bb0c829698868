/* ops_fixture.h - random tensors and views for tests of operations, plain-loop
 * access to their values, gradient checks and the mirror identity. */
#ifndef HG_TEST_OPS_FIXTURE_H
#define HG_TEST_OPS_FIXTURE_H

#include "support.h"

/* ---- Random numbers of the tests' own ----------------------------------- */

static uint32_t test_random_state = 1;

UNUSED static uint32_t draw(uint32_t below)
{
    test_random_state = test_random_state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(test_random_state >> 8) * below >> 24);
}

/* ---- Tensors ------------------------------------------------------------ */

/* Well-separated values of both signs, away from 0, in a mixed-up order. */
UNUSED static void fill_apart(hg_real *value, int64_t n, int salt)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t place = (i * 37 + 11 * salt) % (n % 37 ? n : n + 1);
        double size = 0.25 + 1.5 * (double)place / (double)(n + 1);
        value[i] = (hg_real)((i * 5 + salt) % 3 ? size : -size);
    }
}

UNUSED static hg_tensor *apart(hg_shape shape, int salt)
{
    static hg_real value[1 << 12];
    ck_assert_int_le(hg_shape_numel(shape), 1 << 12);
    fill_apart(value, hg_shape_numel(shape), salt);
    return hg_from(value, REALS, shape);
}

/* Any number of values, even in [low, 1). */
UNUSED static hg_tensor *uniform_from(double low, hg_shape shape)
{
    int64_t n = hg_shape_numel(shape);
    hg_real *value = malloc((size_t)(n + 1) * sizeof *value);
    ck_assert_ptr_nonnull(value);
    for (int64_t i = 0; i < n; i++)
        value[i] = (hg_real)(low + (1 - low) * draw(1 << 20) / (1 << 20));
    hg_tensor *t = hg_from(value, REALS, shape);
    free(value);
    return t;
}

UNUSED static hg_tensor *uniform(hg_shape shape)
{
    return uniform_from(-1, shape);
}

UNUSED static hg_tensor *indices(hg_shape shape, uint32_t below)
{
    int32_t value[1 << 10];
    for (int64_t i = 0; i < hg_shape_numel(shape); i++)
        value[i] = (int32_t)draw(below);
    return hg_from(value, "i4", shape);
}

#define ints(...)                                                              \
    hg_from((const int32_t[]){__VA_ARGS__}, "i4",                              \
            HG_SHAPE(HG_COUNT(int32_t, __VA_ARGS__)))

UNUSED static hg_shape random_shape(int rank, int smallest)
{
    hg_shape s = {.rank = rank};
    for (int i = 0; i < rank; i++)
        s.dim[i] = smallest + draw(4);
    return s;
}

UNUSED static hg_axes random_order(int rank)
{
    hg_axes order = {.count = rank};
    for (int i = 0; i < rank; i++)
        order.axis[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        int j = (int)draw((uint32_t)i + 1), kept = order.axis[i];
        order.axis[i] = order.axis[j];
        order.axis[j] = kept;
    }
    return order;
}

/* A tensor of random rank and shape, often strided, broadcast or offset. */
UNUSED static hg_tensor *random_view(int smallest)
{
    int rank = (int)draw(HG_MAX_RANK + 1);
    hg_tensor *t = apart(random_shape(rank, smallest), (int)draw(100));
    if (draw(2))
        t = hg_permute(t, random_order(rank));
    if (rank && draw(2)) {
        int axis = (int)draw((uint32_t)rank);
        int64_t n = t->shape.dim[axis];
        t = hg_slice(t, axis, n > 1, HG_END, 1 + draw(2));
    }
    if (rank && draw(3) == 0) {
        int axis = (int)draw((uint32_t)rank);
        hg_shape wide = t->shape;
        wide.dim[axis] = 3;
        if (t->shape.dim[axis] > 0)
            t = hg_expand(hg_slice(t, axis, 0, 1, 1), wide);
    }
    expect_no_error();
    return t;
}

/* ---- Values by index ---------------------------------------------------- */

/* Steps to the next index of a shape; false after the last. */
UNUSED static bool next_index(hg_shape shape, int64_t *at)
{
    for (int d = shape.rank - 1; d >= 0; d--) {
        if (++at[d] < shape.dim[d])
            return true;
        at[d] = 0;
    }
    return false;
}

UNUSED static double value_at(const hg_tensor *t, const int64_t *at)
{
    int64_t offset = 0, stride[HG_MAX_RANK];
    hg_strides_of(t->shape, stride);
    for (int d = 0; d < t->shape.rank; d++)
        offset += at[d] * (on_cpu() ? t->stride[d] : stride[d]);
    const void *values = on_cpu() ? hg_data(t) : host_values(t);
    return t->dtype == HG_INT32 ? ((const int32_t *)values)[offset]
                                : (double)((const hg_real *)values)[offset];
}

#define for_each_index(at, shape_)                                             \
    for (int64_t at[HG_MAX_RANK] = {0}, more_ = hg_shape_numel(shape_) > 0;    \
         more_; more_ = next_index(shape_, at))

/* The dense values of t; to be freed. */
UNUSED static hg_real *values_of(const hg_tensor *t)
{
    hg_real *value = malloc((size_t)(hg_numel(t) + 1) * sizeof *value);
    ck_assert_ptr_nonnull(value);
    expect_ok(hg_read(t, value, hg_numel(t)));
    return value;
}

UNUSED static void expect_same(const hg_tensor *a, const hg_tensor *b,
                               double tolerance)
{
    ck_assert_msg(a && b, "NULL: %s", hg_error());
    ck_assert_str_eq(HG_SHAPE_TEXT(a->shape), HG_SHAPE_TEXT(b->shape));
    hg_real *x = values_of(a), *y = values_of(b);
    for (int64_t i = 0; i < hg_numel(a); i++)
        ck_assert_msg(same_value((double)x[i], (double)y[i], tolerance),
                      "element %lld: %.9g is not %.9g", (long long)i,
                      (double)x[i], (double)y[i]);
    free(x), free(y);
}

/* <a, b> over all elements. */
UNUSED static double inner(const hg_tensor *a, const hg_tensor *b)
{
    double sum = 0;
    for_each_index(at, a->shape) sum += value_at(a, at) * value_at(b, at);
    return sum;
}

/* For z = A x, linear: <A x, y> = <x, A' y>, with A' from the tape, and A'' is
 * A again. */
UNUSED static void expect_mirror(hg_tensor *x, hg_tensor *z)
{
    ck_assert_msg(z != NULL, "%s", hg_error());
    hg_tensor *y = hg_watch(apart(z->shape, 7));
    hg_tensor *back = hg_grad(z, x, y);
    ck_assert_msg(back != NULL, "%s", hg_error());
    ck_assert_msg(same_value(inner(z, y), inner(x, back), CLOSE),
                  "%s: <Ax, y> = %.9g but <x, A'y> = %.9g", z->op->name,
                  inner(z, y), inner(x, back));
    expect_same(hg_grad(back, y, x), z, CLOSE);
}

/* ---- Gradient checks ---------------------------------------------------- */

typedef hg_tensor *test_function(hg_tensor *const *in);

typedef struct {
    test_function *function;
    bool turned; /* inputs come as transposed views */
} test_call;

UNUSED static hg_tensor *turned(hg_tensor *t)
{
    hg_axes order = {.count = t ? t->shape.rank : 0};
    for (int i = 0; i < order.count; i++)
        order.axis[i] = order.count - 1 - i;
    return hg_permute(t, order);
}

UNUSED static hg_tensor *call(void *user, hg_tensor *const *in, int count)
{
    const test_call *c = user;
    hg_tensor *given[HG_MAX_INPUTS];
    for (int i = 0; i < count; i++)
        given[i] = c->turned ? turned(in[i]) : in[i];
    return c->function(given);
}

/* First and second derivatives, at dense inputs and at transposed ones; in
 * hourglass-f64 only, since differences of float say too little. */
#define check_gradients(function, ...)                                         \
    check_gradients_n(function, #function, (const hg_shape[]){__VA_ARGS__},    \
                      HG_COUNT(hg_shape, __VA_ARGS__))

UNUSED static void check_gradients_n(test_function *f, const char *name,
                                     const hg_shape *shapes, int count)
{
    static hg_real value[HG_MAX_INPUTS][512];
    const hg_real *values[HG_MAX_INPUTS];
    for (int turn = 0; turn < 2 && sizeof(hg_real) == sizeof(double); turn++) {
        hg_shape shape[HG_MAX_INPUTS];
        for (int i = 0; i < count; i++) {
            shape[i] = shapes[i];
            for (int d = 0; turn && d < shapes[i].rank; d++)
                shape[i].dim[d] = shapes[i].dim[shapes[i].rank - 1 - d];
            fill_apart(value[i], hg_shape_numel(shape[i]), i + 1);
            values[i] = value[i];
        }
        test_call c = {f, turn};
        bool ok = hg_check_function(ctx, call, &c, values, shape, count,
                                    (hg_check_options){.second = true});
        ck_assert_msg(ok, "%s%s: %s", name, turn ? " of transposed inputs" : "",
                      hg_error());
    }
}

#endif
