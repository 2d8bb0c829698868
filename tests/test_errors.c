/* test_errors.c - errors stick and travel as NULL; wrong uses of the public
 * interface get sentences that say what, where and what to try. */
#include "tests/support.h"
#include "nn/nn.h"

/* ---- Errors stick ------------------------------------------------------- */

START_TEST(the_first_error_wins)
{
    ck_assert(!hg_fail(HG_ERROR_SHAPE, "first %d", 1));
    ck_assert(!hg_fail(HG_ERROR_MEMORY, "second"));
    ck_assert_str_eq(hg_error(), "first 1");
    ck_assert_int_eq(hg_error_kind(), HG_ERROR_SHAPE);
    ck_assert_str_eq(hg_error_name(hg_error_kind()), "shape");
    hg_error_clear();
    ck_assert_ptr_null(hg_error());
    ck_assert_int_eq(hg_error_kind(), HG_ERROR_NONE);
}
END_TEST

START_TEST(null_travels_through_an_expression_and_keeps_the_sentence)
{
    hg_tensor *bad = hg_add(vector(1, 2), vector(1, 2, 3));
    hg_tensor *y = hg_mean(hg_square(hg_exp(bad)), HG_ALL);
    ck_assert_ptr_null(y);
    ck_assert(!hg_backward(y));
    expect_error(SHAPE, "add", "[2]", "[3]");
}
END_TEST

START_TEST(operations_refuse_while_an_error_is_pending)
{
    hg_tensor *x = hg_watch(scalar(2)), *y = hg_square(x);
    uint64_t launches = hg_context_launches(ctx);
    hg_fail(HG_ERROR_STATE, "pending");
    ck_assert_ptr_null(hg_square(x));
    ck_assert_ptr_null(hg_zeros(HG_SCALAR));
    ck_assert_ptr_null(hg_from((float[]){1}, "f4", HG_SHAPE(1)));
    ck_assert_ptr_null(hg_grad(y, x, NULL));
    ck_assert_ptr_null(hg_scope_open(ctx, HG_EVAL));
    ck_assert_ptr_null(hg_context_new("cpu", 1));
    ck_assert(!hg_backward(y));
    ck_assert(!hg_write(x, (hg_real[]){1}, 1));
    ck_assert(!hg_assign(x, y));
    hg_set(x, 7);
    ck_assert_uint_eq(hg_context_launches(ctx), launches);
    expect_error(STATE, "pending");
    expect_values(x, 2);
    ck_assert_uint_eq(hg_version(x), 0);
}
END_TEST

START_TEST(reads_and_frees_work_while_an_error_is_pending)
{
    hg_tensor *x = vector(1, 2);
    hg_real value[2];
    hg_scope *inner = hg_scope_open(ctx, HG_EVAL);
    hg_fail(HG_ERROR_STATE, "pending");
    ck_assert(hg_read(x, value, 2));
    ck_assert(value[1] == 2);
    hg_scope_close(inner);
    ck_assert_ptr_eq(hg_ambient_here()->scope, scope);
    hg_context_free(ctx);
    ck_assert_int_eq(memory.live, 0);
    expect_error(STATE, "pending");
    test_setup();
}
END_TEST

START_TEST(a_sentence_opens_with_the_layer_and_the_operation)
{
    hg_ambient_here()->path = "encoder.0";
    ck_assert_ptr_null(
        hg_matmul(hg_ones(HG_SHAPE(2, 3)), hg_ones(HG_SHAPE(4, 5))));
    hg_ambient_here()->path = NULL;
    ck_assert_int_eq(strncmp(hg_error(), "encoder.0: matmul: ", 19), 0);
    expect_error(SHAPE, "[2, 3]", "[4, 5]");
}
END_TEST

START_TEST(a_very_long_sentence_is_cut_not_overrun)
{
    char word[3000];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = 0;
    hg_ambient_here()->path = word;
    hg_fail(HG_ERROR_STATE, "%s", word);
    hg_ambient_here()->path = NULL;
    ck_assert_uint_lt(strlen(hg_error()), sizeof hg_ambient_here()->text);
    hg_error_clear();
}
END_TEST

START_TEST(every_kind_of_error_has_a_name)
{
    for (int i = 0; i < HG_ERROR_COUNT; i++)
        ck_assert_uint_gt(strlen(hg_error_name((hg_error_code)i)), 0);
    ck_assert_str_eq(hg_error_name(HG_ERROR_COUNT), "unknown");
    ck_assert_str_eq(hg_error_name(HG_ERROR_NONFINITE), "nonfinite");
}
END_TEST

/* ---- Ten wrong uses, ten sentences -------------------------------------- */

START_TEST(mismatched_shapes_show_both)
{
    ck_assert_ptr_null(
        hg_mul(hg_ones(HG_SHAPE(3, 4)), hg_ones(HG_SHAPE(3, 5))));
    expect_error(SHAPE, "mul", "[3, 4]", "[3, 5]", "hg_unsqueeze");
}
END_TEST

START_TEST(null_is_named)
{
    ck_assert_ptr_null(hg_exp(NULL));
    expect_error(ARGUMENT, "exp", "input 0 is NULL", "check what was passed");
    ck_assert_ptr_null(hg_add(scalar(1), NULL));
    expect_error(ARGUMENT, "add", "input 1 is NULL");
    ck_assert(!hg_backward(NULL));
    expect_error(ARGUMENT, "hg_backward: the loss is NULL");
    ck_assert(isnan(hg_item(NULL)));
    expect_error(ARGUMENT, "hg_item: the tensor is NULL");
    ck_assert_ptr_null(hg_scope_open(NULL, HG_EVAL));
    expect_error(ARGUMENT, "hg_scope_open", "hg_context_new");
    ck_assert_ptr_null(hg_context_new(NULL, 1));
    expect_error(ARGUMENT, "hg_context_new", "pass \"cpu\"");
    hg_scope_close(NULL);
    expect_error(STATE, "hg_scope_close", "NULL");
    ck_assert_ptr_null(hg_from(NULL, "f4", HG_SHAPE(3)));
    expect_error(ARGUMENT, "hg_from", "NULL");
    hg_set(NULL, 1);
    expect_error(ARGUMENT, "hg_set", "NULL");
    hg_retain_grad(NULL);
    expect_error(ARGUMENT, "hg_retain_grad", "NULL");
}
END_TEST

START_TEST(without_a_scope_the_sentence_says_how_to_open_one)
{
    hg_tensor *x = scalar(1);
    hg_owner *owner = test_owner(ctx);
    hg_tensor *w = test_parameter(owner, "w", HG_SCALAR, 1);
    hg_scope_close(scope);
    ck_assert_ptr_null(hg_zeros(HG_SCALAR));
    expect_error(STATE, "no scope is open", "hg_scope_open");
    ck_assert_ptr_null(hg_square(w));
    expect_error(STATE, "square", "no scope is open");
    ck_assert_ptr_null(hg_square(x));
    hg_error_clear();
    ck_assert(!hg_backward(w));
    expect_error(STATE, "no scope is open");
    ck_assert_int_eq(hg_get_mode(), HG_EVAL);
}
END_TEST

START_TEST(a_spent_loss_says_compute_it_again)
{
    hg_tensor *y = hg_square(hg_watch(scalar(1)));
    expect_ok(hg_backward(y));
    ck_assert(!hg_backward(y));
    expect_error(STATE, "hg_backward", "spent", "compute it again");
}
END_TEST

START_TEST(a_wrong_device_is_named)
{
    if (!on_cpu())
        skip_test("the device is there");
    ck_assert_ptr_null(hg_context_new("cuda", 1));
    expect_error(DEVICE, "cuda", "--device cpu");
    ck_assert_ptr_null(hg_context_new("tpu", 1));
    expect_error(ARGUMENT, "device tpu", "cpu, auto, cuda");
    hg_context *other = hg_context_new("auto", 1);
    ck_assert_str_eq(hg_context_device(other), "cpu");
    hg_tensor *far = test_parameter(test_owner(other), "w", HG_SCALAR, 1);
    ck_assert_ptr_null(hg_exp(far));
    expect_error(DEVICE, "exp", "input 0", "another context", "hg_from");
    ck_assert_ptr_null(hg_scope_open(other, HG_EVAL));
    expect_error(STATE, "scope of another context is open", "close it");
    hg_context_free(other);
}
END_TEST

START_TEST(an_index_out_of_range_is_named_with_its_bounds)
{
    ck_assert_ptr_null(hg_sum(hg_ones(HG_SHAPE(2, 3)), HG_OVER(2)));
    expect_error(SHAPE, "sum", "axis 2", "rank 2", "use -2 to 1");
    hg_tensor *index = hg_from((int32_t[]){0, 3}, "i4", HG_SHAPE(2));
    ck_assert(is_refused(hg_index_select(hg_ones(HG_SHAPE(3, 2)), 0, index)));
    expect_error(ARGUMENT, "index_select", "index 3", "counted from 0");
}
END_TEST

START_TEST(a_tensor_of_a_closed_scope_is_refused_everywhere)
{
    hg_scope *inner = hg_scope_open(ctx, HG_TRAIN);
    hg_tensor *x = hg_watch(scalar(1)), *y = hg_square(x);
    hg_real value;
    hg_scope_close(inner);
    ck_assert_ptr_null(hg_exp(y));
    expect_error(STATE, "exp", "input 0", "scope that is closed",
                 "hg_scope_close");
    ck_assert(!hg_backward(y));
    expect_error(STATE, "hg_backward", "closed");
    ck_assert(!hg_read(y, &value, 1));
    expect_error(STATE, "hg_read", "closed", "use it before");
    ck_assert(!hg_write(y, &value, 1));
    expect_error(STATE, "hg_write", "closed");
    ck_assert_ptr_null(hg_grad(y, x, NULL));
    expect_error(STATE, "hg_grad", "closed");
}
END_TEST

START_TEST(a_freed_context_is_named)
{
    hg_context *old = hg_context_new(test_device(), 1);
    hg_context_free(old);
    ck_assert_ptr_null(hg_scope_open(old, HG_EVAL));
    expect_error(STATE, "hg_scope_open", "was freed", "hg_context_new");
    ck_assert_ptr_null(hg_params_new(old));
    expect_error(STATE, "hg_params_new", "was freed");
}
END_TEST

START_TEST(a_context_freed_twice_is_named)
{
    hg_context *other = hg_context_new(test_device(), 1);
    hg_context_free(other);
    hg_context_free(other);
    expect_error(STATE, "hg_context_free", "freed already");
}
END_TEST

START_TEST(settings_of_no_context_are_refused)
{
    uint64_t steps[2] = {1, 1};
    hg_context_set_threads(NULL, 2);
    expect_error(ARGUMENT, "context is NULL");
    hg_context_set_reference(NULL, true);
    hg_context_set_anomaly(NULL, true);
    hg_context_on_message(NULL, NULL, NULL);
    hg_context_set_steps(NULL, steps);
    hg_context_steps(NULL, steps);
    ck_assert(steps[0] == 0 && steps[1] == 0);
    ck_assert_int_eq(hg_context_threads(NULL), 0);
    ck_assert_str_eq(hg_context_device(NULL), "");
    ck_assert_str_eq(hg_context_instructions(NULL), "");
    ck_assert(!hg_context_seed(NULL) && !hg_context_bytes(NULL) &&
              !hg_context_peak_bytes(NULL) && !hg_context_launches(NULL));
    expect_error(ARGUMENT, "context is NULL");
}
END_TEST

START_TEST(a_context_freed_with_its_scope_open_is_named)
{
    hg_scope_close(scope);
    hg_context *old = hg_context_new(test_device(), 1);
    ck_assert_ptr_nonnull(hg_scope_open(old, HG_EVAL));
    hg_context_free(old);
    ck_assert_ptr_null(hg_zeros(HG_SCALAR));
    expect_error(STATE, "context it belonged to was freed", "hg_scope_open");
}
END_TEST

START_TEST(a_name_given_twice_is_named)
{
    hg_params *p = hg_params_new(ctx);
    ck_assert_ptr_nonnull(hg_param(p, "w", HG_SHAPE(2), HG_NORMAL));
    ck_assert_ptr_null(hg_param(p, "w", HG_SHAPE(2), HG_NORMAL));
    expect_error(ARGUMENT, "hg_param", "\"w\"", "hg_params_at");
}
END_TEST

START_TEST(a_loss_that_is_no_scalar_says_average_it)
{
    ck_assert(!hg_backward(hg_square(hg_watch(vector(1, 2)))));
    expect_error(SHAPE, "hg_backward", "scalar", "not [2]", "hg_mean");
}
END_TEST

/* ---- More wrong uses ---------------------------------------------------- */

START_TEST(int32_and_real_values_are_not_mixed_up)
{
    hg_tensor *index = hg_from((int32_t[]){0, 3}, "i4", HG_SHAPE(2));
    hg_real real[2];
    int32_t integer[2];
    ck_assert_ptr_null(hg_exp(index));
    expect_error(ARGUMENT, "exp", "int32", "hg_real_of");
    ck_assert(!hg_read(index, real, 2));
    expect_error(ARGUMENT, "hg_read", "use hg_read_int");
    ck_assert(!hg_read_int(vector(1, 2), integer, 2));
    expect_error(ARGUMENT, "hg_read_int", "use hg_read");
    ck_assert(!hg_write(index, real, 2));
    expect_error(ARGUMENT, "hg_write", "int32");
    hg_set(index, 1);
    expect_error(ARGUMENT, "hg_set");
    ck_assert_ptr_null(hg_index_select(vector(1, 2), 0, vector(1, 0)));
    expect_error(ARGUMENT, "index_select", "hg_int_of");
}
END_TEST

START_TEST(counts_that_do_not_fit_are_named)
{
    hg_real value[3] = {0};
    ck_assert(!hg_read(vector(1, 2), value, 3));
    expect_error(SHAPE, "hg_read", "3 values", "[2] has 2");
    ck_assert(!hg_write(vector(1, 2), value, 3));
    expect_error(SHAPE, "hg_write", "3 values", "[2] has 2");
    ck_assert(isnan(hg_item(vector(1, 2))));
    expect_error(SHAPE, "hg_item", "[2] has 2");
    ck_assert(!hg_assign(vector(1, 2), vector(1)));
    expect_error(SHAPE, "hg_assign", "[1]", "[2]");
}
END_TEST

static void no_kernel_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)z;
    dx[0] = g;
}

START_TEST(operations_of_the_user_are_checked_by_the_funnel)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    ck_assert_ptr_null(hg_apply_n(NULL, NULL, NULL, 0));
    expect_error(ARGUMENT, "hg_apply", "NULL");
    hg_op op = {.name = "mine",
                .arity = 1,
                .shape = first_shape,
                .backward = no_kernel_backward};
    ck_assert_ptr_null(hg_apply(&op, NULL, scalar(1)));
    expect_error(DEVICE, "mine", "no kernel", "cpu");
    op.cpu = product_cpu;
    ck_assert_ptr_null(hg_apply(&op, NULL, scalar(1), scalar(2)));
    expect_error(ARGUMENT, "mine", "takes 1 inputs", "got 2");
    op.attr_size = 8;
    ck_assert_ptr_null(hg_apply(&op, NULL, scalar(1)));
    expect_error(ARGUMENT, "mine", "attributes are NULL");
}
END_TEST

START_TEST(shapes_of_any_kind_of_nonsense_are_refused)
{
    hg_shape deep = {.rank = 7}, negative = HG_SHAPE(2, -3);
    ck_assert_ptr_null(hg_zeros(deep));
    expect_error(SHAPE, "rank 7", "between 0 and 6");
    ck_assert_ptr_null(hg_zeros(negative));
    expect_error(SHAPE, "size -3 of axis 1 is negative");
    ck_assert_ptr_null(hg_from((float[]){1}, "f4", negative));
    expect_error(SHAPE, "size -3 of axis 1 is negative");
    ck_assert_ptr_null(hg_from((float[]){1}, "f2", HG_SHAPE(1)));
    expect_error(ARGUMENT, "hg_from", "dtype f2", "f4, f8, u1, i4 or i8");
    ck_assert_ptr_null(hg_from((float[]){1}, NULL, HG_SHAPE(1)));
    expect_error(ARGUMENT, "dtype NULL");
}
END_TEST

/* ---- Warnings ----------------------------------------------------------- */

static char heard[64];

static void listen(void *user, const char *text)
{
    ck_assert_ptr_eq(user, heard);
    snprintf(heard, sizeof heard, "%s", text);
}

START_TEST(messages_go_to_the_program)
{
    hg_message(ctx, "lost");
    hg_context_on_message(ctx, listen, heard);
    hg_message(ctx, "a %s in %d", "word", 1);
    ck_assert_str_eq(heard, "a word in 1");
}
END_TEST

TEST_MAIN("errors", the_first_error_wins,
          null_travels_through_an_expression_and_keeps_the_sentence,
          operations_refuse_while_an_error_is_pending,
          reads_and_frees_work_while_an_error_is_pending,
          a_sentence_opens_with_the_layer_and_the_operation,
          a_very_long_sentence_is_cut_not_overrun,
          every_kind_of_error_has_a_name, mismatched_shapes_show_both,
          null_is_named, without_a_scope_the_sentence_says_how_to_open_one,
          a_spent_loss_says_compute_it_again, a_wrong_device_is_named,
          an_index_out_of_range_is_named_with_its_bounds,
          a_tensor_of_a_closed_scope_is_refused_everywhere,
          a_freed_context_is_named, a_context_freed_twice_is_named,
          settings_of_no_context_are_refused,
          a_context_freed_with_its_scope_open_is_named,
          a_name_given_twice_is_named, a_loss_that_is_no_scalar_says_average_it,
          int32_and_real_values_are_not_mixed_up,
          counts_that_do_not_fit_are_named,
          operations_of_the_user_are_checked_by_the_funnel,
          shapes_of_any_kind_of_nonsense_are_refused,
          messages_go_to_the_program)
