/* test_pointwise.c - values, special values, ties, broadcasting and the walk
 * over strided tensors; fast kernels against the reference ones. */
#include "pointwise_rows.h"

/* ---- Values ------------------------------------------------------------- */

#define LIST(...)                                                              \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
static const struct {
    const char *name;
    hg_function call;
    double value[6], slope[6];
} golden[] = {
#define GOLDEN(n, values, slopes) {#n, call_##n, values, slopes},
#include "golden/pointwise.def"
};

START_TEST(every_row_agrees_with_pytorch_also_at_nan_and_the_infinities)
{
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        hg_tensor *x = hg_watch(
            vector(NAN, INFINITY, -INFINITY, 0, (hg_real)0.7, (hg_real)-1.3));
        hg_tensor *y = golden[i].call(NULL, &x, 1);
        mark_point();
        expect_values_n(y, golden[i].value, 6, CLOSE);
        expect_values_n(hg_grad(y, x, NULL), golden[i].slope, 6, CLOSE);
    }
}
END_TEST

START_TEST(every_row_of_one_variable_has_a_golden_value)
{
    for (int i = 0; i < ROWS; i++) {
        bool found = rows[i].inputs != 1;
        for (size_t j = 0; j < sizeof golden / sizeof *golden; j++)
            found |= !strcmp(rows[i].name, golden[j].name);
        ck_assert_msg(found, "%s has none", rows[i].name);
    }
}
END_TEST

START_TEST(nan_in_either_operand_reaches_the_result)
{
    hg_tensor *x = vector(NAN, (hg_real)0.5, NAN);
    hg_tensor *y = vector((hg_real)0.5, NAN, NAN);
    for (int i = 0; i < ROWS; i++)
        if (rows[i].inputs == 2) {
            mark_point();
            expect_values(rows[i].call(NULL, (hg_tensor *[]){x, y}, 2), NAN,
                          NAN, NAN);
        }
}
END_TEST

START_TEST(infinite_operands_give_what_ieee_says)
{
    hg_tensor *x = vector(INFINITY, -INFINITY, INFINITY, 1);
    hg_tensor *y = vector(2, 2, INFINITY, -INFINITY);
    expect_values(hg_add(x, y), INFINITY, -INFINITY, INFINITY, -INFINITY);
    expect_values(hg_sub(x, y), INFINITY, -INFINITY, NAN, INFINITY);
    expect_values(hg_mul(x, y), INFINITY, -INFINITY, INFINITY, -INFINITY);
    expect_values(hg_div(x, y), INFINITY, -INFINITY, NAN, 0);
    expect_values(hg_minimum(x, y), 2, -INFINITY, INFINITY, -INFINITY);
    expect_values(hg_maximum(x, y), INFINITY, 2, INFINITY, 1);
    expect_values(hg_pow(x, y), INFINITY, INFINITY, INFINITY, 1);
    expect_values(hg_bce_with_logits(x, y), -INFINITY, INFINITY, -INFINITY,
                  INFINITY);
}
END_TEST

START_TEST(comparisons_are_one_or_zero_and_false_for_nan)
{
    hg_tensor *x = vector(1, 2, 2, NAN, 1), *y = vector(2, 2, 1, 1, NAN);
    expect_values(hg_less(x, y), 1, 0, 0, 0, 0);
    expect_values(hg_less_equal(x, y), 1, 1, 0, 0, 0);
    expect_values(hg_greater(x, y), 0, 0, 1, 0, 0);
    expect_values(hg_greater_equal(x, y), 0, 1, 1, 0, 0);
    expect_values(hg_equal(x, y), 0, 1, 0, 0, 0);
    expect_values(hg_not_equal(x, y), 1, 0, 1, 1, 1);
}
END_TEST

START_TEST(a_comparison_has_no_gradient)
{
    hg_tensor *x = hg_watch(scalar(1));
    ck_assert(!hg_less(x, scalar(2))->wants_grad);
}
END_TEST

START_TEST(products_of_two_variables_have_their_textbook_values)
{
    hg_tensor *x = vector((hg_real)0.25, 2), *y = vector(1, (hg_real)0.5);
    expect_values(hg_pow(x, y), 0.25, 1.4142135623730951);
    expect_values(hg_bce_with_logits(x, y), 0.5759394198788436,
                  1.1269280110429727);
    expect_values(hg_bce(hg_scale(x, 0.25), y), 2.772588722239781,
                  0.6931471805599453);
    expect_values(hg_minimum(x, y), 0.25, 0.5);
    expect_values(hg_maximum(x, y), 1, 2);
}
END_TEST

START_TEST(at_a_tie_minimum_and_maximum_share_the_gradient)
{
    hg_tensor *x = hg_watch(vector(1, 2, 3)), *y = hg_watch(vector(2, 2, 2));
    hg_tensor *low = hg_minimum(x, y), *high = hg_maximum(x, y);
    hg_tensor *v = vector(3, 3, 3);
    expect_values(hg_grad(low, x, v), 3, 1.5, 0);
    expect_values(hg_grad(low, y, v), 0, 1.5, 3);
    expect_values(hg_grad(high, x, v), 0, 1.5, 3);
    expect_values(hg_grad(high, y, v), 3, 1.5, 0);
}
END_TEST

START_TEST(powers_of_zero_have_finite_gradients)
{
    hg_tensor *x = hg_watch(vector(0, 0, 2)), *y = hg_watch(vector(0, 2, 0));
    hg_tensor *z = hg_pow(x, y);
    expect_values(z, 1, 0, 1);
    expect_values(hg_grad(z, x, NULL), 0, 0, 0);
    expect_values(hg_grad(z, y, NULL), 0, 0, 0.6931471805599453);
    expect_values(hg_grad(hg_pow_scalar(x, 0), x, NULL), 0, 0, 0);
}
END_TEST

START_TEST(bce_of_a_certain_probability_is_bounded)
{
    hg_tensor *p = hg_watch(vector(0, 1, 0, 1)), *t = vector(0, 1, 1, 0);
    hg_tensor *z = hg_bce(p, t);
    expect_values(z, 0, 0, 100, 100);
    expect_values(hg_grad(z, p, NULL), 0, 0, -1e12, 1e12);
}
END_TEST

START_TEST(bounds_in_the_wrong_order_clamp_to_the_upper_one)
{
    expect_values(hg_clamp(vector(-3, 0, 3, NAN), 1, -1), -1, -1, -1, -1);
}
END_TEST

START_TEST(round_takes_halves_to_even)
{
    expect_values(hg_round(vector((hg_real)0.5, (hg_real)1.5, (hg_real)-2.5)),
                  0, 2, -2);
}
END_TEST

/* ---- where -------------------------------------------------------------- */

START_TEST(where_broadcasts_all_three_and_passes_only_the_chosen_gradient)
{
    hg_tensor *c = tensor((2, 1), 1, 0);
    hg_tensor *x = hg_watch(tensor((3), 1, 2, 3)), *y = hg_watch(scalar(9));
    hg_tensor *z = hg_where(c, x, y);
    expect_shape(z, 2, 3);
    expect_values(z, 1, 2, 3, 9, 9, 9);
    expect_values(hg_grad(z, x, NULL), 1, 1, 1);
    expect_values(hg_grad(z, y, NULL), 3);
}
END_TEST

START_TEST(where_keeps_nan_of_the_side_not_chosen_out)
{
    hg_tensor *x = hg_watch(vector(-1, 4));
    hg_tensor *z = hg_where(hg_greater(x, scalar(0)), x, hg_sqrt(x));
    expect_values(hg_where(vector(1, 0), x, vector(NAN, NAN)), -1, NAN);
    ck_assert(isnan((double)hg_item(hg_sum(z, HG_ALL))));
    expect_values(hg_where(vector(0, 1), vector(NAN, 1), x), -1, 1);
}
END_TEST

/* ---- Shapes ------------------------------------------------------------- */

START_TEST(shapes_that_do_not_broadcast_are_both_named)
{
    ck_assert_ptr_null(hg_add(hg_zeros(HG_SHAPE(2, 3)), hg_zeros(HG_SHAPE(4))));
    expect_error(SHAPE, "add", "[2, 3]", "[4]", "3 and 4");
    ck_assert_ptr_null(hg_where(hg_zeros(HG_SHAPE(2)), hg_zeros(HG_SHAPE(3)),
                                hg_zeros(HG_SHAPE(3))));
    expect_error(SHAPE, "where", "[2]", "[3]");
}
END_TEST

START_TEST(a_null_operand_is_named)
{
    ck_assert_ptr_null(hg_mul(NULL, scalar(1)));
    expect_error(ARGUMENT, "mul", "input 0");
}
END_TEST

START_TEST(sizes_of_zero_are_legal)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(0, 3));
    expect_shape(hg_exp(x), 0, 3);
    expect_shape(hg_add(x, hg_zeros(HG_SHAPE(1, 3))), 0, 3);
    expect_no_error();
}
END_TEST

START_TEST(an_operand_used_twice_gets_both_gradients)
{
    hg_tensor *x = hg_watch(vector(3, -2));
    expect_values(hg_grad(hg_mul(x, x), x, NULL), 6, -4);
    expect_values(hg_grad(hg_sub(x, x), x, NULL), 0, 0);
    expect_values(hg_grad(hg_div(x, x), x, NULL), 0, 0);
}
END_TEST

START_TEST(a_third_derivative_is_refused_with_a_sentence)
{
    hg_tensor *x = hg_watch(scalar(1));
    hg_tensor *d = hg_grad(hg_tanh(x), x, NULL);
    hg_tensor *dd = hg_grad(d, x, NULL);
    ck_assert_ptr_nonnull(dd);
    ck_assert_ptr_null(hg_grad(dd, x, NULL));
    expect_error(STATE, "third derivatives", "tanh");
}
END_TEST

/* ---- The walk over strided tensors -------------------------------------- */

static int64_t random_below(uint64_t *counter, int64_t n)
{
    return (int64_t)((noise(++*counter) + 1) / 2 * (double)n);
}

/* A tensor of this shape: dense, permuted, sliced or broadcast. */
static hg_tensor *some_view(hg_shape shape, uint64_t *counter)
{
    hg_shape made = shape;
    int64_t kind = random_below(counter, 4);
    int last = shape.rank - 1;
    if (kind == 1 && shape.rank > 1) {
        made.dim[last] = shape.dim[last - 1];
        made.dim[last - 1] = shape.dim[last];
        return hg_transpose(hg_randn(made));
    }
    if (kind == 2 && shape.rank > 0) {
        made.dim[0] = 2 * shape.dim[0] + 1;
        return hg_slice(hg_randn(made), 0, 1, HG_END, 2);
    }
    if (kind == 3)
        for (int d = 0; d < shape.rank; d++)
            if (random_below(counter, 2))
                made.dim[d] = 1;
    return hg_expand(hg_randn(made), shape);
}

static hg_shape some_shape(uint64_t *counter)
{
    static const int64_t size[] = {1, 2, 3, 5, 8, 9, 13};
    hg_shape shape = {.rank = (int)random_below(counter, 5)};
    for (int d = 0; d < shape.rank; d++)
        shape.dim[d] = size[random_below(counter, 7)];
    return shape;
}

START_TEST(strides_of_any_kind_give_the_elementwise_result)
{
    uint64_t counter = 0;
    for (int trial = 0; trial < 200; trial++) {
        hg_scope *s = hg_scope_open(ctx, HG_EVAL);
        hg_shape shape = some_shape(&counter);
        hg_tensor *x = some_view(shape, &counter);
        hg_tensor *y = some_view(shape, &counter);
        hg_tensor *z = hg_sub(x, y);
        int64_t n = hg_shape_numel(shape);
        hg_real *v = malloc(3 * (size_t)n * sizeof *v);
        expect_ok(hg_read(x, v, n) && hg_read(y, v + n, n) &&
                  hg_read(z, v + 2 * n, n));
        for (int64_t i = 0; i < n; i++)
            if (v[2 * n + i] != v[i] - v[n + i])
                ck_abort_msg("%s at %lld", HG_SHAPE_TEXT(shape), (long long)i);
        free(v);
        hg_scope_close(s);
    }
}
END_TEST

START_TEST(the_number_of_threads_does_not_change_a_bit)
{
    hg_tensor *x = hg_randn(HG_SHAPE(70001)), *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        hg_context_set_threads(ctx, threads);
        hg_tensor *y = hg_softplus(x);
        ck_assert(!first || same_bits(first, y));
        first = y;
    }
}
END_TEST

TEST_MAIN("pointwise",
          every_row_agrees_with_pytorch_also_at_nan_and_the_infinities,
          every_row_of_one_variable_has_a_golden_value,
          nan_in_either_operand_reaches_the_result,
          infinite_operands_give_what_ieee_says,
          comparisons_are_one_or_zero_and_false_for_nan,
          a_comparison_has_no_gradient,
          products_of_two_variables_have_their_textbook_values,
          at_a_tie_minimum_and_maximum_share_the_gradient,
          powers_of_zero_have_finite_gradients,
          bce_of_a_certain_probability_is_bounded,
          bounds_in_the_wrong_order_clamp_to_the_upper_one,
          round_takes_halves_to_even,
          where_broadcasts_all_three_and_passes_only_the_chosen_gradient,
          where_keeps_nan_of_the_side_not_chosen_out,
          shapes_that_do_not_broadcast_are_both_named, a_null_operand_is_named,
          sizes_of_zero_are_legal, an_operand_used_twice_gets_both_gradients,
          a_third_derivative_is_refused_with_a_sentence,
          strides_of_any_kind_give_the_elementwise_result,
          the_number_of_threads_does_not_change_a_bit)
