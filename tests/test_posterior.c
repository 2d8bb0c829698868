/* test_posterior.c - what a model can do that has a posterior and a decoder
 * only, and codes that end with a condition. */
#include "models_fixture.h"

#include "models/evaluation.h"

/* q(z|x) = N(2 x, 1/4), decoded to z / 2. */
static hg_tensor *twice(void *model, hg_tensor *x, hg_tensor **std)
{
    (void)model;
    *std = hg_full(x->shape, (hg_real)0.5);
    return hg_scale(x, 2);
}

static hg_tensor *half(void *model, hg_tensor *z)
{
    (void)model;
    return hg_scale(z, 0.5);
}

static const hg_model bare = {.name = "bare",
                              .options =
                                  HG_OPTIONS(HG_NUMBER("latent", "width", 3)),
                              .posterior = twice,
                              .decode = half};

/* The slots of a model that says them itself. */
static hg_tensor *sevens(void *model, hg_tensor *x)
{
    (void)model;
    return x ? hg_full(x->shape, 7) : NULL;
}

static hg_tensor *eights(void *model, int64_t n)
{
    (void)model;
    return hg_full(HG_SHAPE(n, 2), 8);
}

static const hg_model own = {.name = "own",
                             .options =
                                 HG_OPTIONS(HG_NUMBER("latent", "width", 3)),
                             .posterior = twice,
                             .encode = sevens,
                             .sample = sevens,
                             .kl = sevens,
                             .prior = eights};

static hg_config *config_of(const hg_model *m)
{
    static const uint8_t image[3];
    hg_data *data = hg_data_from(ctx, image, "u1", HG_SHAPE(1, 3), NULL,
                                 (hg_data_options){0});
    hg_config *c = hg_config_new(ctx, m, data);
    ck_assert_msg(c != NULL, "%s", hg_error());
    return c;
}

START_TEST(a_posterior_and_a_decoder_are_a_model)
{
    ck_assert(hg_model_has_code(&bare) && hg_model_reconstructs(&bare) &&
              hg_model_has_draws(&bare) && hg_model_has_kl(&bare) &&
              hg_model_has_prior(&bare));
    hg_config *c = config_of(&bare);
    hg_tensor *x = tensor((1, 2), 0.5, -1);
    expect_values(hg_model_encode(&bare, NULL, x), 1, -2);
    /* (mu^2 + std^2 - 1) / 2 - log std, of mu = 1 and -2 */
    double kl = (1 + 4 + 2 * (0.25 - 1)) / 2 - 2 * log(0.5);
    expect_values(hg_model_kl(&bare, NULL, x), kl);
    ck_assert(hg_shape_equal(hg_model_prior(&bare, NULL, c, 5)->shape,
                             HG_SHAPE(5, 3)));
}
END_TEST

START_TEST(draws_have_the_moments_of_the_posterior_and_of_the_prior)
{
    hg_config *c = config_of(&bare);
    hg_tensor *x = hg_full(HG_SHAPE(20000, 1), 1.5);
    hg_tensor *z = hg_model_sample(&bare, NULL, x);
    hg_tensor *prior = hg_model_prior(&bare, NULL, c, 20000);
    ck_assert_double_eq_tol((double)hg_item(hg_mean(z, HG_ALL)), 3, 0.02);
    ck_assert_double_eq_tol((double)hg_item(hg_var(z, HG_ALL, 0)), 0.25, 0.02);
    ck_assert_double_eq_tol((double)hg_item(hg_mean(prior, HG_ALL)), 0, 0.02);
    ck_assert_double_eq_tol((double)hg_item(hg_var(prior, HG_ALL, 0)), 1, 0.03);
}
END_TEST

START_TEST(slots_of_the_model_come_first)
{
    hg_config *c = config_of(&own);
    hg_tensor *x = tensor((1, 2), 0.5, -1);
    expect_values(hg_model_encode(&own, NULL, x), 7, 7);
    expect_values(hg_model_sample(&own, NULL, x), 7, 7);
    expect_values(hg_model_kl(&own, NULL, x), 7, 7);
    expect_values(hg_model_prior(&own, NULL, c, 1), 8, 8);
    ck_assert(!hg_model_reconstructs(&own));
}
END_TEST

START_TEST(nothing_is_derived_from_nothing_nor_for_a_prior_of_ones_own)
{
    static const hg_model nothing = {.name = "nothing", .decode = half};
    static const hg_model prior = {
        .name = "prior", .posterior = twice, .log_prior = sevens};
    ck_assert(!hg_model_has_code(&nothing) && !hg_model_has_draws(&nothing) &&
              !hg_model_has_kl(&nothing) && !hg_model_has_prior(&nothing));
    ck_assert(hg_model_has_code(&prior) && hg_model_has_draws(&prior));
    ck_assert(!hg_model_has_kl(&prior) && !hg_model_has_prior(&prior));
}
END_TEST

START_TEST(a_prior_needs_the_width_of_the_code)
{
    static const hg_model nameless = {.name = "nameless", .posterior = twice};
    hg_config *c = config_of(&nameless);
    ck_assert_ptr_null(hg_model_prior(&nameless, NULL, c, 5));
    expect_error(ARGUMENT, "no option latent");
}
END_TEST

START_TEST(whole_numbers_within_bounds_are_taken_and_others_told)
{
    hg_config *c = config_of(&bare);
    ck_assert_int_eq(hg_config_within(c, "latent", 3, 3), 3);
    ck_assert_int_eq(hg_config_within(c, "latent", 4, 9), 0);
    expect_error(ARGUMENT, "--latent 3: use 4 to 9");
    ck_assert_int_eq(hg_config_within(c, "latent", 1, 2), 0);
    expect_error(ARGUMENT, "--latent 3: use 1 to 2");
}
END_TEST

/* ---- Codes that end with a condition ------------------------------------ */

static void open_cvae(rig *r, const char *given)
{
    snprintf(r->option[0], sizeof r->option[0], "given");
    snprintf(r->option[1], sizeof r->option[1], "%s", given);
    ck_assert_msg(rig_open(r, &model_cvae) && rig_train(r, 2), "%s",
                  hg_error());
}

START_TEST(what_is_given_costs_no_nats_and_is_not_active)
{
    rig r = {0};
    hg_latent l;
    open_cvae(&r, "label");
    expect_ok(hg_model_latent(&model_cvae, r.state, r.data, &l));
    ck_assert(l.width == 30 && l.given == 10 && l.images == RIG_ITEMS);
    ck_assert(l.active <= 20);
    double kl = 0, seen = 0;
    for (int64_t j = 0; j < 20; j++)
        kl += l.kl[j];
    for (int64_t j = 20; j < 30; j++) {
        ck_assert(l.kl[j] == 0 && l.variance[j] > 0.01);
        seen += l.mean[j];
    }
    ck_assert_double_eq_tol(seen, 1, CLOSE); /* one-hot */
    hg_metrics m;
    expect_ok(hg_model_evaluate(&model_cvae, r.state, r.data, 4, &m));
    ck_assert(kl > 0 && same_value(m.kl, kl, 10 * CLOSE));
    rig_close(&r);
}
END_TEST

START_TEST(only_what_is_hidden_has_a_likelihood)
{
    rig r = {0};
    int64_t rows[] = {0, 1, 2};
    hg_real all[3], none[3];
    open_cvae(&r, "quadrants");
    hg_scope *s = hg_scope_open(r.context, HG_EVAL);
    hg_batch b;
    expect_ok(hg_data_batch(r.data, rows, 3, &b));
    for (int visible = 0; visible < 2; visible++) {
        b.mask = hg_full(b.x->shape, (hg_real)visible);
        hg_tensor *z = hg_zeros(HG_SHAPE(3, 20));
        z = hg_concat(1, z, model_cvae.condition(r.state, &b));
        expect_ok(hg_read(model_cvae.log_likelihood(r.state, b.target, z),
                          visible ? all : none, 3));
    }
    for (int i = 0; i < 3; i++)
        ck_assert(all[i] == 0 && none[i] < -1);
    hg_scope_close(s);
    rig_close(&r);
}
END_TEST

START_TEST(the_bound_of_a_conditional_model_is_above_minus_its_loss)
{
    rig r = {0};
    hg_metrics m;
    hg_bound b = {.samples = 200};
    open_cvae(&r, "label");
    expect_ok(hg_model_evaluate(&model_cvae, r.state, r.data, 5, &m));
    expect_ok(hg_model_likelihood(&model_cvae, r.state, r.data, &b));
    ck_assert(fabs(b.bound[0] + m.loss) < 0.05 * m.loss);
    ck_assert(b.bound[b.points - 1] > b.bound[0]);
    rig_close(&r);
}
END_TEST

TEST_MAIN("posterior", a_posterior_and_a_decoder_are_a_model,
          draws_have_the_moments_of_the_posterior_and_of_the_prior,
          slots_of_the_model_come_first,
          nothing_is_derived_from_nothing_nor_for_a_prior_of_ones_own,
          a_prior_needs_the_width_of_the_code,
          whole_numbers_within_bounds_are_taken_and_others_told,
          what_is_given_costs_no_nats_and_is_not_active,
          only_what_is_hidden_has_a_likelihood,
          the_bound_of_a_conditional_model_is_above_minus_its_loss)
