/* test_conv.c - convolutions against unfold and matmul, fast kernels against
 * the reference ones; mirrors and gradients. */
#include "ops_fixture.h"
#include "tensor/cpu.h"

/* ---- Random convolutions ------------------------------------------------- */

typedef struct {
    int64_t n, c, h, w, o, kh, kw;
    hg_conv_options options;
} geometry;

static geometry random_geometry(void)
{
    geometry g = {.n = 1 + draw(20),
                  .c = 1 + draw(6),
                  .o = 1 + draw(11),
                  .kh = 1 + draw(4),
                  .kw = 1 + draw(4)};
    g.options = (hg_conv_options){
        .stride = 1 + draw(3), .padding = draw(4), .dilation = 1 + draw(3)};
    g.h = g.options.dilation * (g.kh - 1) + 1 + draw(7);
    g.w = g.options.dilation * (g.kw - 1) + 1 + draw(7);
    return g;
}

/* conv2d as the product of the weight with the windows as columns. */
static hg_tensor *unfolded(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                           hg_conv_options options)
{
    hg_tensor *direct = hg_conv2d(x, w, b, options);
    if (!direct)
        return NULL;
    hg_shape s = w->shape;
    hg_tensor *columns = hg_unfold(x, s.dim[2], s.dim[3], options);
    hg_tensor *rows =
        hg_reshape(w, HG_SHAPE(s.dim[0], s.dim[1] * s.dim[2] * s.dim[3]));
    hg_tensor *z = hg_reshape(hg_matmul(rows, columns), direct->shape);
    return b ? hg_add(z, hg_reshape(b, HG_SHAPE(s.dim[0], 1, 1))) : z;
}

START_TEST(convolution_is_the_weight_times_the_unfolded_windows)
{
    for (int i = 0; i < 60; i++) {
        geometry g = random_geometry();
        hg_tensor *x = uniform(HG_SHAPE(g.n, g.c, g.h, g.w));
        hg_tensor *w = uniform(HG_SHAPE(g.o, g.c, g.kh, g.kw));
        hg_tensor *b = i & 1 ? uniform(HG_SHAPE(g.o)) : NULL;
        expect_same(hg_conv2d(x, w, b, g.options), unfolded(x, w, b, g.options),
                    CLOSE);
    }
}
END_TEST

/* Gradients in input and weight equal those of the unfolded product. */
START_TEST(gradients_of_convolution_are_those_of_the_unfolded_product)
{
    for (int i = 0; i < 30; i++) {
        geometry g = random_geometry();
        hg_tensor *x = hg_watch(uniform(HG_SHAPE(g.n, g.c, g.h, g.w)));
        hg_tensor *w = hg_watch(uniform(HG_SHAPE(g.o, g.c, g.kh, g.kw)));
        hg_tensor *direct = hg_conv2d(x, w, NULL, g.options);
        hg_tensor *oracle = unfolded(x, w, NULL, g.options);
        hg_tensor *v = uniform(direct->shape);
        expect_same(hg_grad(direct, x, v), hg_grad(oracle, x, v), CLOSE * 10);
        expect_same(hg_grad(direct, w, v), hg_grad(oracle, w, v), CLOSE * 50);
    }
}
END_TEST

/* Forward, both gradients and the bias' by every kernel there is. */
static void compare_kernels(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                            bool transposed, hg_conv_options options)
{
    int best = on_cpu() ? ctx->isa : 0;
    hg_tensor *plain[4], *fast[4];
    for (int isa = -1; isa <= best; isa++) {
        hg_context_set_reference(ctx, isa < 0);
        ctx->isa = isa < 0 ? 0 : isa;
        hg_tensor **out = isa < 0 ? plain : fast;
        out[0] =
            (transposed ? hg_conv_transpose2d : hg_conv2d)(x, w, b, options);
        expect_no_error();
        hg_tensor *v = out[0];
        out[1] = hg_grad(out[0], x, v);
        out[2] = hg_grad(out[0], w, v);
        out[3] = hg_grad(out[0], b, v);
        for (int i = 0; i < 4 && isa >= 0; i++)
            expect_same(fast[i], plain[i], CLOSE * 200);
    }
    hg_context_set_reference(ctx, false);
    ctx->isa = best;
}

START_TEST(fast_convolutions_agree_with_the_reference_over_random_shapes)
{
    for (int i = 0; i < (on_cpu() ? 80 : 20); i++) {
        geometry g = random_geometry();
        bool transposed = i & 1;
        hg_tensor *x = hg_watch(uniform(HG_SHAPE(g.n, g.c, g.h, g.w)));
        hg_tensor *w =
            hg_watch(transposed ? uniform(HG_SHAPE(g.c, g.o, g.kh, g.kw))
                                : uniform(HG_SHAPE(g.o, g.c, g.kh, g.kw)));
        hg_tensor *b = hg_watch(uniform(HG_SHAPE(g.o)));
        if (transposed) {
            g.options.padding = g.kh > 1 && g.kw > 1 ? draw(2) : 0;
            g.options.output_padding = draw((uint32_t)g.options.stride);
        }
        compare_kernels(x, w, b, transposed, g.options);
    }
}
END_TEST

/* Many channels or places: the largest tiles, and sums cut into parts. */
START_TEST(fast_convolutions_agree_with_the_reference_over_large_shapes)
{
    static const geometry shapes[] = {
        {16, 4, 24, 23, 33, 3, 3, {.padding = 1}},
        {9, 33, 20, 17, 4, 2, 3, {.stride = 2, .padding = 1}},
        {40, 2, 15, 15, 35, 2, 2, {.stride = 2}},
        {50, 1, 14, 14, 5, 3, 3, {.dilation = 2}}};
    for (int i = 0; i < 4; i++) {
        const geometry *g = &shapes[i];
        hg_tensor *x = hg_watch(uniform(HG_SHAPE(g->n, g->c, g->h, g->w)));
        hg_tensor *w = hg_watch(uniform(HG_SHAPE(g->o, g->c, g->kh, g->kw)));
        hg_tensor *b = hg_watch(uniform(HG_SHAPE(g->o)));
        compare_kernels(x, w, b, false, g->options);
    }
}
END_TEST

/* For ops/conv_winograd.h, which a GPU has not. Small pixels, so that no
 * gradient is a difference of much larger numbers. */
static void compare_whole_vectors(bool transposed)
{
    int64_t n = 1 + draw(5), h = 5 + draw(12), w = 5 + draw(12);
    int64_t c = 16 * (1 + draw(3)), o = 16 * (1 + draw(3));
    hg_conv_options options = {.padding = draw(transposed ? 3 : 5)};
    hg_tensor *x = uniform(HG_SHAPE(n, c, h, w));
    hg_tensor *weight =
        uniform(transposed ? HG_SHAPE(c, o, 5, 5) : HG_SHAPE(o, c, 5, 5));
    compare_kernels(hg_watch(hg_scale(x, (hg_real)0.0625)), hg_watch(weight),
                    hg_watch(uniform(HG_SHAPE(o))), transposed, options);
}

START_TEST(fast_convolutions_agree_with_the_reference_over_whole_vectors)
{
    if (!on_cpu())
        skip_test("it has no kernels for whole vectors");
    for (int i = 0; i < 12; i++)
        compare_whole_vectors(i & 1);
}
END_TEST

START_TEST(windows_as_large_as_the_image_are_products)
{
    hg_tensor *x = hg_watch(uniform(HG_SHAPE(5, 3, 4, 6)));
    hg_tensor *w = hg_watch(uniform(HG_SHAPE(7, 3, 4, 6)));
    hg_tensor *b = hg_watch(uniform(HG_SHAPE(7)));
    compare_kernels(x, w, b, false, (hg_conv_options){0});
    hg_tensor *y = hg_watch(uniform(HG_SHAPE(5, 7, 1, 1)));
    hg_tensor *c = hg_watch(uniform(HG_SHAPE(3)));
    compare_kernels(y, w, c, true, (hg_conv_options){0});
}
END_TEST

/* Forward and both gradients have the same bits for any number. */
static void compare_threads(hg_shape a, hg_shape b, hg_conv_options o)
{
    hg_tensor *x = hg_watch(uniform(a)), *w = hg_watch(uniform(b));
    hg_tensor *first[3];
    for (int threads = 1; threads < 6; threads++) {
        hg_context_set_threads(ctx, threads);
        hg_tensor *z = hg_conv2d(x, w, NULL, o);
        hg_tensor *now[3] = {z, hg_grad(z, x, z), hg_grad(z, w, z)};
        for (int i = 0; i < 3; i++) {
            first[i] = threads == 1 ? now[i] : first[i];
            ck_assert(same_bits(first[i], now[i]));
        }
    }
}

START_TEST(convolutions_do_not_depend_on_the_number_of_threads)
{
    if (!on_cpu())
        skip_test("its kernels have no threads of the CPU");
    compare_threads(HG_SHAPE(37, 3, 9, 8), HG_SHAPE(13, 3, 3, 3),
                    (hg_conv_options){.stride = 2, .padding = 1});
    compare_threads(HG_SHAPE(37, 16, 9, 7), HG_SHAPE(32, 16, 5, 5),
                    (hg_conv_options){.padding = 2});
    compare_threads(HG_SHAPE(7, 32, 28, 19), HG_SHAPE(16, 32, 5, 5),
                    (hg_conv_options){.padding = 2});
}
END_TEST

static void expect_steady(hg_shape a, hg_shape b)
{
    hg_tensor *x = uniform(a), *w = uniform(b);
    long before = 0;
    for (int i = 0; i < 6; i++) {
        hg_scope *s = hg_scope_open(ctx, HG_EVAL);
        expect_ok(hg_conv2d(x, w, NULL, (hg_conv_options){.padding = 1}));
        hg_scope_close(s);
        before = i == 2 ? memory.calls : before;
    }
    ck_assert_int_eq(memory.calls, before);
}

START_TEST(a_second_convolution_allocates_nothing_from_the_heap_by_us)
{
    expect_steady(HG_SHAPE(16, 3, 9, 8), HG_SHAPE(4, 3, 3, 3));
    expect_steady(HG_SHAPE(16, 16, 9, 8), HG_SHAPE(16, 16, 5, 5));
}
END_TEST

START_TEST(transposed_convolution_is_the_mirror_of_convolution)
{
    for (int i = 0; i < 20; i++) {
        geometry g = random_geometry();
        hg_tensor *x = hg_watch(apart(HG_SHAPE(1 + g.n % 3, g.c, g.h, g.w), i));
        hg_tensor *w = hg_watch(apart(HG_SHAPE(g.o, g.c, g.kh, g.kw), i + 1));
        hg_tensor *z = hg_conv2d(x, w, NULL, g.options);
        ck_assert_msg(z != NULL, "%s", hg_error());
        hg_tensor *v = hg_watch(apart(z->shape, 5));
        ck_assert(
            same_value(inner(z, v), inner(x, hg_grad(z, x, v)), CLOSE * 50));
        ck_assert(
            same_value(inner(z, v), inner(w, hg_grad(z, w, v)), CLOSE * 50));
    }
}
END_TEST

START_TEST(transposed_convolution_has_pytorchs_sizes)
{
    hg_tensor *x = hg_ones(HG_SHAPE(1, 1, 3, 3));
    hg_tensor *w = hg_ones(HG_SHAPE(1, 2, 3, 3));
    expect_shape(
        hg_conv_transpose2d(x, w, NULL, (hg_conv_options){.stride = 2}), 1, 2,
        7, 7);
    expect_shape(
        hg_conv_transpose2d(
            x, w, NULL,
            (hg_conv_options){.stride = 2, .padding = 1, .output_padding = 1}),
        1, 2, 6, 6);
    hg_tensor *z = hg_conv_transpose2d(
        hg_ones(HG_SHAPE(1, 1, 1, 2)), tensor((1, 1, 1, 2), 1, 10), vector(0.5),
        (hg_conv_options){.stride = 2, .output_padding = 1});
    expect_values(z, 1.5, 10.5, 1.5, 10.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5);
}
END_TEST

/* ---- Gradients, first and second
 * ---------------------------------------------- */

static hg_tensor *conv(hg_tensor *const *in)
{
    return hg_conv2d(in[0], in[1], in[2],
                     (hg_conv_options){.stride = 2, .padding = 1});
}

static hg_tensor *conv_dilated(hg_tensor *const *in)
{
    return hg_conv2d(in[0], in[1], NULL,
                     (hg_conv_options){.padding = 1, .dilation = 2});
}

static hg_tensor *conv_transposed(hg_tensor *const *in)
{
    return hg_conv_transpose2d(
        in[0], in[1], in[2],
        (hg_conv_options){.stride = 2, .padding = 1, .output_padding = 1});
}

static void check_twice(test_function *f, const char *name, hg_shape x,
                        hg_shape y, hg_shape z)
{
    static hg_real value[3][512];
    const hg_real *values[3] = {value[0], value[1], value[2]};
    hg_shape shapes[3] = {x, y, z};
    int count = z.rank ? 3 : y.rank ? 2 : 1;
    if (sizeof(hg_real) != sizeof(double))
        return;
    for (int i = 0; i < count; i++)
        fill_apart(value[i], hg_shape_numel(shapes[i]), i + 1);
    test_call c = {f, false};
    bool ok = hg_check_function(ctx, call, &c, values, shapes, count,
                                (hg_check_options){.second = true});
    ck_assert_msg(ok, "%s: %s", name, hg_error());
}

START_TEST(gradients_of_convolutions_are_right_twice)
{
    check_twice(conv, "conv2d", HG_SHAPE(2, 2, 5, 4), HG_SHAPE(3, 2, 3, 2),
                HG_SHAPE(3));
    check_twice(conv_dilated, "dilated", HG_SHAPE(2, 2, 5, 6),
                HG_SHAPE(2, 2, 2, 3), HG_SCALAR);
    check_twice(conv_transposed, "conv_transpose2d", HG_SHAPE(2, 3, 3, 2),
                HG_SHAPE(3, 2, 3, 3), HG_SHAPE(2));
}
END_TEST

TEST_MAIN("conv", convolution_is_the_weight_times_the_unfolded_windows,
          gradients_of_convolution_are_those_of_the_unfolded_product,
          fast_convolutions_agree_with_the_reference_over_random_shapes,
          fast_convolutions_agree_with_the_reference_over_whole_vectors,
          fast_convolutions_agree_with_the_reference_over_large_shapes,
          windows_as_large_as_the_image_are_products,
          convolutions_do_not_depend_on_the_number_of_threads,
          a_second_convolution_allocates_nothing_from_the_heap_by_us,
          transposed_convolution_is_the_mirror_of_convolution,
          transposed_convolution_has_pytorchs_sizes,
          gradients_of_convolutions_are_right_twice)
