/* test_conv_edges.c - convolutions of nothing, with NaN, without memory, and of
 * shapes that do not fit. */
#include "ops_fixture.h"

/* ---- Memory ------------------------------------------------------------- */

static void expect_no_memory(hg_shape a, hg_shape b)
{
    hg_tensor *x = uniform(a), *w = uniform(b), *z = NULL;
    long n = 1;
    for (; n < 20 && !z; n++) {
        memory.fail_at = memory.calls + n;
        z = hg_conv2d(x, w, NULL, (hg_conv_options){.padding = 1});
        memory.fail_at = 0;
        if (!z)
            expect_error(MEMORY, "bytes");
    }
    ck_assert(z && (n > 2 || !on_cpu())); /* it did ask for memory */
}

START_TEST(a_convolution_without_memory_is_an_error_and_leaks_nothing)
{
    expect_no_memory(HG_SHAPE(8, 16, 24, 24), HG_SHAPE(16, 16, 5, 5));
    expect_no_memory(HG_SHAPE(16, 3, 40, 40), HG_SHAPE(4, 3, 3, 3));
}
END_TEST

/* Each needs more than what came before it. */
START_TEST(gradients_of_a_convolution_without_memory_are_errors_too)
{
    int64_t images = on_cpu() ? 8 : 1, c = on_cpu() ? 16 : 2;
    hg_tensor *x = hg_watch(uniform(HG_SHAPE(images, c, 24, 24)));
    hg_tensor *w = hg_watch(uniform(HG_SHAPE(c, c, 5, 5)));
    hg_tensor *z = hg_conv2d(x, w, NULL, (hg_conv_options){.padding = 1});
    hg_tensor *from[] = {x, w}, *v = hg_ones(z->shape), *g = NULL;
    for (int i = 0; i < 2; i++, g = NULL) {
        long n = 1;
        for (; n < 20 && !g; n++) {
            memory.fail_at = memory.calls + n;
            g = hg_grad(z, from[i], v);
            memory.fail_at = 0;
            if (!g)
                expect_error(MEMORY, "bytes");
        }
        ck_assert(g && (n > 2 || !on_cpu()));
    }
}
END_TEST

/* ---- Edges and sentences --------------------------------------------- */

START_TEST(a_batch_of_nothing_is_legal_and_nan_passes)
{
    hg_tensor *w = hg_watch(hg_ones(HG_SHAPE(2, 3, 2, 2)));
    hg_tensor *x = hg_watch(hg_zeros(HG_SHAPE(0, 3, 4, 4)));
    hg_tensor *z = hg_conv2d(x, w, NULL, (hg_conv_options){0});
    expect_shape(z, 0, 2, 3, 3);
    ck_assert_int_eq(hg_numel(hg_grad(z, x, NULL)), 0);
    hg_tensor *dw = hg_grad(z, w, NULL);
    ck_assert_msg(dw && inner(dw, dw) == 0, "%s", hg_error());
    hg_tensor *nan = hg_full(HG_SHAPE(1, 3, 2, 2), NAN);
    expect_values(hg_conv2d(nan, w, NULL, (hg_conv_options){0}), NAN, NAN);
    expect_values(hg_conv2d(hg_ones(HG_SHAPE(1, 1, 1, 1)),
                            hg_full(HG_SHAPE(1, 1, 1, 1), NAN), NULL,
                            (hg_conv_options){0}),
                  NAN);
}
END_TEST

/* Tiles of several images are transformed together. */
START_TEST(a_nan_is_seen_in_its_own_image_and_in_no_other)
{
    int64_t c = on_cpu() ? 16 : 2;
    hg_shape shape = HG_SHAPE(3, c, 9, 9);
    hg_tensor *x = uniform(shape), *w = uniform(HG_SHAPE(c, c, 5, 5));
    hg_conv_options o = {.padding = 2};
    hg_tensor *clean = hg_conv2d(x, w, NULL, o);
    static hg_real v[3 * 16 * 81];
    expect_ok(hg_read(x, v, hg_shape_numel(shape)));
    v[c * 81 + 81 + 40] = NAN; /* the middle of a plane */
    hg_tensor *z = hg_conv2d(hg_from(v, REALS, shape), w, NULL, o);
    for_each_index(at, z->shape)
    {
        double value = value_at(z, at);
        bool sees = labs(at[2] - 4) <= 2 && labs(at[3] - 4) <= 2;
        if (at[0] != 1)
            ck_assert(value == value_at(clean, at));
        else if (sees)
            ck_assert(isnan(value));
    }
}
END_TEST

START_TEST(convolution_of_mismatched_shapes_names_axes_and_hints)
{
    hg_conv_options o = {0};
    hg_tensor *w = hg_zeros(HG_SHAPE(8, 3, 3, 3));
    ck_assert_ptr_null(hg_conv2d(hg_zeros(HG_SHAPE(2, 9, 9, 3)), w, NULL, o));
    expect_error(SHAPE, "conv2d", "[N, C, H, W]", "[2, 9, 9, 3]",
                 "[8, 3, 3, 3]", "channels seem to be last", "hg_permute");
    ck_assert_ptr_null(hg_conv2d(hg_zeros(HG_SHAPE(3, 9, 9)), w, NULL, o));
    expect_error(SHAPE, "conv2d", "[3, 9, 9]", "hg_unsqueeze");
    ck_assert_ptr_null(hg_conv2d(hg_zeros(HG_SHAPE(1, 3, 2, 9)), w, NULL, o));
    expect_error(SHAPE, "conv2d", "3 x 3", "H = 2", "does not fit");
    ck_assert_ptr_null(hg_conv2d(hg_zeros(HG_SHAPE(1, 3, 0, 9)), w, NULL,
                                 (hg_conv_options){.padding = 2}));
    expect_error(SHAPE, "conv2d", "H = 0", "does not fit");
    hg_tensor *x = hg_zeros(HG_SHAPE(1, 3, 9, 9));
    ck_assert_ptr_null(hg_conv2d(x, w, hg_zeros(HG_SHAPE(3)), o));
    expect_error(SHAPE, "bias [3]", "[8]");
    ck_assert_ptr_null(
        hg_conv2d(x, w, NULL, (hg_conv_options){.output_padding = 1}));
    expect_error(ARGUMENT, "output_padding", "hg_conv_transpose2d");
    ck_assert_ptr_null(hg_conv2d(x, w, NULL, (hg_conv_options){.stride = -1}));
    expect_error(ARGUMENT, "stride -1");
    ck_assert_ptr_null(hg_conv2d(NULL, w, NULL, o));
    expect_error(ARGUMENT, "conv2d", "NULL");
}
END_TEST

START_TEST(transposed_convolution_of_mismatched_shapes_names_them)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(1, 3, 4, 4));
    hg_tensor *w = hg_zeros(HG_SHAPE(3, 2, 3, 3));
    ck_assert_ptr_null(hg_conv_transpose2d(hg_zeros(HG_SHAPE(1, 2, 4, 4)), w,
                                           NULL, (hg_conv_options){0}));
    expect_error(SHAPE, "conv_transpose2d", "C = 2", "wants 3");
    ck_assert_ptr_null(hg_conv_transpose2d(
        x, w, NULL, (hg_conv_options){.stride = 2, .output_padding = 2}));
    expect_error(SHAPE, "conv_transpose2d", "output_padding", "[1, 3, 4, 4]");
    ck_assert_ptr_null(
        hg_conv_transpose2d(x, w, NULL, (hg_conv_options){.padding = 9}));
    expect_error(SHAPE, "conv_transpose2d", "padding");
}
END_TEST

TEST_MAIN("conv_edges",
          a_convolution_without_memory_is_an_error_and_leaks_nothing,
          gradients_of_a_convolution_without_memory_are_errors_too,
          a_batch_of_nothing_is_legal_and_nan_passes,
          a_nan_is_seen_in_its_own_image_and_in_no_other,
          convolution_of_mismatched_shapes_names_axes_and_hints,
          transposed_convolution_of_mismatched_shapes_names_them)
