/* test_autograd.c - the tape and the backward pass: design sections on
 * gradients, who receives them, who clears them, and the named traps. */
#include "tests/support.h"
#include "nn/nn.h"

/* ---- Values of gradients ------------------------------------------------ */

START_TEST(the_gradient_of_x_times_x_is_two_x)
{
    hg_tensor *x = hg_watch(scalar(3));
    expect_ok(hg_backward(hg_mul(x, x)));
    expect_values(x->grad, 6);
}
END_TEST

START_TEST(a_value_used_by_several_operations_gets_the_sum_of_gradients)
{
    hg_tensor *x = hg_watch(vector(1, 2));
    hg_tensor *y = hg_add(hg_scale(x, 2), hg_add(hg_square(x), hg_exp(x)));
    expect_ok(hg_backward(total(y)));
    expect_values(x->grad, 4 + exp(1), 6 + exp(2));
}
END_TEST

START_TEST(a_value_that_many_nodes_use_keeps_all_tensors_of_the_forward)
{
    hg_tensor *x = hg_watch(vector(1, 2)), *sum = hg_scale(x, 1);
    for (int i = 0; i < 20; i++)
        sum = hg_add(hg_mul(sum, x), sum);
    hg_tensor *y = total(sum);
    hg_real before = hg_item(y);
    expect_ok(hg_backward(y));
    ck_assert(hg_item(y) == before);
    expect_values(hg_scale(x, 1), 1, 2);
    /* y = x (1 + x)^20 */
    expect_values_n(x->grad,
                    (const double[]){pow(2, 20) + 20 * pow(2, 19),
                                     pow(3, 20) + 40 * pow(3, 19)},
                    2, CLOSE);
}
END_TEST

START_TEST(operations_of_a_value_with_itself_have_the_right_gradients)
{
    hg_tensor *x = hg_watch(vector(2, 4));
    expect_ok(hg_backward(total(hg_add(x, x))));
    expect_values(x->grad, 2, 2);
    hg_clear_gradient(x);
    expect_ok(hg_backward(total(hg_sub(x, x))));
    expect_values(x->grad, 0, 0);
    hg_clear_gradient(x);
    expect_ok(hg_backward(total(hg_div(x, x))));
    expect_values(x->grad, 0, 0);
    hg_clear_gradient(x);
    expect_ok(hg_backward(hg_matmul(x, x)));
    expect_values(x->grad, 4, 8);
}
END_TEST

START_TEST(broadcasting_is_undone_by_sums)
{
    hg_tensor *row = hg_watch(vector(1, 2)), *one = hg_watch(scalar(3));
    hg_tensor *column = hg_watch(tensor((3, 1), 1, 2, 3));
    hg_tensor *y = hg_mul(hg_mul(row, column), one);
    expect_shape(y, 3, 2);
    expect_ok(hg_backward(total(y)));
    expect_values(row->grad, 18, 18);
    expect_values(column->grad, 9, 9, 9);
    expect_values(one->grad, 18);
    expect_shape(column->grad, 3, 1);
}
END_TEST

START_TEST(zero_sizes_are_legal_forward_and_backward)
{
    hg_tensor *x = hg_watch(hg_zeros(HG_SHAPE(0, 3)));
    hg_tensor *w = hg_watch(hg_ones(HG_SHAPE(2, 3)));
    hg_tensor *y = hg_linear(x, w, NULL);
    expect_shape(y, 0, 2);
    expect_ok(hg_backward(total(y)));
    expect_shape(x->grad, 0, 3);
    expect_values(w->grad, 0, 0, 0, 0, 0, 0);
}
END_TEST

START_TEST(a_batch_of_one_is_a_batch)
{
    hg_tensor *w = hg_watch(tensor((1, 2), 3, 4));
    hg_tensor *y = hg_linear(tensor((1, 2), 1, 2), w, NULL);
    expect_ok(hg_backward(hg_mean(y, HG_ALL)));
    expect_values(w->grad, 1, 2);
}
END_TEST

START_TEST(nan_and_infinity_pass_forward_and_backward)
{
    hg_tensor *x = hg_watch(vector(NAN, INFINITY, -INFINITY, 1));
    hg_tensor *y = hg_square(x);
    expect_values(y, NAN, INFINITY, INFINITY, 1);
    expect_ok(hg_backward(total(y)));
    expect_values(x->grad, NAN, INFINITY, -INFINITY, 2);
}
END_TEST

START_TEST(views_of_one_value_add_their_gradients)
{
    hg_tensor *x = hg_watch(tensor((2, 2), 1, 2, 3, 4));
    hg_tensor *t = hg_transpose(x);
    hg_tensor *flat = hg_reshape(x, HG_SHAPE(4));
    hg_tensor *y = hg_add(total(hg_mul(x, t)), total(hg_square(flat)));
    expect_ok(hg_backward(y));
    expect_values(x->grad, 2 + 2, 6 + 4, 4 + 6, 8 + 8);
}
END_TEST

START_TEST(the_gradient_of_a_loss_that_is_itself_a_leaf_is_one)
{
    hg_tensor *x = hg_watch(scalar(3));
    expect_ok(hg_backward(x));
    expect_values(x->grad, 1);
}
END_TEST

/* ---- Who receives ------------------------------------------------------- */

START_TEST(several_losses_in_one_step_add_up)
{
    hg_tensor *x = hg_watch(vector(1, 2)), *y = hg_square(x);
    expect_ok(hg_backward(total(y)));
    expect_ok(hg_backward(hg_mean(hg_exp(y), HG_ALL)));
    expect_values(x->grad, 2 + exp(1), 4 + 2 * exp(4));
}
END_TEST

static bool is_this(const hg_tensor *leaf, void *user)
{
    return leaf == user;
}
#define only(leaf) ((hg_leaves){is_this, leaf, "only this"})

START_TEST(backward_into_some_leaves_computes_no_other_gradient)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    hg_tensor *a = hg_watch(vector(1, 2)), *b = hg_watch(vector(3, 4));
    hg_tensor *c = hg_watch(vector(5, 6));
    hg_tensor *y = product(product(a, b), c);
    asked[0] = asked[1] = 0;
    expect_ok(hg_backward_among(total(y), &only(c)));
    expect_values(c->grad, 3, 8);
    ck_assert_ptr_null(a->grad);
    ck_assert_ptr_null(b->grad);
    ck_assert_int_eq(asked[0], 0);
    ck_assert_int_eq(asked[1], 1);
    expect_ok(hg_backward_among(total(y), &only(b)));
    expect_values(b->grad, 5, 12);
    ck_assert_ptr_null(a->grad);
    ck_assert_int_eq(asked[0], 1); /* of the outer product, on the way to b */
    ck_assert_int_eq(asked[1], 2);
}
END_TEST

START_TEST(backward_into_leaves_that_the_loss_does_not_reach_is_an_error)
{
    hg_tensor *a = hg_watch(scalar(1)), *other = hg_watch(scalar(1));
    hg_tensor *y = hg_square(a);
    ck_assert(!hg_backward_among(y, &only(other)));
    expect_error(STATE, "only this: ", "other parameters, but none of these");
    ck_assert(!hg_backward_among(a, &only(other))); /* a leaf as the loss */
    expect_error(STATE, "other parameters, but none of these");
    expect_ok(hg_backward(y)); /* it was not spent by that */
}
END_TEST

START_TEST(a_frozen_leaf_gets_no_gradient)
{
    hg_params *p = hg_params_new(ctx), *inner = hg_params_at(p, "inner");
    hg_tensor *w = hg_param(inner, "w", HG_SCALAR, HG_NORMAL);
    hg_tensor *v = hg_param(p, "v", HG_SCALAR, HG_NORMAL);
    hg_params_freeze(inner, true);
    expect_ok(hg_backward(hg_mul(w, v)));
    ck_assert_ptr_null(w->grad);
    ck_assert_ptr_nonnull(v->grad);
    hg_tensor *late = hg_mul(w, v);
    hg_params_freeze(p, true);
    ck_assert(!hg_backward(late));
    expect_error(STATE, "hg_backward:", "frozen");
}
END_TEST

START_TEST(gradients_outlive_the_scope_and_add_up_over_steps)
{
    hg_tensor *w = test_parameter(test_owner(ctx), "w", HG_SHAPE(2), 3);
    for (int step = 1; step <= 3; step++) {
        hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
        expect_ok(hg_backward(total(hg_scale(w, step))));
        hg_scope_close(s);
        expect_values(w->grad, step * (step + 1) / 2, step * (step + 1) / 2);
    }
    hg_clear_gradient(w);
    ck_assert_ptr_null(w->grad);
}
END_TEST

START_TEST(a_gradient_that_is_a_view_outlives_its_scope_too)
{
    hg_tensor *w = test_parameter(test_owner(ctx), "w", HG_SHAPE(2, 2), 1);
    hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
    hg_tensor *t = hg_transpose(w);
    expect_ok(hg_backward(total(hg_mul(t, tensor((2, 2), 1, 2, 3, 4)))));
    hg_scope_close(s);
    expect_values(w->grad, 1, 3, 2, 4);
}
END_TEST

START_TEST(a_gradient_that_is_built_on_survives_its_clearing)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = hg_param(p, "w", HG_SHAPE(3), HG_INIT(HG_INIT_CONSTANT, 2));
    hg_optimizer *sgd = hg_sgd(p, "sgd", (hg_sgd_options){.rate = 1});
    expect_ok(hg_backward(total(hg_square(w)))); /* 4 */
    hg_tensor *view = hg_reshape(w->grad, HG_SHAPE(3, 1));
    hg_tensor *loss = total(hg_mul(w, w->grad));
    expect_ok(hg_minimize(loss, sgd));
    expect_values(w, -2, -2, -2);
    expect_values(view, 4, 4, 4);
}
END_TEST

START_TEST(a_gradient_overwritten_after_it_was_read_is_stale)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = hg_param(p, "w", HG_SHAPE(2), HG_INIT(HG_INIT_ONES));
    hg_scope *inner = hg_scope_open(ctx, HG_TRAIN);
    expect_ok(hg_backward(total(hg_square(w))));
    hg_scope_close(inner);
    hg_tensor *loss = total(hg_mul(w, w->grad));
    hg_clip_grad_value(p, 1);
    ck_assert(!hg_backward(loss));
    expect_error(STATE, "stale");
}
END_TEST

START_TEST(a_watched_tensor_of_an_outer_scope_keeps_its_gradient)
{
    hg_tensor *x = hg_watch(vector(1, 2));
    size_t settled = 0;
    for (int step = 1; step <= 100; step++) {
        hg_scope *inner = hg_scope_open(ctx, HG_TRAIN);
        expect_ok(hg_backward(total(hg_square(x))));
        hg_scope_close(inner);
        expect_values(x->grad, 2 * step, 4 * step);
        if (step == 3)
            settled = scope->owner.region.left;
    }
    ck_assert_uint_eq(scope->owner.region.left, settled);
}
END_TEST

START_TEST(the_way_back_leads_through_all_open_scopes)
{
    hg_tensor *x = hg_watch(scalar(2)), *y = hg_square(x);
    hg_scope *inner = hg_scope_open(ctx, HG_RECORD);
    hg_tensor *z = hg_square(y);
    expect_ok(hg_backward(z));
    expect_values(x->grad, 32);
    hg_scope_close(inner);
    expect_values(x->grad, 32);
    expect_ok(hg_backward(y));
    expect_values(x->grad, 36);
}
END_TEST

TEST_MAIN("autograd", the_gradient_of_x_times_x_is_two_x,
          a_value_used_by_several_operations_gets_the_sum_of_gradients,
          a_value_that_many_nodes_use_keeps_all_tensors_of_the_forward,
          operations_of_a_value_with_itself_have_the_right_gradients,
          broadcasting_is_undone_by_sums,
          zero_sizes_are_legal_forward_and_backward, a_batch_of_one_is_a_batch,
          nan_and_infinity_pass_forward_and_backward,
          views_of_one_value_add_their_gradients,
          the_gradient_of_a_loss_that_is_itself_a_leaf_is_one,
          several_losses_in_one_step_add_up,
          backward_into_some_leaves_computes_no_other_gradient,
          backward_into_leaves_that_the_loss_does_not_reach_is_an_error,
          a_frozen_leaf_gets_no_gradient,
          gradients_outlive_the_scope_and_add_up_over_steps,
          a_gradient_that_is_a_view_outlives_its_scope_too,
          a_gradient_that_is_built_on_survives_its_clearing,
          a_gradient_overwritten_after_it_was_read_is_stale,
          a_watched_tensor_of_an_outer_scope_keeps_its_gradient,
          the_way_back_leads_through_all_open_scopes)
