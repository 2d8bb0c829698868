/* test_layer_gradient.c - every layer of nn.h in double: first and second
 * derivatives in its input, and the gradients of its weights, against
 * differences. */
#include "ops_fixture.h"
#include "nn/nn.h"

static hg_params *params;
static nn_layer *layer;
static hg_shape input; /* of x; rank 0 where x is fixed */

static hg_tensor *of_input(void *user, hg_tensor *const *in, int count)
{
    (void)user, (void)count;
    return nn_forward(layer, in[0]);
}

static hg_tensor *codes(void)
{
    return hg_reshape(ints(2, 0, 2, 1, 0, 2), HG_SHAPE(2, 3));
}

/* Of the result and of its gradient in the input, so that second derivatives
 * reach the weights too. */
static hg_tensor *loss(void)
{
    bool fixed = !input.rank;
    hg_tensor *x = fixed ? codes() : hg_watch(apart(input, 1));
    hg_tensor *y = nn_forward(layer, x);
    hg_tensor *v = y ? apart(y->shape, 2) : NULL;
    hg_tensor *first = total(hg_mul(y, v));
    if (fixed)
        return hg_add(first, total(hg_square(y)));
    hg_tensor *slope = hg_grad(total(hg_mul(hg_square(y), v)), x, NULL);
    return hg_add(first, total(hg_square(slope)));
}

/* With the same draws each time. */
static double loss_now(bool backward)
{
    hg_context_set_steps(ctx, (const uint64_t[]){3, 3});
    hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
    hg_tensor *l = loss();
    double value = (double)hg_item(l);
    if (backward)
        expect_ok(hg_backward(l));
    hg_scope_close(s);
    ck_assert_msg(!hg_error(), "%s", hg_error());
    return value;
}

/* Differences of fourth order along element i of w. */
static double difference(hg_tensor *w, hg_real *values, int64_t i)
{
    static const double place[] = {-2, -1, 1, 2}, weight[] = {1, -8, 8, -1};
    const double step = 5e-4;
    hg_real was = values[i];
    double sum = 0;
    for (int k = 0; k < 4; k++) {
        values[i] = (hg_real)((double)was + place[k] * step);
        expect_ok(hg_write(w, values, hg_numel(w)));
        sum += weight[k] * loss_now(false);
    }
    values[i] = was;
    expect_ok(hg_write(w, values, hg_numel(w)));
    return sum / (12 * step);
}

static double largest_of(const hg_real *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)x[i]));
    return most;
}

static void check_weight(hg_tensor *w)
{
    static hg_real values[512], gradient[512];
    int64_t n = hg_numel(w);
    ck_assert_int_le(n, 512);
    fill_apart(values, n, 3);
    expect_ok(hg_write(w, values, n));
    hg_zero_grad(params);
    loss_now(true);
    ck_assert_msg(w->grad != NULL, "%s: no gradient", w->name);
    expect_ok(hg_read(w->grad, gradient, n));
    double most = largest_of(gradient, n);
    ck_assert_double_gt(most, 0);
    for (int64_t i = 0; i < n; i++) {
        double want = difference(w, values, i), got = (double)gradient[i];
        double size = fmax(fmax(fabs(want), fabs(got)), 1e-3 * most);
        ck_assert_msg(fabs(got - want) < 1e-6 * size, "%s[%lld]: %.12g, not %g",
                      w->name, (long long)i, got, want);
    }
}

static void check_input(void)
{
    static hg_real values[512];
    fill_apart(values, hg_shape_numel(input), 1);
    bool ok =
        hg_check_function(ctx, of_input, NULL, (const hg_real *const[]){values},
                          &input, 1, (hg_check_options){.second = true});
    ck_assert_msg(ok, "%s: %s", layer->path, hg_error());
}

/* The layer, made from params, whose input has this shape. */
static void check_layer(nn_layer *made, hg_shape shape)
{
    ck_assert_msg(made != NULL, "%s", hg_error());
    layer = made;
    input = shape;
    hg_scope_close(scope);
    hg_tensor *w;
    for (int64_t i = 0; (w = hg_params_entry(params, i)); i++)
        if (!hg_is_buffer(w))
            check_weight(w);
    if (input.rank)
        check_input();
    scope = hg_scope_open(ctx, HG_TRAIN);
    params = hg_params_new(ctx);
}

START_TEST(layers_with_weights_have_the_gradients_of_their_values)
{
    params = hg_params_new(ctx);
    nn_window w = {.kernel = 3, .stride = 2, .pad = 1};
    nn_norm_options norm = {.eps = 0.1};
    check_layer(nn_linear(params, "linear", 4, 3), HG_SHAPE(2, 3, 4));
    check_layer(nn_conv2d(params, "conv2d", 2, 3, w), HG_SHAPE(2, 2, 5, 4));
    w.output_pad = 1;
    check_layer(nn_conv_transpose2d(params, "conv_transpose2d", 2, 3, w),
                HG_SHAPE(2, 2, 3, 2));
    check_layer(nn_batch_norm(params, "batch_norm", 3, norm), HG_SHAPE(4, 3));
    check_layer(nn_batch_norm(params, "batch_norm2d", 2, norm),
                HG_SHAPE(2, 2, 2, 3));
    check_layer(nn_layer_norm(params, "layer_norm", 5, norm),
                HG_SHAPE(2, 3, 5));
    check_layer(nn_group_norm(params, "group_norm", 2, 4, norm),
                HG_SHAPE(2, 4, 2, 2));
    check_layer(nn_embedding(params, "embedding", 3, 4), HG_SCALAR);
}
END_TEST

START_TEST(layers_without_weights_have_the_gradients_of_their_values)
{
    hg_params *p = params = hg_params_new(ctx);
    hg_shape x = HG_SHAPE(2, 2, 3, 1);
    nn_layer *layers[] = {
        nn_dropout(p, 0.4),
        nn_flatten(p),
        nn_identity(p),
        nn_relu(p),
        nn_sigmoid(p),
        nn_tanh(params),
        nn_leaky_relu(p, 0.2),
        nn_activation(p, hg_gelu),
        nn_activation_with(p, hg_elu, 0.7),
        nn_chain(p, nn_flatten(p), nn_tanh(p), nn_unflatten(p, 2, 1, 3)),
    };
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        check_layer(layers[i], x);
}
END_TEST

START_TEST(a_chain_of_layers_has_the_gradients_of_its_values)
{
    params = hg_params_new(ctx);
    nn_norm_options norm = {.eps = 0.1};
    check_layer(nn_chain(params, nn_linear(params, "0", 3, 4),
                         nn_dropout(params, 0.3),
                         nn_batch_norm(params, "bn", 4, norm), nn_tanh(params),
                         nn_linear(params, "2", 4, 2)),
                HG_SHAPE(4, 3));
}
END_TEST

TEST_MAIN("layer gradients",
          layers_with_weights_have_the_gradients_of_their_values,
          layers_without_weights_have_the_gradients_of_their_values,
          a_chain_of_layers_has_the_gradients_of_its_values)
