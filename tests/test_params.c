/* test_params.c - the parameter store and initial values. */
#include "tests/support.h"
#include "nn/nn.h"
#include "tensor/random.h"

#define ZEROS HG_INIT(HG_INIT_ZEROS)

static const hg_real *values_of(const hg_tensor *t)
{
    ck_assert_msg(t != NULL, "%s", hg_error());
    return host_values(t);
}

/* ---- The store ---------------------------------------------------------- */

START_TEST(parameters_are_found_by_path_and_sorted_by_it)
{
    hg_params *p = hg_params_new(ctx), *in = hg_params_at(p, "encoder");
    hg_tensor *b = hg_param(in, "b", HG_SHAPE(2, 3), ZEROS);
    hg_tensor *a = hg_param(p, "a", HG_SHAPE(4), ZEROS);
    hg_tensor *c = hg_buffer(in, "c", HG_SHAPE(5), 7);
    hg_tensor *d = hg_param(p, "encoder2.x", HG_SCALAR, ZEROS);
    ck_assert_ptr_eq(hg_params_find(p, "encoder.b"), b);
    ck_assert_ptr_eq(hg_params_find(in, "b"), b);
    ck_assert_ptr_null(hg_params_find(in, "a"));
    ck_assert_ptr_null(hg_params_find(p, "encoder"));
    expect_no_error();
    ck_assert_str_eq(b->name, "encoder.b");
    hg_tensor *const order[] = {a, b, c, d, NULL};
    for (int i = 0; i < 5; i++)
        ck_assert_ptr_eq(hg_params_entry(p, i), order[i]);
    hg_tensor *const made[] = {b, a, c, d};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(hg_params_number(made[i]), i);
    ck_assert_int_eq(hg_params_number(NULL), -1);
    ck_assert_ptr_eq(hg_params_entry(in, 1), c);
    ck_assert_ptr_null(hg_params_entry(in, 2));
    ck_assert_ptr_null(hg_params_entry(in, -1));
    ck_assert_int_eq(hg_params_count(p), 4 + 6 + 1);
    ck_assert_int_eq(hg_params_count(in), 6);
    ck_assert(hg_is_buffer(c) && !hg_is_buffer(b) && !hg_is_buffer(NULL));
    ck_assert(b->wants_grad && !c->wants_grad);
    expect_values(c, 7, 7, 7, 7, 7);
    ck_assert_ptr_eq(hg_params_context(in), ctx);
}
END_TEST

START_TEST(a_cursor_asked_for_again_is_the_same)
{
    hg_params *p = hg_params_new(ctx);
    hg_params *at = hg_params_at(hg_params_at(p, "a"), "b");
    ck_assert_ptr_eq(hg_params_at(p, "a.b"), at);
    ck_assert_ptr_eq(hg_params_at(p, ""), p);
    ck_assert_ptr_eq(hg_params_at(p, NULL), p);
    size_t held = hg_context_bytes(ctx);
    for (int i = 0; i < 100000; i++)
        ck_assert_ptr_eq(hg_params_at(p, "a.b"), at);
    ck_assert_uint_eq(hg_context_bytes(ctx), held);
}
END_TEST

START_TEST(a_parameter_needs_no_scope)
{
    hg_scope_close(scope);
    hg_params *p = hg_params_new(ctx);
    ck_assert_ptr_nonnull(hg_param(p, "w", HG_SHAPE(3), HG_NORMAL));
    ck_assert_ptr_nonnull(nn_linear(p, "l", 3, 4));
    expect_no_error();
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(a_name_that_exists_is_refused)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = hg_param(hg_params_at(p, "a"), "w", HG_SHAPE(3), ZEROS);
    ck_assert_ptr_null(hg_param(p, "a.w", HG_SHAPE(3), ZEROS));
    expect_error(ARGUMENT, "hg_param", "\"a.w\" exists already");
    ck_assert_ptr_null(hg_buffer(p, "a.w", HG_SHAPE(3), 0));
    expect_error(ARGUMENT, "hg_buffer", "\"a.w\" exists already");
    ck_assert_ptr_eq(hg_params_find(p, "a.w"), w);
    ck_assert_ptr_nonnull(nn_linear(p, "a", 3, 3));
    ck_assert_ptr_null(nn_linear(p, "a", 3, 3));
    expect_error(ARGUMENT, "\"a.weight\" exists already");
}
END_TEST

START_TEST(wrong_names_and_shapes_get_sentences)
{
    static const char *const names[] = {"a b", "\xc3\xa4", ".a",
                                        "a.",  "a..b",     "__metadata__"};
    hg_params *p = hg_params_new(ctx);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_ptr_null(hg_param(p, names[i], HG_SHAPE(3), ZEROS));
        expect_error(ARGUMENT, "hg_param: the name", names[i]);
        ck_assert_ptr_null(hg_params_at(p, names[i]));
        expect_error(ARGUMENT, "hg_params_at: the name", names[i]);
    }
    ck_assert_ptr_null(hg_param(p, "", HG_SHAPE(3), ZEROS));
    expect_error(ARGUMENT, "empty");
    ck_assert_ptr_null(hg_param(p, NULL, HG_SHAPE(3), ZEROS));
    expect_error(ARGUMENT, "NULL");
    ck_assert_ptr_null(hg_param(NULL, "w", HG_SHAPE(3), ZEROS));
    expect_error(ARGUMENT, "hg_param: the store is NULL");
    ck_assert_ptr_null(hg_param(p, "w", HG_SHAPE(3, 0), ZEROS));
    expect_error(SHAPE, "w: shape [3, 0]");
    ck_assert_ptr_null(hg_param(p, "w", HG_SHAPE(-1), ZEROS));
    expect_error(SHAPE, "w: shape [-1]");
    int64_t huge = (int64_t)1 << 40;
    ck_assert_ptr_null(hg_param(p, "w", HG_SHAPE(huge, huge), ZEROS));
    expect_error(SHAPE, "w: shape [1099511627776, 1099511627776]");
    ck_assert_ptr_null(hg_param(p, "w", ((hg_shape){7, {1}}), ZEROS));
    expect_error(SHAPE, "rank 7");
    ck_assert_ptr_null(hg_params_new(NULL));
    expect_error(ARGUMENT, "hg_params_new: the context is NULL");
    ck_assert_ptr_null(hg_params_find(NULL, "w"));
    ck_assert_ptr_null(hg_params_entry(NULL, 0));
    ck_assert_int_eq(hg_params_count(NULL), 0);
    hg_zero_grad(NULL);
    expect_no_error();
    ck_assert_ptr_nonnull(hg_param(p, "w", HG_SHAPE(3), ZEROS));
}
END_TEST

START_TEST(the_models_memory_is_zeroed_and_lives_with_the_store)
{
    hg_params *p = hg_params_new(ctx);
    const unsigned char *bytes = hg_params_alloc(p, 1000);
    ck_assert_ptr_nonnull(bytes);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(bytes[i], 0);
    ck_assert_ptr_null(hg_params_alloc(NULL, 8));
    expect_error(ARGUMENT, "hg_params_alloc: the store is NULL");
}
END_TEST

START_TEST(values_of_a_model_lie_in_one_range_of_memory)
{
    hg_params *p = hg_params_new(ctx);
    const hg_real *first =
        hg_tensor_data(hg_param(p, "b", HG_SHAPE(16), HG_NORMAL));
    const hg_real *second =
        hg_tensor_data(hg_param(p, "a", HG_SHAPE(16), HG_NORMAL));
    ck_assert_ptr_eq(first + 16, second);
}
END_TEST

/* ---- Initial values ----------------------------------------------------- */

START_TEST(initial_values_are_keyed_by_path_not_by_order)
{
    hg_params *p = hg_params_new(ctx), *q = hg_params_new(ctx);
    hg_tensor *a = hg_param(p, "a", HG_SHAPE(50), HG_NORMAL);
    hg_tensor *b = hg_param(p, "in.b", HG_SHAPE(50), HG_UNIFORM);
    hg_param(q, "other", HG_SHAPE(9), HG_NORMAL);
    hg_tensor *d =
        hg_param(hg_params_at(q, "in"), "b", HG_SHAPE(50), HG_UNIFORM);
    hg_tensor *c = hg_param(q, "a", HG_SHAPE(50), HG_NORMAL);
    ck_assert(same_bits(a, c) && same_bits(b, d));
    hg_tensor *e = hg_param(q, "e", HG_SHAPE(50), HG_NORMAL);
    ck_assert(!same_bits(a, e));
}
END_TEST

START_TEST(initial_draws_are_the_philox_words_of_the_path)
{
    hg_params *p = hg_params_new(ctx);
    const hg_real *u =
        values_of(hg_param(hg_params_at(p, "encoder"), "0.bias", HG_SHAPE(7),
                           HG_INIT(HG_INIT_UNIFORM, -2, 2)));
    const hg_real *z =
        values_of(hg_param(p, "z", HG_SHAPE(7), HG_INIT(HG_INIT_NORMAL, 1, 3)));
    hg_philox a =
        hg_philox_make(42, HG_DOMAIN_INIT, hg_hash_text("encoder.0.bias"));
    hg_philox b = hg_philox_make(42, HG_DOMAIN_INIT, hg_hash_text("z"));
    for (uint64_t i = 0; i < 7; i++) {
        hg_real x = (hg_real)hg_word_uniform(hg_philox_word(&a, i));
        ck_assert(u[i] == (2 * x - 1) * 2);
        float pair[2];
        hg_words_normal(hg_philox_word(&b, i & ~1u), hg_philox_word(&b, i | 1u),
                        pair);
        ck_assert(z[i] == 1 + 3 * (hg_real)pair[i % 2]);
    }
}
END_TEST

/* Mean, deviation and largest size of what a kind draws for [200, 50, 2]. */
static void expect_spread(hg_init init, double deviation, double bound)
{
    static char name[2] = "a";
    hg_params *p = hg_params_new(ctx);
    const hg_real *w = values_of(hg_param(p, name, HG_SHAPE(200, 50, 2), init));
    double sum = 0, squares = 0, most = 0;
    for (int i = 0; i < 20000; i++) {
        sum += (double)w[i];
        squares += (double)w[i] * (double)w[i];
        most = fmax(most, fabs((double)w[i]));
    }
    ck_assert_double_le(fabs(sum / 20000), 0.03 * deviation);
    ck_assert_double_eq_tol(sqrt(squares / 20000) / deviation, 1, 0.02);
    if (bound > 0) {
        ck_assert_double_le(most, bound * (1 + 1e-6));
        ck_assert_double_ge(most, 0.99 * bound);
    }
}

START_TEST(every_kind_of_initial_values_has_its_spread)
{
    double in = 100, out = 400; /* 50 * 2, 200 * 2 */
    double b = 1 / sqrt(in), x = sqrt(6 / (in + out)), k = sqrt(6 / in);
    expect_spread(HG_INIT(HG_INIT_DEFAULT), b / sqrt(3), b);
    expect_spread(HG_INIT(HG_INIT_XAVIER_UNIFORM), x / sqrt(3), x);
    expect_spread(HG_INIT(HG_INIT_XAVIER_UNIFORM, 2), 2 * x / sqrt(3), 2 * x);
    expect_spread(HG_INIT(HG_INIT_XAVIER_NORMAL), sqrt(2 / (in + out)), 0);
    expect_spread(HG_INIT(HG_INIT_KAIMING_UNIFORM), k / sqrt(3), k);
    expect_spread(HG_INIT(HG_INIT_KAIMING_NORMAL), sqrt(2 / in), 0);
    expect_spread(HG_INIT(HG_INIT_KAIMING_NORMAL, 1), sqrt(1 / in), 0);
    expect_spread(HG_INIT(HG_INIT_DEFAULT, .fan_in = 25), 0.2 / sqrt(3), 0.2);
    expect_spread(HG_NORMAL, 1, 0);
}
END_TEST

START_TEST(constants_and_wrong_kinds)
{
    hg_params *p = hg_params_new(ctx);
    expect_values(hg_param(p, "one", HG_SHAPE(2), HG_INIT(HG_INIT_ONES)), 1, 1);
    expect_values(
        hg_param(p, "half", HG_SHAPE(2), HG_INIT(HG_INIT_CONSTANT, 0.5)), 0.5,
        0.5);
    ck_assert_ptr_null(hg_param(p, "b", HG_SHAPE(2), HG_INIT(HG_INIT_DEFAULT)));
    expect_error(ARGUMENT, "b:", "shape [2]", "give fan_in");
    ck_assert_ptr_null(hg_param(p, "b", HG_SHAPE(2),
                                HG_INIT(HG_INIT_XAVIER_NORMAL, .fan_in = 3)));
    expect_error(ARGUMENT, "fan_in and fan_out");
    ck_assert_ptr_null(
        hg_param(p, "b", HG_SHAPE(2), HG_INIT((hg_init_kind)99)));
    expect_error(ARGUMENT, "99 is no kind");
    ck_assert_ptr_null(hg_params_find(p, "b"));
    ck_assert_ptr_nonnull(hg_param(p, "b", HG_SHAPE(2), ZEROS));
}
END_TEST

TEST_MAIN("params", parameters_are_found_by_path_and_sorted_by_it,
          a_cursor_asked_for_again_is_the_same, a_parameter_needs_no_scope,
          a_name_that_exists_is_refused, wrong_names_and_shapes_get_sentences,
          the_models_memory_is_zeroed_and_lives_with_the_store,
          values_of_a_model_lie_in_one_range_of_memory,
          initial_values_are_keyed_by_path_not_by_order,
          initial_draws_are_the_philox_words_of_the_path,
          every_kind_of_initial_values_has_its_spread,
          constants_and_wrong_kinds)
