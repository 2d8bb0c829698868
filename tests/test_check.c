/* test_check.c - gradient checks: right rules pass, and every kind of mistake
 * is found and named. */
#include "tests/support.h"

/* ---- A product whose rule can be broken --------------------------------- */

typedef enum { RIGHT, SIGN, TWICE, TURNED, NOTHING, OTHER } mistake;

static mistake now;

static void breakable_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *right = hg_mul(g, z->in[1]);
    dx[1] = hg_mul(g, z->in[0]);
    if (now == RIGHT)
        dx[0] = right;
    if (now == SIGN)
        dx[0] = hg_neg(right);
    if (now == TWICE)
        dx[0] = hg_scale(right, 2);
    if (now == TURNED)
        dx[0] = hg_transpose(right);
    if (now == OTHER)
        dx[0] = hg_mul(g, z->in[0]);
}

static bool check_with(mistake m)
{
    hg_op op = product_op;
    op.name = "breakable";
    op.backward = breakable_backward;
    now = m;
    return hg_check_op(ctx, &op, NULL,
                       (hg_shape[]){HG_SHAPE(3, 3), HG_SHAPE(3, 3)}, 2);
}

START_TEST(a_right_rule_passes_dense_and_strided_in_both_orders)
{
    asked[0] = asked[1] = 0;
    expect_ok(check_with(RIGHT));
    expect_ok(hg_check_op(ctx, &product_op, NULL,
                          (hg_shape[]){HG_SHAPE(2, 3), HG_SHAPE(2, 3)}, 2));
    ck_assert_int_gt(asked[0], 0);
}
END_TEST

START_TEST(a_flipped_sign_is_found_and_named)
{
    ck_assert(!check_with(SIGN));
    expect_error(CHECK, "breakable", "gradient in input 0 [3, 3]", "analytic",
                 "numeric", "relative error 2 ", "slope", "sign is flipped");
}
END_TEST

START_TEST(a_factor_of_two_is_found_and_named)
{
    ck_assert(!check_with(TWICE));
    expect_error(CHECK, "input 0", "likely cause: a factor of 2");
}
END_TEST

START_TEST(a_transposed_gradient_is_found_and_named)
{
    ck_assert(!check_with(TURNED));
    expect_error(CHECK, "input 0", "the gradient is transposed");
}
END_TEST

START_TEST(a_missing_gradient_is_found_and_named)
{
    ck_assert(!check_with(NOTHING));
    expect_error(CHECK, "input 0", "analytic 0", "gives no gradient");
}
END_TEST

START_TEST(a_wrong_formula_is_found)
{
    ck_assert(!check_with(OTHER));
    expect_error(CHECK, "input 0", "computes something else");
}
END_TEST

/* ---- The other typical mistakes ----------------------------------------- */

static void add_row_cpu(const hg_kernel *k)
{
    int64_t n = k->out_shape.dim[1];
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = k->in[0][i] + k->in[1][i % n];
}

static void one_row_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)z;
    dx[0] = g;
    dx[1] = hg_slice(g, 0, 0, 1, 1);
}

START_TEST(a_missing_sum_over_a_broadcast_axis_is_found_and_named)
{
    hg_op op = product_op;
    op.cpu = add_row_cpu;
    op.backward = one_row_backward;
    ck_assert(!hg_check_op(ctx, &op, NULL,
                           (hg_shape[]){HG_SHAPE(4, 3), HG_SHAPE(1, 3)}, 2));
    expect_error(CHECK, "input 1 [1, 3]", "sum over a broadcast axis");
}
END_TEST

static void cube_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = k->in[0][i] * k->in[0][i] * k->in[0][i];
}

static void detached_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *x = z->in[0];
    dx[0] = hg_mul(g, hg_scale(hg_mul(hg_detach(x), x), 3));
}

START_TEST(a_wrong_second_derivative_is_found_after_a_right_first_one)
{
    hg_op op = {.name = "cube",
                .arity = 1,
                .contiguous = true,
                .shape = first_shape,
                .cpu = cube_cpu,
                .backward = detached_backward};
    hg_shape shape = HG_SHAPE(5);
    expect_ok(hg_check_op_in(ctx, &op, NULL, &shape, 1,
                             (hg_check_options){.seed = 1}));
    ck_assert(!hg_check_op(ctx, &op, NULL, &shape, 1));
    expect_error(CHECK, "cube", "second derivative in input 0", "factor of 2");
}
END_TEST

/* A kernel that takes its input for dense. */
START_TEST(a_kernel_that_ignores_strides_is_found)
{
    hg_op op = product_op;
    op.contiguous = false;
    ck_assert(!hg_check_op(ctx, &op, NULL,
                           (hg_shape[]){HG_SHAPE(2, 3), HG_SHAPE(2, 3)}, 2));
    expect_error(CHECK, "product", "not finite"); /* it read between them */
}
END_TEST

/* ---- Functions ---------------------------------------------------------- */

static hg_tensor *mixture(void *user, hg_tensor *const *in, int count)
{
    (*(int *)user)++;
    ck_assert_int_eq(count, 2);
    hg_tensor *noise = hg_rand(HG_SHAPE(3));
    return hg_mul(hg_tanh(hg_mul(in[0], in[1])), hg_shift(noise, 1));
}

static const hg_real points[] = {0.3, -0.8, 1.5};
static const hg_real factors[] = {2};

START_TEST(a_users_function_is_checked_with_the_same_noise_each_time)
{
    int calls = 0;
    expect_ok(hg_check_function(ctx, mixture, &calls,
                                (const hg_real *const[]){points, factors},
                                (hg_shape[]){HG_SHAPE(3), HG_SCALAR}, 2,
                                (hg_check_options){.second = true}));
    ck_assert_int_gt(calls, 20);
}
END_TEST

START_TEST(a_check_leaves_the_counters_of_random_draws_alone)
{
    uint64_t before[2], after[2];
    int calls = 0;
    hg_scope_close(scope);
    hg_context_steps(ctx, before);
    expect_ok(hg_check_function(
        ctx, mixture, &calls, (const hg_real *const[]){points, factors},
        (hg_shape[]){HG_SHAPE(3), HG_SCALAR}, 2, (hg_check_options){0}));
    hg_context_steps(ctx, after);
    ck_assert_uint_eq(before[0], after[0]);
    ck_assert_uint_eq(before[1], after[1]);
    scope = hg_scope_open(ctx, HG_TRAIN);
    hg_tensor *first = hg_rand(HG_SHAPE(8));
    hg_context_set_steps(ctx, before);
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_TRAIN);
    hg_tensor *again = hg_rand(HG_SHAPE(8));
    (void)first;
    expect_ok(hg_check_function(
        ctx, mixture, &calls, (const hg_real *const[]){points, factors},
        (hg_shape[]){HG_SHAPE(3), HG_SCALAR}, 2, (hg_check_options){0}));
    ck_assert_uint_eq(ctx->draws, 1);
    ck_assert_ptr_nonnull(again);
}
END_TEST

static hg_tensor *kinked(void *user, hg_tensor *const *in, int count)
{
    (void)user, (void)count;
    return hg_relu(in[0]);
}

START_TEST(a_kink_at_the_inputs_is_an_error)
{
    const hg_real zero = 0;
    hg_shape shape = HG_SCALAR;
    ck_assert(!hg_check_function(ctx, kinked, NULL,
                                 (const hg_real *const[]){&zero}, &shape, 1,
                                 (hg_check_options){0}));
    expect_error(CHECK, "hg_check_function", "gradient in input 0 []");
}
END_TEST

static hg_tensor *constant(void *user, hg_tensor *const *in, int count)
{
    (void)count;
    return user ? hg_log(hg_detach(in[0])) : hg_detach(in[0]);
}

START_TEST(a_function_cut_from_its_input_is_an_error)
{
    hg_shape shape = HG_SHAPE(3);
    ck_assert(!hg_check_function(ctx, constant, NULL,
                                 (const hg_real *const[]){points}, &shape, 1,
                                 (hg_check_options){0}));
    expect_error(CHECK, "analytic 0", "gives no gradient");
}
END_TEST

START_TEST(inputs_outside_the_domain_are_an_error)
{
    hg_shape shape = HG_SHAPE(3);
    int yes = 1;
    ck_assert(!hg_check_function(ctx, constant, &yes,
                                 (const hg_real *const[]){points}, &shape, 1,
                                 (hg_check_options){0}));
    expect_error(CHECK, "not finite", "inside the domain");
}
END_TEST

static hg_tensor *nothing(void *user, hg_tensor *const *in, int count)
{
    (void)user, (void)in, (void)count;
    return NULL;
}

START_TEST(wrong_uses_of_the_check_get_sentences)
{
    hg_shape shape = HG_SHAPE(3);
    ck_assert(!hg_check_function(ctx, nothing, NULL,
                                 (const hg_real *const[]){points}, &shape, 1,
                                 (hg_check_options){0}));
    expect_error(CHECK, "returned NULL");
    ck_assert(!hg_check_function(ctx, NULL, NULL, NULL, NULL, 0,
                                 (hg_check_options){0}));
    expect_error(ARGUMENT, "hg_check_function");
    ck_assert(!hg_check_op(ctx, NULL, NULL, NULL, 0));
    expect_error(ARGUMENT, "hg_check_op");
    ck_assert(!hg_check_op(NULL, &product_op, NULL, &shape, 1));
    expect_error(ARGUMENT, "context is NULL");
}
END_TEST

/* It is 0 everywhere, as the difference of numbers of about 1. */
static hg_tensor *vanishing(void *user, hg_tensor *const *in, int count)
{
    (void)user, (void)count;
    return hg_logsumexp(hg_log_softmax(in[0], 1), HG_OVER(1));
}

START_TEST(rounding_around_zero_is_no_mistake)
{
    const hg_real values[] = {.3, -.2, 1, .5, .7, -1, .1, .2, .3, -.4, .9, 0};
    hg_shape shape = HG_SHAPE(3, 4);
    expect_ok(hg_check_function(ctx, vanishing, NULL,
                                (const hg_real *const[]){values}, &shape, 1,
                                (hg_check_options){.second = true}));
}
END_TEST

static void tiny_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = (hg_real)1e-9 * k->in[0][i] * k->in[0][i];
}

static void tiny_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_mul(g, hg_scale(z->in[0], now == RIGHT ? 2e-9 : 1e-9));
}

START_TEST(mistakes_of_a_tiny_function_are_found)
{
    hg_op op = product_op;
    op.name = "tiny";
    op.arity = 1;
    op.shape = first_shape;
    op.cpu = tiny_cpu;
    op.backward = tiny_backward;
    hg_shape shape = HG_SHAPE(5);
    now = RIGHT;
    expect_ok(hg_check_op(ctx, &op, NULL, &shape, 1));
    now = TWICE;
    ck_assert(!hg_check_op(ctx, &op, NULL, &shape, 1));
    expect_error(CHECK, "tiny", "gradient in input 0", "factor of 2");
}
END_TEST

/* ---- Special inputs ----------------------------------------------------- */

START_TEST(empty_inputs_pass)
{
    expect_ok(hg_check_op(ctx, &product_op, NULL,
                          (hg_shape[]){HG_SHAPE(0, 3), HG_SHAPE(0, 3)}, 2));
}
END_TEST

START_TEST(large_inputs_are_sampled)
{
    now = RIGHT;
    expect_ok(
        hg_check_op_in(ctx, &product_op, NULL,
                       (hg_shape[]){HG_SHAPE(40, 50), HG_SHAPE(40, 50)}, 2,
                       (hg_check_options){.samples = 5, .low = -1, .high = 1}));
}
END_TEST

static void one_wrong_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = k->in[0][i] * (i == 1777 ? 2 : 1);
}

static void all_ones_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)z;
    dx[0] = g;
}

START_TEST(a_wrong_element_that_was_not_sampled_shows_in_the_slope)
{
    hg_op op = {.name = "lopsided",
                .arity = 1,
                .contiguous = true,
                .shape = first_shape,
                .cpu = one_wrong_cpu,
                .backward = all_ones_backward};
    hg_shape shape = HG_SHAPE(2000);
    ck_assert(!hg_check_op_in(ctx, &op, NULL, &shape, 1,
                              (hg_check_options){.samples = 3}));
    expect_error(CHECK, "lopsided", "Taylor remainder", "slope 1.0");
}
END_TEST

static void pick_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = k->in[0][i] * (hg_real)(1 + k->in_int[1][i]);
}

static void pick_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_mul(g, hg_shift(hg_real_of(z->in[1]), 1));
}

START_TEST(int32_inputs_are_held_fixed)
{
    hg_op op = product_op;
    op.name = "pick";
    op.cpu = pick_cpu;
    op.backward = pick_backward;
    op.int_inputs = 1u << 1 | 1u << 17;
    expect_ok(hg_check_op(ctx, &op, NULL,
                          (hg_shape[]){HG_SHAPE(2, 3), HG_SHAPE(2, 3)}, 2));
}
END_TEST

TEST_MAIN("check", a_right_rule_passes_dense_and_strided_in_both_orders,
          a_flipped_sign_is_found_and_named, a_factor_of_two_is_found_and_named,
          a_transposed_gradient_is_found_and_named,
          a_missing_gradient_is_found_and_named, a_wrong_formula_is_found,
          a_missing_sum_over_a_broadcast_axis_is_found_and_named,
          a_wrong_second_derivative_is_found_after_a_right_first_one,
          a_kernel_that_ignores_strides_is_found,
          a_users_function_is_checked_with_the_same_noise_each_time,
          a_check_leaves_the_counters_of_random_draws_alone,
          a_kink_at_the_inputs_is_an_error,
          a_function_cut_from_its_input_is_an_error,
          inputs_outside_the_domain_are_an_error,
          rounding_around_zero_is_no_mistake,
          mistakes_of_a_tiny_function_are_found,
          wrong_uses_of_the_check_get_sentences, empty_inputs_pass,
          large_inputs_are_sampled,
          a_wrong_element_that_was_not_sampled_shows_in_the_slope,
          int32_inputs_are_held_fixed)
