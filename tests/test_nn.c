/* test_nn.c - the parameter store, initial values, layers, and training as a
 * whole: memory, failing allocations. */
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
    const hg_real *first = values_of(hg_param(p, "b", HG_SHAPE(16), HG_NORMAL));
    const hg_real *second =
        values_of(hg_param(p, "a", HG_SHAPE(16), HG_NORMAL));
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

/* ---- Layers ------------------------------------------------------------- */

START_TEST(a_linear_layer_is_x_times_the_transposed_weight_plus_bias)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *l = nn_linear(hg_params_at(p, "decoder"), "0", 2, 3);
    hg_tensor *w = hg_params_find(p, "decoder.0.weight");
    hg_tensor *b = hg_params_find(p, "decoder.0.bias");
    expect_shape(w, 3, 2);
    expect_ok(hg_write(w, (const hg_real[]){1, 2, 3, 4, 5, 6}, 6));
    expect_ok(hg_write(b, (const hg_real[]){10, 20, 30}, 3));
    expect_values(nn_forward(l, tensor((2, 2), 1, 0, 1, 1)), 11, 23, 35, 13, 27,
                  41);
    ck_assert_str_eq(l->path, "decoder.0");
    ck_assert_str_eq(l->kind, "linear");
}
END_TEST

START_TEST(linear_options_leave_out_the_bias_and_choose_the_values)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *l = nn_linear_with(
        p, "l", 2, 1,
        (nn_linear_options){.no_bias = true,
                            .init = HG_INIT(HG_INIT_CONSTANT, 3)});
    expect_values(nn_forward(l, vector(1, 1)), 6);
    ck_assert_ptr_null(hg_params_find(p, "l.bias"));
    ck_assert_int_eq(hg_params_count(p), 2);
}
END_TEST

START_TEST(a_layers_bias_is_drawn_by_its_inputs_as_in_pytorch)
{
    hg_params *p = hg_params_new(ctx);
    nn_linear(p, "l", 16, 1000);
    nn_conv_transpose2d(p, "t", 500, 4, (nn_window){.kernel = 2});
    const hg_real *linear = values_of(hg_params_find(p, "l.bias"));
    double most = 0;
    for (int i = 0; i < 1000; i++)
        most = fmax(most, fabs((double)linear[i]));
    ck_assert_double_le(most, 0.25);
    ck_assert_double_ge(most, 0.24);
    /* [in, out, k, k]: the inputs of a unit are counted as out k k. */
    const hg_real *transposed = values_of(hg_params_find(p, "t.weight"));
    for (int i = 0; i < 500 * 16; i++)
        most = fmax(most, fabs((double)transposed[i]));
    ck_assert_double_le(most, 0.25);
    ck_assert_double_ge(most, 0.249);
}
END_TEST

START_TEST(an_error_inside_a_chain_names_the_layer)
{
    hg_params *p = hg_params_new(ctx), *d = hg_params_at(p, "decoder");
    nn_layer *net = nn_chain(d, nn_linear(d, "0", 4, 3), nn_relu(d),
                             nn_linear(d, "2", 5, 2));
    ck_assert_ptr_null(nn_forward(net, hg_ones(HG_SHAPE(1, 7))));
    expect_error(SHAPE, "decoder.0: linear: x [1, 7] and weight [3, 4]");
    ck_assert_ptr_null(nn_forward(net, hg_ones(HG_SHAPE(1, 4))));
    expect_error(SHAPE, "decoder.2: linear: x [1, 3] and weight [2, 5]");
    ck_assert_ptr_null(
        hg_matmul(hg_ones(HG_SHAPE(2, 3)), hg_ones(HG_SHAPE(2, 3))));
    ck_assert_msg(!strstr(hg_error(), "decoder"), "%s", hg_error());
    hg_error_clear();
}
END_TEST

START_TEST(nodes_on_the_tape_bear_their_layers_path)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *net = nn_chain(hg_params_at(p, "net"),
                             nn_linear(hg_params_at(p, "net"), "0", 2, 2),
                             nn_relu(hg_params_at(p, "net")));
    hg_tensor *y = nn_forward(net, hg_ones(HG_SHAPE(1, 2)));
    ck_assert_str_eq(y->name, "net");
    ck_assert_str_eq(y->in[0]->name, "net.0");
    ck_assert_ptr_null(hg_neg(y)->name);
}
END_TEST

START_TEST(layers_that_were_not_built_are_passed_on_as_NULL)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *net = nn_chain(p, nn_linear(p, "0", 4, 0), nn_relu(p),
                             nn_linear(p, "2", 5, 2));
    ck_assert_ptr_null(net);
    expect_error(SHAPE, "0.weight: shape [0, 4]");
    ck_assert_ptr_null(nn_forward(NULL, hg_ones(HG_SHAPE(1))));
    expect_error(ARGUMENT, "nn_forward: the layer is NULL");
    ck_assert_ptr_null(nn_chain(p, nn_relu(p), (nn_layer *)NULL));
    expect_error(ARGUMENT, "layer 1 of 2 is NULL");
    ck_assert_ptr_null(nn_forward(nn_relu(hg_params_at(p, "a")), NULL));
    expect_error(ARGUMENT, "a: the layer's input is NULL");
    ck_assert_ptr_null(nn_relu(NULL));
    expect_error(ARGUMENT, "relu: the store is NULL");
    ck_assert_ptr_null(nn_activation(p, NULL));
    expect_error(ARGUMENT, "nn_activation: the function is NULL");
    ck_assert_ptr_null(nn_layer_new(p, "x", "own", 1, NULL));
    expect_error(ARGUMENT, "nn_layer_new: forward is NULL");
    ck_assert_ptr_null(nn_layer_new(p, "x", "own", 1, nn_forward));
    expect_error(ARGUMENT, "nn_layer_new: the size is too small");
}
END_TEST

START_TEST(activations_are_functions_with_or_without_a_number)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *x = vector(-2, 0, 3);
    expect_values(nn_forward(nn_relu(p), x), 0, 0, 3);
    expect_values(nn_forward(nn_leaky_relu(p, 0.25), x), -0.5, 0, 3);
    expect_values(nn_forward(nn_sigmoid(p), x), 1 / (1 + exp(2)), 0.5,
                  1 / (1 + exp(-3)));
    expect_values(nn_forward(nn_tanh(p), x), tanh(-2), 0, tanh(3));
    expect_values(nn_forward(nn_activation(p, hg_square), x), 4, 0, 9);
    expect_values(nn_forward(nn_activation_with(p, hg_scale, 3), x), -6, 0, 9);
}
END_TEST

START_TEST(convolutions_have_pytorchs_shapes_and_names)
{
    hg_params *p = hg_params_new(ctx);
    nn_window w = {.kernel = 3, .stride = 2, .pad = 1};
    nn_layer *c = nn_conv2d(p, "c", 2, 5, w);
    w.output_pad = 1;
    nn_layer *t = nn_conv_transpose2d(p, "t", 5, 2, w);
    expect_shape(hg_params_find(p, "c.weight"), 5, 2, 3, 3);
    expect_shape(hg_params_find(p, "c.bias"), 5);
    expect_shape(hg_params_find(p, "t.weight"), 5, 2, 3, 3);
    expect_shape(hg_params_find(p, "t.bias"), 2);
    hg_tensor *y = nn_forward(c, hg_ones(HG_SHAPE(3, 2, 8, 8)));
    expect_shape(y, 3, 5, 4, 4);
    expect_shape(nn_forward(t, y), 3, 2, 8, 8);
    ck_assert_ptr_null(nn_forward(c, hg_ones(HG_SHAPE(3, 4, 8, 8))));
    expect_error(SHAPE, "c: conv2d:");
    w = (nn_window){.kernel = 2, .no_bias = true};
    c = nn_conv2d(p, "d", 1, 1, w);
    hg_tensor *weight = hg_params_find(p, "d.weight");
    expect_ok(hg_write(weight, (const hg_real[]){1, 2, 3, 4}, 4));
    expect_values(nn_forward(c, tensor((1, 1, 2, 2), 1, 10, 100, 1000)), 4321);
    t = nn_conv_transpose2d(p, "e", 1, 1, w);
    weight = hg_params_find(p, "e.weight");
    expect_ok(hg_write(weight, (const hg_real[]){1, 2, 3, 4}, 4));
    expect_values(nn_forward(t, tensor((1, 1, 1, 1), 10)), 10, 20, 30, 40);
    ck_assert_ptr_null(nn_conv2d(p, "f", 1, 1, (nn_window){0}));
    expect_error(SHAPE, "f.weight: shape [1, 1, 0, 0]");
}
END_TEST

START_TEST(batch_norm_counts_batches_and_keeps_running_statistics)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *l = nn_batch_norm(p, "bn", 1, (nn_norm_options){.eps = 1e-12});
    hg_tensor *x = tensor((2, 1), 1, 3);
    expect_values(nn_forward(l, x), -1, 1);
    expect_values(hg_params_find(p, "bn.running_mean"), 0.2);
    expect_values(hg_params_find(p, "bn.running_var"), 0.9 + 0.1 * 2);
    expect_values(hg_params_find(p, "bn.num_batches_tracked"), 1);
    hg_set_mode(HG_RECORD);
    expect_values(nn_forward(l, x), 0.8 / sqrt(1.1), 2.8 / sqrt(1.1));
    expect_values(hg_params_find(p, "bn.num_batches_tracked"), 1);
    ck_assert_int_eq(hg_params_count(p), 2);
    hg_set_mode(HG_TRAIN);
}
END_TEST

START_TEST(layer_and_group_norm_normalise_rows_and_groups)
{
    hg_params *p = hg_params_new(ctx);
    nn_norm_options o = {.eps = 1e-12};
    expect_values(
        nn_forward(nn_layer_norm(p, "ln", 2, o), tensor((2, 2), 1, 3, 10, 30)),
        -1, 1, -1, 1);
    expect_values(nn_forward(nn_group_norm(p, "gn", 2, 4, o),
                             tensor((1, 4), 1, 3, 10, 30)),
                  -1, 1, -1, 1);
    ck_assert_ptr_null(nn_group_norm(p, "g3", 3, 4, o));
    expect_error(SHAPE, "g3: 4 channels cannot be split into 3");
}
END_TEST

START_TEST(dropout_drops_in_stochastic_scopes_only)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *l = nn_dropout(p, 0.5);
    hg_tensor *x = hg_ones(HG_SHAPE(1000)), *y = nn_forward(l, x);
    int kept = 0;
    for (int i = 0; i < 1000; i++) {
        hg_real v = values_of(y)[i];
        ck_assert(v == 0 || v == 2);
        kept += v != 0;
    }
    ck_assert_int_gt(kept, 400);
    ck_assert_int_lt(kept, 600);
    hg_set_mode(HG_RECORD);
    ck_assert(same_bits(nn_forward(l, x), x));
    hg_set_mode(HG_TRAIN);
    ck_assert_ptr_null(nn_dropout(p, 1.5));
    expect_error(ARGUMENT, "nn_dropout", "1.5");
}
END_TEST

START_TEST(an_embedding_picks_rows_and_gets_their_gradient)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *l = nn_embedding(p, "e", 3, 2);
    hg_tensor *w = hg_params_find(p, "e.weight");
    expect_ok(hg_write(w, (const hg_real[]){1, 2, 3, 4, 5, 6}, 6));
    hg_tensor *x = hg_from((const int32_t[]){2, 0, 2, 2}, "i4", HG_SHAPE(2, 2));
    hg_tensor *y = nn_forward(l, x);
    expect_shape(y, 2, 2, 2);
    expect_values(y, 5, 6, 1, 2, 5, 6, 5, 6);
    expect_ok(hg_backward(total(y)));
    expect_values(w->grad, 1, 1, 0, 0, 3, 3);
    ck_assert_ptr_null(
        nn_forward(l, hg_from((const int32_t[]){3}, "i4", HG_SHAPE(1))));
    ck_assert_msg(hg_error() && strstr(hg_error(), "e: "), "%s", hg_error());
    hg_error_clear();
}
END_TEST

START_TEST(flatten_and_unflatten_are_inverse)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *x = hg_randn(HG_SHAPE(2, 3, 4, 5));
    hg_tensor *flat = nn_forward(nn_flatten(p), x);
    expect_shape(flat, 2, 60);
    hg_tensor *back = nn_forward(nn_unflatten(p, 3, 4, 5), flat);
    ck_assert(same_bits(back, x));
    ck_assert_ptr_null(nn_forward(nn_unflatten(p, 3, 4, 6), flat));
    ck_assert_ptr_nonnull(hg_error());
    hg_error_clear();
    ck_assert_ptr_null(nn_unflatten(p, 3, 0, 6));
    expect_error(SHAPE, "nn_unflatten: 3 x 0 x 6");
}
END_TEST

/* A layer of the user's own. */
struct scaled {
    nn_layer base;
    hg_tensor *factor;
};

static hg_tensor *scaled_forward(nn_layer *layer, hg_tensor *x)
{
    return hg_mul(x, ((struct scaled *)layer)->factor);
}

START_TEST(a_layer_of_ones_own_goes_into_chains)
{
    hg_params *p = hg_params_new(ctx);
    struct scaled *s =
        nn_layer_new(p, "mine", "scaled", sizeof *s, scaled_forward);
    s->factor = hg_param(hg_params_at(p, "mine"), "factor", HG_SCALAR,
                         HG_INIT(HG_INIT_CONSTANT, 3));
    nn_layer *net = nn_chain(p, nn_relu(p), &s->base);
    expect_values(nn_forward(net, vector(-1, 2)), 0, 6);
    ck_assert_str_eq(s->base.path, "mine");
}
END_TEST

/* ---- Training as a whole ------------------------------------------------ */

typedef struct {
    hg_params *p;
    nn_layer *net;
    hg_optimizer *adam;
    hg_ema *ema;
} machine;

/* NULL members on failure; the error says why. */
static machine build_machine(hg_context *context)
{
    machine m = {.p = hg_params_new(context)};
    if (m.p)
        m.net = nn_chain(m.p, nn_linear(m.p, "0", 20, 30), nn_relu(m.p),
                         nn_batch_norm(m.p, "bn", 30, (nn_norm_options){0}),
                         nn_dropout(m.p, 0.25), nn_linear(m.p, "2", 30, 20));
    if (m.net)
        m.adam = hg_adam(m.p, "adam", (hg_adam_options){0});
    if (m.adam) {
        hg_optimizer_clip_norm(m.adam, 1);
        m.ema = hg_ema_new(m.p, (hg_real)0.99);
    }
    return m;
}

/* One step; the loss, or NaN. */
static double train_once(hg_context *context, machine *m)
{
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    if (!s)
        return NAN;
    hg_tensor *x = hg_rand(HG_SHAPE(8, 20));
    hg_tensor *y = nn_forward(m->net, x);
    hg_tensor *loss = hg_mean(hg_square(hg_sub(y, x)), HG_ALL);
    bool ok = hg_minimize(loss, m->adam) && hg_ema_update(m->ema);
    double value = ok ? (double)hg_item(loss) : NAN;
    hg_scope_close(s);
    return value;
}

START_TEST(training_lowers_the_loss)
{
    hg_scope_close(scope);
    machine m = build_machine(ctx);
    double first = train_once(ctx, &m), last = first;
    for (int i = 0; i < 300; i++)
        last = train_once(ctx, &m);
    expect_no_error();
    ck_assert_double_lt(last, 0.7 * first);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(a_thousand_steps_allocate_nothing)
{
    hg_scope_close(scope);
    machine m = build_machine(ctx);
    for (int i = 0; i < 5; i++)
        train_once(ctx, &m);
    long before = memory.calls;
    for (int i = 0; i < 1000; i++)
        train_once(ctx, &m);
    expect_no_error();
    ck_assert_int_eq(memory.calls, before);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

/* Each allocation of building fails in turn: a sentence, nothing leaked. */
START_TEST(every_failing_allocation_of_building_is_a_sentence)
{
    long n = 0;
    for (bool failed = true; failed;) {
        test_memory m = {.fail_at = ++n};
        hg_context *c = hg_context_new_with(test_device(), 1, test_allocator(&m));
        machine built = {0};
        if (c)
            built = build_machine(c);
        failed = m.calls >= m.fail_at;
        if (failed) {
            ck_assert_ptr_null(built.ema);
            expect_error(MEMORY, "could not be allocated");
        } else
            ck_assert_ptr_nonnull(built.ema);
        hg_context_free(c);
        ck_assert_int_eq(m.live, 0);
    }
    ck_assert_int_gt(n, 5);
}
END_TEST

static uint64_t hash_of(const hg_params *p)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (int64_t i = 0; hg_params_entry(p, i); i++) {
        const hg_tensor *t = hg_params_entry(p, i);
        const unsigned char *bytes = host_values(t);
        for (size_t k = 0;
             !hg_is_buffer(t) && k < (size_t)hg_numel(t) * sizeof(hg_real); k++)
            h = (h ^ bytes[k]) * 0x100000001B3u;
    }
    return h;
}

/* Each allocation of the first step fails in turn: the weights stay as they
 * are, and training goes on. */
START_TEST(every_failing_allocation_of_a_step_leaves_the_weights)
{
    long n = 0;
    hg_scope_close(scope);
    for (bool failed = true; failed;) {
        test_memory m = {0};
        hg_context *c = hg_context_new_with(test_device(), 1, test_allocator(&m));
        machine built = build_machine(c);
        uint64_t before = hash_of(built.p);
        m.fail_at = m.calls + ++n;
        double loss = train_once(c, &built);
        failed = m.calls >= m.fail_at;
        if (failed) {
            ck_assert(isnan(loss));
            ck_assert_uint_eq(hash_of(built.p), before);
            expect_error(MEMORY, "could not be allocated");
        }
        ck_assert_msg(!isnan(train_once(c, &built)), "after %ld: %s", n,
                      hg_error() ? hg_error() : "NaN");
        expect_no_error();
        ck_assert_uint_ne(hash_of(built.p), before);
        hg_context_free(c);
        ck_assert_int_eq(m.live, 0);
    }
    ck_assert_int_gt(n, 2);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(a_network_trained_twice_has_the_same_bits)
{
    uint64_t hash[3];
    for (int i = 0; i < 3; i++) {
        hg_context *c;
        hg_scope_close(scope);
        c = hg_context_new(test_device(), 5);
        hg_context_set_threads(c, 1 + i);
        machine m = build_machine(c);
        for (int k = 0; k < 20; k++)
            train_once(c, &m);
        hash[i] = hash_of(m.p);
        hg_context_free(c);
        scope = hg_scope_open(ctx, HG_TRAIN);
    }
    expect_no_error();
    ck_assert_uint_eq(hash[0], hash[1]);
    ck_assert_uint_eq(hash[0], hash[2]);
}
END_TEST

TEST_MAIN("nn", parameters_are_found_by_path_and_sorted_by_it,
          a_cursor_asked_for_again_is_the_same, a_parameter_needs_no_scope,
          a_name_that_exists_is_refused, wrong_names_and_shapes_get_sentences,
          the_models_memory_is_zeroed_and_lives_with_the_store,
          values_of_a_model_lie_in_one_range_of_memory,
          initial_values_are_keyed_by_path_not_by_order,
          initial_draws_are_the_philox_words_of_the_path,
          every_kind_of_initial_values_has_its_spread,
          constants_and_wrong_kinds,
          a_linear_layer_is_x_times_the_transposed_weight_plus_bias,
          linear_options_leave_out_the_bias_and_choose_the_values,
          a_layers_bias_is_drawn_by_its_inputs_as_in_pytorch,
          an_error_inside_a_chain_names_the_layer,
          nodes_on_the_tape_bear_their_layers_path,
          layers_that_were_not_built_are_passed_on_as_NULL,
          activations_are_functions_with_or_without_a_number,
          convolutions_have_pytorchs_shapes_and_names,
          batch_norm_counts_batches_and_keeps_running_statistics,
          layer_and_group_norm_normalise_rows_and_groups,
          dropout_drops_in_stochastic_scopes_only,
          an_embedding_picks_rows_and_gets_their_gradient,
          flatten_and_unflatten_are_inverse,
          a_layer_of_ones_own_goes_into_chains, training_lowers_the_loss,
          a_thousand_steps_allocate_nothing,
          every_failing_allocation_of_building_is_a_sentence,
          every_failing_allocation_of_a_step_leaves_the_weights,
          a_network_trained_twice_has_the_same_bits)
