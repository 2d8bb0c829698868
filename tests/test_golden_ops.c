/* test_golden_ops.c - values and gradients of every operation against
 * PyTorch's in float32.
 *
 * golden/ops.json has the cases, golden_cases.h draws their inputs,
 * golden_calls.h says which call an `op` of the file is. */
#include "golden_cases.h"

#include <stdarg.h>

/* ---- Comparisons -------------------------------------------------------- */

static char complaints[1 << 12];
static int disagreeing;

static void complain(const char *format, ...)
{
    size_t at = strlen(complaints);
    va_list list;
    va_start(list, format);
    vsnprintf(complaints + at, sizeof complaints - at, format, list);
    va_end(list);
    disagreeing++;
}

/* On the scale of an element itself, or of the root mean square. */
#define TOLERANCE 1e-5

/* `ends` are the first or last elements of the file, from `at` on here. */
static void compare_elements(const char *name, const char *what,
                             const double *value, const json_t *ends,
                             int64_t at, double rms)
{
    for (size_t i = 0; i < json_array_size(ends); i++) {
        double here = value[at + (int64_t)i], there = element(ends, i);
        double off = fabs(here - there) / fmax(fmax(fabs(there), rms), 1e-30);
        if (!(off <= TOLERANCE)) {
            complain("  %s: %s[%lld] is %.9g, not %.9g\n", name, what,
                     (long long)at + (long long)i, here, there);
            return;
        }
    }
}

static void compare(const char *name, const char *what, const hg_tensor *t,
                    const json_t *golden)
{
    if (!t) {
        complain("  %s: %s failed: %s\n", name, what, hg_error());
        hg_error_clear();
        return;
    }
    int64_t n = hg_numel(t);
    hg_shape expected = shape(golden);
    if (!hg_shape_equal(t->shape, expected)) {
        complain("  %s: %s has shape %s, not %s\n", name, what,
                 HG_SHAPE_TEXT(t->shape), HG_SHAPE_TEXT(expected));
        return;
    }
    double *value = values_of(t, n), sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += value[i];
        squares += value[i] * value[i];
    }
    double there = number(golden, "square_sum");
    double size = sqrt((double)n * there), rms = size / (double)n;
    const json_t *last = member(golden, "last");
    compare_elements(name, what, value, member(golden, "first"), 0, rms);
    compare_elements(name, what, value, last,
                     n - (int64_t)json_array_size(last), rms);
    if (!(fabs(squares - there) <= 2 * TOLERANCE * there))
        complain("  %s: the squares of %s add up to %.9g, not %.9g\n", name,
                 what, squares, there);
    if (!(fabs(sum - number(golden, "sum")) <= TOLERANCE * size))
        complain("  %s: %s adds up to %.9g, not %.9g\n", name, what, sum,
                 number(golden, "sum"));
    free(value);
}

/* ---- A case ------------------------------------------------------------- */

static void compare_gradients(const char *name, hg_tensor *y, hg_tensor **x,
                              const json_t *gradients)
{
    char what[64];
    size_t i;
    json_t *golden;
    hg_tensor *v = drawn_like(name, y);
    json_array_foreach(gradients, i, golden)
    {
        snprintf(what, sizeof what, "the gradient of input %zu", i);
        if (!json_is_null(golden))
            compare(name, what, hg_grad(y, x[i], v), golden);
    }
}

static void compare_buffers(const char *name, const json_t *golden)
{
    compare(name, "running_mean", running[0], member(golden, "running_mean"));
    compare(name, "running_var", running[1], member(golden, "running_var"));
}

static void compare_case(const json_t *row)
{
    const char *name = text(row, "name");
    const json_t *specs = member(row, "inputs"), *more;
    hg_tensor *x[HG_MAX_INPUTS], *seen[HG_MAX_INPUTS];
    char digit[32];
    size_t i;
    json_t *spec;
    hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
    json_array_foreach(specs, i, spec)
    {
        snprintf(digit, sizeof digit, "%zu", i);
        x[i] = drawn(name, digit, spec);
        seen[i] = view(x[i], spec);
    }
    hg_tensor *y =
        find(text(row, "op"))(seen, (int)i, json_object_get(row, "attributes"));
    compare(name, "the output", y, member(row, "output"));
    if (y && (more = json_object_get(row, "gradients")))
        compare_gradients(name, y, x, more);
    if (y && (more = json_object_get(row, "buffers")))
        compare_buffers(name, more);
    hg_scope_close(s);
}

static void compare_all(void)
{
    json_t *file = open_golden("ops.json"), *row;
    size_t i;
    complaints[0] = 0;
    disagreeing = 0;
    json_array_foreach(member(file, "cases"), i, row) compare_case(row);
    ck_assert_msg(!disagreeing, "%d disagreements:\n%s", disagreeing,
                  complaints);
    ck_assert_uint_gt(i, 200);
    json_decref(file);
}

START_TEST(every_operation_agrees_with_pytorch)
{
    compare_all();
}
END_TEST

START_TEST(the_reference_kernels_agree_with_pytorch)
{
    hg_context_set_reference(ctx, true);
    compare_all();
}
END_TEST

TEST_MAIN("golden_ops", every_operation_agrees_with_pytorch,
          the_reference_kernels_agree_with_pytorch)
