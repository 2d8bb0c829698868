/* test_mixture.c - the learned mixture of normals, diagonal and full. */
#include "support.h"

#include "nn/parts.h"

#define PI 3.141592653589793

static nn_mixture of(hg_params *p, int64_t k, int64_t d, bool full)
{
    nn_mixture m;
    hg_init zeros = HG_INIT(HG_INIT_ZEROS);
    nn_mixture_options o = {k, d, full, nn_std_of_log_var, zeros};
    nn_mixture_new(&m, p, o);
    return m;
}

/* ---- Diagonal ----------------------------------------------------------- */

START_TEST(a_mixture_has_the_density_of_its_components)
{
    hg_params *p = hg_params_new(ctx);
    nn_mixture m = of(p, 2, 1, false);
    ck_assert_int_eq(hg_params_count(p), 2 + 2 + 2);
    expect_ok(hg_write(m.logits, (hg_real[]){0, (hg_real)log(3)}, 2));
    expect_ok(hg_write(m.mu, (hg_real[]){-1, 2}, 2));
    expect_ok(hg_write(m.raw, (hg_real[]){0, (hg_real)log(4)}, 2));
    double z = 0.5, root = sqrt(2 * PI);
    double p1 = 0.25 * exp(-1.5 * 1.5 / 2) / root;
    double p2 = 0.75 * exp(-1.5 * 1.5 / 8) / (2 * root);
    hg_tensor *at = hg_from(&z, "f8", HG_SHAPE(1, 1));
    expect_values(nn_mixture_joint(&m, at), log(p1), log(p2));
    expect_values(nn_mixture_logpdf(&m, at), log(p1 + p2));
    hg_tensor *draws = nn_mixture_draw(&m, 20000);
    hg_real mean = hg_item(hg_mean(draws, HG_ALL));
    ck_assert_double_eq_tol((double)mean, 0.25 * -1 + 0.75 * 2, 0.06);
    hg_real var = hg_item(hg_var(draws, HG_ALL, 0));
    /* within the components and between them */
    ck_assert_double_eq_tol((double)var, 0.25 + 0.75 * 4 + 9 * 3.0 / 16, 0.2);
}
END_TEST

START_TEST(a_mixture_of_nothing_is_refused)
{
    of(hg_params_new(ctx), 0, 1, false);
    expect_error(ARGUMENT, "components");
    of(hg_params_new(ctx), 1, 0, true);
    expect_error(ARGUMENT, "width");
}
END_TEST

START_TEST(the_kl_to_diagonal_components_is_that_of_their_coordinates)
{
    nn_mixture m = of(hg_params_new(ctx), 2, 2, false);
    expect_ok(hg_write(m.mu, (hg_real[]){1, 2, 0, 0}, 4));
    hg_tensor *mu = tensor((1, 2), 1, 0), *std = tensor((1, 2), 1, 0.5);
    double narrow = (0.25 - 1 - log(0.25)) / 2;
    expect_values(nn_mixture_kl(&m, mu, std), 2 + narrow, 0.5 + narrow);
}
END_TEST

/* ---- Full --------------------------------------------------------------- */

/* N((0, 0), I) and N((1, -1), [4 2; 2 5]), of which the second coordinate has
 * variance 4 about half the first one's distance. What is on and above the
 * diagonals of `below` does not count. */
static nn_mixture leaning(hg_params *p)
{
    nn_mixture m = of(p, 2, 2, true);
    hg_real four = (hg_real)log(4);
    expect_ok(hg_write(m.logits, (hg_real[]){0, (hg_real)log(3)}, 2));
    expect_ok(hg_write(m.mu, (hg_real[]){0, 0, 1, -1}, 4));
    expect_ok(hg_write(m.raw, (hg_real[]){0, 0, four, four}, 4));
    expect_ok(
        hg_write(m.below, (hg_real[]){7, 7, 0, 7, 7, 7, (hg_real)-0.5, 7}, 8));
    return m;
}

/* With S^-1 = [5 -2; -2 4] / 16 and |S| = 16, at (1, 2) from the mean. */
static const double distance = (5 - 8 + 16) / 16.0;

START_TEST(a_full_covariance_has_its_density)
{
    hg_params *p = hg_params_new(ctx);
    nn_mixture m = leaning(p);
    ck_assert_int_eq(hg_params_count(p), 2 + 4 + 4 + 8);
    hg_tensor *z = tensor((2, 2), 2, 1, 1, -1);
    double first = log(0.25 / (2 * PI));
    double second = log(0.75 / (2 * PI * 4));
    expect_values(nn_mixture_joint(&m, z), first - 2.5, second - distance / 2,
                  first - 1, second);
}
END_TEST

START_TEST(the_kl_to_a_full_covariance_is_the_closed_form)
{
    nn_mixture m = leaning(hg_params_new(ctx));
    hg_tensor *mu = tensor((1, 2), 2, 1), *std = tensor((1, 2), 1, 1.5);
    double trace = (5 * 1 + 4 * 2.25) / 16;
    expect_values(nn_mixture_kl(&m, mu, std),
                  (1 + 2.25 + 5 - 2 - log(2.25)) / 2,
                  (trace + distance - 2 + log(16 / 2.25)) / 2);
}
END_TEST

START_TEST(a_triangle_is_inverted_row_by_row)
{
    hg_tensor *t = tensor((2, 3, 3), 1, 0, 0, 2, 1, 0, 3, 4, 1, /* and */
                          1, 0, 0, 0, 1, 0, 5, 0, 1);
    expect_values(nn_unit_inverse(t, 3), 1, 0, 0, -2, 1, 0, 5, -4, 1, 1, 0, 0,
                  0, 1, 0, -5, 0, 1);
    expect_values(nn_unit_inverse(tensor((2, 1, 1), 1, 1), 1), 1, 1);
}
END_TEST

/* Mean of the products of deviations of columns i and j of x [n, d]. */
static double covariance(hg_tensor *x, int i, int j)
{
    hg_tensor *off = hg_sub(x, hg_mean(x, HG_KEEP(0)));
    hg_tensor *both = hg_mul(hg_select(off, 1, i), hg_select(off, 1, j));
    return (double)hg_item(hg_mean(both, HG_ALL));
}

START_TEST(draws_have_the_full_covariance)
{
    nn_mixture m = leaning(hg_params_new(ctx));
    expect_ok(hg_write(m.logits, (hg_real[]){-1000, 0}, 2));
    hg_tensor *x = nn_mixture_draw(&m, 20000);
    ck_assert_double_eq_tol(covariance(x, 0, 0), 4, 0.2);
    ck_assert_double_eq_tol(covariance(x, 0, 1), 2, 0.2);
    ck_assert_double_eq_tol(covariance(x, 1, 1), 5, 0.2);
    hg_tensor *mean = hg_mean(x, HG_OVER(0));
    ck_assert_double_eq_tol((double)hg_item(hg_select(mean, 0, 0)), 1, 0.1);
    ck_assert_double_eq_tol((double)hg_item(hg_select(mean, 0, 1)), -1, 0.1);
}
END_TEST

/* ---- Derivatives -------------------------------------------------------- */

#ifdef HG_DOUBLE
/* of logits, mu, raw and below; z or a posterior's mean; its deviations */
static hg_tensor *costs(void *user, hg_tensor *const *in, int count)
{
    (void)user;
    ck_assert_int_eq(count, 6);
    nn_mixture m = {in[0], in[1], in[2], in[3], nn_std_of_log_var, 2, 3};
    return hg_add(nn_mixture_joint(&m, in[4]), nn_mixture_kl(&m, in[4], in[5]));
}

START_TEST(derivatives_are_those_of_the_values)
{
    hg_real mu[] = {0.3, -0.2, 0.7, -1, 0.4, 0.1}, logits[] = {0.2, -0.4};
    hg_real raw[] = {0.1, -0.3, 0.4, 0.2, 0.5, -0.2}, below[18];
    hg_real z[] = {0.6, 0.2, -0.9, 1.1, -0.5, 0.3};
    hg_real std[] = {0.5, 1.2, 0.8, 1, 0.7, 0.4};
    for (int i = 0; i < 18; i++)
        below[i] = 0.1 * (i % 7) - 0.3;
    const hg_real *values[] = {logits, mu, raw, below, z, std};
    hg_shape shapes[] = {HG_SHAPE(2),       HG_SHAPE(2, 3), HG_SHAPE(2, 3),
                         HG_SHAPE(2, 3, 3), HG_SHAPE(2, 3), HG_SHAPE(2, 3)};
    expect_ok(hg_check_function(ctx, costs, NULL, values, shapes, 6,
                                (hg_check_options){.second = true}));
}
END_TEST
#define ALSO , derivatives_are_those_of_the_values
#else
#define ALSO
#endif

TEST_MAIN("mixture", a_mixture_has_the_density_of_its_components,
          a_mixture_of_nothing_is_refused,
          the_kl_to_diagonal_components_is_that_of_their_coordinates,
          a_full_covariance_has_its_density,
          the_kl_to_a_full_covariance_is_the_closed_form,
          a_triangle_is_inverted_row_by_row,
          draws_have_the_full_covariance ALSO)
