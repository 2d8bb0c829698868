/* test_norm.c - batch, layer and group normalisation against plain loops, with
 * running statistics, modes, gradients, threads and sentences. */
#include "ops_fixture.h"

/* Mean and variance of channel c of x [N, C, ...]. */
static void moments(const hg_tensor *x, int64_t c, double *mean, double *var)
{
    double sum = 0, squares = 0, count = 0;
    for_each_index(at, x->shape) if (at[1] == c)
    {
        sum += value_at(x, at);
        count++;
    }
    *mean = sum / count;
    for_each_index(at, x->shape) if (at[1] == c)
    {
        double d = value_at(x, at) - *mean;
        squares += d * d;
    }
    *var = squares / count;
}

static void expect_batch_norm(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                              const hg_tensor *z, double eps)
{
    ck_assert_msg(z != NULL, "%s", hg_error());
    for (int64_t c = 0; c < x->shape.dim[1]; c++) {
        double mean, var;
        moments(x, c, &mean, &var);
        for_each_index(at, x->shape) if (at[1] == c)
        {
            double expected =
                (value_at(x, at) - mean) / sqrt(var + eps) * value_at(w, &c) +
                value_at(b, &c);
            ck_assert_msg(same_value(value_at(z, at), expected, CLOSE),
                          "%s channel %lld: %.9g is not %.9g",
                          HG_SHAPE_TEXT(x->shape), (long long)c,
                          value_at(z, at), expected);
        }
    }
}

START_TEST(batch_norm_normalises_every_channel)
{
    static const hg_shape shapes[] = {{2, {7, 5}},        {2, {2, 40}},
                                      {4, {3, 4, 5, 6}},  {4, {2, 3, 40, 41}},
                                      {3, {5, 18, 2}},    {4, {9, 2, 1, 1}},
                                      {4, {1, 3, 60, 61}}};
    for (int i = 0; i < 7; i++) {
        hg_tensor *x = uniform(shapes[i]);
        hg_tensor *w = uniform(HG_SHAPE(shapes[i].dim[1]));
        hg_tensor *b = uniform(HG_SHAPE(shapes[i].dim[1]));
        expect_batch_norm(x, w, b,
                          hg_batch_norm(x, w, b, NULL, NULL, 0.1, 1e-5), 1e-5);
    }
}
END_TEST

START_TEST(batch_norm_is_exact_far_from_zero)
{
    hg_tensor *x = hg_add(uniform(HG_SHAPE(40, 2, 7, 7)), scalar(1000));
    hg_tensor *z = hg_batch_norm(x, NULL, NULL, NULL, NULL, 0.1, 1e-5);
    hg_tensor *s = hg_mean(hg_square(z), HG_OVER(0, 2, 3));
    for (int64_t c = 0; c < 2; c++)
        ck_assert(same_value(value_at(s, &c), 1, 1e-3));
}
END_TEST

/* Sums of large equal values are rounded: what is squared and taken away again
 * must not leave less than nothing. */
START_TEST(equal_values_have_no_variance_however_large_they_are)
{
    for (double value = 1000.3; value < 1e8; value *= 1.137)
        for (int64_t n = 2; n < 400; n += 61) {
            hg_tensor *x = hg_full(HG_SHAPE(3, n), (hg_real)value);
            hg_tensor *mean = hg_zeros(HG_SHAPE(1)),
                      *var = hg_ones(HG_SHAPE(1));
            hg_tensor *row = hg_layer_norm(x, NULL, NULL, 1e-5);
            hg_tensor *channel = hg_batch_norm(hg_unsqueeze(x, 1), NULL, NULL,
                                               mean, var, 1, 0.1);
            ck_assert_msg(isfinite(hg_item(hg_max(row, HG_ALL))),
                          "layer norm, %lld of %g", (long long)n, value);
            ck_assert(isfinite(hg_item(hg_max(channel, HG_ALL))));
            ck_assert(hg_item(var) >= 0);
        }
}
END_TEST

START_TEST(running_statistics_move_as_pytorchs_and_bump_their_versions)
{
    hg_tensor *x = tensor((2, 2), 1, 10, 3, 10);
    hg_tensor *mean = vector(0, 5), *var = vector(1, 2);
    uint64_t version = hg_version(mean);
    ck_assert_ptr_nonnull(hg_batch_norm(x, NULL, NULL, mean, var, 0.1, 1e-5));
    expect_values(mean, 0.2, 5.5);
    expect_values(var, 1.1, 1.8); /* unbiased: 2 and 0 */
    ck_assert_uint_gt(hg_version(mean), version);
    ck_assert_uint_gt(hg_version(var), version);
}
END_TEST

START_TEST(evaluation_uses_the_running_statistics_and_leaves_them)
{
    hg_tensor *x = tensor((2, 2), 1, 10, 3, 12);
    hg_tensor *mean = vector(1, 10), *var = vector(4, 1);
    hg_tensor *w = vector(2, 1), *b = vector(0, 0.5);
    hg_set_mode(HG_RECORD);
    hg_tensor *z = hg_batch_norm(x, w, b, mean, var, 0.1, 0);
    hg_set_mode(HG_TRAIN);
    expect_values(z, 0, 0.5, 2, 2.5);
    expect_values(mean, 1, 10);
    expect_values(var, 4, 1);
    hg_tensor *image = hg_reshape(x, HG_SHAPE(2, 2, 1, 1));
    hg_set_mode(HG_EVAL);
    expect_values(hg_batch_norm(image, w, b, mean, var, 0.1, 0), 0, 0.5, 2,
                  2.5);
}
END_TEST

START_TEST(backward_after_the_running_statistics_moved_is_not_stale)
{
    hg_tensor *x = hg_watch(uniform(HG_SHAPE(4, 2)));
    hg_tensor *mean = hg_zeros(HG_SHAPE(2)), *var = hg_ones(HG_SHAPE(2));
    hg_tensor *z = hg_batch_norm(x, NULL, NULL, mean, var, 0.1, 1e-5);
    ck_assert_ptr_nonnull(hg_batch_norm(x, NULL, NULL, mean, var, 0.1, 1e-5));
    expect_ok(hg_backward(hg_sum(hg_square(z), HG_ALL)));
}
END_TEST

static hg_tensor *batch_norm(hg_tensor *const *in)
{
    return hg_batch_norm(in[0], in[1], in[2], NULL, NULL, 0.1, 1e-3);
}

static hg_tensor *batch_norm_plain(hg_tensor *const *in)
{
    return hg_batch_norm(in[0], NULL, NULL, NULL, NULL, 0.1, 1e-3);
}

static hg_tensor *layer_norm(hg_tensor *const *in)
{
    return hg_layer_norm(in[0], in[1], in[2], 1e-3);
}

static hg_tensor *group_norm(hg_tensor *const *in)
{
    return hg_group_norm(in[0], 2, in[1], in[2], 1e-3);
}

static void check_twice(test_function *f, const char *name, hg_shape x,
                        hg_shape w)
{
    static hg_real value[3][512];
    const hg_real *values[3] = {value[0], value[1], value[2]};
    hg_shape shapes[3] = {x, w, w};
    if (sizeof(hg_real) != sizeof(double))
        return;
    for (int i = 0; i < 3; i++)
        fill_apart(value[i], hg_shape_numel(shapes[i]), i + 1);
    test_call c = {f, false};
    bool ok = hg_check_function(ctx, call, &c, values, shapes, w.rank ? 3 : 1,
                                (hg_check_options){.second = true});
    ck_assert_msg(ok, "%s: %s", name, hg_error());
}

START_TEST(gradients_of_normalisations_are_right_twice)
{
    check_twice(batch_norm, "batch_norm", HG_SHAPE(5, 3), HG_SHAPE(3));
    check_twice(batch_norm, "batch_norm of images", HG_SHAPE(3, 2, 2, 3),
                HG_SHAPE(2));
    check_twice(batch_norm_plain, "batch_norm without weight",
                HG_SHAPE(4, 2, 3), HG_SCALAR);
    check_twice(layer_norm, "layer_norm", HG_SHAPE(3, 2, 4), HG_SHAPE(4));
    check_twice(layer_norm, "layer_norm of two axes", HG_SHAPE(3, 2, 4),
                HG_SHAPE(2, 4));
    check_twice(group_norm, "group_norm", HG_SHAPE(2, 4, 3), HG_SHAPE(4));
}
END_TEST

/* The gradient that hg_backward computes (fused) is the one that hg_grad
 * computes (in operations). */
static void expect_fused(test_function *f, hg_shape x, hg_shape w)
{
    hg_tensor *in[3] = {hg_watch(uniform(x)), hg_watch(uniform(w)),
                        hg_watch(uniform(w))};
    hg_tensor *v = uniform(x);
    hg_tensor *loss = hg_sum(hg_mul(f(in), v), HG_ALL), *recorded[3];
    for (int i = 0; i < 3; i++)
        recorded[i] = hg_grad(loss, in[i], NULL);
    expect_ok(hg_backward(loss));
    for (int i = 0; i < 3; i++)
        expect_same(in[i]->grad, recorded[i], CLOSE * 20);
}

START_TEST(fused_and_recorded_gradients_agree)
{
    expect_fused(batch_norm, HG_SHAPE(6, 37), HG_SHAPE(37));
    expect_fused(batch_norm, HG_SHAPE(6, 5, 7, 8), HG_SHAPE(5));
    expect_fused(batch_norm, HG_SHAPE(3, 2, 40, 40), HG_SHAPE(2));
    expect_fused(layer_norm, HG_SHAPE(6, 37), HG_SHAPE(37));
    expect_fused(layer_norm, HG_SHAPE(2, 1500), HG_SHAPE(1500));
    expect_fused(group_norm, HG_SHAPE(3, 4, 5, 6), HG_SHAPE(4));
}
END_TEST

START_TEST(layer_and_group_norm_normalise_what_they_say)
{
    hg_tensor *x = tensor((2, 4), 1, 3, 5, 7, 2, 2, 4, 4);
    double a = 3 / sqrt(5), b = 1 / sqrt(5);
    expect_values(hg_layer_norm(x, NULL, NULL, 0), -a, -b, b, a, -1, -1, 1, 1);
    expect_values(hg_layer_norm(x, vector(2, 1, 1, 1), vector(0, 1, 0, 0), 0),
                  -2 * a, 1 - b, b, a, -2, 0, 1, 1);
    expect_values(hg_group_norm(x, 2, NULL, vector(0, 0, 1, 0), 0), -1, 1, 0, 1,
                  NAN, NAN, NAN, NAN);
    hg_tensor *image = hg_reshape(x, HG_SHAPE(1, 2, 2, 2));
    expect_values(hg_group_norm(image, 1, vector(1, 2), NULL, 0.75), -1.25,
                  -0.25, 0.75, 1.75, -1.5, -1.5, 0.5, 0.5);
}
END_TEST

START_TEST(norms_do_not_depend_on_threads_or_kernels_much)
{
    hg_tensor *x = hg_watch(uniform(HG_SHAPE(9, 20, 6, 7)));
    hg_tensor *flat = hg_watch(uniform(HG_SHAPE(90, 200)));
    int best = ctx->isa;
    for (int i = 0; i < 2; i++) {
        hg_tensor *in = i ? x : flat, *first = NULL;
        for (int threads = 1; threads < 5; threads++) {
            hg_context_set_threads(ctx, threads);
            hg_tensor *z = hg_batch_norm(in, NULL, NULL, NULL, NULL, 0.1, 1e-5);
            first = first ? first : z;
            ck_assert(same_bits(first, z));
        }
        for (ctx->isa = 0; ctx->isa <= best; ctx->isa++)
            expect_same(hg_batch_norm(in, NULL, NULL, NULL, NULL, 0.1, 1e-5),
                        first, CLOSE);
        ctx->isa = best;
    }
}
END_TEST

START_TEST(nan_passes_through_its_own_channel_only)
{
    hg_tensor *x = tensor((2, 2), NAN, 1, 2, 3);
    expect_values(hg_batch_norm(x, NULL, NULL, NULL, NULL, 0.1, 0), NAN, -1,
                  NAN, 1);
    expect_values(hg_layer_norm(x, NULL, NULL, 0), NAN, NAN, -1, 1);
}
END_TEST

START_TEST(nothing_to_normalise_is_an_error_or_nothing)
{
    hg_tensor *one = hg_ones(HG_SHAPE(1, 3));
    ck_assert_ptr_null(hg_batch_norm(one, NULL, NULL, NULL, NULL, 0.1, 1e-5));
    expect_error(SHAPE, "batch_norm", "one value a channel", "[1, 3]");
    ck_assert_ptr_null(hg_batch_norm(hg_zeros(HG_SHAPE(0, 3)), NULL, NULL, NULL,
                                     NULL, 0.1, 1e-5));
    expect_error(SHAPE, "batch_norm", "[0, 3]");
    hg_tensor *rows = hg_layer_norm(hg_zeros(HG_SHAPE(0, 3)), NULL, NULL, 1e-5);
    expect_shape(rows, 0, 3);
    ck_assert_ptr_null(
        hg_layer_norm(hg_zeros(HG_SHAPE(3, 0)), NULL, NULL, 1e-5));
    expect_error(SHAPE, "normalize_rows", "no values");
}
END_TEST

START_TEST(norms_of_mismatched_shapes_report_them)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(4, 3, 2, 2)), *w = hg_zeros(HG_SHAPE(2));
    ck_assert_ptr_null(hg_batch_norm(x, w, NULL, NULL, NULL, 0.1, 1e-5));
    expect_error(SHAPE, "batch_norm", "weight [2]", "[4, 3, 2, 2]", "[3]");
    ck_assert_ptr_null(
        hg_batch_norm(x, NULL, NULL, NULL, hg_zeros(HG_SHAPE(3)), 0.1, 1e-5));
    expect_error(ARGUMENT, "batch_norm", "both");
    ck_assert_ptr_null(hg_batch_norm(w, NULL, NULL, NULL, NULL, 0.1, 1e-5));
    expect_error(SHAPE, "batch_norm", "[N, C, ...]", "[2]");
    ck_assert_ptr_null(hg_layer_norm(x, hg_zeros(HG_SHAPE(3)), NULL, 1e-5));
    expect_error(SHAPE, "layer_norm", "[3]", "[4, 3, 2, 2]");
    ck_assert_ptr_null(hg_layer_norm(x, w, hg_zeros(HG_SHAPE(2, 2)), 1e-5));
    expect_error(SHAPE, "layer_norm", "[2]", "[2, 2]");
    ck_assert_ptr_null(hg_layer_norm(scalar(1), NULL, NULL, 1e-5));
    expect_error(SHAPE, "layer_norm", "scalar");
    ck_assert_ptr_null(hg_group_norm(x, 2, NULL, NULL, 1e-5));
    expect_error(SHAPE, "group_norm", "multiple of 2", "[4, 3, 2, 2]");
    ck_assert_ptr_null(hg_group_norm(x, 3, w, NULL, 1e-5));
    expect_error(SHAPE, "group_norm", "weight [2]", "[3]");
}
END_TEST

TEST_MAIN("norm", batch_norm_normalises_every_channel,
          batch_norm_is_exact_far_from_zero,
          equal_values_have_no_variance_however_large_they_are,
          running_statistics_move_as_pytorchs_and_bump_their_versions,
          evaluation_uses_the_running_statistics_and_leaves_them,
          backward_after_the_running_statistics_moved_is_not_stale,
          gradients_of_normalisations_are_right_twice,
          fused_and_recorded_gradients_agree,
          layer_and_group_norm_normalise_what_they_say,
          norms_do_not_depend_on_threads_or_kernels_much,
          nan_passes_through_its_own_channel_only,
          nothing_to_normalise_is_an_error_or_nothing,
          norms_of_mismatched_shapes_report_them)
