/* test_window.c - unfold and fold, pooling, upsampling: values by hand,
 * mirrors, gradients and sentences. */
#include "ops_fixture.h"

static hg_tensor *unfold(hg_tensor *const *in)
{
    return hg_unfold(in[0], 2, 3, (hg_conv_options){.stride = 2, .padding = 1});
}

static hg_tensor *fold(hg_tensor *const *in)
{
    return hg_fold(in[0], 4, 5, 2, 2, (hg_conv_options){.padding = 1});
}

static hg_tensor *max_pool(hg_tensor *const *in)
{
    return hg_square(hg_max_pool2d(
        in[0], (hg_pool_options){.kernel = 3, .stride = 2, .padding = 1}));
}

static hg_tensor *avg_pool(hg_tensor *const *in)
{
    return hg_avg_pool2d(
        in[0], (hg_pool_options){.kernel = 3, .stride = 2, .padding = 1});
}

static hg_tensor *nearest(hg_tensor *const *in)
{
    return hg_resize(in[0], 5, 7, HG_NEAREST);
}

static hg_tensor *bilinear(hg_tensor *const *in)
{
    return hg_resize(in[0], 5, 7, HG_BILINEAR);
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

START_TEST(gradients_of_windows_pools_and_resizing_are_right_twice)
{
    hg_shape x = HG_SHAPE(2, 2, 4, 5);
    check_twice(unfold, "unfold", x, HG_SCALAR, HG_SCALAR);
    check_twice(fold, "fold", HG_SHAPE(2, 8, 30), HG_SCALAR, HG_SCALAR);
    check_twice(max_pool, "max_pool2d", x, HG_SCALAR, HG_SCALAR);
    check_twice(avg_pool, "avg_pool2d", x, HG_SCALAR, HG_SCALAR);
    check_twice(nearest, "nearest", x, HG_SCALAR, HG_SCALAR);
    check_twice(bilinear, "bilinear", x, HG_SCALAR, HG_SCALAR);
    check_twice(bilinear, "bilinear down", HG_SHAPE(1, 1, 9, 8), HG_SCALAR,
                HG_SCALAR);
}
END_TEST

START_TEST(linear_window_ops_have_mirrors)
{
    hg_tensor *x = hg_watch(apart(HG_SHAPE(2, 3, 5, 6), 1));
    hg_tensor *columns = hg_watch(apart(HG_SHAPE(2, 8, 30), 2));
    test_function *const f[] = {unfold, avg_pool, nearest, bilinear};
    for (int i = 0; i < 4; i++)
        expect_mirror(x, f[i](&x));
    expect_mirror(columns, fold(&columns));
}
END_TEST

/* ---- Pooling and upsampling by hand
 * --------------------------------------------- */

START_TEST(pools_take_the_first_maximum_and_count_padding)
{
    hg_tensor *x =
        hg_watch(tensor((1, 1, 3, 4), 1, 2, 2, 0, 2, 2, 5, 5, -1, -2, -3, -4));
    hg_tensor *z = hg_max_pool2d(x, (hg_pool_options){.kernel = 2});
    expect_values(z, 2, 5);
    expect_values(hg_grad(z, x, tensor((1, 1, 1, 2), 3, 7)), 0, 3, 0, 0, 0, 0,
                  7, 0, 0, 0, 0, 0);
    hg_tensor *y = hg_avg_pool2d(
        x, (hg_pool_options){.kernel = 2, .stride = 2, .padding = 1});
    expect_values(y, 0.25, 1, 0, 0.25, 0.5, 0.25);
    hg_tensor *n = tensor((1, 1, 1, 3), 1, NAN, 2);
    expect_values(hg_max_pool2d(n, (hg_pool_options){.kernel = 1}), 1, NAN, 2);
    hg_tensor *pair = tensor((1, 1, 2, 2), 1, NAN, 2, 3);
    expect_values(hg_max_pool2d(pair, (hg_pool_options){.kernel = 2}), NAN);
}
END_TEST

START_TEST(upsampling_repeats_pixels_or_interpolates_between_centres)
{
    hg_tensor *x = tensor((1, 1, 1, 2), 1, 3);
    expect_values(hg_upsample(x, 2, HG_NEAREST), 1, 1, 3, 3, 1, 1, 3, 3);
    expect_values(hg_upsample(x, 2, HG_BILINEAR), 1, 1.5, 2.5, 3, 1, 1.5, 2.5,
                  3);
    expect_values(hg_resize(x, 1, 3, HG_NEAREST), 1, 1, 3);
    expect_values(hg_resize(x, 1, 1, HG_BILINEAR), 2);
}
END_TEST

START_TEST(windows_that_do_not_fit_are_errors_with_a_sentence)
{
    hg_pool_options padded = {.kernel = 2, .padding = 1};
    ck_assert_ptr_null(hg_max_pool2d(hg_zeros(HG_SHAPE(1, 1, 0, 3)), padded));
    expect_error(SHAPE, "window of 2 x 2", "H = 0");
    ck_assert_ptr_null(hg_avg_pool2d(hg_zeros(HG_SHAPE(1, 1, 3, 0)), padded));
    expect_error(SHAPE, "window of 2 x 2", "W = 0");
    hg_tensor *x = hg_zeros(HG_SHAPE(1, 3, 2, 9));
    ck_assert_ptr_null(hg_unfold(x, 3, 3, (hg_conv_options){0}));
    expect_error(SHAPE, "unfold", "3 x 3", "H = 2");
    ck_assert_ptr_null(
        hg_unfold(hg_zeros(HG_SHAPE(3)), 1, 1, (hg_conv_options){0}));
    expect_error(SHAPE, "unfold", "[N, C, H, W]");
    ck_assert_ptr_null(hg_unfold(x, 0, 1, (hg_conv_options){0}));
    expect_error(ARGUMENT, "unfold", "0 x 1");
    ck_assert_ptr_null(
        hg_fold(hg_zeros(HG_SHAPE(1, 4, 5)), 3, 3, 2, 2, (hg_conv_options){0}));
    expect_error(SHAPE, "fold", "[1, 4, 5]", "3 x 3");
    ck_assert_ptr_null(hg_max_pool2d(x, (hg_pool_options){.kernel = 3}));
    expect_error(SHAPE, "max_pool2d", "3 x 3", "[1, 3, 2, 9]");
    ck_assert_ptr_null(
        hg_avg_pool2d(x, (hg_pool_options){.kernel = 2, .padding = 2}));
    expect_error(ARGUMENT, "avg_pool2d", "half the kernel");
    ck_assert_ptr_null(hg_upsample(x, 0, HG_NEAREST));
    expect_error(SHAPE, "upsample", "at least 1");
    ck_assert_ptr_null(hg_resize(hg_zeros(HG_SHAPE(3)), 2, 2, HG_NEAREST));
    expect_error(SHAPE, "upsample", "[N, C, H, W]");
}
END_TEST

TEST_MAIN("window", gradients_of_windows_pools_and_resizing_are_right_twice,
          linear_window_ops_have_mirrors,
          pools_take_the_first_maximum_and_count_padding,
          upsampling_repeats_pixels_or_interpolates_between_centres,
          windows_that_do_not_fit_are_errors_with_a_sentence)
