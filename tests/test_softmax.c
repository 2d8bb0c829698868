/* test_softmax.c - large sums, softmax, running sums, places; threads, nothing
 * and infinities. */
#include "ops_fixture.h"

typedef hg_tensor *reduction(hg_tensor *x, hg_axes axes);

/* ---- Large sums --------------------------------------------------------- */

static void expect_large_sum(hg_tensor *x, hg_axes axes, reduction *f,
                             bool exponential)
{
    hg_tensor *z = f(x, axes);
    ck_assert_msg(z != NULL, "%s", hg_error());
    bool gone[HG_MAX_RANK];
    expect_ok(hg_axes_mask(axes, x->shape.rank, gone));
    double *sum = calloc((size_t)hg_numel(z), sizeof *sum);
    const hg_real *value = host_values(z);
    for_each_index(at, x->shape)
    {
        int64_t o = 0;
        for (int d = 0; d < x->shape.rank; d++)
            if (!gone[d])
                o = o * x->shape.dim[d] + at[d];
        sum[o] += exponential ? exp(value_at(x, at)) : value_at(x, at);
    }
    for (int64_t o = 0; o < hg_numel(z); o++) {
        double expected = exponential ? log(sum[o]) : sum[o];
        double error = fabs((double)value[o] - expected) / expected;
        ck_assert_msg(error < 1e-6, "sum %lld of %s: %.9g is not %.9g",
                      (long long)o, HG_SHAPE_TEXT(x->shape), (double)value[o],
                      expected);
    }
    free(sum);
}

START_TEST(large_sums_along_every_path_are_right)
{
    hg_tensor *tall = uniform_from(0, HG_SHAPE(70000, 3));
    hg_tensor *wide = uniform_from(0, HG_SHAPE(300, 700));
    hg_tensor *images = uniform_from(0, HG_SHAPE(20, 30, 200));
    for (int i = 0; i < 2; i++) {
        reduction *f = i ? hg_logsumexp : hg_sum;
        expect_large_sum(tall, HG_OVER(0), f, i);
        expect_large_sum(tall, HG_OVER(1), f, i);
        expect_large_sum(tall, HG_ALL, f, i);
        expect_large_sum(hg_transpose(tall), HG_OVER(0), f, i);
        expect_large_sum(hg_transpose(tall), HG_OVER(1), f, i);
        expect_large_sum(wide, HG_OVER(0), f, i);
        expect_large_sum(wide, HG_OVER(1), f, i);
        expect_large_sum(hg_slice(wide, 1, 1, HG_END, 3), HG_OVER(1), f, i);
        expect_large_sum(hg_slice(wide, 1, 1, HG_END, 3), HG_OVER(0), f, i);
        expect_large_sum(hg_transpose(wide), HG_ALL, f, i);
        expect_large_sum(images, HG_OVER(0, 2), f, i);
        expect_large_sum(images, HG_OVER(1), f, i);
        expect_large_sum(images, HG_FROM(1), f, i);
    }
}
END_TEST

START_TEST(a_sum_of_ten_million_numbers_is_accurate_to_a_millionth)
{
    hg_tensor *x = uniform_from(0, HG_SHAPE(10000000));
    const hg_real *value = host_values(x);
    double expected = 0;
    for (int64_t i = 0; i < 10000000; i++)
        expected += (double)value[i];
    double sum = (double)hg_item(hg_sum(x, HG_ALL));
    ck_assert_double_lt(fabs(sum - expected) / expected, 1e-6);
    hg_tensor *tenths = hg_expand(scalar((hg_real)0.1), HG_SHAPE(3000, 1000));
    sum = (double)hg_item(hg_sum(tenths, HG_ALL));
    expected = 3e6 * (double)(hg_real)0.1;
    ck_assert_double_lt(fabs(sum - expected) / expected, 1e-6);
}
END_TEST

static hg_tensor *smooth_mix(hg_tensor *x)
{
    hg_tensor *parts[] = {
        hg_sum(x, HG_OVER(0)),
        hg_sum(x, HG_OVER(1)),
        hg_logsumexp(x, HG_OVER(0)),
        hg_logsumexp(x, HG_OVER(1)),
        hg_norm(x, 2, HG_OVER(0)),
        hg_max(x, HG_OVER(1)),
        hg_reshape(hg_sum(x, HG_ALL), HG_SHAPE(1)),
        hg_reshape(hg_softmax(x, 0), HG_SHAPE(-1)),
        hg_reshape(hg_log_softmax(x, 1), HG_SHAPE(-1)),
        hg_reshape(hg_cumsum(x, 0), HG_SHAPE(-1)),
        hg_sum(hg_reshape(x, HG_SHAPE(-1, 2)), HG_OVER(0)),
        hg_reshape(hg_flip(x, HG_ALL), HG_SHAPE(-1)),
    };
    return hg_concat_n(0, parts, sizeof parts / sizeof *parts);
}

START_TEST(results_do_not_depend_on_the_number_of_threads)
{
    if (!on_cpu())
        skip_test("its kernels have no threads of the CPU");
    const hg_shape shapes[] = {HG_SHAPE(70000, 2), HG_SHAPE(300, 700),
                               HG_SHAPE(3, 60000), HG_SHAPE(1, 100002)};
    for (int i = 0; i < 4; i++) {
        hg_tensor *x = uniform_from(0, shapes[i]);
        hg_context_set_threads(ctx, 1);
        hg_tensor *expected = smooth_mix(x);
        for (int threads = 2; threads <= 7; threads += 1 + threads / 3) {
            hg_context_set_threads(ctx, threads);
            hg_tensor *again = smooth_mix(x);
            expect_no_error();
            ck_assert_msg(same_bits(again, expected), "%d threads, %s", threads,
                          HG_SHAPE_TEXT(shapes[i]));
        }
    }
}
END_TEST

START_TEST(fast_kernels_agree_with_the_reference_kernels)
{
    if (!on_cpu())
        skip_test("there are no reference kernels there");
    for (int trial = 0; trial < 20; trial++) {
        hg_tensor *x =
            uniform_from(0, HG_SHAPE(2 + draw(400), 2 * (1 + draw(400))));
        if (trial % 2)
            x = hg_transpose(x);
        if (x->shape.dim[1] % 2)
            x = hg_slice(x, 0, 0, x->shape.dim[0] / 2 * 2, 1);
        hg_context_set_reference(ctx, true);
        hg_tensor *expected = smooth_mix(x);
        hg_context_set_reference(ctx, false);
        expect_same(smooth_mix(x), expected, 2 * CLOSE);
    }
}
END_TEST

/* ---- Nothing, NaN, infinities ------------------------------------------- */

START_TEST(the_sum_of_nothing_is_zero)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(0, 3));
    expect_values(hg_sum(x, HG_ALL), 0);
    expect_values(hg_sum(x, HG_OVER(0)), 0, 0, 0);
    expect_shape(hg_sum(x, HG_OVER(1)), 0);
    expect_values(hg_sum_to(x, HG_SHAPE(1, 3)), 0, 0, 0);
    expect_values(hg_norm(x, 2, HG_ALL), 0);
    expect_values(hg_logsumexp(x, HG_ALL), -INFINITY);
    expect_shape(hg_mean(x, HG_OVER(1)), 0);
    expect_shape(hg_max(x, HG_OVER(1)), 0);
    expect_shape(hg_argmax(x, 1), 0);
    expect_shape(hg_cumsum(x, 1), 0, 3);
    expect_shape(hg_softmax(x, 0), 0, 3);
    expect_shape(hg_topk(x, 2, 1, NULL), 0, 2);
    hg_tensor *w = hg_watch(hg_zeros(HG_SHAPE(0, 3)));
    expect_ok(hg_backward(hg_sum(w, HG_ALL)));
    expect_shape(w->grad, 0, 3);
}
END_TEST

START_TEST(the_mean_and_the_extremes_of_nothing_are_errors_with_a_sentence)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(0, 3));
    hg_mean(x, HG_ALL);
    expect_error(SHAPE, "mean", "[0, 3]", "0 elements");
    hg_max(x, HG_OVER(0));
    expect_error(SHAPE, "max", "[0, 3]");
    hg_min(x, HG_ALL);
    expect_error(SHAPE, "min", "[0, 3]");
    hg_norm(x, INFINITY, HG_ALL);
    expect_error(SHAPE, "max", "[0, 3]");
    hg_argmax(x, 0);
    expect_error(SHAPE, "argmax", "[0, 3]", "axis 0");
    hg_argmin(x, 0);
    expect_error(SHAPE, "argmin", "[0, 3]");
    hg_var(vector(1), HG_ALL, 1);
    expect_error(SHAPE, "var", "[1]", "1 elements");
    hg_var(x, HG_ALL, 0);
    expect_error(SHAPE, "var", "[0, 3]");
}
END_TEST

START_TEST(wrong_axes_are_errors_that_name_the_op)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 3));
    hg_sum(x, HG_OVER(2));
    expect_error(SHAPE, "sum", "axis 2", "rank 2");
    hg_sum(x, HG_OVER(1, -1));
    expect_error(SHAPE, "sum", "axis 1", "twice");
    hg_mean(x, HG_OVER(-3));
    expect_error(SHAPE, "mean", "axis -3");
    hg_argmax(x, 2);
    expect_error(SHAPE, "argmax", "axis 2");
    hg_argmin(NULL, 0);
    expect_error(ARGUMENT, "argmin", "NULL");
    hg_softmax(x, 2);
    expect_error(SHAPE, "softmax", "axis 2");
    hg_log_softmax(scalar(1), 0);
    expect_error(SHAPE, "log_softmax", "axis 0", "rank 0");
    hg_cumsum(x, -3);
    expect_error(SHAPE, "cumsum", "axis -3");
    hg_topk(x, 4, 1, NULL);
    expect_error(SHAPE, "topk", "axis 1", "[2, 3]", "4");
    hg_topk(x, -1, 1, NULL);
    expect_error(SHAPE, "topk", "-1");
    hg_topk(x, 1, 2, NULL);
    expect_error(SHAPE, "topk", "axis 2");
    hg_norm(x, 0, HG_ALL);
    expect_error(ARGUMENT, "norm", "p is 0");
    hg_norm(x, NAN, HG_ALL);
    expect_error(ARGUMENT, "norm", "nan");
    hg_sum(NULL, HG_ALL);
    expect_error(ARGUMENT, "sum", "NULL");
    hg_logsumexp(hg_arange(3), HG_ALL);
    expect_error(ARGUMENT, "logsumexp", "int32");
}
END_TEST

START_TEST(infinities_are_legal)
{
    double inf = INFINITY;
    hg_tensor *x =
        tensor((3, 2), -INFINITY, 0, 1, -INFINITY, -INFINITY, -INFINITY);
    expect_values(hg_logsumexp(x, HG_OVER(1)), 0, 1, -inf);
    expect_values(hg_logsumexp(hg_transpose(x), HG_OVER(0)), 0, 1, -inf);
    expect_values(hg_logsumexp(vector(1, INFINITY), HG_ALL), inf);
    expect_values(hg_softmax(x, 1), 0, 1, 1, 0, NAN, NAN);
    expect_values(hg_softmax(hg_transpose(x), 0), 0, 1, NAN, 1, 0, NAN);
    expect_values(hg_log_softmax(x, 1), -inf, 0, 0, -inf, NAN, NAN);
    expect_values(hg_max(x, HG_OVER(1)), 0, 1, -inf);
    expect_values(hg_min(x, HG_OVER(0)), -inf, -inf);
    hg_tensor *w = hg_watch(vector(-INFINITY, 1, 1));
    expect_ok(hg_backward(hg_logsumexp(w, HG_ALL)));
    expect_values(w->grad, 0, 0.5, 0.5);
    hg_tensor *v = hg_watch(vector(-INFINITY, 1, 1));
    hg_tensor *y = hg_slice(hg_log_softmax(v, 0), 0, 1, 2, 1);
    expect_values(hg_grad(y, v, NULL), 0, 0.5, -0.5);
}
END_TEST

START_TEST(softmax_and_logsumexp_do_not_overflow)
{
    hg_tensor *x = vector(1000, 1001, 999);
    double e = exp(1) + 1 + exp(-1);
    expect_values(hg_softmax(x, 0), 1 / e, exp(1) / e, exp(-1) / e);
    expect_values(hg_logsumexp(x, HG_ALL), 1000 + log(e));
    expect_values(hg_logsumexp(hg_neg(x), HG_ALL), -1000 + log(e));
    expect_values(hg_log_softmax(vector(0, -1000), 0), 0, -1000);
}
END_TEST

/* ---- Places
 * -------------------------------------------------------------------- */

START_TEST(argmax_and_argmin_name_the_first_of_equals)
{
    hg_tensor *x = tensor((2, 4), 1, 3, 3, 0, 2, 2, 2, 2);
    expect_values(hg_real_of(hg_argmax(x, 1)), 1, 0);
    expect_values(hg_real_of(hg_argmin(x, -1)), 3, 0);
    expect_values(hg_real_of(hg_argmax(x, 0)), 1, 0, 0, 1);
    expect_values(hg_real_of(hg_argmax(hg_transpose(x), 0)), 1, 0);
    ck_assert_int_eq(hg_argmax(x, 0)->dtype, HG_INT32);
    hg_argmax(scalar(1), 0);
    expect_error(SHAPE, "argmax", "rank 0");
}
END_TEST

START_TEST(topk_agrees_with_sorting_by_hand)
{
    for (int trial = 0; trial < 100; trial++) {
        hg_shape shape = HG_SHAPE(1 + draw(3), 1 + draw(9), 1 + draw(3));
        hg_real value[81];
        for (int i = 0; i < 81; i++)
            value[i] = (hg_real)draw(6);
        hg_tensor *x = hg_from(value, REALS, shape), *place;
        int64_t n = shape.dim[1], k = draw((uint32_t)n + 1);
        hg_tensor *top = hg_topk(x, k, 1, &place);
        expect_shape(top, shape.dim[0], k, shape.dim[2]);
        for_each_index(at, top->shape)
        {
            int64_t here[3] = {at[0], 0, at[2]};
            int rank = 0, mine = (int)value_at(place, at);
            double v = value_at(top, at);
            here[1] = mine;
            ck_assert(value_at(x, here) == v);
            for (here[1] = 0; here[1] < n; here[1]++)
                rank += value_at(x, here) > v ||
                        (value_at(x, here) == v && here[1] < mine);
            ck_assert_int_eq(rank, at[1]);
        }
    }
}
END_TEST

START_TEST(running_sums_and_softmax_agree_with_plain_loops)
{
    for (int trial = 0; trial < 200; trial++) {
        hg_tensor *x = random_view(1);
        if (!x->shape.rank)
            continue;
        int axis = (int)draw((uint32_t)x->shape.rank);
        hg_tensor *sums = hg_cumsum(x, axis), *soft = hg_softmax(x, axis);
        hg_tensor *logs = hg_log_softmax(x, axis - x->shape.rank);
        expect_no_error();
        for_each_index(at, x->shape)
        {
            int64_t here[HG_MAX_RANK];
            double sum = 0, total = 0;
            memcpy(here, at, sizeof here);
            for (here[axis] = 0; here[axis] < x->shape.dim[axis];
                 here[axis]++) {
                sum += here[axis] <= at[axis] ? value_at(x, here) : 0;
                total += exp(value_at(x, here));
            }
            double log_share = value_at(x, at) - log(total);
            ck_assert(same_value(value_at(sums, at), sum, CLOSE));
            ck_assert(same_value(value_at(soft, at), exp(log_share), CLOSE));
            ck_assert(same_value(value_at(logs, at), log_share, CLOSE));
        }
    }
}
END_TEST

/* Lines so long that many threads of a GPU share one, and take several turns.
 */
START_TEST(long_lines_agree_with_plain_loops)
{
    static const int64_t shapes[][3] = {
        {3, 1000, 1}, {2, 300, 3}, {1, 70, 40}, {40, 17, 1}, {1, 2500, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int64_t *d = shapes[i];
        hg_tensor *x = hg_rand(HG_SHAPE(d[0], d[1], d[2])), *place;
        hg_tensor *sums = hg_cumsum(x, 1), *soft = hg_softmax(x, 1);
        hg_tensor *top = hg_topk(x, 3, 1, &place);
        for (int64_t line = 0; line < d[0] * d[2]; line++) {
            int64_t at[3] = {line / d[2], 0, line % d[2]};
            double sum = 0, total = 0;
            for (at[1] = 0; at[1] < d[1]; at[1]++) {
                sum += value_at(x, at);
                total += exp(value_at(x, at));
                ck_assert(same_value(value_at(sums, at), sum, CLOSE));
            }
            for (at[1] = 0; at[1] < d[1]; at[1]++)
                ck_assert(same_value(value_at(soft, at),
                                     exp(value_at(x, at)) / total, CLOSE));
            for (int64_t j = 0; j < 3; j++) {
                int64_t here[3] = {at[0], j, at[2]}, rank = 0;
                double v = value_at(top, here);
                for (at[1] = 0; at[1] < d[1]; at[1]++)
                    rank += value_at(x, at) > v;
                ck_assert_int_eq(rank, j);
            }
        }
    }
}
END_TEST

TEST_MAIN("softmax", large_sums_along_every_path_are_right,
          a_sum_of_ten_million_numbers_is_accurate_to_a_millionth,
          results_do_not_depend_on_the_number_of_threads,
          fast_kernels_agree_with_the_reference_kernels,
          the_sum_of_nothing_is_zero,
          the_mean_and_the_extremes_of_nothing_are_errors_with_a_sentence,
          wrong_axes_are_errors_that_name_the_op, infinities_are_legal,
          softmax_and_logsumexp_do_not_overflow,
          argmax_and_argmin_name_the_first_of_equals,
          topk_agrees_with_sorting_by_hand,
          running_sums_and_softmax_agree_with_plain_loops,
          long_lines_agree_with_plain_loops)
