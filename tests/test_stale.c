/* test_stale.c - losses that are spent, values that are stale. */
#include "tests/support.h"
#include "nn/nn.h"

START_TEST(a_second_backward_of_the_same_loss_is_spent)
{
    hg_tensor *x = hg_watch(scalar(3)), *y = hg_square(x);
    expect_ok(hg_backward(y));
    ck_assert(!hg_backward(y));
    expect_error(STATE, "hg_backward", "spent", "compute it again");
    expect_values(x->grad, 6);
}
END_TEST

START_TEST(another_loss_on_the_same_nodes_is_not_spent)
{
    hg_tensor *x = hg_watch(scalar(3)), *y = hg_square(x);
    expect_ok(hg_backward(y));
    expect_ok(hg_backward(hg_scale(y, 2)));
    expect_values(x->grad, 18);
}
END_TEST

START_TEST(a_failed_backward_does_not_spend_the_loss)
{
    hg_tensor *w = test_parameter(test_owner(ctx), "w", HG_SCALAR, 3);
    hg_tensor *y = hg_square(w);
    hg_set(w, 5);
    ck_assert(!hg_backward(y));
    expect_error(STATE, "stale");
    hg_block_of(w)->storage.version--; /* as if it had never been */
    expect_ok(hg_backward(y));
}
END_TEST

START_TEST(a_parameter_changed_after_the_forward_is_stale_and_named)
{
    hg_owner *owner = test_owner(ctx);
    hg_tensor *w = test_parameter(owner, "decoder.weight", HG_SHAPE(2), 1);
    hg_tensor *x = hg_watch(vector(1, 2));
    hg_tensor *y = total(hg_mul(x, w));
    expect_ok(hg_write(w, (hg_real[]){7, 8}, 2));
    ck_assert(!hg_backward(y));
    expect_error(STATE, "mul", "stale", "decoder.weight", "version 0",
                 "version 1", "run the forward again");
}
END_TEST

START_TEST(all_ways_to_change_a_value_make_it_stale)
{
    for (int way = 0; way < 4; way++) {
        hg_tensor *x = hg_watch(vector(1, 2));
        hg_tensor *w = hg_full(HG_SHAPE(2), 3);
        hg_tensor *y = total(hg_mul(x, w));
        if (way == 0)
            expect_ok(hg_write(w, (hg_real[]){7, 8}, 2));
        if (way == 1)
            hg_set(w, 4);
        if (way == 2)
            expect_ok(hg_assign(w, vector(5, 6)));
        if (way == 3)
            expect_ok(
                hg_write(hg_reshape(w, HG_SHAPE(2, 1)), (hg_real[]){7, 8}, 2));
        ck_assert_msg(!hg_backward(y), "way %d", way);
        expect_error(STATE, "mul", "stale", "full");
    }
}
END_TEST

START_TEST(an_optimiser_step_between_forward_and_backward_is_stale)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = hg_param(p, "w", HG_SHAPE(2), HG_NORMAL);
    hg_optimizer *sgd = hg_sgd(p, "sgd", (hg_sgd_options){0});
    hg_tensor *first = total(hg_square(w)), *second = total(hg_square(w));
    expect_ok(hg_minimize(first, sgd));
    ck_assert(!hg_backward(second));
    expect_error(STATE, "square", "stale", "w [2]");
}
END_TEST

START_TEST(a_changed_value_that_no_rule_reads_is_not_stale)
{
    hg_owner *owner = test_owner(ctx);
    hg_tensor *b = test_parameter(owner, "bias", HG_SHAPE(2), 1);
    hg_tensor *y = total(hg_add(hg_scale(b, 2), vector(1, 2)));
    hg_set(b, 5);
    expect_ok(hg_backward(y));
    expect_values(b->grad, 2, 2);
}
END_TEST

/* The gradient of a first layer's weight reads its input, not the weight. */
START_TEST(a_changed_weight_whose_input_wants_no_gradient_is_not_stale)
{
    hg_owner *owner = test_owner(ctx);
    hg_tensor *w = test_parameter(owner, "w", HG_SHAPE(1, 2), 1);
    hg_tensor *x = vector(1, 2), *watched = hg_watch(x);
    hg_tensor *first = total(hg_linear(x, w, NULL));
    hg_tensor *deeper = total(hg_linear(watched, w, NULL));
    hg_set(w, 5);
    expect_ok(hg_backward(first));
    expect_values(w->grad, 1, 2);
    ck_assert(!hg_backward(deeper));
    expect_error(STATE, "linear", "stale", "w [1, 2]");
}
END_TEST

START_TEST(a_changed_value_after_the_backward_is_not_stale)
{
    hg_tensor *w = test_parameter(test_owner(ctx), "w", HG_SCALAR, 3);
    expect_ok(hg_backward(hg_square(w)));
    hg_set(w, 1);
    expect_ok(hg_backward(hg_square(w)));
    expect_values(w->grad, 8);
}
END_TEST

TEST_MAIN("stale", a_second_backward_of_the_same_loss_is_spent,
          another_loss_on_the_same_nodes_is_not_spent,
          a_failed_backward_does_not_spend_the_loss,
          a_parameter_changed_after_the_forward_is_stale_and_named,
          all_ways_to_change_a_value_make_it_stale,
          an_optimiser_step_between_forward_and_backward_is_stale,
          a_changed_value_that_no_rule_reads_is_not_stale,
          a_changed_weight_whose_input_wants_no_gradient_is_not_stale,
          a_changed_value_after_the_backward_is_not_stale)
