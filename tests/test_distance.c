/* test_distance.c - squared distances of all points of two sets. */
#include "ops_fixture.h"

static double square_between(const hg_tensor *x, int64_t i, const hg_tensor *y,
                             int64_t j)
{
    double sum = 0;
    for (int64_t k = 0; k < x->shape.dim[1]; k++) {
        double d =
            value_at(x, (int64_t[]){i, k}) - value_at(y, (int64_t[]){j, k});
        sum += d * d;
    }
    return sum;
}

static void expect_distances(const hg_tensor *x, const hg_tensor *y,
                             const hg_tensor *d)
{
    ck_assert_msg(d != NULL, "%s", hg_error());
    expect_shape(d, x->shape.dim[0], y->shape.dim[0]);
    for_each_index(at, d->shape)
    {
        double want = square_between(x, at[0], y, at[1]);
        ck_assert_msg(same_value(value_at(d, at), want, 10 * CLOSE),
                      "%lld to %lld: %g, not %g", (long long)at[0],
                      (long long)at[1], value_at(d, at), want);
    }
}

START_TEST(distances_are_those_of_the_points_one_by_one)
{
    hg_tensor *x = apart(HG_SHAPE(5, 3), 1), *y = apart(HG_SHAPE(4, 3), 2);
    expect_distances(x, y, hg_cdist_squared(x, y));
    hg_tensor *turned = hg_transpose(apart(HG_SHAPE(3, 6), 3));
    expect_distances(turned, y, hg_cdist_squared(turned, y));
}
END_TEST

START_TEST(points_far_from_0_keep_their_distances)
{
    hg_tensor *x = hg_shift(apart(HG_SHAPE(5, 3), 1), 4096);
    hg_tensor *y = hg_shift(apart(HG_SHAPE(4, 3), 2), 4096);
    expect_distances(x, y, hg_cdist_squared(x, y));
}
END_TEST

START_TEST(a_point_is_next_to_itself_and_has_no_slope_there)
{
    hg_tensor *x = hg_watch(apart(HG_SHAPE(6, 2), 1));
    hg_tensor *d = hg_cdist_squared(x, x);
    expect_distances(x, x, d);
    for_each_index(at, d->shape) ck_assert(value_at(d, at) >= 0);
    hg_tensor *one = hg_slice(x, 0, 0, 1, 1);
    hg_tensor *slope = hg_grad(hg_cdist_squared(one, one), one, NULL);
    expect_values(slope, 0, 0);
}
END_TEST

START_TEST(leading_axes_of_points_broadcast)
{
    hg_tensor *x = apart(HG_SHAPE(2, 1, 3, 2), 1),
              *y = apart(HG_SHAPE(4, 2), 2);
    hg_tensor *d = hg_cdist_squared(x, y);
    ck_assert_msg(d != NULL, "%s", hg_error());
    expect_shape(d, 2, 1, 3, 4);
    for (int i = 0; i < 2; i++)
        expect_distances(hg_select(hg_select(x, 0, i), 0, 0), y,
                         hg_select(hg_select(d, 0, i), 0, 0));
}
END_TEST

START_TEST(sets_without_points_have_no_distances)
{
    hg_tensor *x = apart(HG_SHAPE(3, 2), 1), *none = hg_zeros(HG_SHAPE(0, 2));
    hg_tensor *d = hg_cdist_squared(x, none);
    ck_assert_msg(d != NULL, "%s", hg_error());
    expect_shape(d, 3, 0);
}
END_TEST

START_TEST(points_of_another_width_are_refused)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(3, 2));
    ck_assert_ptr_null(hg_cdist_squared(x, hg_zeros(HG_SHAPE(3, 4))));
    expect_error(SHAPE, "hg_cdist_squared", "[3, 2]", "[3, 4]", "[..., n, d]");
    ck_assert_ptr_null(hg_cdist_squared(vector(1, 2), x));
    expect_error(SHAPE, "hg_cdist_squared", "[2]", "[3, 2]");
    ck_assert_ptr_null(hg_cdist_squared(NULL, x));
    expect_error(ARGUMENT, "hg_cdist_squared: x is NULL");
}
END_TEST

static hg_tensor *distances(hg_tensor *const *in)
{
    return hg_cdist_squared(in[0], in[1]);
}

START_TEST(distances_have_the_gradient_of_their_value)
{
    check_gradients(distances, HG_SHAPE(4, 3), HG_SHAPE(3, 3));
}
END_TEST

TEST_MAIN("distance", distances_are_those_of_the_points_one_by_one,
          points_far_from_0_keep_their_distances,
          a_point_is_next_to_itself_and_has_no_slope_there,
          leading_axes_of_points_broadcast,
          sets_without_points_have_no_distances,
          points_of_another_width_are_refused,
          distances_have_the_gradient_of_their_value)
