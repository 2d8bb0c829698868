/* test_parts.c - what models share: nets, posteriors, losses, priors. */
#include "tests/support.h"
#include "nn/parts.h"

#define PI 3.141592653589793

/* ---- Nets --------------------------------------------------------------- */

START_TEST(an_mlp_is_the_chain_that_one_would_write)
{
    hg_params *p = hg_params_new(ctx), *q = hg_params_new(ctx);
    nn_layer *mlp = nn_mlp(p, "net", nn_tanh, 5, 4, 3, 2);
    nn_layer *chain = nn_chain(q, nn_linear(q, "net.0", 5, 4), nn_tanh(q),
                               nn_linear(q, "net.2", 4, 3), nn_tanh(q),
                               nn_linear(q, "net.4", 3, 2));
    hg_tensor *x = hg_randn(HG_SHAPE(6, 5));
    hg_real a[12], b[12];
    expect_ok(hg_read(nn_forward(mlp, x), a, 12));
    expect_ok(hg_read(nn_forward(chain, x), b, 12));
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_int_eq(hg_params_count(p), 5 * 4 + 4 + 4 * 3 + 3 + 3 * 2 + 2);
}
END_TEST

START_TEST(an_mlp_of_one_width_is_refused)
{
    ck_assert_ptr_null(nn_mlp(hg_params_new(ctx), "net", nn_relu, 5));
    expect_error(ARGUMENT, "nn_mlp");
}
END_TEST

START_TEST(a_tied_mirror_uses_the_weight_and_sends_it_its_gradient)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *there = nn_linear(p, "there", 3, 2);
    nn_layer *back = nn_linear_mirror(p, "back", there, true);
    hg_tensor *w = hg_params_find(p, "there.weight");
    hg_tensor *bias = hg_params_find(p, "back.bias");
    ck_assert_int_eq(hg_params_count(p), 3 * 2 + 2 + 3);
    expect_ok(hg_write(w, (hg_real[]){1, 2, 3, 4, 5, 6}, 6));
    expect_ok(hg_write(bias, (hg_real[]){10, 20, 30}, 3));
    hg_tensor *h = hg_from((double[]){1, -1}, "f8", HG_SHAPE(1, 2));
    hg_tensor *y = nn_forward(back, h);
    expect_values(y, 10 - 3, 20 - 3, 30 - 3);
    expect_ok(hg_backward(hg_sum(y, HG_ALL)));
    expect_values(w->grad, 1, 1, 1, -1, -1, -1);
    expect_values(bias->grad, 1, 1, 1);
}
END_TEST

START_TEST(a_free_mirror_has_a_weight_of_its_own)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *there = nn_linear(p, "there", 3, 2);
    expect_ok(nn_linear_mirror_with(p, "back", there, false,
                                    (nn_linear_options){0}) != NULL);
    ck_assert_int_eq(hg_params_count(p), 3 * 2 + 2 + 2 * 3 + 3);
    ck_assert_ptr_null(nn_linear_mirror(p, "other", nn_relu(p), true));
    expect_error(ARGUMENT, "nn_linear_mirror");
}
END_TEST

START_TEST(a_mirrored_mlp_goes_back_by_the_same_widths)
{
    hg_params *p = hg_params_new(ctx), *q = hg_params_new(ctx);
    nn_layer *there = NULL, *back = NULL, *tied_there, *tied_back;
    nn_mirrored_mlp(p, nn_tanh, false, (nn_linear_options){0}, &there, &back, 5,
                    4, 2);
    nn_mirrored_mlp(q, nn_tanh, true, (nn_linear_options){0}, &tied_there,
                    &tied_back, 5, 4, 2);
    ck_assert_int_eq(hg_params_count(p), 2 * (5 * 4 + 4 * 2) + 4 + 2 + 4 + 5);
    ck_assert_int_eq(hg_params_count(q), 5 * 4 + 4 * 2 + 4 + 2 + 4 + 5);
    hg_tensor *x = hg_randn(HG_SHAPE(3, 5));
    hg_real a[6], b[6];
    nn_layer *same = nn_mlp(hg_params_new(ctx), "encoder", nn_tanh, 5, 4, 2);
    expect_ok(hg_read(nn_forward(there, x), a, 6));
    expect_ok(hg_read(nn_forward(same, x), b, 6));
    ck_assert_mem_eq(a, b, sizeof a);
    hg_tensor *y = nn_forward(tied_back, nn_forward(tied_there, x));
    ck_assert(y && hg_shape_equal(y->shape, x->shape));
    nn_mirrored_mlp(hg_params_new(ctx), nn_tanh, false, (nn_linear_options){0},
                    &there, &back, 5);
    expect_error(ARGUMENT, "nn_mirrored_mlp");
}
END_TEST

START_TEST(nets_of_convolutions_go_there_and_back)
{
    hg_params *p = hg_params_new(ctx), *q = hg_params_new(ctx);
    nn_layer *three =
        nn_halving_convs(hg_params_at(p, "e"), HG_SHAPE(1, 28, 28), 8);
    nn_layer *from_three =
        nn_doubling_convs(hg_params_at(p, "d"), 4, HG_SHAPE(1, 28, 28), 8);
    nn_layer *two = nn_two_convs(hg_params_at(q, "e"), 16);
    nn_layer *from_two = nn_two_deconvs(hg_params_at(q, "d"), 2);
    hg_tensor *x = hg_rand(HG_SHAPE(3, 784));
    hg_shape images = HG_SHAPE(3, 784);
    hg_tensor *h = nn_forward(three, x);
    ck_assert(hg_shape_equal(h->shape, HG_SHAPE(3, 128)));
    hg_tensor *y = nn_forward(from_three, hg_slice(h, 1, 0, 4, 1));
    ck_assert(hg_shape_equal(y->shape, images));
    h = nn_forward(two, x);
    ck_assert(hg_shape_equal(h->shape, HG_SHAPE(3, 16)));
    y = nn_forward(from_two, hg_slice(h, 1, 0, 2, 1));
    ck_assert(hg_shape_equal(y->shape, images));
}
END_TEST

START_TEST(halving_fits_every_size_and_colour)
{
    static const int64_t sides[][3] = {{3, 64, 64}, {1, 33, 20}, {3, 27, 40},
                                       {1, 5, 5},   {2, 4, 4},   {1, 3, 50},
                                       {1, 1, 30},  {3, 128, 7}};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        const int64_t *s = sides[i], n = s[0] * s[1] * s[2];
        hg_shape image = HG_SHAPE(s[0], s[1], s[2]);
        hg_params *p = hg_params_new(ctx);
        nn_layer *there = nn_halving_convs(hg_params_at(p, "e"), image, 2);
        nn_layer *back = nn_doubling_convs(hg_params_at(p, "d"), 128, image, 2);
        hg_tensor *h = nn_forward(there, hg_rand(HG_SHAPE(2, n)));
        expect_ok(h != NULL);
        ck_assert(hg_shape_equal(h->shape, HG_SHAPE(2, 128)));
        hg_tensor *y = nn_forward(back, h);
        expect_ok(y != NULL);
        ck_assert(hg_shape_equal(y->shape, HG_SHAPE(2, n)));
    }
    ck_assert_ptr_null(
        nn_halving_convs(hg_params_new(ctx), HG_SHAPE(1, 8, 8), 0));
    expect_error(ARGUMENT, "a width of 0");
}
END_TEST

/* ---- Posteriors and losses ---------------------------------------------- */

START_TEST(the_largest_units_are_kept_and_learn)
{
    hg_tensor *h = hg_watch(tensor((2, 3), 1, 3, 2, -1, -2, -3));
    hg_tensor *kept = nn_keep_largest(h, 2);
    expect_values(kept, 0, 3, 2, -1, -2, 0);
    expect_ok(hg_backward(hg_sum(kept, HG_ALL)));
    expect_values(h->grad, 0, 1, 1, 1, 1, 0);
}
END_TEST

START_TEST(activity_costs_how_far_its_mean_is_from_what_is_wanted)
{
    /* means 0.2 and 0.5; the first is as wanted */
    hg_tensor *h = tensor((2, 2), 0.1, 0.4, 0.3, 0.6);
    double kl = 0.2 * log(0.2 / 0.5) + 0.8 * log(0.8 / 0.5);
    expect_values(nn_activity_kl(h, 0.2), kl);
    ck_assert_ptr_null(nn_activity_kl(h, 0));
    expect_error(ARGUMENT, "nn_activity_kl: rho = 0");
    ck_assert_ptr_null(nn_activity_kl(h, 1));
    expect_error(ARGUMENT, "rho = 1 must lie between 0 and 1");
}
END_TEST

START_TEST(units_that_never_or_always_work_are_drawn_away_from_it)
{
    hg_tensor *h = hg_watch(tensor((2, 2), 0, 1, 0, 1));
    hg_tensor *kl = nn_activity_kl(h, 0.2);
    ck_assert(isfinite((double)hg_item(kl)));
    expect_ok(hg_backward(kl));
    hg_real slope[4];
    expect_ok(hg_read(h->grad, slope, 4));
    for (int i = 0; i < 4; i++)
        ck_assert(isfinite((double)slope[i]) &&
                  (i % 2 ? slope[i] > 10000 : slope[i] < -10000));
}
END_TEST

START_TEST(the_norm_of_a_linear_jacobian_is_that_of_its_weight)
{
    hg_tensor *w = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    hg_tensor *x = hg_watch(hg_zeros(HG_SHAPE(1, 3)));
    expect_values(nn_jacobian_norm(hg_linear(x, w, NULL), x), 91);
    x = hg_watch(hg_zeros(HG_SHAPE(20000, 3)));
    hg_tensor *norm = nn_jacobian_norm_sampled(hg_linear(x, w, NULL), x);
    ck_assert_double_eq_tol((double)hg_item(hg_mean(norm, HG_ALL)), 91, 3);
}
END_TEST

START_TEST(all_rows_come_again_and_again)
{
    hg_tensor *x = hg_watch(tensor((2, 2), 1, 2, 3, 4));
    hg_tensor *y = nn_repeat(x, 3);
    expect_values(y, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4);
    ck_assert(hg_shape_equal(y->shape, HG_SHAPE(6, 2)));
    expect_values(hg_grad(y, x, NULL), 3, 3, 3, 3);
    expect_values(nn_repeat(vector(1, 2), 2), 1, 2, 1, 2);
    ck_assert_ptr_null(nn_repeat(NULL, 2));
    expect_error(ARGUMENT, "is NULL");
    ck_assert_ptr_null(nn_repeat(x, -1));
    expect_error(SHAPE, "-1");
}
END_TEST

START_TEST(the_density_of_a_code_is_that_of_its_coordinates)
{
    hg_tensor *z = tensor((2, 2), 0, 0, 1, -2);
    double at_zero = -log(2 * PI);
    expect_values(nn_unit_normal_logpdf(z), at_zero, at_zero - 2.5);
}
END_TEST

START_TEST(a_head_is_means_and_then_deviations)
{
    hg_tensor *std, *head = hg_from((double[]){1, 2, 0, 0, 3, 4, 2, -2}, "f8",
                                    HG_SHAPE(2, 4));
    hg_tensor *mu = nn_normal_head(head, nn_std_of_log_var, &std);
    expect_values(mu, 1, 2, 3, 4);
    expect_values(std, 1, 1, 2.718281828459045, 0.36787944117144233);
    nn_normal_head(head, nn_std_from_one, &std);
    expect_values(hg_slice(std, 0, 0, 1, 1), 1, 1);
}
END_TEST

START_TEST(the_game_is_even_where_the_critic_knows_nothing)
{
    hg_tensor *zero = hg_zeros(HG_SHAPE(4, 1));
    expect_values(nn_critic_loss(zero, zero), 2 * log(2));
    expect_values(nn_generator_loss(zero), log(2));
    hg_tensor *sure = hg_full(HG_SHAPE(4, 1), 3);
    expect_values(nn_critic_loss(sure, hg_neg(sure)), 2 * log1p(exp(-3)));
    expect_values(nn_generator_loss(hg_neg(sure)), 3 + log1p(exp(-3)));
}
END_TEST

/* ---- Priors ------------------------------------------------------------- */

enum { POINTS = 20000 };

static hg_real point[2 * POINTS];

static void draw(const char *prior, double spread)
{
    hg_tensor *z = nn_prior_draw(prior, POINTS, 2, spread);
    expect_ok(z && hg_read(z, point, 2 * (int64_t)POINTS));
}

/* Of the n-th power of coordinate k. */
static double moment(int k, int n)
{
    double sum = 0;
    for (int i = 0; i < POINTS; i++)
        sum += pow((double)point[2 * i + k], n) / POINTS;
    return sum;
}

START_TEST(the_normal_and_the_uniform_prior_have_their_moments)
{
    for (int k = 0; k < 2; k++) {
        draw("normal", 5);
        ck_assert_double_eq_tol(moment(k, 1), 0, 0.15);
        ck_assert_double_eq_tol(moment(k, 2), 25, 1);
        ck_assert_double_eq_tol(moment(k, 4), 3 * 625, 150);
        draw("uniform", 2);
        ck_assert_double_eq_tol(moment(k, 1), 0, 0.03);
        ck_assert_double_eq_tol(moment(k, 2), 4.0 / 3, 0.03);
        ck_assert_double_eq_tol(moment(k, 4), 16.0 / 5, 0.1);
    }
}
END_TEST

START_TEST(the_mixture_has_ten_petals)
{
    int petals[10] = {0};
    double along = 0, across = 0;
    draw("mixture", 3);
    for (int i = 0; i < POINTS; i++) {
        double x = (double)point[2 * i], y = (double)point[2 * i + 1];
        int k = (int)lround(atan2(y, x) / (2 * PI / 10) + 10) % 10;
        double c = cos(2 * PI * k / 10), s = sin(2 * PI * k / 10);
        petals[k]++;
        along += (c * x + s * y) / POINTS;
        across += pow(c * y - s * x, 2) / POINTS;
    }
    for (int k = 0; k < 10; k++)
        ck_assert_msg(abs(petals[k] - POINTS / 10) < 200, "petal %d has %d", k,
                      petals[k]);
    ck_assert_double_eq_tol(along, 0.6 * 3, 0.03);
    ck_assert_double_eq_tol(sqrt(across), 0.05 * 3, 0.02);
}
END_TEST

START_TEST(the_swiss_roll_is_a_spiral)
{
    int outer = 0;
    draw("swiss-roll", 4);
    for (int i = 0; i < POINTS; i++) {
        double x = (double)point[2 * i], y = (double)point[2 * i + 1];
        double radius = hypot(x, y), turn = radius / 4 * 4 * PI;
        ck_assert_double_eq_tol(x, radius * cos(turn), 1e-4);
        ck_assert_double_eq_tol(y, radius * sin(turn), 1e-4);
        outer += radius > 2; /* as long as three quarters of the spiral */
    }
    ck_assert_double_eq_tol((double)outer / POINTS, 0.75, 0.02);
}
END_TEST

START_TEST(priors_that_do_not_fit_are_refused)
{
    ck_assert_ptr_null(nn_prior_draw("mixture", 4, 3, 1));
    expect_error(ARGUMENT, "odd");
    ck_assert_ptr_null(nn_prior_draw("cauchy", 4, 2, 1));
    expect_error(ARGUMENT, "cauchy");
}
END_TEST

TEST_MAIN("parts", an_mlp_is_the_chain_that_one_would_write,
          an_mlp_of_one_width_is_refused,
          a_tied_mirror_uses_the_weight_and_sends_it_its_gradient,
          a_free_mirror_has_a_weight_of_its_own,
          a_mirrored_mlp_goes_back_by_the_same_widths,
          the_largest_units_are_kept_and_learn,
          activity_costs_how_far_its_mean_is_from_what_is_wanted,
          units_that_never_or_always_work_are_drawn_away_from_it,
          the_norm_of_a_linear_jacobian_is_that_of_its_weight,
          nets_of_convolutions_go_there_and_back,
          halving_fits_every_size_and_colour,
          a_head_is_means_and_then_deviations, all_rows_come_again_and_again,
          the_density_of_a_code_is_that_of_its_coordinates,
          the_game_is_even_where_the_critic_knows_nothing,
          the_normal_and_the_uniform_prior_have_their_moments,
          the_mixture_has_ten_petals, the_swiss_roll_is_a_spiral,
          priors_that_do_not_fit_are_refused)
