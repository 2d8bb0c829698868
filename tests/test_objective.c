/* test_objective.c - the terms of a loss as a trainer weighs them. */
#include "models_fixture.h"

#include <math.h>

#define expect_close(t, tolerance, ...)                                        \
    expect_values_n(t, (const double[]){__VA_ARGS__},                          \
                    HG_COUNT(double, __VA_ARGS__), tolerance)

static hg_batch batch_of(hg_objective *o)
{
    /* [2, 2]: errors against zero are the values themselves. */
    return (hg_batch){
        .size = 2, .target = hg_zeros(HG_SHAPE(2, 2)), .objective = o};
}

static hg_tensor *kl_of_two(void)
{
    return tensor((2, 3), 1, 0, 4, 3, 0, 2); /* means 2, 0, 3 */
}

START_TEST(without_an_objective_terms_are_plain_sums)
{
    hg_batch b = batch_of(NULL);
    hg_real mean;
    expect_values(hg_kl_cost(&b, kl_of_two()), 5, 5);
    expect_values(hg_kl_cost(&b, vector(3, 4)), 3, 4);
    expect_ok(hg_report_mean(ctx, "kl", &mean));
    ck_assert(mean == (hg_real)4.25);
    expect_values(hg_gaussian_cost(&b, tensor((2, 2), 1, 2, 3, 0)), 5, 9);
    hg_objective plain = {0};
    b.objective = &plain;
    expect_values(hg_gaussian_cost(&b, tensor((2, 2), 1, 2, 3, 0)), 5, 9);
    expect_values(hg_kl_cost(&b, kl_of_two()), 5, 5);
    ck_assert(plain.took_variance && plain.weighed_kl);
}
END_TEST

START_TEST(warm_up_scales_the_kl_and_reports_it_as_it_is)
{
    hg_objective o = {.kl_weight = hg_full(HG_SCALAR, (hg_real)0.25)};
    hg_batch b = batch_of(&o);
    hg_real mean;
    expect_values(hg_kl_cost(&b, kl_of_two()), 1.25, 1.25);
    hg_set(o.kl_weight, 0);
    expect_values(hg_kl_cost(&b, kl_of_two()), 0, 0);
    expect_ok(hg_report_mean(ctx, "kl", &mean));
    ck_assert(mean == 5);
}
END_TEST

START_TEST(free_bits_bound_the_mean_of_each_dimension)
{
    hg_objective o = {.free_bits = 2.5};
    hg_batch b = batch_of(&o);
    expect_values(hg_kl_cost(&b, kl_of_two()), 2.5 + 2.5 + 3);
    expect_values(hg_kl_cost(&b, vector(1, 3)), 2.5);
}
END_TEST

START_TEST(a_dimension_within_its_free_bits_has_no_gradient)
{
    hg_objective o = {.free_bits = 2.5};
    hg_params *p = hg_params_new(ctx);
    hg_tensor *kl = hg_param(p, "kl", HG_SHAPE(2, 3), HG_INIT(HG_INIT_ZEROS));
    expect_ok(kl && hg_write(kl, (hg_real[]){1, 0, 4, 3, 0, 2}, 6));
    hg_batch b = batch_of(&o);
    expect_ok(hg_backward(hg_kl_cost(&b, kl)));
    expect_values(kl->grad, 0, 0, 0.5, 0, 0, 0.5);
}
END_TEST

START_TEST(a_capacity_asks_for_so_many_nats)
{
    hg_objective o = {.capacity = hg_full(HG_SCALAR, 7), .capacity_weight = 10};
    hg_batch b = batch_of(&o);
    expect_values(hg_kl_cost(&b, kl_of_two()), 20);
    hg_set(o.capacity, 4);
    expect_values(hg_kl_cost(&b, kl_of_two()), 10);
}
END_TEST

START_TEST(the_weight_of_a_capacity_takes_the_place_of_beta)
{
    hg_objective o = {.free_bits = 2.5};
    hg_batch b = batch_of(&o);
    expect_values(hg_beta_kl_cost(&b, kl_of_two(), 4), 4 * (2.5 + 2.5 + 3));
    o = (hg_objective){.capacity = hg_full(HG_SCALAR, 7),
                       .capacity_weight = 10};
    expect_values(hg_beta_kl_cost(&b, kl_of_two(), 4), 20);
    b.objective = NULL;
    expect_values(hg_beta_kl_cost(&b, kl_of_two(), 4), 20, 20);
}
END_TEST

/* The mean loss of a first batch. */
static double loss_with(const hg_model *m, const char *beta, double capacity)
{
    rig r = {.option = {"beta"}};
    hg_batch b;
    snprintf(r.option[1], sizeof r.option[1], "%s", beta);
    expect_ok(rig_open(&r, m));
    hg_scope *s = hg_next(r.loader, HG_TRAIN, &b);
    hg_objective o = {.capacity_weight = 10};
    if (capacity > 0)
        o.capacity = hg_full(HG_SCALAR, (hg_real)capacity);
    b.objective = &o;
    hg_tensor *loss = hg_model_loss(m, r.state, &b);
    expect_ok(loss != NULL);
    double mean = (double)hg_item(hg_mean(loss, HG_ALL));
    hg_scope_close(s);
    rig_close(&r);
    return mean;
}

START_TEST(a_capacity_costs_the_same_whatever_beta_is)
{
    const hg_model *models[] = {&model_vae, &model_beta_vae};
    for (int i = 0; i < (on_cpu() ? 2 : 1); i++) {
        ck_assert(loss_with(models[i], "1", 0) < loss_with(models[i], "4", 0));
        ck_assert(loss_with(models[i], "1", 50) ==
                  loss_with(models[i], "4", 50));
    }
}
END_TEST

START_TEST(a_fixed_spread_gives_the_densitys_logarithm)
{
    hg_objective o = {.spread = HG_SPREAD_FIXED, .std = sqrt(0.5)};
    hg_batch b = batch_of(&o);
    expect_close(hg_gaussian_cost(&b, tensor((2, 2), 1, 2, 3, 0)), 1e-5, 5, 9);
    o.std = 0.1; /* against the density itself, less the constant */
    double at = log(0.1 * sqrt(2)) * 2;
    expect_close(hg_gaussian_cost(&b, tensor((2, 2), 1, 2, 3, 0)), 1e-4,
                 250 + at, 450 + at);
    hg_tensor *x = tensor((1, 2), 1, 2), *zero = hg_zeros(HG_SHAPE(1, 2));
    double pdf = (double)hg_item(hg_sum(
        hg_normal_logpdf(x, zero, hg_full(HG_SCALAR, (hg_real)0.1)), HG_ALL));
    double base = log(3.14159265358979323846); /* features / 2 ln(2 pi / 2) */
    ck_assert_double_eq_tol(-pdf, 250 + at + base, 1e-3);
}
END_TEST

START_TEST(the_optimal_spread_makes_the_likelihood_largest)
{
    hg_objective o = {.spread = HG_SPREAD_OPTIMAL};
    hg_batch b = batch_of(&o);
    hg_tensor *y = tensor((2, 2), 1, 2, 3, 0); /* mean square 3.5 */
    double best = (double)hg_item(hg_mean(hg_gaussian_cost(&b, y), HG_ALL));
    ck_assert_double_eq_tol(best, 1 + log(2 * 3.5), 1e-5);
    o.spread = HG_SPREAD_FIXED;
    for (double factor = 0.5; factor < 2; factor += 0.05) {
        o.std = factor * sqrt(3.5);
        double here = (double)hg_item(hg_mean(hg_gaussian_cost(&b, y), HG_ALL));
        ck_assert(here >= best - 1e-5);
    }
}
END_TEST

START_TEST(a_learned_spread_is_pulled_towards_the_optimal_one)
{
    hg_params *p = hg_params_new(ctx);
    hg_objective o = {
        .spread = HG_SPREAD_LEARNED,
        .log_std = hg_param(p, "log_std", HG_SCALAR, HG_INIT(HG_INIT_ZEROS))};
    hg_optimizer *sgd = hg_sgd(p, "o", (hg_sgd_options){.rate = 0.05});
    for (int i = 0; i < 200; i++) {
        hg_batch b = batch_of(&o);
        hg_tensor *y = tensor((2, 2), 1, 2, 3, 0);
        expect_ok(hg_minimize(hg_mean(hg_gaussian_cost(&b, y), HG_ALL), sgd));
    }
    expect_close(o.log_std, 1e-4, 0.5 * log(3.5));
}
END_TEST

TEST_MAIN("objective", without_an_objective_terms_are_plain_sums,
          warm_up_scales_the_kl_and_reports_it_as_it_is,
          free_bits_bound_the_mean_of_each_dimension,
          a_dimension_within_its_free_bits_has_no_gradient,
          a_capacity_asks_for_so_many_nats,
          the_weight_of_a_capacity_takes_the_place_of_beta,
          a_capacity_costs_the_same_whatever_beta_is,
          a_fixed_spread_gives_the_densitys_logarithm,
          the_optimal_spread_makes_the_likelihood_largest,
          a_learned_spread_is_pulled_towards_the_optimal_one)
