/* test_undo.c - a step that fails leaves no trace: running statistics and the
 * count of batches are as they were before it. */
#include "support.h"

#include "nn/nn.h"

/* A layer whose statistics move to mean 0.2 i and variance 1 + 0.1 i with
 * every batch of 1 and 3 at first. */
static hg_params *params;
static nn_layer *norm;

static void make_layer(void)
{
    params = hg_params_new(ctx);
    norm = nn_batch_norm(params, "bn", 1, (nn_norm_options){.eps = 1e-12});
    expect_ok(norm != NULL);
}

static hg_tensor *forward(void)
{
    hg_tensor *y = nn_forward(norm, tensor((2, 1), 1, 3));
    expect_ok(y != NULL);
    return y;
}

static void expect_statistics(double mean, double variance, double batches)
{
    expect_values(hg_params_find(params, "bn.running_mean"), mean);
    expect_values(hg_params_find(params, "bn.running_var"), variance);
    expect_values(hg_params_find(params, "bn.num_batches_tracked"), batches);
}

static void fail_now(void)
{
    ck_assert_ptr_null(hg_matmul(vector(1, 2), vector(1, 2, 3)));
    expect_error(SHAPE, "matmul");
}

START_TEST(an_error_takes_back_what_the_forward_moved)
{
    make_layer();
    const hg_tensor *mean = hg_params_find(params, "bn.running_mean");
    forward();
    expect_statistics(0.2, 1.1, 1);
    uint64_t moved = hg_version(mean);
    fail_now();
    expect_statistics(0, 1, 0);
    ck_assert_uint_gt(hg_version(mean), moved);
    forward(); /* the next try in the same scope */
    expect_statistics(0.2, 1.1, 1);
}
END_TEST

START_TEST(several_batches_of_one_step_are_taken_back_together)
{
    make_layer();
    for (int i = 0; i < 3; i++)
        forward();
    expect_statistics(0.2 + 0.18 + 0.162, 1 + 0.1 + 0.09 + 0.081, 3);
    fail_now();
    expect_statistics(0, 1, 0);
}
END_TEST

START_TEST(inner_scopes_belong_to_the_step)
{
    make_layer();
    hg_scope *inner = hg_scope_open(ctx, HG_TRAIN);
    forward();
    hg_scope_close(inner);
    expect_statistics(0.2, 1.1, 1);
    fail_now();
    expect_statistics(0, 1, 0);
}
END_TEST

START_TEST(what_an_optimizer_made_final_or_a_scope_ended_stays)
{
    make_layer();
    hg_optimizer *sgd = hg_sgd(params, "sgd", (hg_sgd_options){0});
    expect_ok(hg_minimize(hg_sum(forward(), HG_ALL), sgd));
    fail_now();
    expect_statistics(0.2, 1.1, 1);
    forward();
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_TRAIN);
    fail_now();
    expect_statistics(0.2 + 0.18, 1 + 0.1 + 0.09, 2);
}
END_TEST

START_TEST(a_backward_that_fails_takes_back_too)
{
    make_layer();
    hg_optimizer *sgd = hg_sgd(params, "sgd", (hg_sgd_options){0});
    hg_tensor *y = forward();
    ck_assert(!hg_minimize(y, sgd)); /* no scalar */
    expect_error(SHAPE, "must be a scalar");
    expect_statistics(0, 1, 0);
    expect_values(hg_params_find(params, "bn.weight"), 1);
}
END_TEST

START_TEST(a_value_that_was_given_on_purpose_stays)
{
    make_layer();
    forward();
    hg_tensor *mean = hg_params_find(params, "bn.running_mean");
    hg_tensor *variance = hg_params_find(params, "bn.running_var");
    hg_set(mean, 42);
    expect_ok(hg_write(variance, (hg_real[]){7}, 1));
    fail_now();
    expect_statistics(42, 7, 0);
}
END_TEST

START_TEST(many_steps_in_one_scope_take_no_memory)
{
    if (!on_cpu())
        skip_test("counted on the host, where values lie");
    hg_params *p = hg_params_new(ctx);
    nn_layer *wide = nn_batch_norm(p, "wide", 4096, (nn_norm_options){0});
    hg_optimizer *sgd = hg_sgd(p, "sgd", (hg_sgd_options){0});
    hg_tensor *x = hg_randn(HG_SHAPE(2, 4096));
    size_t bytes = 0;
    for (int i = 0; i < 60; i++) {
        hg_scope *step = hg_scope_open(ctx, HG_TRAIN);
        expect_ok(hg_minimize(total(nn_forward(wide, x)), sgd));
        hg_scope_close(step);
        if (i == 3)
            bytes = hg_context_bytes(ctx);
    }
    ck_assert_uint_eq(hg_context_bytes(ctx), bytes);
}
END_TEST

/* Fails when it runs: on a GPU while a queue is looked at. */
static void run_failing(const hg_kernel *k)
{
    (void)k;
    hg_fail(HG_ERROR_DEVICE, "on purpose");
}

static bool same_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

START_TEST(what_fails_on_the_device_is_taken_back_too)
{
    static const hg_op failing = {.name = "failing",
                                  .arity = 1,
                                  .shape = same_shape,
                                  .cpu = run_failing,
                                  .cuda = run_failing};
    make_layer();
    hg_tensor *y = forward();
    for (int i = 0; i < 5; i++)
        y = hg_neg(y);
    is_refused(hg_apply(&failing, NULL, y));
    expect_error(DEVICE, "on purpose");
    expect_statistics(0, 1, 0);
}
END_TEST

/* Once the device has lost what it was told. */
static bool is_lost;

static void run_unless_lost(const hg_kernel *k)
{
    if (is_lost)
        hg_fail(HG_ERROR_DEVICE, "on purpose");
    else if (on_cpu())
        k->out[0] = 0;
}

static hg_tensor *perhaps(hg_tensor *x)
{
    static const hg_op perhaps_op = {.name = "perhaps",
                                     .arity = 1,
                                     .shape = same_shape,
                                     .cpu = run_unless_lost,
                                     .cuda = run_unless_lost};
    return hg_apply(&perhaps_op, NULL, x);
}

/* Launches may be shared or not. */
START_TEST(what_comes_after_a_failure_on_the_device_was_not_moved)
{
    for (int fuse = 0; fuse < 2; fuse++) {
        make_layer();
        expect_statistics(0, 1, 0);
        ctx->fuse = fuse;
        is_lost = true;
        hg_tensor *y = perhaps(scalar(1));
        hg_tensor *z = nn_forward(norm, tensor((2, 1), 1, 3));
        is_refused(hg_add(z, y));
        expect_error(DEVICE, "on purpose");
        expect_statistics(0, 1, 0);
    }
}
END_TEST

START_TEST(what_ran_before_a_failure_on_the_device_is_taken_back)
{
    for (int fuse = 0; fuse < 2; fuse++) {
        make_layer();
        ctx->fuse = fuse;
        forward();
        expect_statistics(0.2, 1.1, 1); /* it has run */
        forward();
        is_lost = true;
        is_refused(perhaps(scalar(1)));
        expect_error(DEVICE, "on purpose");
        expect_statistics(0, 1, 0);
    }
}
END_TEST

/* The second of two equal steps is what becomes a graph: it is written down,
 * and nothing of it has run when that fails. */
START_TEST(what_a_graph_would_have_moved_stays)
{
    make_layer();
    for (int i = 0; i < 2; i++) {
        hg_scope_close(scope);
        scope = hg_scope_open(ctx, HG_TRAIN);
        is_lost = i == 1;
        hg_tensor *y = perhaps(hg_sum(forward(), HG_ALL));
        if (is_lost)
            is_refused(y);
    }
    expect_error(DEVICE, "on purpose");
    ck_assert(on_cpu() || ctx->ran[HG_RAN_CAPTURED] == 1);
    expect_statistics(0.2, 1.1, 1);
    expect_values(hg_neg(scalar(1)), -1); /* the device can go on */
}
END_TEST

START_TEST(statistics_that_a_scope_owns_are_left_alone)
{
    hg_tensor *mean = hg_zeros(HG_SHAPE(1)), *var = hg_ones(HG_SHAPE(1));
    hg_tensor *x = tensor((2, 1), 1, 3);
    ck_assert_ptr_nonnull(hg_batch_norm(x, NULL, NULL, mean, var, 0.1, 1e-5));
    fail_now();
    expect_values(mean, 0.2);
    expect_values(var, 1.1);
}
END_TEST

START_TEST(statistics_that_are_rows_of_a_stores_table_are_taken_back)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *table = hg_buffer(p, "table", HG_SHAPE(2, 1), 1);
    hg_tensor *mean = hg_select(table, 0, 0), *var = hg_select(table, 0, 1);
    hg_tensor *x = tensor((2, 1), 1, 3);
    ck_assert_ptr_nonnull(hg_batch_norm(x, NULL, NULL, mean, var, 0.1, 1e-5));
    expect_values(table, 1.1, 1.1);
    fail_now();
    expect_values(table, 1, 1);
}
END_TEST

/* ---- The count ---------------------------------------------------------- */

static void set_count(int32_t batches)
{
    expect_ok(hg_assign(hg_params_find(params, "bn.num_batches_tracked"),
                        hg_from(&batches, "i4", HG_SCALAR)));
}

static int32_t count(void)
{
    int32_t batches = -1;
    expect_ok(hg_read_int(hg_params_find(params, "bn.num_batches_tracked"),
                          &batches, 1));
    return batches;
}

START_TEST(batches_are_counted_beyond_what_a_float_tells_apart)
{
    make_layer();
    set_count(1 << 24);
    forward();
    ck_assert_int_eq(count(), (1 << 24) + 1);
    set_count(INT32_MAX - 1);
    forward();
    ck_assert_int_eq(count(), INT32_MAX);
    forward();
    ck_assert_int_eq(count(), INT32_MAX);
}
END_TEST

START_TEST(a_pass_that_is_not_stochastic_counts_nothing)
{
    make_layer();
    hg_set_mode(HG_RECORD);
    forward();
    hg_set_mode(HG_TRAIN);
    expect_statistics(0, 1, 0);
}
END_TEST

TEST_MAIN("undo", an_error_takes_back_what_the_forward_moved,
          several_batches_of_one_step_are_taken_back_together,
          inner_scopes_belong_to_the_step,
          what_an_optimizer_made_final_or_a_scope_ended_stays,
          a_backward_that_fails_takes_back_too,
          a_value_that_was_given_on_purpose_stays,
          many_steps_in_one_scope_take_no_memory,
          what_fails_on_the_device_is_taken_back_too,
          what_comes_after_a_failure_on_the_device_was_not_moved,
          what_ran_before_a_failure_on_the_device_is_taken_back,
          what_a_graph_would_have_moved_stays,
          statistics_that_a_scope_owns_are_left_alone,
          statistics_that_are_rows_of_a_stores_table_are_taken_back,
          batches_are_counted_beyond_what_a_float_tells_apart,
          a_pass_that_is_not_stochastic_counts_nothing)
