/* test_density.c - densities and losses: PyTorch's values, shapes, gradients
 * (in double), and mistakes. */
#include "support.h"

#define V(...) vector(__VA_ARGS__)
#define H(x)   ((hg_real)(x))

static hg_tensor *points(void)
{
    return V(H(0.3), H(-1.2), H(2.5));
}

static hg_tensor *means(void)
{
    return V(H(0.1), H(0.4), H(-0.6));
}

static hg_tensor *scales(void)
{
    return V(H(0.5), H(1.5), H(0.8));
}

static hg_tensor *labels(void)
{
    return hg_from((const int32_t[]){1, 0}, "i4", HG_SHAPE(2));
}

static hg_tensor *class_logits(void)
{
    return tensor((2, 3), 1, 2, H(0.5), -1, 0, 3);
}

/* ---- Densities ---------------------------------------------------------- */

START_TEST(densities_of_the_line_are_those_of_pytorch)
{
    hg_tensor *x = points(), *mu = means(), *s = scales();
    expect_values(hg_normal_logpdf(x, mu, s), -0.30579135264472734,
                  -1.893292530201726, -8.203607481890462);
    expect_values(hg_laplace_logpdf(x, mu, s), -0.4, -2.1652789553347764,
                  -4.345003629245736);
    expect_values(hg_logistic_logpdf(x, mu, s), -0.73288332423996,
                  -2.0636610953868235, -3.6929402504879842);
    expect_values(hg_student_t_logpdf(x, V(3, H(0.7), 11), mu, s),
                  -0.41166114692498657, -2.4479259374999627,
                  -5.883303530385357);
}
END_TEST

START_TEST(densities_broadcast_and_are_never_reduced)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(4, 3)), *one = scalar(1);
    expect_shape(hg_normal_logpdf(x, means(), one), 4, 3);
    expect_shape(hg_bernoulli_logpmf(x, means()), 4, 3);
    expect_shape(hg_laplace_logpdf(x, one, scales()), 4, 3);
    expect_shape(hg_logistic_logpdf(x, one, scales()), 4, 3);
    expect_shape(hg_student_t_logpdf(x, one, means(), scales()), 4, 3);
    expect_shape(hg_normal_kl(means(), hg_ones(HG_SHAPE(4, 1))), 4, 3);
    expect_no_error();
}
END_TEST

START_TEST(a_bernoulli_variable_has_pytorch_s_log_probability)
{
    expect_values(hg_bernoulli_logpmf(V(1, 0, H(0.25)), points()),
                  -0.554355244468527, -0.2632824673380313, -1.9538897342925496);
    /* Far out nothing is lost. */
    expect_values(hg_bernoulli_logpmf(V(0, 1), V(200, 200)), -200, 0);
}
END_TEST

START_TEST(a_categorical_variable_has_the_log_probability_of_its_label)
{
    hg_tensor *z = hg_categorical_logpmf(labels(), class_logits());
    expect_shape(z, 2);
    expect_values(z, -0.46436878410794513, -4.065883903757429);
    hg_tensor *images = hg_expand(class_logits(), HG_SHAPE(5, 2, 3));
    hg_tensor *index = hg_expand(labels(), HG_SHAPE(5, 2));
    expect_shape(hg_categorical_logpmf(index, images), 5, 2);
}
END_TEST

START_TEST(a_label_that_does_not_exist_is_named)
{
    hg_tensor *label = hg_from((const int32_t[]){1, 3}, "i4", HG_SHAPE(2));
    ck_assert(is_refused(hg_categorical_logpmf(label, class_logits())));
    expect_error(ARGUMENT, "3", "out of range");
    ck_assert_ptr_null(hg_categorical_logpmf(NULL, class_logits()));
    expect_error(ARGUMENT, "label");
}
END_TEST

START_TEST(a_mixture_adds_up_weighted_densities)
{
    hg_tensor *weight = hg_log(V(H(0.2), H(0.3), H(0.5)));
    hg_tensor *density = hg_normal_logpdf(scalar(H(0.7)), means(), scales());
    hg_tensor *z = hg_mixture_logpdf(weight, density, 0);
    ck_assert_int_eq(z->shape.rank, 0);
    expect_values(z, -1.5029658121504796);
}
END_TEST

START_TEST(a_mixture_does_not_underflow)
{
    hg_tensor *z =
        hg_mixture_logpdf(hg_log(V(H(0.5), H(0.5))), V(-5000, -5000), -1);
    expect_values(z, -5000);
}
END_TEST

START_TEST(divergences_of_normals_are_those_of_pytorch)
{
    hg_tensor *mu = means(), *s = scales();
    expect_values(hg_normal_kl(mu, s), 0.3231471805599453, 0.2995348918918357,
                  0.22314355131420965);
    expect_values(hg_normal_kl_between(mu, s, V(H(0.2), H(-0.3), 1),
                                       V(2, H(0.7), H(1.1))),
                  0.9187943611198905, 1.533778315300042, 1.1407677807053114);
    expect_values(hg_normal_kl_between(mu, s, mu, s), 0, 0, 0);
}
END_TEST

START_TEST(every_density_integrates_to_one)
{
    enum { N = 40001 };
    static hg_real at[N];
    for (int i = 0; i < N; i++)
        at[i] = (hg_real)(-100 + 0.005 * i);
    hg_tensor *x = hg_from(at, REALS, HG_SHAPE(N));
    hg_tensor *mu = scalar(H(0.4)), *s = scalar(H(0.7));
    hg_tensor *log_density[] = {
        hg_normal_logpdf(x, mu, s), hg_laplace_logpdf(x, mu, s),
        hg_logistic_logpdf(x, mu, s), hg_student_t_logpdf(x, scalar(5), mu, s)};
    for (int k = 0; k < 4; k++) {
        hg_tensor *p = hg_exp(log_density[k]);
        double area = 0.005 * (double)hg_item(hg_sum(p, HG_ALL));
        ck_assert_msg(fabs(area - 1) < 2e-4, "density %d: %g", k, area);
    }
}
END_TEST

/* ---- Losses ------------------------------------------------------------- */

static hg_tensor *mse(hg_reduce_mode mode)
{
    return nn_mse_loss(points(), V(H(0.4), -2, H(0.5)), mode);
}

static hg_tensor *l1(hg_reduce_mode mode)
{
    return nn_l1_loss(points(), V(H(0.4), -2, H(0.5)), mode);
}

static hg_tensor *huber(hg_reduce_mode mode)
{
    return nn_huber_loss(points(), V(H(0.4), -2, H(0.5)), 0.5, mode);
}

static hg_tensor *bce(hg_reduce_mode mode)
{
    return nn_bce_loss(V(H(0.3), 0, 1), V(1, 1, H(0.25)), mode);
}

static hg_tensor *bce_with_logits(hg_reduce_mode mode)
{
    return nn_bce_with_logits_loss(points(), V(1, 0, H(0.25)), mode);
}

static hg_tensor *cross_entropy(hg_reduce_mode mode)
{
    return nn_cross_entropy_loss(class_logits(), labels(), mode);
}

static hg_tensor *gaussian_nll(hg_reduce_mode mode)
{
    return nn_gaussian_nll_loss(points(), V(H(0.4), -2, H(0.5)),
                                V(H(0.5), H(1.5), H(1e-9)), mode);
}

static const struct {
    hg_tensor *(*loss)(hg_reduce_mode);
    int count;
    double each[3];
} losses[] = {
    {mse, 3, {0.01, 0.64, 4}},
    {l1, 3, {0.1, 0.8, 2}},
    {huber, 3, {0.005, 0.275, 0.875}},
    {bce, 3, {1.2039728043259361, 100, 75}},
    {bce_with_logits,
     3,
     {0.554355244468527, 0.2632824673380313, 1.9538897342925496}},
    {cross_entropy, 2, {0.4643687841079449, 4.065883903757429}},
    {gaussian_nll,
     3,
     {-0.33657359027997263, 0.41606588738741557, 1999993.092244721}},
};

START_TEST(losses_and_their_reductions_are_those_of_pytorch)
{
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        double sum = 0;
        for (int k = 0; k < losses[i].count; k++)
            sum += losses[i].each[k];
        mark_point();
        expect_values_n(losses[i].loss(HG_NONE), losses[i].each,
                        losses[i].count, CLOSE);
        expect_values(losses[i].loss(HG_SUM), sum);
        expect_values(losses[i].loss(HG_MEAN), sum / losses[i].count);
    }
}
END_TEST

START_TEST(the_mean_over_nothing_is_an_error_and_the_sum_is_zero)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(0, 3));
    expect_values(nn_mse_loss(x, x, HG_SUM), 0);
    ck_assert_ptr_null(nn_mse_loss(x, x, HG_MEAN));
    expect_error(SHAPE, "nn_mse_loss", "mean over nothing", "[0, 3]");
}
END_TEST

START_TEST(a_huber_loss_needs_a_positive_delta)
{
    ck_assert_ptr_null(nn_huber_loss(points(), points(), 0, HG_SUM));
    expect_error(ARGUMENT, "nn_huber_loss", "greater than 0");
}
END_TEST

START_TEST(losses_of_shapes_that_do_not_fit_name_both)
{
    ck_assert_ptr_null(nn_mse_loss(points(), V(1, 2), HG_MEAN));
    expect_error(SHAPE, "[3]", "[2]");
}
END_TEST

START_TEST(a_bounded_variance_still_gets_pytorch_s_gradient)
{
    hg_tensor *x = hg_watch(points());
    hg_tensor *var = hg_watch(V(H(0.5), H(1.5), H(1e-9)));
    hg_tensor *z = nn_gaussian_nll_loss(x, V(H(0.4), -2, H(0.5)), var, HG_SUM);
    expect_values(hg_grad(z, var, NULL), 0.98, 0.19111111111111106,
                  -1999999500000.0);
    expect_values(hg_grad(z, x, NULL), -0.2, 0.5333333333333333, 2000000);
}
END_TEST

/* ---- Gradients ---------------------------------------------------------- */

#ifdef HG_DOUBLE

/* in: x, mu, scale and a fourth, all positive. */
static hg_tensor *all_of_them(void *user, hg_tensor *const *in, int count)
{
    hg_tensor *x = in[0], *mu = in[1], *s = in[2], *t = in[3];
    (void)count;
    switch (*(const int *)user) {
    case 0:
        return hg_normal_logpdf(x, mu, s);
    case 1:
        return hg_laplace_logpdf(hg_shift(x, 3), mu, s);
    case 2:
        return hg_logistic_logpdf(x, mu, s);
    case 3:
        return hg_student_t_logpdf(x, t, mu, s);
    case 4:
        return hg_normal_kl_between(mu, s, x, t);
    case 5:
        return hg_mixture_logpdf(hg_log_softmax(t, -1),
                                 hg_normal_logpdf(x, mu, s), -1);
    case 6:
        return hg_categorical_logpmf(labels(), hg_mul(x, t));
    case 7:
        return nn_huber_loss(hg_scale(x, 4), mu, 1.3, HG_MEAN);
    case 8:
        return nn_bce_loss(hg_sigmoid(x), hg_sigmoid(mu), HG_MEAN);
    case 9:
        return nn_gaussian_nll_loss(x, mu, s, HG_SUM);
    default:
        return hg_bernoulli_logpmf(hg_sigmoid(mu), x);
    }
}

START_TEST(first_and_second_derivatives_are_those_of_the_value)
{
    static const double x[] = {0.3, 1.9, 0.7, 1.1, 2.3, 0.55};
    static const double mu[] = {0.62, 0.2, 1.4}, t[] = {0.8, 1.7, 3};
    static const double s[] = {0.9, 1.6};
    hg_shape shapes[] = {HG_SHAPE(2, 3), HG_SHAPE(3), HG_SHAPE(2, 1),
                         HG_SHAPE(3)};
    for (int which = 0; which <= 10; which++) {
        bool ok = hg_check_function(ctx, all_of_them, &which,
                                    (const hg_real *[]){x, mu, s, t}, shapes, 4,
                                    (hg_check_options){.second = true});
        ck_assert_msg(ok, "function %d: %s", which, hg_error());
    }
}
END_TEST

#endif

#ifdef HG_DOUBLE
TEST_MAIN("density", densities_of_the_line_are_those_of_pytorch,
          densities_broadcast_and_are_never_reduced,
          a_bernoulli_variable_has_pytorch_s_log_probability,
          a_categorical_variable_has_the_log_probability_of_its_label,
          a_label_that_does_not_exist_is_named,
          a_mixture_adds_up_weighted_densities, a_mixture_does_not_underflow,
          divergences_of_normals_are_those_of_pytorch,
          every_density_integrates_to_one,
          losses_and_their_reductions_are_those_of_pytorch,
          the_mean_over_nothing_is_an_error_and_the_sum_is_zero,
          a_huber_loss_needs_a_positive_delta,
          losses_of_shapes_that_do_not_fit_name_both,
          a_bounded_variance_still_gets_pytorch_s_gradient,
          first_and_second_derivatives_are_those_of_the_value)
#else
TEST_MAIN("density", densities_of_the_line_are_those_of_pytorch,
          densities_broadcast_and_are_never_reduced,
          a_bernoulli_variable_has_pytorch_s_log_probability,
          a_categorical_variable_has_the_log_probability_of_its_label,
          a_label_that_does_not_exist_is_named,
          a_mixture_adds_up_weighted_densities, a_mixture_does_not_underflow,
          divergences_of_normals_are_those_of_pytorch,
          every_density_integrates_to_one,
          losses_and_their_reductions_are_those_of_pytorch,
          the_mean_over_nothing_is_an_error_and_the_sum_is_zero,
          a_huber_loss_needs_a_positive_delta,
          losses_of_shapes_that_do_not_fit_name_both,
          a_bounded_variance_still_gets_pytorch_s_gradient)
#endif
