/* test_groups.c - groups, mixtures, paths and columns of points, against values
 * of scikit-learn 1.9 and SciPy 1.17 and closed forms. */
#include "projection_fixture.h"

/* ---- Groups and mixtures ------------------------------------------------ */

START_TEST(k_means_finds_far_groups)
{
    double v[120 * 5], centres[15];
    int32_t group[120];
    expect_ok(hg_kmeans(ctx, three_groups(v), 3, 4, 1, centres, group));
    for (int i = 3; i < 120; i++)
        ck_assert_int_eq(group[i], group[i % 3]);
    ck_assert(group[0] != group[1] && group[1] != group[2]);
    double mean = 0;
    for (int i = 0; i < 120; i += 3)
        mean += v[i * 5] / 40;
    expect_near(centres[group[0] * 5], mean, 1e-12);
    ck_assert(!hg_kmeans(ctx, (hg_points){v, 2, 5}, 3, 1, 1, centres, group));
    expect_error(ARGUMENT, "2 points", "3 groups");
}
END_TEST

START_TEST(points_that_are_not_finite_are_near_nothing)
{
    const double values[] = {0, 0, 1, 1, 5, NAN, 5, 5, INFINITY, 1};
    hg_points good = {values, 2, 2}, bad = {values, 5, 2};
    double centres[4];
    int32_t group[5];
    ck_assert(!hg_kmeans(ctx, bad, 2, 1, 1, centres, group));
    expect_error(NONFINITE, "hg_kmeans: coordinate 1 of point 2 is nan");
    ck_assert_ptr_null(hg_mixture_fit(ctx, bad, 2, 1, 1));
    expect_error(NONFINITE, "coordinate 1 of point 2");
    ck_assert(!hg_nearest(ctx, bad, good, 1, group, NULL));
    expect_error(NONFINITE, "hg_nearest: coordinate 1 of point 2 is nan");
    bad.values += 6;
    bad.count = 2;
    ck_assert(!hg_nearest(ctx, good, bad, 1, group, NULL));
    expect_error(NONFINITE, "hg_nearest: coordinate 0 of point 1 is inf");
}
END_TEST

START_TEST(a_mixture_of_one_is_the_gaussian_of_scipy)
{
    hg_mixture *m = hg_mixture_fit(ctx, made_points(), 1, 1, 1);
    expect_ok(m != NULL);
    expect_near(m->log_likelihood, -7.562080376495051, 1e-9);
}
END_TEST

START_TEST(a_mixture_of_few_wide_points_has_diagonals_alone)
{
    enum { FEW = 6, WIDE = 5 };
    double v[120 * WIDE], mean[WIDE], std[WIDE], ridge = 0;
    hg_points p = three_groups(v);
    p.count = FEW; /* 1 (WIDE + 1) */
    hg_moments(p, mean, std);
    hg_mixture *m = hg_mixture_fit(ctx, p, 1, 1, 1);
    expect_ok(m && m->diagonal);
    for (int j = 0; j < WIDE; j++)
        ridge += 1e-3 * std[j] * std[j] / WIDE;
    for (int j = 0; j < WIDE; j++)
        for (int i = 0; i < WIDE; i++)
            expect_near(m->root[i * WIDE + j],
                        i == j ? sqrt(std[j] * std[j] + ridge) : 0, 1e-9);
    p.count = FEW + 1;
    m = hg_mixture_fit(ctx, p, 1, 1, 1);
    ck_assert(m && !m->diagonal && m->root[WIDE] != 0);
}
END_TEST

START_TEST(densities_of_a_mixture_are_those_of_scipy)
{
    double mean[] = {0.5, -1, 0.25, 2, 0.5, -1, 0.25, 2}, log_p[2];
    double root[32] = {0}, weight[] = {0.25, 0.75};
    double s[] = {2, .3, .1, 0, .3, 1.5, .2, .1, .1, .2, 1, .3, 0, .1, .3, .8};
    /* The factor of s, twice. */
    for (int i = 0; i < 4; i++)
        for (int j = 0; j <= i; j++) {
            double sum = s[i * 4 + j];
            for (int k = 0; k < j; k++)
                sum -= root[i * 4 + k] * root[j * 4 + k];
            root[i * 4 + j] = root[16 + i * 4 + j] =
                i == j ? sqrt(sum) : sum / root[j * 4 + j];
        }
    hg_mixture m = {
        .k = 2, .width = 4, .weight = weight, .mean = mean, .root = root};
    double x[] = {0, 0, 0, 0, 1, 2, 3, 4};
    int32_t component[2];
    expect_ok(
        hg_mixture_score(ctx, &m, (hg_points){x, 2, 4}, log_p, component));
    expect_near(log_p[0], -7.2813189817567086, 1e-12);
    expect_near(log_p[1], -10.734365934803662, 1e-12);
    ck_assert_int_eq(component[0], 1);
}
END_TEST

START_TEST(draws_from_a_mixture_have_its_moments)
{
    enum { DRAWS = 20000 };
    double v[120 * 5], mean[5], std[5], expected[5], spread[5];
    double *x = malloc(DRAWS * 5 * sizeof *x);
    hg_points p = three_groups(v);
    hg_mixture *m = hg_mixture_fit(ctx, p, 3, 5, 1);
    expect_ok(m && hg_mixture_draw(ctx, m, DRAWS, 7, x));
    hg_moments((hg_points){x, DRAWS, 5}, mean, std);
    hg_moments(p, expected, spread);
    for (int j = 0; j < 5; j++) {
        expect_near(mean[j], expected[j], 0.1);
        expect_near(std[j], spread[j], 0.05);
    }
    for (int c = 0; c < 3; c++)
        expect_near(m->weight[c], 1.0 / 3, 1e-9);
    free(x);
}
END_TEST

/* ---- Paths and columns -------------------------------------------------- */

START_TEST(an_arc_keeps_to_the_circle_and_a_line_to_the_chord)
{
    double a[] = {2, 0}, b[] = {0, 2}, out[6];
    hg_arc(a, b, 2, 3, out);
    expect_near(out[2], sqrt(2), 1e-15);
    expect_near(out[3], sqrt(2), 1e-15);
    expect_near(out[0], 2, 1e-15);
    expect_near(out[5], 2, 1e-15);
    hg_line(a, b, 2, 3, out);
    expect_near(out[2], 1, 1e-15);
    double c[] = {0, 6}; /* lengths change evenly: 4 in the middle */
    hg_arc(a, c, 2, 3, out);
    expect_near(hypot(out[2], out[3]), 4, 1e-14);
    double opposite[] = {-2, 0};
    hg_arc(a, opposite, 2, 3, out);
    expect_near(out[2], 0, 1e-15);
}
END_TEST

START_TEST(quantiles_lie_in_the_middle_of_equal_shares)
{
    double x[] = {5, 0, 1, 0, 3, 0, 2, 0, 4, 0}, q[5], one;
    hg_points p = {x, 5, 2};
    expect_ok(hg_quantiles(ctx, p, 0, 5, q));
    for (int i = 0; i < 5; i++)
        expect_near(q[i], i + 1, 1e-15);
    expect_ok(hg_quantiles(ctx, p, 0, 1, &one));
    expect_near(one, 3, 1e-15);
    ck_assert(!hg_quantiles(ctx, p, 2, 1, &one));
    expect_error(SHAPE, "column 2");
}
END_TEST

START_TEST(the_order_is_by_falling_values)
{
    double v[] = {1, 5, 3, 5};
    int64_t order[4];
    hg_order(v, 4, order);
    ck_assert(order[0] == 1 && order[1] == 3 && order[2] == 2 && order[3] == 0);
}
END_TEST

TEST_MAIN("groups", k_means_finds_far_groups,
          points_that_are_not_finite_are_near_nothing,
          a_mixture_of_one_is_the_gaussian_of_scipy,
          a_mixture_of_few_wide_points_has_diagonals_alone,
          densities_of_a_mixture_are_those_of_scipy,
          draws_from_a_mixture_have_its_moments,
          an_arc_keeps_to_the_circle_and_a_line_to_the_chord,
          quantiles_lie_in_the_middle_of_equal_shares,
          the_order_is_by_falling_values)
