/* test_reduce.c - sums, statistics, extremes against plain loops over random
 * views, and the gradients of all reductions. */
#include "ops_fixture.h"

/* ---- Reductions of a list of numbers, the plain way --------------------- */

typedef double plain(const double *x, int n);
typedef hg_tensor *reduction(hg_tensor *x, hg_axes axes);

static double plain_sum(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static double plain_mean(const double *x, int n)
{
    return plain_sum(x, n) / n;
}

static double plain_var(const double *x, int n)
{
    double sum = 0, mean = plain_mean(x, n);
    for (int i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / n;
}

static double plain_max(const double *x, int n)
{
    double best = x[0];
    for (int i = 1; i < n; i++)
        best = fmax(best, x[i]);
    return best;
}

static double plain_min(const double *x, int n)
{
    double best = x[0];
    for (int i = 1; i < n; i++)
        best = fmin(best, x[i]);
    return best;
}

static double plain_logsumexp(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp(x[i]);
    return log(sum);
}

static double plain_power_sum(const double *x, int n, double p)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += pow(fabs(x[i]), p);
    return pow(sum, 1 / p);
}

static double plain_norm1(const double *x, int n)
{
    return plain_power_sum(x, n, 1);
}

static double plain_norm2(const double *x, int n)
{
    return plain_power_sum(x, n, 2);
}

static double plain_norm3(const double *x, int n)
{
    return plain_power_sum(x, n, 3);
}

static double plain_norm_inf(const double *x, int n)
{
    return fmax(plain_max(x, n), -plain_min(x, n));
}

static hg_tensor *var0(hg_tensor *x, hg_axes axes)
{
    return hg_var(x, axes, 0);
}

static hg_tensor *norm1(hg_tensor *x, hg_axes axes)
{
    return hg_norm(x, 1, axes);
}

static hg_tensor *norm2(hg_tensor *x, hg_axes axes)
{
    return hg_norm(x, 2, axes);
}

static hg_tensor *norm3(hg_tensor *x, hg_axes axes)
{
    return hg_norm(x, 3, axes);
}

static hg_tensor *norm_inf(hg_tensor *x, hg_axes axes)
{
    return hg_norm(x, INFINITY, axes);
}

static const struct {
    reduction *fast;
    plain *plain;
} pairs[] = {
    {hg_sum, plain_sum},  {hg_mean, plain_mean},
    {var0, plain_var},    {hg_max, plain_max},
    {hg_min, plain_min},  {hg_logsumexp, plain_logsumexp},
    {norm1, plain_norm1}, {norm2, plain_norm2},
    {norm3, plain_norm3}, {norm_inf, plain_norm_inf},
};

enum { PAIRS = sizeof pairs / sizeof *pairs };

/* The reduction of x over these axes, which stay, by plain loops. */
static void expect_reduction(const hg_tensor *z, const hg_tensor *x,
                             const bool *gone, plain *f)
{
    static double list[4096];
    for_each_index(at, z->shape)
    {
        int n = 0;
        for_each_index(in, x->shape)
        {
            bool mine = true;
            for (int d = 0; d < x->shape.rank; d++)
                mine &= gone[d] || in[d] == at[d];
            if (mine)
                list[n++] = value_at(x, in);
        }
        ck_assert_msg(same_value(value_at(z, at), f(list, n), CLOSE),
                      "%s of %s: %.9g is not %.9g", z->op->name,
                      HG_SHAPE_TEXT(x->shape), value_at(z, at), f(list, n));
    }
}

START_TEST(reductions_of_random_views_agree_with_plain_loops)
{
    for (int trial = 0; trial < 400; trial++) {
        hg_tensor *x = random_view(1);
        bool gone[HG_MAX_RANK];
        hg_axes axes = {.keep = true};
        for (int d = 0; d < x->shape.rank; d++)
            if ((gone[d] = draw(2)))
                axes.axis[axes.count++] = draw(2) ? d : d - x->shape.rank;
        int i = trial % PAIRS;
        hg_tensor *kept = pairs[i].fast(x, axes);
        expect_no_error();
        ck_assert_int_eq(kept->shape.rank, x->shape.rank);
        expect_reduction(kept, x, gone, pairs[i].plain);
        axes.keep = false;
        hg_tensor *dropped = pairs[i].fast(x, axes);
        ck_assert_int_eq(dropped->shape.rank, x->shape.rank - axes.count);
        expect_same(hg_reshape(kept, dropped->shape), dropped, 0);
    }
}
END_TEST

/* So many that a GPU cuts them into chunks, of three axes that are not one. */
START_TEST(many_values_agree_with_plain_loops_over_axes_that_lie_apart)
{
    enum { N = 61, C = 3, H = 29, W = 31, MANY = N * H * W };
    static double list[C][MANY];
    hg_tensor *x = hg_permute(hg_uniform(HG_SHAPE(N, C, W, H), -1, 2),
                              HG_OVER(0, 1, 3, 2));
    for (int i = 0; i < MANY; i++)
        for (int c = 0; c < C; c++)
            list[c][i] =
                value_at(x, (int64_t[]){i / (H * W), c, i / W % H, i % W});
    for (int p = 0; p < PAIRS; p++) {
        hg_tensor *z = pairs[p].fast(x, HG_OVER(0, 2, 3));
        for (int64_t c = 0; c < C; c++)
            ck_assert_msg(same_value(value_at(z, &c),
                                     pairs[p].plain(list[c], MANY), CLOSE),
                          "%s of channel %d: %.9g", z->op->name, (int)c,
                          value_at(z, &c));
    }
}
END_TEST

START_TEST(nan_passes_through_every_reduction)
{
    for (int place = 0; place < 40; place++) {
        hg_real value[40] = {1, 2, 3};
        value[place] = (hg_real)NAN;
        hg_tensor *x = hg_from(value, REALS, HG_SHAPE(20, 2));
        for (int i = 0; i < PAIRS; i++) {
            ck_assert(isnan(hg_item(pairs[i].fast(x, HG_ALL))));
            hg_tensor *column = pairs[i].fast(x, HG_OVER(0));
            ck_assert(isnan(hg_item(hg_select(column, 0, place % 2))));
            ck_assert(!isnan(hg_item(hg_select(column, 0, 1 - place % 2))));
        }
        hg_tensor *row = hg_reshape(x, HG_SHAPE(40));
        ck_assert_int_eq((int)hg_item(hg_argmax(row, 0)), place);
        ck_assert_int_eq((int)hg_item(hg_argmin(row, 0)), place);
        hg_tensor *top, *best = hg_topk(row, 1, 0, &top);
        ck_assert(isnan(hg_item(best)));
        ck_assert_int_eq((int)hg_item(top), place);
        ck_assert(isnan(hg_item(hg_select(hg_softmax(row, 0), 0, 39 - place))));
    }
}
END_TEST

/* ---- Gradients ---------------------------------------------------------- */

START_TEST(equal_extremes_share_the_gradient)
{
    hg_tensor *x = hg_watch(tensor((2, 3), 1, 3, 3, 2, 2, 2));
    hg_tensor *g = hg_grad(hg_max(x, HG_OVER(1)), x, vector(6, 9));
    expect_values(g, 0, 3, 3, 3, 3, 3);
    g = hg_grad(hg_min(x, HG_KEEP(0)), x, tensor((1, 3), 1, 2, 4));
    expect_values(g, 1, 0, 0, 0, 2, 4);
    g = hg_grad(hg_max(x, HG_ALL), x, NULL);
    expect_values(g, 0, 0.5, 0.5, 0, 0, 0);
}
END_TEST

START_TEST(the_gradient_of_a_norm_at_zero_is_zero)
{
    const double p[] = {0.5, 1, 1.5, 2, 3, INFINITY};
    for (int i = 0; i < 6; i++) {
        hg_tensor *x = hg_watch(hg_zeros(HG_SHAPE(3)));
        expect_values(hg_grad(hg_norm(x, p[i], HG_ALL), x, NULL), 0, 0, 0);
    }
    hg_tensor *x = hg_watch(vector(0, 2, -3));
    expect_values_n(hg_grad(hg_norm(x, 1.5, HG_ALL), x, NULL),
                    (const double[]){0, 0.7063835, -0.8651396}, 3, 1e-6);
    expect_values_n(hg_grad(hg_norm(x, 0.5, HG_ALL), x, NULL),
                    (const double[]){0, 2.2247449, -1.8164966}, 3, 1e-6);
}
END_TEST

#define FUNCTION(name, expression)                                             \
    static hg_tensor *name(hg_tensor *const *in)                               \
    {                                                                          \
        hg_tensor *x = in[0];                                                  \
        return expression;                                                     \
    }

FUNCTION(square_of_sum, hg_square(hg_sum(x, HG_OVER(1))))
FUNCTION(square_of_mean, hg_square(hg_mean(x, HG_KEEP(0, 2))))
FUNCTION(variance, hg_var(x, HG_OVER(0, -1), 1))
FUNCTION(variance_of_all, hg_square(hg_var(x, HG_ALL, 0)))
FUNCTION(largest, hg_square(hg_max(x, HG_OVER(-1))))
FUNCTION(smallest, hg_square(hg_min(x, HG_KEEP(0))))
FUNCTION(logsumexp_of_rows, hg_logsumexp(x, HG_OVER(-1)))
FUNCTION(logsumexp_of_all, hg_square(hg_logsumexp(x, HG_KEEP(0, 1, 2))))
FUNCTION(norm_1, hg_square(hg_norm(x, 1, HG_OVER(0))))
FUNCTION(norm_2, hg_norm(x, 2, HG_OVER(0)))
FUNCTION(norm_2_kept, hg_square(hg_norm(x, 2, HG_KEEP(1, 2))))
FUNCTION(norm_3, hg_norm(x, 3, HG_OVER(1)))
FUNCTION(norm_half, hg_norm(x, 0.5, HG_OVER(1)))
FUNCTION(softmax_of_rows, hg_softmax(x, -1))
FUNCTION(softmax_of_columns, hg_square(hg_softmax(x, 1)))
FUNCTION(log_softmax_of_rows, hg_log_softmax(x, -1))
FUNCTION(log_softmax_of_columns, hg_square(hg_log_softmax(x, 0)))
FUNCTION(running_sum, hg_square(hg_cumsum(x, 1)))
FUNCTION(two_largest, hg_square(hg_topk(x, 2, 1, NULL)))

START_TEST(gradients_of_reductions_agree_with_differences)
{
    check_gradients(square_of_sum, HG_SHAPE(2, 3, 2));
    check_gradients(square_of_mean, HG_SHAPE(2, 3, 2));
    check_gradients(variance, HG_SHAPE(2, 3, 2));
    check_gradients(variance_of_all, HG_SHAPE(2, 3, 2));
    check_gradients(largest, HG_SHAPE(2, 3, 4));
    check_gradients(smallest, HG_SHAPE(3, 4));
    check_gradients(logsumexp_of_rows, HG_SHAPE(2, 3, 4));
    check_gradients(logsumexp_of_all, HG_SHAPE(2, 3, 2));
    check_gradients(norm_1, HG_SHAPE(3, 4));
    check_gradients(norm_2, HG_SHAPE(3, 4));
    check_gradients(norm_2_kept, HG_SHAPE(2, 3, 2));
    check_gradients(norm_3, HG_SHAPE(3, 4));
    check_gradients(norm_half, HG_SHAPE(3, 4));
    check_gradients(softmax_of_rows, HG_SHAPE(3, 4));
    check_gradients(softmax_of_columns, HG_SHAPE(2, 3, 2));
    check_gradients(log_softmax_of_rows, HG_SHAPE(3, 4));
    check_gradients(log_softmax_of_columns, HG_SHAPE(3, 4));
    check_gradients(running_sum, HG_SHAPE(2, 3, 2));
    check_gradients(two_largest, HG_SHAPE(2, 4, 2));
}
END_TEST

/* Every kernel of the tape at random strided inputs, descriptor by
 * descriptor. */
START_TEST(every_reduction_descriptor_passes_the_check_of_its_own)
{
    hg_tensor *x = hg_watch(apart(HG_SHAPE(3, 4), 1));
    hg_tensor *made[] = {
        hg_sum(x, HG_OVER(0)),       hg_sum_to(x, HG_SHAPE(3, 1)),
        hg_logsumexp(x, HG_OVER(1)), hg_norm(x, 2, HG_OVER(0)),
        hg_norm(x, 3, HG_KEEP(1)),   hg_softmax(x, 0),
        hg_log_softmax(x, 1),        hg_cumsum(x, 0),
        hg_flip(x, HG_OVER(1)),      hg_pad(x, 0, 1, 1),
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        expect_ok(hg_check_op(ctx, made[i]->op, made[i]->attr, &x->shape, 1));
}
END_TEST

TEST_MAIN("reduce", reductions_of_random_views_agree_with_plain_loops,
          many_values_agree_with_plain_loops_over_axes_that_lie_apart,
          nan_passes_through_every_reduction, equal_extremes_share_the_gradient,
          the_gradient_of_a_norm_at_zero_is_zero,
          gradients_of_reductions_agree_with_differences,
          every_reduction_descriptor_passes_the_check_of_its_own)
