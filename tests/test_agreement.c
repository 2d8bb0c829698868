/* test_agreement.c - areas, assignments, agreement of groups and classes,
 * scores of images, chosen items: against scikit-learn 1.9, full searches and
 * formulas. */
#include "models_fixture.h"

#include "models/evaluation.h"

static void expect_near(double got, double expected, double tolerance)
{
    ck_assert_msg(same_value(got, expected, tolerance), "%.12g, not %.12g", got,
                  expected);
}

/* ---- Areas -------------------------------------------------------------- */

enum { ITEMS = 40 };

static void tied_scores(double *score, bool *positive)
{
    for (int i = 0; i < ITEMS; i++) {
        positive[i] = i % 3 == 0;
        score[i] = floor(6 * sin(1.7 * i * i)) + (positive[i] ? 2 : 0);
    }
}

START_TEST(areas_are_those_of_scikit_learn)
{
    double score[ITEMS];
    bool positive[ITEMS];
    hg_interval roc, pr;
    tied_scores(score, positive);
    expect_ok(hg_auroc(ctx, score, positive, ITEMS, &roc));
    expect_ok(hg_auprc(ctx, score, positive, ITEMS, &pr));
    expect_near(roc.area, 0.4436813186813187, 1e-14);
    expect_near(pr.area, 0.4250119780038029, 1e-14);
    ck_assert(roc.low < roc.area && roc.area < roc.high);
    ck_assert(pr.low < pr.area && pr.area < pr.high);
}
END_TEST

/* 1, 1/2 or 0: does a positive outrank a negative? */
static double outranks(double p, double q)
{
    return p > q ? 1 : p == q ? 0.5 : 0;
}

START_TEST(the_interval_is_that_of_delong_by_all_pairs)
{
    double score[ITEMS], area = 0, variance = 0;
    bool positive[ITEMS];
    hg_interval roc;
    tied_scores(score, positive);
    expect_ok(hg_auroc(ctx, score, positive, ITEMS, &roc));
    for (int kind = 0; kind < 2; kind++) {
        double sum = 0, square = 0, n = 0;
        for (int i = 0; i < ITEMS; i++) {
            double mean = 0, others = 0;
            for (int j = 0; positive[i] == kind && j < ITEMS; j++)
                if (positive[j] != positive[i]) {
                    mean += kind ? outranks(score[i], score[j])
                                 : outranks(score[j], score[i]);
                    others++;
                }
            if (positive[i] != kind)
                continue;
            mean /= others;
            sum += mean;
            square += mean * mean;
            n++;
        }
        area = sum / n;
        variance += (square - sum * sum / n) / (n - 1) / n;
    }
    expect_near(roc.area, area, 1e-14);
    expect_near(roc.high - roc.area, 1.959963984540054 * sqrt(variance), 1e-12);
}
END_TEST

START_TEST(perfect_scores_have_area_one_and_one_kind_none)
{
    double score[] = {1, 2, 3, 4};
    bool positive[] = {false, false, true, true},
         all[4] = {true, true, true, true};
    hg_interval a;
    expect_ok(hg_auroc(ctx, score, positive, 4, &a));
    ck_assert(a.area == 1 && a.low == 1 && a.high == 1);
    expect_ok(hg_auprc(ctx, score, positive, 4, &a));
    ck_assert(a.area == 1 && a.low == 1 && a.high == 1);
    ck_assert(!hg_auroc(ctx, score, all, 4, &a));
    expect_error(DATA, "4 of 4", "both kinds");
    score[1] = NAN;
    ck_assert(!hg_auprc(ctx, score, positive, 4, &a));
    expect_error(NONFINITE, "score 1");
}
END_TEST

/* ---- Assignments -------------------------------------------------------- */

/* The least cost over all permutations of the rows from `row` on. */
static double least_by_search(const double *cost, int n, int row, int *column)
{
    double best = row == n ? 0 : INFINITY;
    for (int i = row; i < n; i++) {
        int chosen = column[i];
        column[i] = column[row];
        column[row] = chosen;
        double rest =
            cost[row * n + chosen] + least_by_search(cost, n, row + 1, column);
        best = fmin(best, rest);
        column[row] = column[i];
        column[i] = chosen;
    }
    return best;
}

START_TEST(assignments_cost_as_little_as_the_best_permutation)
{
    for (int n = 1; n <= 7; n++)
        for (int try = 0; try < 20; try++) {
            double cost[49], total = 0;
            int column[7], start[7], seen = 0;
            for (int i = 0; i < n * n; i++)
                cost[i] = floor(10 * sin(1.3 * i * i + try * 7.7 + n));
            for (int i = 0; i < n; i++)
                start[i] = i;
            expect_ok(hg_assign_least(ctx, cost, n, column));
            for (int i = 0; i < n; i++) {
                total += cost[i * n + column[i]];
                seen |= 1 << column[i];
            }
            ck_assert_int_eq(seen, (1 << n) - 1);
            ck_assert(total == least_by_search(cost, n, 0, start));
        }
}
END_TEST

/* ---- Agreement ---------------------------------------------------------- */

START_TEST(agreement_is_that_of_scikit_learn)
{
    int32_t label[60], four[60], three[60];
    hg_agreement a;
    for (int i = 0; i < 60; i++) {
        label[i] = (i / 5 + (i % 7 == 0)) % 3;
        four[i] = (i * 7 + i * i / 3) % 4;
        three[i] = (i / 6 + (i % 5 == 0)) % 3;
    }
    expect_ok(hg_agree(ctx, four, label, 60, &a));
    expect_near(a.nmi, 0.02962922727925879, 1e-12);
    expect_near(a.ari, -0.013950393502053553, 1e-12);
    expect_near(a.accuracy, 0.4166666666666667, 1e-12);
    ck_assert(!a.matched);
    expect_ok(hg_agree(ctx, three, label, 60, &a));
    expect_near(a.nmi, 0.03873193802560468, 1e-12);
    expect_near(a.ari, 0.0065910290467653355, 1e-12);
    expect_near(a.accuracy, 0.43333333333333335, 1e-12);
    ck_assert(a.matched);
}
END_TEST

START_TEST(groups_that_are_renamed_classes_agree_fully)
{
    int32_t label[30], group[30], one[30] = {0};
    hg_agreement a;
    for (int i = 0; i < 30; i++) {
        label[i] = i % 5;
        group[i] = (3 * label[i] + 1) % 5;
    }
    expect_ok(hg_agree(ctx, group, label, 30, &a));
    ck_assert(a.accuracy == 1 && a.ari == 1 && a.matched);
    expect_near(a.nmi, 1, 1e-15);
    expect_ok(hg_agree(ctx, one, label, 30, &a));
    expect_near(a.nmi, 0, 1e-15);
    expect_near(a.ari, 0, 1e-15);
    expect_near(a.accuracy, 0.2, 1e-15);
    label[3] = -1;
    ck_assert(!hg_agree(ctx, group, label, 30, &a));
    expect_error(DATA, "between 0 and 999");
}
END_TEST

/* ---- Scores ------------------------------------------------------------- */

/* x, and a draw around it by 0.5; decoded as it is. */
static hg_tensor *same_encode(void *model, hg_tensor *x)
{
    (void)model;
    return hg_scale(x, 0.5);
}

static hg_tensor *same_sample(void *model, hg_tensor *x)
{
    (void)model;
    hg_tensor *noise = hg_randn(x->shape);
    return hg_add(x, hg_scale(noise, 0.5));
}

static hg_tensor *same_decode(void *model, hg_tensor *z)
{
    (void)model;
    return z;
}

static hg_tensor *same_kl(void *model, hg_tensor *x)
{
    (void)model;
    return hg_sum(x, HG_FROM(1));
}

START_TEST(scores_are_what_their_names_say)
{
    hg_model m = {.name = "same",
                  .likelihood = HG_LIKELIHOOD_GAUSSIAN,
                  .encode = same_encode,
                  .decode = same_decode};
    static const hg_real x[] = {1, 2, 3, 0, 0, 2};
    double score[2];
    hg_scope_close(scope);
    scope = NULL;
    hg_data *data =
        hg_data_from(ctx, x, REALS, HG_SHAPE(2, 3), NULL, (hg_data_options){0});
    expect_ok(
        hg_model_score(&m, NULL, data, HG_SCORE_RECONSTRUCTION, 1, score));
    expect_near(score[0], 3.5, CLOSE);
    expect_near(score[1], 1, CLOSE);
    ck_assert(!hg_model_can_score(&m, HG_SCORE_PROBABILITY));
    ck_assert(!hg_model_score(&m, NULL, data, HG_SCORE_ELBO, 1, score));
    expect_error(ARGUMENT, "same", "elbo");
    m.sample = same_sample;
    m.kl = same_kl;
    /* Noise of variance 1/4 in three places. */
    expect_ok(
        hg_model_score(&m, NULL, data, HG_SCORE_PROBABILITY, 4000, score));
    expect_near(score[0], 0.75, 0.03);
    expect_ok(hg_model_score(&m, NULL, data, HG_SCORE_ELBO, 4000, score));
    expect_near(score[0], 6.75, 0.03);
    expect_near(score[1], 2.75, 0.03);
}
END_TEST

/* ---- Two sets of points ------------------------------------------------- */

START_TEST(the_frechet_distance_is_that_of_scipy)
{
    double a[120], b[100], distance;
    for (int i = 0; i < 120; i++)
        a[i] = sin(1.1 * (i / 4) * (i % 4 + 1) + i % 4);
    for (int i = 0; i < 100; i++)
        b[i] = 1.5 * cos(0.7 * (i / 4) * (i % 4 + 2)) + 0.5 * (i % 4);
    hg_points p = {a, 30, 4}, q = {b, 25, 4};
    expect_ok(hg_frechet(ctx, p, q, &distance));
    expect_near(distance, 4.767283221009213, CLOSE);
    expect_ok(hg_frechet(ctx, q, p, &distance));
    expect_near(distance, 4.767283221009213, CLOSE);
    expect_ok(hg_frechet(ctx, p, p, &distance));
    expect_near(distance, 0, CLOSE);
    ck_assert(!hg_frechet(ctx, p, (hg_points){b, 50, 2}, &distance));
    expect_error(SHAPE, "[30, 4]", "[50, 2]");
}
END_TEST

START_TEST(precision_and_recall_are_those_of_a_full_search)
{
    double fake[100], real[160], precision, recall;
    for (int i = 0; i < 100; i++)
        fake[i] = 1.2 * cos(0.7 * (i / 4) * (i % 4 + 2));
    for (int i = 0; i < 160; i++)
        real[i] = sin(1.7 * (i / 4) * (i % 4 + 1) + i % 4);
    hg_points p = {real, 40, 4}, q = {fake, 25, 4};
    expect_ok(hg_precision_recall(ctx, p, q, &precision, &recall));
    expect_near(precision, 0.68, 1e-12);
    expect_near(recall, 0.225, 1e-12);
    expect_ok(hg_precision_recall(ctx, p, p, &precision, &recall));
    ck_assert(precision == 1 && recall == 1);
}
END_TEST

/* Squares that are lit in the upper or in the lower half. */
static void halves(double *x, int32_t *label, int n)
{
    for (int i = 0; i < n; i++) {
        label[i] = i * i % 7 > 1;
        for (int j = 0; j < 64; j++)
            x[i * 64 + j] = (j < 32) == label[i] ? 0.6 + 0.4 * sin(i * j) : 0;
    }
}

START_TEST(features_are_learnt_once_and_for_all)
{
    enum { IMAGES = 2500 };
    static double x[IMAGES * 64], y[IMAGES * 64], again[IMAGES * 64];
    static int32_t label[IMAGES], guess[IMAGES];
    hg_points p = {x, IMAGES, 64};
    const char *file = "features-of-test_agreement.safetensors";
    hg_shape item = HG_SHAPE(1, 8, 8);
    halves(x, label, IMAGES);
    hg_scope_close(scope);
    scope = NULL;
    hg_features *f = hg_features_new(ctx, item, 2);
    uint64_t before = hg_features_hash(f);
    expect_ok(f && hg_features_train(f, p, label));
    expect_ok(hg_features_apply(f, p, y, guess));
    ck_assert_mem_eq(guess, label, sizeof label);
    ck_assert(hg_features_hash(f) != before);
    hg_context_set_threads(ctx, 3);
    hg_features *g = hg_features_new(ctx, item, 2);
    ck_assert(hg_features_hash(g) == before);
    expect_ok(hg_features_train(g, p, label) && hg_features_save(g, file));
    ck_assert(hg_features_hash(f) == hg_features_hash(g));
    hg_features *h = hg_features_new(ctx, item, 2);
    expect_ok(hg_features_load(h, file) &&
              hg_features_apply(h, p, again, NULL));
    ck_assert_mem_eq(y, again, sizeof(double) * IMAGES * hg_features_width());
    remove(file);
    ck_assert_ptr_null(hg_features_new(ctx, item, 1));
    expect_error(DATA, "two classes");
}
END_TEST

/* ---- Chosen items ------------------------------------------------------- */

START_TEST(items_of_a_class_are_a_set_of_their_own)
{
    double x[20];
    int32_t label[20];
    int64_t rows[] = {7, 3, 3}, size = 0;
    for (int i = 0; i < 20; i++) {
        x[i] = i;
        label[i] = i % 3;
    }
    hg_data *all = hg_data_from(ctx, x, "f8", HG_SHAPE(20, 1), label,
                                (hg_data_options){0});
    hg_data *train = hg_data_split(all, "train", 0.5);
    hg_data *one = hg_data_class(train, 1, false);
    hg_data *rest = hg_data_class(train, 1, true);
    expect_ok(one && rest);
    size = hg_data_size(one) + hg_data_size(rest);
    ck_assert_int_eq(size, 10);
    for (int64_t i = 0; i < hg_data_size(one); i++)
        ck_assert_int_eq(hg_data_label(one, i), 1);
    for (int64_t i = 0; i < hg_data_size(rest); i++)
        ck_assert_int_ne(hg_data_label(rest, i), 1);
    hg_data *some = hg_data_select(all, rows, 3);
    int64_t which[] = {0, 1, 2};
    hg_batch b;
    expect_ok(hg_data_batch(some, which, 3, &b));
    expect_values(b.x, 7, 3, 3);
    rows[0] = 20;
    ck_assert_ptr_null(hg_data_select(all, rows, 1));
    expect_error(ARGUMENT, "row 20", "20 items");
}
END_TEST

START_TEST(labels_are_chosen_evenly_and_by_the_seed)
{
    int32_t label[60];
    int64_t row[9], other[9];
    for (int i = 0; i < 60; i++)
        label[i] = i * i % 3 == 0 ? 2 : i % 2;
    expect_ok(hg_choose_labelled(label, 60, 3, 3, 1, row));
    for (int i = 0; i < 9; i++) {
        ck_assert_int_eq(label[row[i]], i / 3);
        for (int j = 0; j < i; j++)
            ck_assert(row[i] != row[j]);
    }
    expect_ok(hg_choose_labelled(label, 60, 3, 3, 2, other));
    ck_assert(memcmp(row, other, sizeof row));
    ck_assert(!hg_choose_labelled(label, 60, 4, 1, 1, row));
    expect_error(DATA, "class 3 has 0 items");
}
END_TEST

TEST_MAIN("agreement", areas_are_those_of_scikit_learn,
          the_interval_is_that_of_delong_by_all_pairs,
          perfect_scores_have_area_one_and_one_kind_none,
          assignments_cost_as_little_as_the_best_permutation,
          agreement_is_that_of_scikit_learn,
          groups_that_are_renamed_classes_agree_fully,
          scores_are_what_their_names_say,
          the_frechet_distance_is_that_of_scipy,
          precision_and_recall_are_those_of_a_full_search,
          features_are_learnt_once_and_for_all,
          items_of_a_class_are_a_set_of_their_own,
          labels_are_chosen_evenly_and_by_the_seed)
