/* test_grad.c - hg_grad and what lies around the backward pass: modes, leaves
 * and cuts, rules that misbehave, its memory and its threads. */
#include "tests/support.h"
#include "nn/nn.h"

/* ---- Modes -------------------------------------------------------------- */

START_TEST(nothing_is_recorded_in_evaluation)
{
    hg_tensor *x = hg_watch(scalar(2));
    ck_assert_int_eq(hg_set_mode(HG_EVAL), HG_TRAIN);
    hg_tensor *y = hg_square(x);
    ck_assert_int_eq(hg_set_mode(HG_RECORD), HG_EVAL);
    hg_tensor *z = hg_square(x);
    ck_assert(!y->wants_grad && z->wants_grad);
    ck_assert_int_eq(hg_get_mode(), HG_RECORD);
    ck_assert(!hg_backward(y));
    expect_error(STATE, "cut at square", "not recording", "HG_TRAIN");
}
END_TEST

START_TEST(the_mode_belongs_to_the_scope)
{
    hg_scope *inner = hg_scope_open(ctx, HG_EVAL);
    ck_assert_int_eq(hg_get_mode(), HG_EVAL);
    hg_scope_close(inner);
    ck_assert_int_eq(hg_get_mode(), HG_TRAIN);
}
END_TEST

START_TEST(backward_leaves_the_mode_as_it_was)
{
    hg_tensor *x = hg_watch(scalar(2)), *y = hg_square(x);
    expect_ok(hg_backward(y));
    ck_assert_int_eq(hg_get_mode(), HG_TRAIN);
    hg_set(x, 1);
    ck_assert(!hg_backward(hg_scale(y, 2)));
    expect_error(STATE, "stale");
    ck_assert_int_eq(hg_get_mode(), HG_TRAIN);
}
END_TEST

/* ---- Leaves and cuts ---------------------------------------------------- */

START_TEST(a_detached_value_passes_no_gradient)
{
    hg_tensor *x = hg_watch(scalar(3));
    expect_ok(hg_backward(hg_mul(x, hg_detach(x))));
    expect_values(x->grad, 3);
    ck_assert(!hg_backward(hg_square(hg_detach(x))));
    expect_error(STATE, "cut at detach", "no gradient flows");
}
END_TEST

START_TEST(a_loss_made_of_constants_reaches_no_parameter)
{
    ck_assert(!hg_backward(hg_square(scalar(2))));
    expect_error(STATE, "reaches no parameter", "nothing that it was made");
}
END_TEST

START_TEST(the_cut_of_a_deep_graph_is_searched_in_bounded_time)
{
    hg_tensor *t = scalar(1);
    for (int i = 0; i < 50; i++)
        t = hg_add(t, t); /* 2^50 ways */
    ck_assert(!hg_backward(t));
    expect_error(STATE, "reaches no parameter");
}
END_TEST

START_TEST(a_watched_value_is_a_leaf_of_its_own)
{
    hg_tensor *x = hg_watch(scalar(3)), *y = hg_square(x);
    hg_tensor *leaf = hg_watch(y);
    expect_values(leaf, 9);
    expect_ok(hg_backward(hg_square(leaf)));
    expect_values(leaf->grad, 18);
    ck_assert_ptr_null(x->grad);
}
END_TEST

START_TEST(a_retained_gradient_can_be_looked_at)
{
    hg_tensor *x = hg_watch(scalar(3)), *y = hg_square(x);
    hg_retain_grad(y);
    hg_tensor *z = hg_square(y);
    ck_assert_ptr_nonnull(hg_grad(z, x, NULL));
    ck_assert_ptr_null(y->grad); /* hg_grad leaves gradients alone */
    expect_ok(hg_backward(z));
    expect_values(y->grad, 18);
    expect_ok(hg_backward(hg_scale(y, 2)));
    expect_values(y->grad, 20);
}
END_TEST

START_TEST(a_gradient_that_is_not_retained_is_dropped)
{
    hg_tensor *x = hg_watch(scalar(3)), *y = hg_square(x);
    expect_ok(hg_backward(hg_square(y)));
    ck_assert_ptr_null(y->grad);
}
END_TEST

START_TEST(straight_through_takes_one_value_and_the_other_gradient)
{
    hg_tensor *x = hg_watch(vector(0.2, 0.7));
    hg_tensor *hard = hg_straight_through(hg_round(x), x);
    expect_values(hard, 0, 1);
    expect_ok(hg_backward(total(hg_mul(hard, vector(3, 5)))));
    expect_values(x->grad, 3, 5);
    ck_assert_ptr_null(hg_straight_through(x, scalar(1)));
    expect_error(SHAPE, "straight_through", "[2]", "[]");
}
END_TEST

/* ---- hg_grad ------------------------------------------------------------ */

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

/* ---- Rules that misbehave ----------------------------------------------- */

static void wrong_shape_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)z;
    (void)g;
    dx[0] = hg_ones(HG_SHAPE(7));
}

static void nested_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)dx;
    (void)g;
    hg_set_mode(HG_RECORD);
    hg_tensor *y = hg_square(hg_watch(z));
    if (!hg_backward(y))
        return;
}

static hg_op copy_op(void (*backward)(hg_tensor *, hg_tensor *, hg_tensor **))
{
    hg_op op = product_op;
    op.name = "odd";
    op.backward = backward;
    return op;
}

START_TEST(a_rule_that_returns_the_wrong_shape_is_named)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    hg_op op = copy_op(wrong_shape_backward);
    hg_tensor *x = hg_watch(scalar(2));
    ck_assert(!hg_backward(hg_apply(&op, NULL, x, x)));
    expect_error(SHAPE, "odd", "[7]", "[]", "backward rule");
}
END_TEST

START_TEST(a_rule_may_not_start_another_backward)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    hg_op op = copy_op(nested_backward);
    hg_tensor *x = hg_watch(scalar(2));
    ck_assert(!hg_backward(hg_apply(&op, NULL, x, x)));
    expect_error(STATE, "odd", "may not start another backward");
    ck_assert_int_eq(hg_get_mode(), HG_TRAIN);
    expect_ok(hg_backward(hg_square(x))); /* nothing stays locked */
}
END_TEST

/* ---- Memory of the pass ------------------------------------------------- */

static size_t peak_of_chain(int length)
{
    hg_context *own = hg_context_new(test_device(), 1);
    ck_assert_ptr_nonnull(hg_scope_open(own, HG_TRAIN));
    hg_tensor *x = hg_watch(hg_ones(HG_SHAPE(1 << 20))), *y = x;
    for (int i = 0; i < length; i++)
        y = hg_scale(y, 1);
    hg_tensor *loss = total(y);
    size_t before = hg_context_bytes(own);
    ck_assert(hg_backward(loss));
    size_t peak = hg_context_peak_bytes(own) - before;
    hg_context_free(own);
    return peak;
}

START_TEST(gradients_passed_on_are_dropped_during_the_backward)
{
    hg_scope_close(scope);
    size_t tensor_bytes = sizeof(hg_real) << 20;
    ck_assert_uint_le(peak_of_chain(on_cpu() ? 20 : 7), 4 * tensor_bytes);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

/* ---- Threads ------------------------------------------------------------ */

/* Gradients of a network big enough to be cut among threads. */
static uint64_t hash_of_gradients(hg_context *context)
{
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    hg_tensor *x = hg_randn(HG_SHAPE(64, 300));
    hg_tensor *w = hg_watch(hg_scale(hg_randn(HG_SHAPE(200, 300)), 0.1));
    hg_tensor *b = hg_watch(hg_randn(HG_SHAPE(200)));
    hg_tensor *h = hg_softplus(hg_add(hg_mul(x, x), hg_mean(x, HG_KEEP(1))));
    hg_tensor *y = hg_tanh(hg_add(hg_matmul(h, hg_transpose(w)), b));
    uint64_t hash = 0;
    if (hg_backward(hg_mean(hg_square(y), HG_ALL))) {
        const unsigned char *bytes = host_values(hg_dense(b->grad));
        for (size_t i = 0; i < 200 * sizeof(hg_real); i++)
            hash = (hash ^ bytes[i]) * 0x100000001B3u;
        hash ^= (uint64_t)((double)hg_item(total(hg_abs(w->grad))) * 1e9);
    }
    hg_scope_close(s);
    return hash;
}

static uint64_t hash_with(int threads)
{
    hg_context *own = hg_context_new(test_device(), 7);
    hg_context_set_threads(own, threads);
    hg_context_set_reference(own, true);
    uint64_t hash = hash_of_gradients(own);
    hg_context_free(own);
    return hash;
}

START_TEST(own_kernels_give_the_same_bits_for_any_number_of_threads)
{
    if (!on_cpu())
        skip_test("its kernels have no threads of the CPU");
    hg_scope_close(scope);
    uint64_t one = hash_with(1);
    ck_assert_uint_ne(one, 0);
    ck_assert_uint_eq(hash_with(2), one);
    ck_assert_uint_eq(hash_with(3), one);
    expect_no_error();
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(a_backward_into_no_set_is_an_error)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = hg_param(p, "w", HG_SCALAR, HG_NORMAL);
    ck_assert(!hg_backward_to_n(hg_square(w), &p, 0));
    expect_error(ARGUMENT, "hg_backward_to", "no set");
    ck_assert(!hg_minimize_n(hg_square(w), NULL, 0));
    expect_error(ARGUMENT, "hg_minimize", "no optimiser");
}
END_TEST

TEST_MAIN("grad", a_backward_into_no_set_is_an_error,
          nothing_is_recorded_in_evaluation, the_mode_belongs_to_the_scope,
          backward_leaves_the_mode_as_it_was,
          a_detached_value_passes_no_gradient,
          a_loss_made_of_constants_reaches_no_parameter,
          the_cut_of_a_deep_graph_is_searched_in_bounded_time,
          a_watched_value_is_a_leaf_of_its_own,
          a_retained_gradient_can_be_looked_at,
          a_gradient_that_is_not_retained_is_dropped,
          straight_through_takes_one_value_and_the_other_gradient,
          hg_grad_touches_no_gradient_and_does_not_spend,
          hg_grad_visits_only_what_lies_between,
          hg_grad_weighs_the_outputs_with_v, hg_grad_of_a_value_in_itself_is_v,
          hg_grad_says_when_there_is_no_way_from_x_to_y,
          a_second_derivative_of_straight_pieces_is_zero,
          gradients_of_gradients_are_second_derivatives,
          mixed_second_derivatives_cross_two_inputs,
          a_gradient_penalty_is_differentiated_into_the_weights,
          a_third_derivative_of_a_pointwise_row_fails_with_a_sentence,
          third_derivatives_of_products_exist,
          a_rule_that_returns_the_wrong_shape_is_named,
          a_rule_may_not_start_another_backward,
          gradients_passed_on_are_dropped_during_the_backward,
          own_kernels_give_the_same_bits_for_any_number_of_threads)
