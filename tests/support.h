/* support.h - what the tests share: a context and a scope around every test,
 * comparisons of values and sentences, and an allocator that counts and fails.
 *
 *     START_TEST(the_sum_of_nothing_is_zero)
 *     {
 *         expect_values(hg_sum(hg_zeros(HG_SHAPE(0, 3)), HG_ALL), 0);
 *     }
 *     END_TEST
 *
 *     TEST_MAIN("ops", the_sum_of_nothing_is_zero)
 */
#ifndef HG_TEST_SUPPORT_H
#define HG_TEST_SUPPORT_H

#include "autograd/internal.h"
#include "ops/ops.h"
#include "tensor/internal.h"
#include "tests/device.h"
#include "tests/run.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef HG_DOUBLE
#define CLOSE 1e-12
#define REALS "f8"
#else
#define CLOSE 1e-5
#define REALS "f4"
#endif

#define UNUSED __attribute__((unused))

/* ---- An allocator that counts and fails --------------------------------- */

typedef struct {
    long calls;   /* allocations asked for so far */
    long fail_at; /* the number of the one that fails, from 1; 0: none */
    long live;    /* allocations not yet released */
    long refused; /* how many there were when it failed */
} test_memory;

UNUSED static void *test_allocate(void *user, size_t size)
{
    test_memory *m = user;
    if (++m->calls == m->fail_at) {
        m->refused = m->live;
        return NULL;
    }
    /* Asked again, after spare memory was given back. */
    if (m->calls == m->fail_at + 1 && m->live < m->refused && !hg_error())
        return NULL;
    m->live++;
    return malloc(size);
}

UNUSED static void test_release(void *user, void *p, size_t size)
{
    test_memory *m = user;
    (void)size;
    m->live--;
    free(p);
}

UNUSED static hg_allocator test_allocator(test_memory *m)
{
    return (hg_allocator){test_allocate, test_release, m};
}

/* Is there an error in place of a tensor, or on a GPU when it is read? */
UNUSED static bool is_refused(const hg_tensor *t)
{
    if (t && t->storage->context->gpu)
        host_values(t);
    return hg_error() != NULL;
}

/* ---- A context and a recording scope around every test ------------------ */

static hg_context *ctx;
static hg_scope *scope;
static test_memory memory;

UNUSED static void test_setup(void)
{
    hg_error_clear();
    memory = (test_memory){0};
    forget_fetched();
    ctx = hg_context_new_with(test_device(), 42, test_allocator(&memory));
    ck_assert_ptr_nonnull(ctx);
    hg_context_set_anomaly(ctx, false);
    scope = hg_scope_open(ctx, HG_TRAIN);
    ck_assert_ptr_nonnull(scope);
}

UNUSED static void test_teardown(void)
{
    hg_context_free(ctx);
    ctx = NULL;
    hg_error_clear();
    ck_assert_int_eq(memory.live, 0);
}

/* ---- Expectations ------------------------------------------------------- */

#define expect_ok(condition)                                                   \
    ck_assert_msg((condition) && !hg_error(), "%s: %s", #condition,            \
                  hg_error() ? hg_error() : "false")

#define expect_no_error() ck_assert_msg(!hg_error(), "%s", hg_error())

/* The pending error has this kind and says all of these words; then it is
 * cleared. */
#define expect_error(kind, ...)                                                \
    expect_error_n(HG_ERROR_##kind, (const char *const[]){__VA_ARGS__},        \
                   HG_COUNT(const char *, __VA_ARGS__))

UNUSED static void expect_error_n(hg_error_code kind, const char *const *words,
                                  int count)
{
    ck_assert_msg(hg_error() != NULL, "an error with \"%s\" was expected",
                  words[0]);
    for (int i = 0; i < count; i++)
        ck_assert_msg(strstr(hg_error(), words[i]) != NULL,
                      "\"%s\" is missing in: %s", words[i], hg_error());
    ck_assert_msg(hg_error_kind() == kind, "kind %s instead of %s: %s",
                  hg_error_name(hg_error_kind()), hg_error_name(kind),
                  hg_error());
    hg_error_clear();
}

UNUSED static bool same_value(double a, double b, double tolerance)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    if (isinf(a) || isinf(b))
        return a == b;
    return fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

UNUSED static void expect_values_n(const hg_tensor *t, const double *expected,
                                   int64_t count, double tolerance)
{
    ck_assert_msg(t != NULL, "NULL: %s", hg_error() ? hg_error() : "");
    ck_assert_int_eq(hg_numel(t), count);
    hg_real value[256];
    int32_t whole[256];
    ck_assert_int_le(count, 256);
    expect_ok(t->dtype == HG_INT32 ? hg_read_int(t, whole, count)
                                   : hg_read(t, value, count));
    for (int64_t i = 0; t->dtype == HG_INT32 && i < count; i++)
        value[i] = (hg_real)whole[i];
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(same_value((double)value[i], expected[i], tolerance),
                      "element %lld of %s is %.9g, not %.9g", (long long)i,
                      HG_SHAPE_TEXT(t->shape), (double)value[i], expected[i]);
}

/* All values, row by row, to rounding. */
#define expect_values(t, ...)                                                  \
    expect_values_n(t, (const double[]){__VA_ARGS__},                          \
                    HG_COUNT(double, __VA_ARGS__), CLOSE)
#define expect_shape(t, ...)                                                   \
    ck_assert_str_eq(HG_SHAPE_TEXT((t)->shape),                                \
                     HG_SHAPE_TEXT(HG_SHAPE(__VA_ARGS__)))

/* Same shape, same bits. */
UNUSED static bool same_bits(const hg_tensor *a, const hg_tensor *b)
{
    return hg_shape_equal(a->shape, b->shape) && a->dtype == b->dtype &&
           hg_is_contiguous(a) && hg_is_contiguous(b) &&
           !memcmp(host_values(a), host_values(b),
                   (size_t)hg_numel(a) * hg_dtype_size(a->dtype));
}

/* A tensor of these values; its shape is given first, in parentheses:
 * tensor((2, 2), 1, 2, 3, 4). */
#define tensor(shape, ...)                                                     \
    hg_from((const hg_real[]){__VA_ARGS__}, REALS, HG_SHAPE shape)
#define vector(...) tensor((HG_COUNT(hg_real, __VA_ARGS__)), __VA_ARGS__)
#define scalar(x)   hg_full(HG_SCALAR, x)

/* ---- Parameters by hand ------------------------------------------------- */

UNUSED static void test_owner_free(void *owner)
{
    hg_owner_free(owner);
}

/* An owner of parameters, freed with the context. */
UNUSED static hg_owner *test_owner(hg_context *context)
{
    hg_owner *o = hg_region_take(&context->region, sizeof *o);
    if (!o)
        return NULL;
    hg_owner_init(o, context, NULL);
    return hg_context_own(context, o, test_owner_free) ? o : NULL;
}

/* A parameter with element i = `first` + i / 8, and a home for its gradient. */
UNUSED static hg_tensor *test_parameter(hg_owner *owner, const char *name,
                                        hg_shape shape, double first)
{
    hg_tensor *t = owner ? hg_tensor_new(owner, shape, HG_REAL) : NULL;
    hg_tensor *home = t ? hg_tensor_new(owner, shape, HG_REAL) : NULL;
    if (!home || !(t->name = hg_region_text(&owner->region, name)))
        return NULL;
    t->wants_grad = true;
    hg_block_of(t)->grad_home = home;
    hg_real *values = malloc((size_t)hg_numel(t) * sizeof *values + 1);
    for (int64_t i = 0; values && i < hg_numel(t); i++)
        values[i] = (hg_real)(first + (double)i / 8);
    bool ok = values && hg_scatter_values(t, values);
    free(values);
    return ok ? t : NULL;
}

/* w -= rate * gradient, which it consumes. */
UNUSED static bool test_descend(hg_tensor *w, double rate)
{
    hg_real value[512], gradient[512];
    int64_t n = hg_numel(w);
    if (n > 512 || !w->grad || !hg_read(w, value, n) ||
        !hg_read(w->grad, gradient, n))
        return false;
    for (int64_t i = 0; i < n; i++)
        value[i] -= (hg_real)rate * gradient[i];
    hg_clear_gradient(w);
    return hg_write(w, value, n);
}

/* ---- An operation that counts what its rule is asked for ---------------- */

UNUSED static int asked[2];

UNUSED static bool first_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

UNUSED static void product_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = k->in[0][i] * k->in[1][i];
}

UNUSED static void product_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    for (int i = 0; i < 2; i++)
        if (hg_needs(z, i)) {
            asked[i]++;
            dx[i] = hg_mul(g, z->in[1 - i]);
        }
}

UNUSED static const hg_op product_op = {
    .name = "product",
    .arity = 2,
    .contiguous = true,
    .shape = first_shape,
    .cpu = product_cpu,
    .backward = product_backward,
    .reads = HG_READS_IN(0) | HG_READS_IN(1),
};

UNUSED static hg_tensor *product(hg_tensor *a, hg_tensor *b)
{
    return hg_apply(&product_op, NULL, a, b);
}

UNUSED static hg_tensor *total(hg_tensor *t)
{
    return hg_sum(t, HG_ALL);
}

/* ---- main --------------------------------------------------------------- */

#define TEST_MAIN(name, ...)                                                   \
    int main(void)                                                             \
    {                                                                          \
        const TTest *const tests[] = {__VA_ARGS__};                            \
        return run_list(name, test_setup, test_teardown, tests,                \
                        sizeof tests / sizeof *tests);                         \
    }

#endif
