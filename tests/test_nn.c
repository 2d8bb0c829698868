/* test_nn.c - layers. */
#include "tests/support.h"
#include "nn/nn.h"
#include "tensor/random.h"

#define ZEROS HG_INIT(HG_INIT_ZEROS)

static const hg_real *values_of(const hg_tensor *t)
{
    ck_assert_msg(t != NULL, "%s", hg_error());
    return host_values(t);
}

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
    ck_assert(is_refused(
        nn_forward(l, hg_from((const int32_t[]){3}, "i4", HG_SHAPE(1)))));
    ck_assert_msg(!on_cpu() || strstr(hg_error(), "e: "), "%s", hg_error());
    hg_error_clear();
}
END_TEST

START_TEST(an_embedding_begins_with_normal_values_as_in_pytorch)
{
    hg_params *p = hg_params_new(ctx);
    nn_embedding(p, "e", 500, 20);
    const hg_real *w = values_of(hg_params_find(p, "e.weight"));
    double sum = 0, squares = 0;
    for (int i = 0; i < 10000; i++) {
        sum += (double)w[i] / 10000;
        squares += (double)w[i] * (double)w[i] / 10000;
    }
    ck_assert_double_eq_tol(sum, 0, 0.05);
    ck_assert_double_eq_tol(squares, 1, 0.05);
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

TEST_MAIN("nn", a_linear_layer_is_x_times_the_transposed_weight_plus_bias,
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
          an_embedding_begins_with_normal_values_as_in_pytorch,
          flatten_and_unflatten_are_inverse,
          a_layer_of_ones_own_goes_into_chains)
