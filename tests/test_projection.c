/* test_projection.c - components and t-SNE, against values of
 * scikit-learn 1.9, closed forms and finite differences. */
#include "projection_fixture.h"

/* ---- Eigenvalues and components ----------------------------------------- */

START_TEST(eigenvalues_of_second_differences_are_known)
{
    enum { M = 30 };
    double a[M * M] = {0}, value[M], vector[M * M];
    for (int i = 0; i < M; i++) {
        a[i * M + i] = 2;
        if (i > 0)
            a[i * M + i - 1] = a[(i - 1) * M + i] = -1;
    }
    expect_ok(hg_eigen(ctx, a, M, value, vector));
    for (int k = 0; k < M; k++)
        expect_near(value[k], 2 - 2 * cos((M - k) * acos(-1) / (M + 1)), 1e-13);
}
END_TEST

START_TEST(eigenvectors_are_orthonormal_and_give_the_matrix_back)
{
    enum { M = 17 };
    double a[M * M], copy[M * M], value[M], v[M * M];
    for (int i = 0; i < M; i++)
        for (int j = 0; j <= i; j++)
            a[i * M + j] = a[j * M + i] = cos(3.1 * i * j + i + j);
    memcpy(copy, a, sizeof a);
    expect_ok(hg_eigen(ctx, a, M, value, v));
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) {
            double product = 0, back = 0;
            for (int k = 0; k < M; k++) {
                product += v[i * M + k] * v[j * M + k];
                back += value[k] * v[k * M + i] * v[k * M + j];
            }
            expect_near(product, i == j, 1e-13);
            expect_near(back, copy[i * M + j], 1e-12);
        }
    for (int k = 1; k < M; k++)
        ck_assert(value[k] <= value[k - 1]);
}
END_TEST

START_TEST(a_matrix_of_low_rank_has_that_many_eigenvalues)
{
    enum { M = 120 };
    static double a[M * M], value[M], vector[M * M];
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            if (i % 7 && j % 7)
                a[i * M + j] = sin(i) * sin(j) + sin(i * i) * sin(j * j);
    expect_ok(hg_eigen(ctx, a, M, value, vector));
    ck_assert(value[1] > 10);
    for (int k = 2; k < M; k++)
        ck_assert(fabs(value[k]) < 1e-12);
}
END_TEST

START_TEST(degenerate_matrices_have_eigenvalues_too)
{
    double one[] = {5}, zero[9] = {0}, equal[] = {3, 0, 0, 3};
    double value[3], vector[9];
    expect_ok(hg_eigen(ctx, one, 1, value, vector));
    ck_assert(value[0] == 5 && vector[0] == 1);
    expect_ok(hg_eigen(ctx, zero, 3, value, vector));
    ck_assert(value[0] == 0 && value[2] == 0);
    expect_ok(hg_eigen(ctx, equal, 2, value, vector));
    ck_assert(value[0] == 3 && value[1] == 3);
    double bad[] = {1, NAN, NAN, 1};
    ck_assert(!hg_eigen(ctx, bad, 2, value, vector));
    expect_error(NONFINITE, "(0, 1)");
}
END_TEST

START_TEST(components_are_those_of_scikit_learn)
{
    static const double variance[] = {10.57027173303859, 4.648983174636039,
                                      1.8661301103393766, 0.47428163208244084};
    static const double axis[2][D] = {
        {0.999550309102018, 0.009949789732899306, -0.01556156679438935,
         -0.02362242361052941},
        {-0.012588530100168902, 0.9870741049258284, -0.15932145673659343,
         -0.011954652572156325}};
    double mean[D], axes[D * D], v[D], x[N], y[N], share;
    hg_points p = made_points();
    expect_ok(hg_pca(ctx, p, D, mean, axes, v));
    for (int j = 0; j < D; j++) {
        expect_near(v[j], variance[j], CLOSE);
        expect_near(axes[j], axis[0][j], CLOSE);
        expect_near(axes[D + j], axis[1][j], CLOSE);
    }
    expect_ok(hg_principal_plane(ctx, points, N, D, x, y, &share));
    expect_near(share, (variance[0] + variance[1]) / 17.559666650096456, CLOSE);
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += x[i] * x[i] / N;
    expect_near(sum, variance[0], 1e-4);
}
END_TEST

/* Their Gram matrix is the smaller one. */
START_TEST(few_points_have_the_components_of_their_covariance)
{
    enum { FEW = 5, WIDE = 8 };
    double x[FEW * WIDE], mean[WIDE], axes[FEW * WIDE], v[FEW];
    double covariance[WIDE * WIDE], value[WIDE], vector[WIDE * WIDE];
    for (int i = 0; i < FEW * WIDE; i++)
        x[i] = sin(i * i) * (1 + i % 7);
    hg_points p = {x, FEW, WIDE};
    expect_ok(hg_pca(ctx, p, FEW, mean, axes, v));
    expect_ok(hg_covariance(ctx, p, mean, covariance));
    expect_ok(hg_eigen(ctx, covariance, WIDE, value, vector));
    for (int c = 0; c < FEW - 1; c++) {
        expect_near(v[c], value[c], CLOSE);
        for (int j = 0; j < WIDE; j++)
            expect_near(axes[c * WIDE + j], vector[c * WIDE + j], 10 * CLOSE);
    }
    ck_assert(v[FEW - 1] == 0); /* five points span four dimensions */
    for (int j = 0; j < WIDE; j++)
        ck_assert(axes[(FEW - 1) * WIDE + j] == 0);
    memcpy(x + 2 * WIDE, x, 2 * WIDE * sizeof *x); /* two are there twice */
    expect_ok(hg_pca(ctx, p, FEW, mean, axes, v));
    ck_assert(v[1] > 0 && v[2] == 0 && v[3] == 0);
    ck_assert(axes[2 * WIDE] == 0 && axes[3 * WIDE + 1] == 0);
    ck_assert(!hg_pca(ctx, p, WIDE + 1, mean, axes, v));
    expect_error(SHAPE, "hg_pca", "width 8", "9 components");
}
END_TEST

/* ---- t-SNE -------------------------------------------------------------- */

static double affinity(const hg_affinities *a, int i, int j)
{
    for (int64_t k = a->start[i]; k < a->start[i + 1]; k++)
        if (a->column[k] == j)
            return a->p[k];
    return 0;
}

static hg_affinities made_affinities(hg_region *r)
{
    hg_affinities a = {0};
    expect_ok(hg_affinities_make(ctx, r, made_points(), 5, &a));
    return a;
}

START_TEST(affinities_are_those_of_scikit_learn)
{
    hg_region r = {.context = ctx};
    hg_affinities a = made_affinities(&r);
    double sum = 0;
    /* Found there by bisection to 1e-5 in float. */
    expect_near(affinity(&a, 1, 2), 0.020579638580550164, 1e-4);
    expect_near(affinity(&a, 0, 10), 0.0002251168567167057, 1e-6);
    ck_assert(affinity(&a, 3, 20) == 0 && affinity(&a, 5, 5) == 0);
    for (int64_t k = 0; k < a.start[N]; k++)
        sum += a.p[k];
    expect_near(sum, 1, 1e-12);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            ck_assert(affinity(&a, i, j) == affinity(&a, j, i));
    hg_region_free(&r);
}
END_TEST

/* A map in general position, with two points in one place. */
static void made_map(double *map)
{
    for (int i = 0; i < 2 * N; i++)
        map[i] = 2 * sin(2.7 * i * i + 0.3 * i);
    map[2] = map[0];
    map[3] = map[1];
}

START_TEST(the_gradient_of_t_sne_is_that_of_its_divergence)
{
    hg_region r = {.context = ctx};
    hg_quadtree tree = {0};
    hg_affinities a = made_affinities(&r);
    double map[2 * N], g[2 * N], other[2 * N], push[3 * N], h = 1e-5;
    expect_ok(hg_quadtree_make(&tree, &r, N));
    made_map(map);
    hg_tsne_gradient(ctx, &a, &tree, map, 0, 1, push, g);
    for (int i = 0; i < 2 * N; i++) {
        double at = map[i], up, down;
        map[i] = at + h;
        up = hg_tsne_gradient(ctx, &a, &tree, map, 0, 1, push, other);
        map[i] = at - h;
        down = hg_tsne_gradient(ctx, &a, &tree, map, 0, 1, push, other);
        map[i] = at;
        expect_near(g[i], (up - down) / (2 * h), 1e-8);
    }
    hg_region_free(&r);
}
END_TEST

START_TEST(repulsion_by_quadtree_is_near_the_exact_sum)
{
    enum { M = 500 };
    hg_region r = {.context = ctx};
    hg_quadtree tree = {0};
    double map[2 * M], worst = 0;
    for (int i = 0; i < 2 * M; i++)
        map[i] = 10 * sin(1.7 * i * i + 0.1 * i);
    expect_ok(hg_quadtree_make(&tree, &r, M));
    hg_quadtree_build(&tree, map, M);
    ck_assert_int_eq(tree.cells[0].count, M);
    for (int i = 0; i < M; i++) {
        double exact[2] = {0, 0}, sum = 0, push[2], near[2];
        for (int j = 0; j < M; j++) {
            double dx = map[2 * i] - map[2 * j];
            double dy = map[2 * i + 1] - map[2 * j + 1];
            double w = 1 / (1 + dx * dx + dy * dy);
            sum += i == j ? 0 : w;
            exact[0] += w * w * dx;
            exact[1] += w * w * dy;
        }
        expect_near(hg_quadtree_push(&tree, map, i, 0, push), sum, 1e-12);
        expect_near(push[0], exact[0], 1e-11);
        expect_near(push[1], exact[1], 1e-11);
        double about = hg_quadtree_push(&tree, map, i, 0.5, near);
        worst = fmax(worst, fabs(about - sum) / sum);
    }
    ck_assert_msg(worst < 0.03 && worst > 0, "off by %g", worst);
    hg_region_free(&r);
}
END_TEST
static bool count_calls(void *user, int iteration, double kl)
{
    ck_assert(iteration > 0 && isfinite(kl));
    return ++*(int *)user < 3;
}

START_TEST(t_sne_keeps_groups_apart_whatever_the_threads)
{
    double v[120 * 5], map[240], again[240], kl, kl_again;
    hg_points p = three_groups(v);
    hg_tsne_options o = {.perplexity = 10, .iterations = 400};
    expect_ok(hg_tsne(ctx, p, o, map, &kl));
    for (int i = 0; i < 120; i++) {
        double own = INFINITY, other = INFINITY;
        for (int j = 0; j < 120; j++) {
            double s =
                hypot(map[2 * i] - map[2 * j], map[2 * i + 1] - map[2 * j + 1]);
            if (j != i && j % 3 == i % 3)
                own = fmin(own, s);
            if (j % 3 != i % 3)
                other = fmin(other, s);
        }
        ck_assert_msg(own < other, "point %d: %g, %g", i, own, other);
    }
    hg_context_set_threads(ctx, 3);
    expect_ok(hg_tsne(ctx, p, o, again, &kl_again));
    ck_assert(!memcmp(map, again, sizeof map) && kl == kl_again);
    ck_assert(kl > 0 && kl < 1);
}
END_TEST

START_TEST(t_sne_stops_when_told_and_refuses_too_few_points)
{
    double v[120 * 5], map[240], kl;
    int calls = 0;
    hg_points p = three_groups(v);
    hg_tsne_options o = {
        .perplexity = 10, .progress = count_calls, .user = &calls};
    expect_ok(hg_tsne(ctx, p, o, map, &kl));
    ck_assert_int_eq(calls, 3);
    ck_assert(!hg_tsne(ctx, p, (hg_tsne_options){.perplexity = 60}, map, &kl));
    expect_error(ARGUMENT, "perplexity of 60", "120");
}
END_TEST

TEST_MAIN("projection", eigenvalues_of_second_differences_are_known,
          eigenvectors_are_orthonormal_and_give_the_matrix_back,
          a_matrix_of_low_rank_has_that_many_eigenvalues,
          degenerate_matrices_have_eigenvalues_too,
          components_are_those_of_scikit_learn,
          few_points_have_the_components_of_their_covariance,
          affinities_are_those_of_scikit_learn,
          the_gradient_of_t_sne_is_that_of_its_divergence,
          repulsion_by_quadtree_is_near_the_exact_sum,
          t_sne_keeps_groups_apart_whatever_the_threads,
          t_sne_stops_when_told_and_refuses_too_few_points)
