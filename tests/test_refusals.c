/* test_refusals.c - with an error pending nothing is made or changed; and
 * mistakes that only few calls can make. */
#include "tests/optim_fixture.h"

#include "datasets/data.h"

static hg_params *params;
static hg_tensor *w, *image, *rows, *index;
static nn_layer *layer;
static hg_optimizer *adam;
static hg_ema *ema;

static void make_everything(void)
{
    params = hg_params_new(ctx);
    layer = nn_linear(params, "l", 3, 3);
    w = hg_params_find(params, "l.weight");
    adam = hg_adam(params, "adam", (hg_adam_options){0});
    ema = hg_ema_new(params, (hg_real)0.5);
    image = hg_ones(HG_SHAPE(2, 3, 4, 4));
    rows = hg_ones(HG_SHAPE(3, 3));
    index = hg_arange(3);
    expect_no_error();
}

/* Each of them is NULL or false, and the first error stays. */
#define refuses(call)                                                          \
    do {                                                                       \
        ck_assert_msg(!(call), "%s", #call);                                   \
        ck_assert_str_eq(hg_error(), "pending");                               \
    } while (0)

START_TEST(operations_refuse_while_an_error_is_pending)
{
    make_everything();
    hg_fail(HG_ERROR_DATA, "pending");
    refuses(hg_matmul(rows, rows));
    refuses(hg_linear(rows, w, NULL));
    refuses(hg_conv2d(image, image, NULL, (hg_conv_options){0}));
    refuses(hg_conv_transpose2d(image, image, NULL, (hg_conv_options){0}));
    refuses(hg_batch_norm(image, NULL, NULL, NULL, NULL, 0.1, 1e-5));
    refuses(hg_layer_norm(rows, NULL, NULL, 1e-5));
    refuses(hg_group_norm(image, 1, NULL, NULL, 1e-5));
    refuses(hg_max_pool2d(image, (hg_pool_options){.kernel = 2}));
    refuses(hg_unfold(image, 2, 2, (hg_conv_options){0}));
    refuses(hg_reshape(rows, HG_SHAPE(9)));
    refuses(hg_expand(rows, HG_SHAPE(2, 3, 3)));
    refuses(hg_sum_to(rows, HG_SHAPE(3)));
    refuses(hg_permute(rows, HG_OVER(1, 0)));
    refuses(hg_transpose(rows));
    refuses(hg_squeeze(rows, HG_ALL));
    refuses(hg_unsqueeze(rows, 0));
    refuses(hg_concat(0, rows, rows));
    refuses(hg_stack(0, rows, rows));
    refuses(hg_index_select(rows, 0, index));
    refuses(hg_one_hot(index, 3));
    refuses(hg_softmax(rows, 0));
    refuses(hg_sum(rows, HG_ALL));
    refuses(hg_norm(rows, 2, HG_ALL));
    refuses(hg_topk(rows, 1, 0, NULL));
    refuses(hg_dropout(rows, 0.5));
    refuses(hg_normal_sample(rows, rows));
    refuses(hg_randn(HG_SHAPE(3)));
    refuses(hg_full(HG_SHAPE(3), 1));
    refuses(hg_where(rows, rows, rows));
    refuses(hg_detach(rows));
    refuses(hg_watch(rows));
    refuses(hg_straight_through(rows, rows));
    refuses(hg_grad(rows, w, NULL));
    refuses(hg_backward(rows));
    hg_retain_grad(rows);
    expect_error(DATA, "pending");
}
END_TEST

START_TEST(the_store_refuses_while_an_error_is_pending)
{
    make_everything();
    hg_fail(HG_ERROR_DATA, "pending");
    refuses(hg_params_new(ctx));
    refuses(hg_params_at(params, "more"));
    refuses(hg_params_alloc(params, 8));
    refuses(hg_param(params, "more", HG_SHAPE(2), HG_NORMAL));
    refuses(hg_buffer(params, "more", HG_SHAPE(2), 0));
    refuses(hg_counter(params, "more"));
    refuses(nn_linear(params, "more", 2, 2));
    refuses(nn_conv2d(params, "more", 1, 1, (nn_window){.kernel = 1}));
    refuses(nn_batch_norm(params, "more", 2, (nn_norm_options){0}));
    refuses(nn_group_norm(params, "more", 2, 2, (nn_norm_options){0}));
    refuses(nn_embedding(params, "more", 2, 2));
    refuses(nn_dropout(params, 0.5));
    refuses(nn_chain(params, layer, layer));
    refuses(nn_forward(layer, rows));
    refuses(hg_adam(params, "more", (hg_adam_options){0}));
    refuses(hg_ema_new(params, (hg_real)0.5));
    refuses(hg_params_load(params, "nothing"));
    refuses(hg_optimizers_load(&adam, 1, "nothing"));
    refuses(hg_params_load_matching(params, "nothing") >= 0);
    expect_error(DATA, "pending");
    ck_assert_ptr_null(hg_params_find(params, "more"));
}
END_TEST

START_TEST(values_and_settings_stay_while_an_error_is_pending)
{
    make_everything();
    hg_set(w, 2);
    w->grad = NULL;
    uint64_t version = hg_version(w);
    hg_real three[9] = {0};
    hg_fail(HG_ERROR_DATA, "pending");
    refuses(hg_write(w, three, 9));
    refuses(hg_assign(w, rows));
    refuses(hg_minimize(rows, adam));
    refuses(hg_backward_to(rows, params));
    refuses(hg_optimizer_step(adam));
    refuses(hg_optimizer_rate(adam));
    refuses(hg_ema_update(ema));
    refuses(hg_clip_grad_norm(params, 1) > 0);
    refuses(hg_context_set_precision(ctx, HG_FP32));
    hg_set(w, 5);
    hg_params_freeze(params, true);
    hg_clip_grad_value(params, 1);
    hg_optimizer_clip_norm(adam, 1);
    hg_optimizer_clip_value(adam, 1);
    expect_error(DATA, "pending");
    ck_assert_uint_eq(hg_version(w), version);
    ck_assert(w->wants_grad);
    expect_values(w, 2, 2, 2, 2, 2, 2, 2, 2, 2);
}
END_TEST

/* ---- Mistakes that only few calls can make ------------------------------ */

START_TEST(rare_mistakes_have_their_sentences)
{
    make_everything();
    ck_assert_ptr_null(hg_max_pool2d(rows, (hg_pool_options){.kernel = 2}));
    expect_error(SHAPE, "max_pool2d", "[3, 3]", "[N, C, H, W]");
    ck_assert_ptr_null(hg_randn((hg_shape){.rank = 7}));
    expect_error(SHAPE, "rank 7", "between 0 and 6");
    nn_layer *table = nn_embedding(params, "table", 4, 2);
    hg_tensor *deep = hg_int_of(hg_ones(HG_SHAPE(1, 1, 1, 1, 1, 1)));
    ck_assert_ptr_null(nn_forward(table, deep));
    expect_error(SHAPE, "embedding", "[1, 1, 1, 1, 1, 1]", "no axis");
    ck_assert_int_eq(hg_context_set_precision(ctx, HG_FP32), true);
    ck_assert(!hg_context_set_precision(ctx, (hg_precision)9));
    expect_error(ARGUMENT, "precision 9");
    hg_scope_close(scope);
    ck_assert_int_eq(hg_set_mode(HG_TRAIN), HG_EVAL);
    expect_error(STATE, "no scope is open");
    ck_assert_int_eq(hg_get_mode(), HG_EVAL);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(a_long_list_of_parameters_without_gradient_is_cut)
{
    hg_params *p = hg_params_new(ctx);
    char name[16];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "p%02d", i);
        parameter(p, name, 1);
    }
    hg_context_on_message(ctx, listen, NULL);
    hg_optimizer *sgd = hg_sgd(p, "sgd", (hg_sgd_options){0});
    hg_tensor *last = hg_params_find(p, "p11");
    expect_ok(hg_minimize(total(hg_square(last)), sgd));
    ck_assert_ptr_nonnull(strstr(said, "p07, ..."));
    ck_assert_ptr_null(strstr(said, "p08"));
}
END_TEST

/* Memory that is gone is neither read nor written. */
START_TEST(settings_of_a_freed_context_are_refused)
{
    hg_context *old = hg_context_new(test_device(), 1);
    uint64_t steps[2] = {1, 1};
    hg_context_free(old);
    hg_context_set_threads(old, 2);
    expect_error(STATE, "hg_context_set_threads", "was freed",
                 "hg_context_new");
    hg_context_set_reference(old, true);
    hg_context_set_anomaly(old, true);
    hg_context_on_message(old, NULL, NULL);
    hg_context_set_steps(old, steps);
    expect_error(STATE, "hg_context_set_reference", "was freed");
    hg_context_steps(old, steps);
    ck_assert(steps[0] == 0 && steps[1] == 0);
    expect_error(STATE, "hg_context_steps", "was freed");
    ck_assert_int_eq(hg_context_threads(old), 0);
    ck_assert_str_eq(hg_context_device(old), "");
    ck_assert_str_eq(hg_context_instructions(old), "");
    ck_assert(!hg_context_seed(old) && !hg_context_bytes(old) &&
              !hg_context_peak_bytes(old) && !hg_context_launches(old));
    expect_error(STATE, "hg_context_threads", "was freed");
}
END_TEST

/* ---- Two contexts ------------------------------------------------------- */

/* Of a context on the CPU, wherever the test's own is. */
typedef struct {
    hg_context *context;
    hg_params *params;
    hg_tensor *rows, *number, *column;
    hg_optimizer *sgd;
    hg_data *data;
} stranger;

static stranger meet_stranger(void)
{
    static const float item[2] = {0, 1};
    stranger s = {.context = hg_context_new("cpu", 1)};
    s.params = hg_params_new(s.context);
    s.rows = hg_param(s.params, "rows", HG_SHAPE(3, 3), HG_NORMAL);
    s.number = hg_param(s.params, "number", HG_SCALAR, HG_NORMAL);
    s.column = hg_buffer(s.params, "column", HG_SHAPE(3), 1);
    s.sgd = hg_sgd(s.params, "theirs", (hg_sgd_options){0});
    s.data = hg_data_from(s.context, item, "f4", HG_SHAPE(2, 1), NULL,
                          (hg_data_options){0});
    expect_no_error();
    return s;
}

START_TEST(values_of_another_context_are_not_taken)
{
    make_everything();
    stranger s = meet_stranger();
    uint64_t version = hg_version(w);
    ck_assert(!hg_assign(w, s.rows));
    expect_error(DEVICE, "hg_assign", "another context than the target",
                 "hg_read");
    ck_assert(!hg_assign(s.rows, w));
    expect_error(DEVICE, "hg_assign", "another context");
    ck_assert_uint_eq(hg_version(w), version);
    hg_report("rows", s.rows);
    expect_error(DEVICE, "hg_report", "another context");
    ck_assert_ptr_null(
        hg_batch_norm(rows, NULL, NULL, s.column, s.column, 0.1, 1e-5));
    expect_error(DEVICE, "batch_norm", "input 1", "another context");
    expect_values(s.column, 1, 1, 1);
    hg_context_free(s.context);
}
END_TEST

START_TEST(gradients_do_not_pass_between_contexts)
{
    make_everything();
    stranger s = meet_stranger();
    hg_tensor *x = hg_watch(rows);
    ck_assert(!hg_backward(s.number));
    expect_error(DEVICE, "hg_backward: the loss", "another context");
    ck_assert_ptr_null(s.number->grad);
    ck_assert_ptr_null(hg_grad(s.rows, s.rows, NULL));
    expect_error(DEVICE, "hg_grad: y", "another context");
    ck_assert_ptr_null(hg_grad(x, s.rows, NULL));
    expect_error(DEVICE, "hg_grad: x", "another context");
    ck_assert_ptr_null(hg_grad(hg_transpose(x), x, s.rows));
    expect_error(DEVICE, "hg_grad: v", "another context");
    hg_context_free(s.context);
}
END_TEST

START_TEST(sets_and_optimizers_of_two_contexts_do_not_mix)
{
    make_everything();
    stranger s = meet_stranger();
    hg_optimizer *both[] = {adam, s.sgd};
    ck_assert(!hg_optimizers_save(both, 2, "nothing"));
    expect_error(ARGUMENT, "hg_optimizers_save", "theirs", "another context");
    ck_assert(!hg_optimizers_load(both, 2, "nothing"));
    expect_error(ARGUMENT, "hg_optimizers_load", "theirs", "another context");
    hg_batch b;
    ck_assert(!hg_data_batch(s.data, (const int64_t[]){0, 1}, 2, &b));
    expect_error(STATE, "hg_data_batch", "another context", "open one");
    hg_context_free(s.context);
}
END_TEST

/* ---- Gradient checks ---------------------------------------------------- */

static hg_tensor *largest(void *user, hg_tensor *const *in, int count)
{
    (void)user, (void)count;
    return hg_argmax(in[0], 0);
}

static hg_tensor *squares(void *user, hg_tensor *const *in, int count)
{
    (void)user, (void)count;
    return hg_mul(hg_square(in[0]), hg_scale(in[1], 2));
}

static bool check(hg_context *context, hg_function f)
{
    static const hg_real x[] = {1, 2, 3}, y[] = {2, 1, -1};
    const hg_real *values[] = {x, y};
    const hg_shape shapes[] = {HG_SHAPE(3), HG_SHAPE(3)};
    return hg_check_function(context, f, NULL, values, shapes, 2,
                             (hg_check_options){.second = true});
}

START_TEST(a_result_of_whole_numbers_has_no_gradient)
{
    ck_assert(!check(ctx, largest));
    expect_error(CHECK, "int32, which has no gradient");
}
END_TEST

static void wrong_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    (void)z;
    dx[0] = hg_scale(g, 5);
}

static void double_cpu(const hg_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        k->out[i] = 2 * k->in[0][i];
}

START_TEST(a_wrong_constant_in_a_rule_is_named)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    static const hg_op op = {.name = "wrong",
                             .arity = 1,
                             .contiguous = true,
                             .shape = first_shape,
                             .cpu = double_cpu,
                             .backward = wrong_backward,
                             .reads = HG_READS_NOTHING};
    hg_shape shape = HG_SHAPE(2, 3);
    ck_assert(!hg_check_op(ctx, &op, NULL, &shape, 1));
    expect_error(CHECK, "wrong", "a constant factor");
}
END_TEST

START_TEST(every_failing_allocation_of_a_check_is_a_sentence)
{
    hg_scope_close(scope);
    long failures = 0;
    for (bool done = false; !done;) {
        test_memory m = {0};
        hg_context *c = hg_context_new_with("cpu", 1, test_allocator(&m));
        ck_assert_ptr_nonnull(c);
        m.fail_at = m.calls + failures + 1;
        done = check(c, squares);
        m.fail_at = 0;
        if (!done) {
            expect_error(MEMORY, "could not be allocated");
            failures++;
            expect_ok(check(c, squares));
        }
        hg_context_free(c);
        ck_assert_int_eq(m.live, 0);
    }
    ck_assert_int_gt(failures, 2);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

TEST_MAIN("refusals", operations_refuse_while_an_error_is_pending,
          the_store_refuses_while_an_error_is_pending,
          values_and_settings_stay_while_an_error_is_pending,
          rare_mistakes_have_their_sentences,
          a_long_list_of_parameters_without_gradient_is_cut,
          settings_of_a_freed_context_are_refused,
          values_of_another_context_are_not_taken,
          gradients_do_not_pass_between_contexts,
          sets_and_optimizers_of_two_contexts_do_not_mix,
          a_result_of_whole_numbers_has_no_gradient,
          a_wrong_constant_in_a_rule_is_named,
          every_failing_allocation_of_a_check_is_a_sentence)
