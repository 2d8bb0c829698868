/* test_measures.c - images and points compared: similarity, discrepancy,
 * neighbours and probes, against values known from elsewhere. */
#include "models_fixture.h"

#include "models/evaluation.h"

static void waves(double *a, double *b, int width)
{
    for (int i = 0; i < 28; i++)
        for (int j = 0; j < width; j++) {
            a[i * width + j] = 0.5 + 0.5 * sin(0.4 * i + 0.1 * j * j);
            b[i * width + j] = 0.5 + 0.45 * sin(0.43 * i + 0.1 * j * j + 0.3);
        }
}

START_TEST(structural_similarity_is_that_of_scikit_image)
{
    static double a[2 * 784], b[2 * 784], mean;
    waves(a, b, 28);
    ck_assert(same_value(hg_ssim(a, b, 28, 28), 0.7374396223327745, 1e-12));
    ck_assert(same_value(hg_ssim(a, a, 28, 28), 1, 1e-12));
    waves(a, b, 20);
    ck_assert(same_value(hg_ssim(a, b, 28, 20), 0.7430340242344, 1e-12));
    ck_assert(isnan(hg_ssim(a, b, 28, 10)));
    waves(a, b, 28);
    memcpy(a + 784, b, 784 * sizeof *a);
    memcpy(b + 784, b, 784 * sizeof *b);
    expect_ok(hg_mean_ssim(ctx, a, b, 2, HG_SHAPE(1, 28, 28), &mean));
    ck_assert(same_value(mean, (1 + 0.7374396223327745) / 2, 1e-12));
    expect_ok(hg_mean_ssim(ctx, a, b, 1, HG_SHAPE(2, 28, 28), &mean));
    ck_assert(same_value(mean, (1 + 0.7374396223327745) / 2, 1e-12));
}
END_TEST

START_TEST(the_discrepancy_is_the_formula_of_its_kernel)
{
    double a[21], b[27], squared;
    for (int i = 0; i < 21; i++)
        a[i] = sin(1.1 * (i / 3) + i % 3);
    for (int i = 0; i < 27; i++)
        b[i] = cos(0.7 * (i / 3) * (i % 3 + 1)) + 0.5;
    expect_ok(
        hg_mmd(ctx, (hg_points){a, 7, 3}, (hg_points){b, 9, 3}, &squared));
    ck_assert_msg(same_value(squared, -0.02256588677645044, 1e-12), "%.15g",
                  squared);
}
END_TEST

/* The kernel's scale is 0, and then one that squares of the mean would lose. */
START_TEST(a_discrepancy_from_equal_points_counts_those_that_are_not)
{
    double a[] = {0.1, 0.1, 7, 0.1}, b[] = {0.1, 0.1, 0.1}, squared;
    hg_points p = {a, 4, 1}, same = {b, 3, 1};
    expect_ok(hg_mmd(ctx, p, same, &squared));
    ck_assert_msg(same_value(squared, 0.5 + 1 - 2 * 0.75, 1e-12), "%g",
                  squared);
    for (int i = 0; i < 3; i++)
        b[i] = 1e9 + i;
    for (int i = 0; i < 4; i++)
        a[i] = 1e9 + 3 * i;
    double far, near;
    expect_ok(hg_mmd(ctx, p, same, &far));
    for (int i = 0; i < 4; i++)
        a[i] -= 1e9;
    for (int i = 0; i < 3; i++)
        b[i] -= 1e9;
    expect_ok(hg_mmd(ctx, p, same, &near));
    ck_assert_msg(same_value(far, near, 1e-12), "%g, %g", far, near);
}
END_TEST

START_TEST(sets_that_are_not_finite_are_compared_with_nothing)
{
    double good[] = {0, 1, 2, 3, 4, 5, 6, 7.5}, bad[8], x;
    memcpy(bad, good, sizeof bad);
    bad[5] = NAN;
    hg_points p = {good, 4, 2}, q = {bad, 4, 2};
    ck_assert(!hg_mmd(ctx, q, p, &x));
    expect_error(NONFINITE, "hg_mmd: the first set: coordinate 1 of point 2 ");
    ck_assert(!hg_mmd(ctx, p, q, &x));
    expect_error(NONFINITE, "hg_mmd: the second set: coordinate 1 of point 2 ");
    ck_assert(!hg_frechet(ctx, q, p, &x));
    expect_error(NONFINITE, "hg_frechet: the first set: coordinate 1 ");
    ck_assert(!hg_frechet(ctx, p, q, &x));
    expect_error(NONFINITE, "hg_frechet: the second set: coordinate 1 ");
    ck_assert(!hg_precision_recall(ctx, q, p, &x, &x));
    expect_error(NONFINITE, "hg_precision_recall: the real points: ");
    ck_assert(!hg_precision_recall(ctx, p, q, &x, &x));
    expect_error(NONFINITE, "hg_precision_recall: the fake points: ");
}
END_TEST

START_TEST(points_that_are_not_finite_have_no_axes_map_or_probe)
{
    enum { POINTS = 20 };
    static double bad[POINTS * 2], good[POINTS * 2], out[POINTS * 2], x;
    int32_t label[POINTS] = {0};
    for (int i = 0; i < POINTS * 2; i++)
        bad[i] = good[i] = i * i % 17;
    bad[7] = -INFINITY;
    hg_points p = {good, POINTS, 2}, q = {bad, POINTS, 2};
    ck_assert(!hg_pca(ctx, q, 1, out, out + 2, out + 4));
    expect_error(NONFINITE, "hg_pca: coordinate 1 of point 3 is -inf");
    ck_assert(!hg_covariance(ctx, q, out, out + 2));
    expect_error(NONFINITE, "hg_covariance: coordinate 1 of point 3 is -inf");
    ck_assert(!hg_tsne(ctx, q, (hg_tsne_options){.perplexity = 5}, out, &x));
    expect_error(NONFINITE, "hg_tsne: coordinate 1 of point 3 is -inf");
    hg_scope_close(scope);
    scope = NULL;
    ck_assert(!hg_linear_probe(ctx, q, label, p, label, 2, 1, &x));
    expect_error(NONFINITE, "hg_linear_probe: the training set: coordinate 1");
    ck_assert(!hg_linear_probe(ctx, p, label, q, label, 2, 1, &x));
    expect_error(NONFINITE, "hg_linear_probe: the test set: coordinate 1");
}
END_TEST

START_TEST(neighbours_are_those_of_a_full_search)
{
    enum { POINTS = 2300, QUERIES = 260, K = 7 };
    static double p[POINTS * 3], q[QUERIES * 3], squared[QUERIES * K];
    static int32_t index[QUERIES * K];
    for (int i = 0; i < POINTS * 3; i++)
        p[i] = 1000 + sin(1.3 * i * i + i);
    for (int i = 0; i < QUERIES * 3; i++)
        q[i] = 1000 + cos(0.9 * i * i + i);
    expect_ok(hg_nearest(ctx, (hg_points){p, POINTS, 3},
                         (hg_points){q, QUERIES, 3}, K, index, squared));
    for (int i = 0; i < QUERIES; i++) {
        int nearer = 0; /* than the last one found */
        for (int j = 0; j < POINTS; j++) {
            double s = 0;
            for (int c = 0; c < 3; c++)
                s += pow(p[j * 3 + c] - q[i * 3 + c], 2);
            nearer += s < squared[i * K + K - 1] * (1 - 1e-4) - 1e-6;
            for (int k = 0; k < K; k++)
                if (index[i * K + k] == j)
                    ck_assert(same_value(squared[i * K + k], s, 1e-5));
        }
        ck_assert_int_lt(nearer, K);
        for (int k = 1; k < K; k++)
            ck_assert(squared[i * K + k] >= squared[i * K + k - 1]);
    }
}
END_TEST

START_TEST(votes_of_neighbours_are_counted_and_ties_go_to_the_nearest)
{
    double x[] = {0, 1, 2, 10, 11, 12}, test[] = {0.4, 5.9, 11.2, 6.4};
    int32_t label[] = {0, 0, 0, 1, 1, 1}, truth[] = {0, 0, 1, 1};
    double accuracy;
    hg_points train = {x, 6, 1}, queries = {test, 4, 1};
    expect_ok(hg_knn_accuracy(ctx, train, label, queries, truth, 3, &accuracy));
    ck_assert(accuracy == 1);
    expect_ok(hg_knn_accuracy(ctx, train, label, queries, truth, 6, &accuracy));
    ck_assert(accuracy == 1); /* three votes each */
    truth[0] = 1;
    expect_ok(hg_knn_accuracy(ctx, train, label, queries, truth, 1, &accuracy));
    ck_assert(accuracy == 0.75);
    ck_assert(
        !hg_knn_accuracy(ctx, train, label, queries, truth, 7, &accuracy));
    expect_error(SHAPE, "7 of [6, 1]");
}
END_TEST

START_TEST(a_linear_probe_reads_what_is_linear_and_nothing_else)
{
    enum { ITEMS = 600 };
    static double x[ITEMS * 2];
    static int32_t side[ITEMS], crossed[ITEMS];
    double accuracy;
    for (int i = 0; i < ITEMS; i++) {
        x[2 * i] = sin(2.3 * i * i);
        x[2 * i + 1] = 5 * cos(1.7 * i * i + 1);
        side[i] = x[2 * i] > 0.2 * x[2 * i + 1];
        crossed[i] = (x[2 * i] > 0) != (x[2 * i + 1] > 0);
    }
    hg_points all = {x, ITEMS, 2};
    hg_scope_close(scope);
    scope = NULL;
    expect_ok(hg_linear_probe(ctx, all, side, all, side, 2, 1, &accuracy));
    ck_assert_msg(accuracy > 0.98, "%g", accuracy);
    expect_ok(
        hg_linear_probe(ctx, all, crossed, all, crossed, 2, 1, &accuracy));
    ck_assert_msg(accuracy < 0.75, "%g", accuracy);
    ck_assert(!hg_linear_probe(ctx, all, side, all, side, 1, 1, &accuracy));
    expect_error(DATA, "label 1", "1 classes");
}
END_TEST

/* The second dimension is moved by a hundred of a thousand places. */
START_TEST(marginals_are_compared_with_the_line_of_chance)
{
    static double codes[2000], draws[2000];
    hg_match found;
    for (int i = 0; i < 1000; i++) {
        codes[2 * i] = draws[2 * i] = draws[2 * i + 1] = i * 7 % 1000;
        codes[2 * i + 1] = i * 7 % 1000 + 100;
    }
    expect_ok(hg_prior_match(ctx, codes, draws, 1000, 2, &found));
    ck_assert(same_value(found.mean, 0.05, 1e-12));
    ck_assert(same_value(found.worst, 0.1, 1e-12));
    ck_assert(same_value(found.line, 0.07278954160144187, 1e-6));
    ck_assert_int_eq(found.within, 1);
    ck_assert(!hg_prior_match(ctx, codes, NULL, 1000, 2, &found));
    expect_error(ARGUMENT, "hg_prior_match");
}
END_TEST

TEST_MAIN("measures", marginals_are_compared_with_the_line_of_chance,
          structural_similarity_is_that_of_scikit_image,
          the_discrepancy_is_the_formula_of_its_kernel,
          a_discrepancy_from_equal_points_counts_those_that_are_not,
          sets_that_are_not_finite_are_compared_with_nothing,
          points_that_are_not_finite_have_no_axes_map_or_probe,
          neighbours_are_those_of_a_full_search,
          votes_of_neighbours_are_counted_and_ties_go_to_the_nearest,
          a_linear_probe_reads_what_is_linear_and_nothing_else)
