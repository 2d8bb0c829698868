/* test_evaluation.c - what is measured on a trained model, against values known
 * from elsewhere. */
#include "models_fixture.h"

#include "models/evaluation.h"

/* ---- Slots -------------------------------------------------------------- */

static hg_batch rig_batch(rig *r)
{
    static const int64_t rows[] = {0, 1, 2, 3};
    hg_batch b;
    expect_ok(hg_data_batch(r->data, rows, 4, &b));
    return b;
}

START_TEST(a_posterior_has_the_kl_that_its_model_states)
{
    int seen = 0;
    for
        EACH_MODEL(m)
        {
            rig r = {0};
            hg_real stated[4], computed[4];
            if (!m->posterior || !m->kl || m->log_prior)
                continue;
            expect_ok(rig_open(&r, m) && rig_train(&r, 2));
            hg_scope *s = hg_scope_open(r.context, HG_EVAL);
            hg_tensor *x = rig_batch(&r).x, *std = NULL;
            hg_tensor *mu = m->posterior(r.state, x, &std);
            hg_tensor *kl = hg_sum(hg_normal_kl(mu, std), HG_FROM(1));
            expect_ok(hg_read(kl, computed, 4));
            expect_ok(hg_read(m->kl(r.state, x), stated, 4));
            for (int i = 0; i < 4; i++)
                ck_assert_msg(same_value(stated[i], computed[i], CLOSE),
                              "%s: %g, %g", m->name, (double)stated[i],
                              (double)computed[i]);
            hg_scope_close(s);
            rig_close(&r);
            seen++;
        }
    ck_assert_int_ge(seen, 1);
}
END_TEST

/* ---- A model whose likelihood is known ---------------------------------- */

/* z ~ N(0, I), x = W z + b + noise of variance 1/2, W = (1 0; 0 1/2; 1 0): the
 * posterior is N(S 2 W'(x - b), S), S = diag(1/5, 2/3), and log p(x) by SciPy,
 * without the noise's constant. */
static const double exact[2] = {-1.175118176937799, -1.219493176937799};

static hg_tensor *weight(void)
{
    return tensor((3, 2), 1, 0, 0, 0.5, 1, 0);
}

static hg_tensor *offset(void)
{
    return vector(0.1, 0.2, 0.3);
}

static hg_tensor *linear_decode(void *model, hg_tensor *z)
{
    (void)model;
    return hg_linear(z, weight(), offset());
}

/* `model` points to what the standard deviations are multiplied by. */
static hg_tensor *linear_posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    hg_tensor *back = hg_matmul(hg_sub(x, offset()), weight());
    hg_tensor *s = vector(0.2, 1 / 1.5);
    hg_tensor *mu = hg_mul(hg_scale(back, 2), s);
    *std = hg_expand(hg_scale(hg_sqrt(s), *(double *)model), mu->shape);
    return mu;
}

static hg_tensor *linear_encode(void *model, hg_tensor *x)
{
    hg_tensor *std;
    return linear_posterior(model, x, &std);
}

static const hg_model linear_gaussian = {
    .name = "linear-gaussian",
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .encode = linear_encode,
    .decode = linear_decode,
    .posterior = linear_posterior,
};

static hg_data *two_points(void)
{
    static const hg_real x[] = {0.5, 0.25, 1, 0, 0.75, 0.125};
    hg_scope_close(scope);
    scope = NULL;
    return hg_data_from(ctx, x, REALS, HG_SHAPE(2, 3), NULL,
                        (hg_data_options){0});
}

START_TEST(with_the_exact_posterior_every_bound_is_the_likelihood)
{
    double factor = 1;
    hg_bound b = {.samples = 30};
    expect_ok(hg_model_likelihood(&linear_gaussian, &factor, two_points(), &b));
    ck_assert_int_eq(b.points, 6); /* 1 2 5 10 20 30 */
    ck_assert_int_eq(b.k[5], 30);
    for (int i = 0; i < b.points; i++)
        ck_assert_msg(
            same_value(b.bound[i], (exact[0] + exact[1]) / 2, 2 * CLOSE),
            "k = %lld: %.9g", (long long)b.k[i], b.bound[i]);
}
END_TEST

START_TEST(with_another_posterior_the_bounds_rise_to_the_likelihood)
{
    double factor = 1.5, truth = (exact[0] + exact[1]) / 2;
    hg_bound b = {.samples = 5000};
    /* KL(q || posterior) of two dimensions: 1.5^2 - 1 - 2 log 1.5 */
    double elbo = truth - (factor * factor - 1 - 2 * log(factor));
    expect_ok(hg_model_likelihood(&linear_gaussian, &factor, two_points(), &b));
    ck_assert_msg(same_value(b.bound[0], elbo, 0.02), "%g, %g", b.bound[0],
                  elbo);
    for (int i = 1; i < b.points; i++)
        ck_assert(b.bound[i] > b.bound[i - 1] - 3e-3);
    ck_assert_msg(same_value(b.bound[b.points - 1], truth, 0.02), "%g, %g",
                  b.bound[b.points - 1], truth);
}
END_TEST

START_TEST(a_bound_is_of_the_images_asked_for)
{
    double factor = 1;
    hg_bound b = {.samples = 1, .images = 1};
    hg_data *data = two_points();
    expect_ok(hg_model_likelihood(&linear_gaussian, &factor, data, &b));
    int64_t which = hg_data_source_row(hg_data_spread(data, 1), 0);
    ck_assert_int_eq(b.images, 1);
    ck_assert(same_value(b.bound[0], exact[which], 2 * CLOSE));
    hg_model bare = {.name = "bare"};
    ck_assert(!hg_model_likelihood(&bare, NULL, data, &b));
    expect_error(ARGUMENT, "bare has no Gaussian code");
    b.samples = 0;
    ck_assert(!hg_model_likelihood(&linear_gaussian, &factor, data, &b));
    expect_error(ARGUMENT, "0 samples");
}
END_TEST

START_TEST(dimensions_of_a_code_have_the_kl_of_the_formula)
{
    double factor = 1;
    hg_latent l;
    expect_ok(hg_model_latent(&linear_gaussian, &factor, two_points(), &l));
    ck_assert(l.width == 2 && l.images == 2 && l.active == 2);
    /* mu = 2 W'(x - b) S, x - b = (.4, .05, .7) and (-.1, .55, -.175) */
    double mu[2][2] = {{0.44, 0.1 / 3}, {-0.11, 1.1 / 3}};
    double s[2] = {0.2, 1 / 1.5};
    for (int j = 0; j < 2; j++) {
        double kl = 0;
        for (int i = 0; i < 2; i++)
            kl += (s[j] + mu[i][j] * mu[i][j] - 1 - log(s[j])) / 4;
        double half = (mu[0][j] - mu[1][j]) / 2;
        ck_assert(same_value(l.kl[j], kl, CLOSE));
        ck_assert(same_value(l.mean[j], (mu[0][j] + mu[1][j]) / 2, CLOSE));
        ck_assert(same_value(l.variance[j], half * half, CLOSE));
    }
}
END_TEST

/* ---- The aggregate posterior -------------------------------------------- */

/* N(x, std^2) over one feature; `model` points to std. */
static hg_tensor *shift_posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    *std = hg_full(x->shape, (hg_real) * (double *)model);
    return x;
}

static const hg_model shift = {
    .name = "shift",
    .posterior = shift_posterior,
};

static hg_data *places(const hg_real *x, int64_t n)
{
    if (scope)
        hg_scope_close(scope);
    scope = NULL;
    return hg_data_from(ctx, x, REALS, HG_SHAPE(n, 1), NULL,
                        (hg_data_options){0});
}

START_TEST(far_codes_tell_their_image_and_equal_ones_nothing)
{
    enum { PLACES = 64 };
    hg_real far[PLACES], same[PLACES] = {0};
    double std = 1, kl, information;
    for (int i = 0; i < PLACES; i++)
        far[i] = (hg_real)(100 * i);
    expect_ok(hg_model_aggregate(ctx, &shift, &std, places(far, PLACES), 0, &kl,
                                 &information));
    ck_assert(same_value(information, log(PLACES), 1e-6));
    expect_ok(hg_model_aggregate(ctx, &shift, &std, places(same, PLACES), 0,
                                 &kl, &information));
    ck_assert(same_value(information, 0, 1e-6) && same_value(kl, 0, 1e-6));
}
END_TEST

START_TEST(the_aggregate_posterior_has_the_kl_of_its_gaussian)
{
    /* Normal places with std 0.6 and codes of std 0.8 add up to N(0, 1); with
     * 1.2 to N(0, 1.8). */
    enum { PLACES = 2000 };
    static hg_real x[PLACES];
    double std = 0.8, kl, information;
    hg_tensor *draws = hg_scale(hg_randn(HG_SHAPE(PLACES)), 0.6);
    expect_ok(hg_read(draws, x, PLACES));
    hg_data *data = places(x, PLACES);
    expect_ok(
        hg_model_aggregate(ctx, &shift, &std, data, 0, &kl, &information));
    ck_assert_msg(fabs(kl) < 0.02, "%g", kl);
    ck_assert_msg(fabs(information + log(0.8)) < 0.03, "%g", information);
    std = 1.2;
    expect_ok(
        hg_model_aggregate(ctx, &shift, &std, data, 0, &kl, &information));
    ck_assert_msg(fabs(kl - (1.8 - 1 - log(1.8)) / 2) < 0.06, "%g", kl);
}
END_TEST

static hg_tensor *not_summed(void *model, hg_tensor *z)
{
    (void)model;
    return z;
}

START_TEST(a_prior_that_is_not_one_number_an_image_is_refused)
{
    hg_model wide = shift;
    double std = 1, kl, information;
    wide.log_prior = not_summed;
    ck_assert(!hg_model_aggregate(ctx, &wide, &std, two_points(), 0, &kl,
                                  &information));
    expect_error(SHAPE, "2 values are needed, [2, ");
}
END_TEST

/* ---- Codes with a class, and what is given ------------------------------ */

/* Decodes [z, visible pixels, mask] to z everywhere, so that all that is known
 * of a hidden pixel is its z. */
static hg_tensor *given_condition(void *model, const hg_batch *b)
{
    (void)model;
    return hg_concat(1, hg_mul(b->x, b->mask), b->mask);
}

static hg_tensor *given_prior(void *model, int64_t n)
{
    hg_tensor *z = hg_full(HG_SHAPE(n, 1), (hg_real) * (double *)model);
    return hg_concat(1, z, hg_zeros(HG_SHAPE(n, 8)));
}

static hg_tensor *given_decode(void *model, hg_tensor *code)
{
    (void)model;
    hg_tensor *z = hg_slice(code, 1, 0, 1, 1);
    hg_tensor *seen = hg_slice(code, 1, 1, 5, 1);
    return hg_where(hg_slice(code, 1, 5, 9, 1), seen,
                    hg_expand(z, seen->shape));
}

static const hg_model given_model = {.name = "given",
                                     .condition = given_condition,
                                     .prior = given_prior,
                                     .decode = given_decode};

START_TEST(what_is_hidden_costs_its_cross_entropy)
{
    static const hg_real x[] = {1, 0, 1, 1};
    double p = 0.25;
    hg_real mask[4], value[4];
    int64_t rows[] = {0};
    hg_batch b;
    hg_data *data = hg_data_from(ctx, x, REALS, HG_SHAPE(1, 1, 2, 2), NULL,
                                 (hg_data_options){0});
    ck_assert(hg_model_completes(ctx, &given_model, &p, data));
    ck_assert(!hg_model_completes(ctx, &shift, &p, data));
    static const hg_real visible[3][4] = {
        {0, 0, 1, 0}, {1, 0, 1, 0}, {1, 0, 1, 1}};
    double hidden_cost[3] = {0};
    for (int k = 0; k < 3; k++) {
        hg_quarter_mask(HG_SHAPE(1, 2, 2), k + 1, mask);
        ck_assert_mem_eq(mask, visible[k], sizeof mask);
        expect_ok(hg_data_batch(data, rows, 1, &b));
        b.mask = hg_from(mask, REALS, HG_SHAPE(1, 4));
        hg_tensor *y = hg_model_complete(&given_model, &p, &b);
        expect_ok(hg_read(y, value, 4));
        for (int i = 0; i < 4; i++) {
            ck_assert(value[i] == (mask[i] ? x[i] : (hg_real)p));
            hidden_cost[k] -= mask[i] ? 0 : x[i] ? log(p) : log(1 - p);
        }
        for (int draws = 1; draws <= 3; draws += 2)
            expect_values(hg_model_completion_nll(&given_model, &p, &b, draws),
                          hidden_cost[k]);
    }
}
END_TEST

START_TEST(codes_that_end_with_a_class_are_known)
{
    int seen = 0;
    static const char *const with[] = {"cvae", "aae-supervised", "aae-semi",
                                       "aae-cluster"};
    int32_t label[RIG_ITEMS];
    for (int i = 0; i < RIG_ITEMS; i++)
        label[i] = i % 3;
    hg_scope_close(scope);
    scope = NULL;
    static rig images;
    rig_make_images(&images);
    for
        EACH_MODEL(m)
        {
            hg_context *own = hg_context_new("cpu", 1);
            hg_data *data = hg_data_from(own, images.image, "u1",
                                         HG_SHAPE(RIG_ITEMS, 1, 28, 28), label,
                                         (hg_data_options){.borrow = true});
            hg_config *c = hg_config_new(own, m, data);
            void *state = hg_model_build(m, hg_params_new(own), c);
            expect_ok(state != NULL);
            bool known = false;
            for (int i = 0; i < 4; i++)
                known |= !strcmp(m->name, with[i]);
            int64_t k = hg_model_code_classes(own, m, state, data);
            ck_assert_msg((k > 0) == known, "%s: %lld", m->name, (long long)k);
            expect_no_error();
            seen += known;
            hg_context_free(own);
        }
    ck_assert_int_eq(seen, 4);
}
END_TEST

START_TEST(noise_is_of_the_size_asked_for)
{
    static double clean[10000], spoilt[10000];
    static hg_real value[10000];
    for (int i = 0; i < 10000; i++)
        clean[i] = 0.5;
    hg_tensor *grey = hg_full(HG_SHAPE(10000), (hg_real)0.5);
    expect_ok(hg_read(hg_add_noise(grey, 0, 0.1), value, 10000));
    for (int i = 0; i < 10000; i++)
        spoilt[i] = (double)value[i];
    ck_assert(fabs(hg_mean_square(clean, spoilt, 10000) - 0.01) < 5e-4);
    expect_ok(hg_read(hg_mask_noise(grey, 0.3), value, 10000));
    for (int i = 0; i < 10000; i++) {
        ck_assert(value[i] == 0 || value[i] == (hg_real)0.5);
        spoilt[i] = (double)value[i];
    }
    ck_assert(fabs(hg_mean_square(clean, spoilt, 10000) - 0.075) < 5e-3);
    expect_ok(hg_read(hg_add_noise(grey, 0, 100), value, 10000));
    for (int i = 0; i < 10000; i++)
        ck_assert(value[i] >= 0 && value[i] <= 1);
}
END_TEST

TEST_MAIN("evaluation", a_posterior_has_the_kl_that_its_model_states,
          with_the_exact_posterior_every_bound_is_the_likelihood,
          with_another_posterior_the_bounds_rise_to_the_likelihood,
          a_bound_is_of_the_images_asked_for,
          dimensions_of_a_code_have_the_kl_of_the_formula,
          far_codes_tell_their_image_and_equal_ones_nothing,
          the_aggregate_posterior_has_the_kl_of_its_gaussian,
          a_prior_that_is_not_one_number_an_image_is_refused,
          what_is_hidden_costs_its_cross_entropy,
          codes_that_end_with_a_class_are_known, noise_is_of_the_size_asked_for)
