/* test_backward.c - what lies around the backward pass: modes, leaves and cuts,
 * rules that misbehave, its memory and its threads. */
#include "tests/support.h"

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

/* Gradients of dropout and batch norm computed in this mode, and taken back
 * in the other. */
static void expect_mode_of_forward(hg_mode mode, hg_mode other)
{
    hg_tensor *mean = hg_zeros(HG_SHAPE(3)), *var = hg_full(HG_SHAPE(3), 2);
    hg_tensor *x = hg_watch(hg_randn(HG_SHAPE(40, 3)));
    hg_set_mode(mode);
    hg_tensor *kept = hg_dropout(x, 0.5);
    hg_tensor *y = hg_batch_norm(kept, NULL, NULL, mean, var, 0.1, 1e-5);
    hg_tensor *loss = total(hg_mul(hg_square(y), hg_exp(x)));
    hg_tensor *same = hg_grad(loss, x, NULL);
    hg_set_mode(other);
    hg_tensor *turned = hg_grad(loss, x, NULL);
    expect_ok(same && turned && same_bits(same, turned));
    expect_ok(hg_backward(loss));
    hg_tensor *away = hg_sub(x->grad, same);
    ck_assert_double_lt((double)hg_item(hg_norm(away, INFINITY, HG_ALL)),
                        CLOSE * 100);
    hg_set_mode(HG_TRAIN);
}

START_TEST(rules_do_not_look_at_the_mode)
{
    expect_mode_of_forward(HG_TRAIN, HG_RECORD);
    expect_mode_of_forward(HG_RECORD, HG_TRAIN);
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

static size_t peak_of_chain(int length, int64_t n)
{
    hg_context *own = hg_context_new(test_device(), 1);
    ck_assert_ptr_nonnull(hg_scope_open(own, HG_TRAIN));
    hg_tensor *x = hg_watch(hg_ones(HG_SHAPE(n))), *y = x;
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
    int64_t n = on_cpu() ? 1 << 20 : 1 << 19;
    size_t tensor_bytes = sizeof(hg_real) * (size_t)n;
    ck_assert_uint_le(peak_of_chain(on_cpu() ? 20 : 7, n), 4 * tensor_bytes);
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

TEST_MAIN("backward", nothing_is_recorded_in_evaluation,
          the_mode_belongs_to_the_scope, backward_leaves_the_mode_as_it_was,
          rules_do_not_look_at_the_mode, a_detached_value_passes_no_gradient,
          a_loss_made_of_constants_reaches_no_parameter,
          the_cut_of_a_deep_graph_is_searched_in_bounded_time,
          a_watched_value_is_a_leaf_of_its_own,
          a_retained_gradient_can_be_looked_at,
          a_gradient_that_is_not_retained_is_dropped,
          straight_through_takes_one_value_and_the_other_gradient,
          a_rule_that_returns_the_wrong_shape_is_named,
          a_rule_may_not_start_another_backward,
          gradients_passed_on_are_dropped_during_the_backward,
          own_kernels_give_the_same_bits_for_any_number_of_threads)
