/* test_grad.c - hg_grad: gradients on the tape, and gradients of gradients. */
#include "tests/support.h"

START_TEST(hg_grad_touches_no_gradient_and_does_not_spend)
{
    hg_tensor *x = hg_watch(scalar(3)), *w = hg_watch(scalar(2));
    hg_tensor *y = hg_mul(hg_square(x), w);
    expect_values(hg_grad(y, x, NULL), 12);
    expect_values(hg_grad(y, w, NULL), 9);
    ck_assert_ptr_null(x->grad);
    ck_assert_ptr_null(w->grad);
    expect_ok(hg_backward(y));
    expect_values(x->grad, 12);
    expect_values(w->grad, 9);
}
END_TEST

START_TEST(hg_grad_visits_only_what_lies_between)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    hg_tensor *a = hg_watch(vector(1, 2)), *b = hg_watch(vector(3, 4));
    hg_tensor *ab = product(a, b);
    hg_tensor *y = product(ab, hg_watch(vector(5, 6)));
    hg_tensor *aside = hg_exp(y);
    (void)aside;
    asked[0] = asked[1] = 0;
    expect_values(hg_grad(y, ab, NULL), 5, 6);
    ck_assert_int_eq(asked[0], 1);
    ck_assert_int_eq(asked[1], 0);
    uint64_t before = hg_context_launches(ctx);
    expect_values(hg_grad(total(y), ab, NULL), 5, 6);
    /* one sum, the constant 1, one product */
    ck_assert_uint_le(hg_context_launches(ctx) - before, 4);
}
END_TEST

START_TEST(hg_grad_weighs_the_outputs_with_v)
{
    hg_tensor *x = hg_watch(vector(1, 2));
    expect_values(hg_grad(hg_square(x), x, vector(10, 100)), 20, 400);
    expect_values(hg_grad(hg_square(x), x, NULL), 2, 4);
    ck_assert_ptr_null(hg_grad(hg_square(x), x, scalar(1)));
    expect_error(SHAPE, "hg_grad", "v has shape []", "y has [2]");
}
END_TEST

START_TEST(hg_grad_of_a_value_in_itself_is_v)
{
    hg_tensor *x = hg_watch(vector(1, 2)), *y = hg_square(x);
    expect_values(hg_grad(y, y, NULL), 1, 1);
    expect_values(hg_grad(y, y, vector(3, 4)), 3, 4);
}
END_TEST

START_TEST(hg_grad_says_when_there_is_no_way_from_x_to_y)
{
    hg_tensor *x = hg_watch(scalar(1)), *other = hg_watch(scalar(1));
    ck_assert_ptr_null(hg_grad(hg_square(x), other, NULL));
    expect_error(STATE, "hg_grad", "y does not depend on x");
    ck_assert_ptr_null(hg_grad(hg_square(x), scalar(1), NULL));
    expect_error(STATE, "hg_grad", "x wants no gradient", "hg_watch");
    ck_assert_ptr_null(hg_grad(scalar(1), x, NULL));
    expect_error(STATE, "hg_grad", "y wants no gradient");
    ck_assert_ptr_null(hg_grad(NULL, x, NULL));
    expect_error(ARGUMENT, "hg_grad: y is NULL");
}
END_TEST

START_TEST(a_second_derivative_of_straight_pieces_is_zero)
{
    hg_tensor *x = hg_watch(vector(-1, 2));
    hg_tensor *slope = hg_grad(hg_relu(x), x, NULL);
    expect_values(slope, 0, 1);
    expect_values(hg_grad(slope, x, NULL), 0, 0);
}
END_TEST

START_TEST(gradients_of_gradients_are_second_derivatives)
{
    hg_tensor *x = hg_watch(vector(0.5, 2));
    hg_tensor *y = hg_mul(hg_square(x), x);
    hg_tensor *first = hg_grad(y, x, NULL);
    expect_values(first, 0.75, 12);
    expect_values(hg_grad(first, x, NULL), 3, 12);
    hg_tensor *t = hg_grad(hg_tanh(x), x, NULL);
    double a = tanh(0.5), b = tanh(2);
    expect_values(hg_grad(t, x, NULL), -2 * a * (1 - a * a),
                  -2 * b * (1 - b * b));
}
END_TEST

START_TEST(mixed_second_derivatives_cross_two_inputs)
{
    hg_tensor *x = hg_watch(scalar(2)), *y = hg_watch(scalar(3));
    hg_tensor *f = hg_mul(hg_square(x), hg_square(y));
    expect_values(hg_grad(hg_grad(f, x, NULL), y, NULL), 4 * 2 * 3);
    expect_values(hg_grad(hg_grad(f, y, NULL), x, NULL), 4 * 2 * 3);
}
END_TEST

START_TEST(a_gradient_penalty_is_differentiated_into_the_weights)
{
    hg_tensor *w = test_parameter(test_owner(ctx), "w", HG_SCALAR, 3);
    hg_tensor *x = hg_watch(scalar(2));
    hg_tensor *slope = hg_grad(hg_mul(hg_square(x), w), x, NULL);
    expect_ok(hg_backward(hg_square(slope))); /* (2 x w)^2 */
    expect_values(w->grad, 8 * 4 * 3);
}
END_TEST

START_TEST(a_third_derivative_of_a_pointwise_row_fails_with_a_sentence)
{
    hg_tensor *x = hg_watch(scalar(0.5));
    hg_tensor *first = hg_grad(hg_tanh(x), x, NULL);
    hg_tensor *second = hg_grad(first, x, NULL);
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_null(hg_grad(second, x, NULL));
    expect_error(STATE, "third derivative", "tanh");
}
END_TEST

START_TEST(third_derivatives_of_products_exist)
{
    hg_tensor *x = hg_watch(scalar(2));
    hg_tensor *y = hg_mul(hg_mul(x, x), hg_mul(x, x));
    for (int i = 0; i < 3; i++)
        y = hg_grad(y, x, NULL);
    expect_values(y, 48);
}
END_TEST

TEST_MAIN("grad", hg_grad_touches_no_gradient_and_does_not_spend,
          hg_grad_visits_only_what_lies_between,
          hg_grad_weighs_the_outputs_with_v, hg_grad_of_a_value_in_itself_is_v,
          hg_grad_says_when_there_is_no_way_from_x_to_y,
          a_second_derivative_of_straight_pieces_is_zero,
          gradients_of_gradients_are_second_derivatives,
          mixed_second_derivatives_cross_two_inputs,
          a_gradient_penalty_is_differentiated_into_the_weights,
          a_third_derivative_of_a_pointwise_row_fails_with_a_sentence,
          third_derivatives_of_products_exist)
