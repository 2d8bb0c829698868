/* test_recipes.c - what single models promise beyond what holds for all. */
#include "models_fixture.h"

#include "models/measure.h"

/* A rig of the model with one more option. */
static void open_with(rig *r, const char *model, const char *name,
                      const char *value)
{
    const hg_model *m = hg_model_find(model);
    ck_assert_ptr_nonnull(m);
    snprintf(r->option[0], sizeof r->option[0], "%s", name);
    snprintf(r->option[1], sizeof r->option[1], "%s", value);
    ck_assert_msg(rig_open(r, m), "%s", hg_error());
}

static hg_batch first_rows(rig *r, int64_t n)
{
    int64_t rows[RIG_ITEMS];
    hg_batch b;
    for (int64_t i = 0; i < n; i++)
        rows[i] = i;
    expect_ok(hg_data_batch(r->data, rows, n, &b));
    return b;
}

/* ---- contractive-ae ----------------------------------------------------- */

enum { WEIGHTS = 24 * RIG_PIXELS };

/* The loss on four images and its gradient in the encoder's weight. */
static double contractive_loss(const char *way, hg_real *gradient)
{
    rig r = {0};
    open_with(&r, "contractive-ae", "jacobian", way);
    hg_scope *s = hg_scope_open(r.context, HG_TRAIN);
    hg_batch b = first_rows(&r, 4);
    hg_tensor *loss = hg_mean(r.model->loss(r.state, &b), HG_ALL);
    double value = (double)hg_item(loss);
    expect_ok(hg_backward(loss));
    const hg_tensor *w = hg_params_find(r.params, "encoder.weight");
    expect_ok(hg_read(w->grad, gradient, WEIGHTS));
    hg_scope_close(s);
    rig_close(&r);
    return value;
}

START_TEST(the_jacobian_by_second_derivatives_is_the_closed_form)
{
    static hg_real exact[WEIGHTS], closed[WEIGHTS];
    double a = contractive_loss("exact", exact);
    double b = contractive_loss("closed", closed);
    ck_assert_double_eq_tol(a / b, 1, CLOSE);
    for (int i = 0; i < WEIGHTS; i++)
        ck_assert_msg(fabs((double)(exact[i] - closed[i])) < 1e-4,
                      "gradient %d: %g, %g", i, (double)exact[i],
                      (double)closed[i]);
}
END_TEST

/* ---- sparse-ae ---------------------------------------------------------- */

START_TEST(a_k_sparse_code_has_k_units_at_work)
{
    rig r = {0};
    hg_real code[RIG_ITEMS * 24];
    open_with(&r, "sparse-ae", "penalty", "k-sparse");
    hg_scope *s = hg_scope_open(r.context, HG_EVAL);
    hg_tensor *h = r.model->encode(r.state, first_rows(&r, RIG_ITEMS).x);
    expect_ok(hg_read(h, code, RIG_ITEMS * 24));
    for (int i = 0; i < RIG_ITEMS; i++) {
        int active = 0;
        for (int k = 0; k < 24; k++)
            active += code[24 * i + k] != 0;
        ck_assert_int_eq(active, 5);
    }
    hg_scope_close(s);
    rig_close(&r);
}
END_TEST

/* ---- denoising-ae ------------------------------------------------------- */

START_TEST(masking_drops_pixels_and_noise_stays_in_range)
{
    rig r = {0};
    static hg_real x[RIG_ITEMS * RIG_PIXELS], y[RIG_ITEMS * RIG_PIXELS];
    int dropped = 0, lit = 0;
    open_with(&r, "denoising-ae", "noise", "masking");
    hg_scope *s = hg_scope_open(r.context, HG_TRAIN);
    hg_tensor *clean = first_rows(&r, RIG_ITEMS).x;
    expect_ok(hg_read(clean, x, RIG_ITEMS * RIG_PIXELS));
    expect_ok(
        hg_read(r.model->corrupt(r.state, clean), y, RIG_ITEMS * RIG_PIXELS));
    for (int i = 0; i < RIG_ITEMS * RIG_PIXELS; i++) {
        ck_assert(y[i] == x[i] || y[i] == 0);
        lit += x[i] > 0;
        dropped += x[i] > 0 && y[i] == 0;
    }
    ck_assert_double_eq_tol((double)dropped / lit, 0.3, 0.02);
    hg_scope_close(s);
    rig_close(&r);
    open_with(&r, "denoising-ae", "noise", "gaussian");
    s = hg_scope_open(r.context, HG_TRAIN);
    clean = first_rows(&r, RIG_ITEMS).x;
    expect_ok(
        hg_read(r.model->corrupt(r.state, clean), y, RIG_ITEMS * RIG_PIXELS));
    for (int i = 0; i < RIG_ITEMS * RIG_PIXELS; i++)
        ck_assert(y[i] >= 0 && y[i] <= 1);
    hg_scope_close(s);
    rig_close(&r);
}
END_TEST

/* ---- pca ---------------------------------------------------------------- */

START_TEST(all_components_give_the_images_back)
{
    rig r = {0};
    open_with(&r, "pca", "latent", "14"); /* of 15 images */
    hg_metrics m;
    expect_ok(hg_model_evaluate(r.model, r.state, r.data, 7, &m));
    ck_assert_double_lt(m.recon_mse, 1e-6);
    rig_close(&r);
    open_with(&r, "pca", "latent", "3");
    expect_ok(hg_model_evaluate(r.model, r.state, r.data, 7, &m));
    ck_assert_double_gt(m.recon_mse, 1e-3);
    rig_close(&r);
}
END_TEST

/* ---- iwae --------------------------------------------------------------- */

START_TEST(the_decoder_begins_with_the_mean_image)
{
    rig r = {0};
    hg_real bias[RIG_PIXELS];
    open_with(&r, "iwae", "latent", "3");
    hg_tensor *b = hg_params_find(r.params, "decoder.4.bias");
    expect_ok(hg_read(b, bias, RIG_PIXELS));
    for (int p = 0; p < RIG_PIXELS; p++) {
        double mean = 0;
        for (int i = 0; i < RIG_ITEMS; i++)
            mean += r.image[i * RIG_PIXELS + p] / 255.0 / RIG_ITEMS;
        double want = fmin(fmax(mean, 1e-3), 1 - 1e-3);
        double got = 1 / (1 + exp(-(double)bias[p]));
        ck_assert_double_eq_tol(got, want, 1e-5);
    }
    rig_close(&r);
}
END_TEST

static double mean_loss(const char *k, const char *bound)
{
    rig r = {0};
    hg_config *c;
    open_with(&r, "iwae", "bound", bound);
    c = hg_config_new(r.context, r.model, r.data);
    expect_ok(hg_config_set(c, "k", k) && hg_config_set(c, "bound", bound));
    hg_params *p = hg_params_new(r.context);
    void *state = hg_model_build(r.model, p, c);
    hg_scope *s = hg_scope_open(r.context, HG_EVAL);
    hg_batch b = first_rows(&r, RIG_ITEMS);
    double loss = (double)hg_item(hg_mean(r.model->loss(state, &b), HG_ALL));
    hg_scope_close(s);
    rig_close(&r);
    return loss;
}

START_TEST(the_bound_is_tighter_with_more_draws_and_the_elbo_is_not)
{
    double one = mean_loss("1", "iwae"), many = mean_loss("500", "iwae");
    ck_assert_double_lt(many, one - 0.1);
    ck_assert_double_eq_tol(mean_loss("1", "elbo") / one, 1, 1e-5);
    ck_assert_double_gt(mean_loss("500", "elbo"), many + 0.1);
}
END_TEST

/* ---- cvae --------------------------------------------------------------- */

START_TEST(visible_quarters_are_kept_and_all_numbers_of_them_occur)
{
    rig r = {0};
    static hg_real c[RIG_ITEMS * 2 * RIG_PIXELS], y[RIG_ITEMS * RIG_PIXELS];
    bool seen[5] = {false};
    open_with(&r, "cvae", "given", "quadrants");
    for (int step = 0; step < 8; step++) {
        hg_scope *s = hg_scope_open(r.context, HG_TRAIN);
        hg_batch b = first_rows(&r, RIG_ITEMS);
        hg_tensor *x = hg_model_input(r.model, r.state, &b);
        hg_tensor *given = hg_slice(x, 1, RIG_PIXELS, HG_END, 1);
        hg_tensor *made = r.model->decode(r.state, r.model->encode(r.state, x));
        expect_ok(hg_read(given, c, RIG_ITEMS * 2 * RIG_PIXELS));
        expect_ok(hg_read(made, y, RIG_ITEMS * RIG_PIXELS));
        for (int i = 0; i < RIG_ITEMS; i++) {
            const hg_real *pixel = c + i * 2 * RIG_PIXELS;
            const hg_real *visible = pixel + RIG_PIXELS;
            int quarters = 0, corner[] = {0, 27, 27 * 28, 783};
            for (int q = 0; q < 4; q++)
                quarters += visible[corner[q]] == 1;
            seen[quarters] = true;
            for (int p = 0; p < RIG_PIXELS; p++) {
                hg_real image = (hg_real)r.image[i * RIG_PIXELS + p] / 255;
                ck_assert(visible[p] == 0 || visible[p] == 1);
                ck_assert(pixel[p] == (visible[p] == 1 ? image : 0));
                ck_assert(visible[p] == 0 || y[i * RIG_PIXELS + p] == image);
            }
        }
        hg_scope_close(s);
    }
    ck_assert(seen[0] && seen[1] && seen[2] && seen[3] && !seen[4]);
    rig_close(&r);
}
END_TEST

START_TEST(draws_have_every_class_in_turn)
{
    static const char *const names[] = {"cvae", "aae-supervised", "aae-semi"};
    for (int k = 0; k < 3; k++) {
        rig r = {0};
        hg_real code[23 * 64];
        expect_ok(rig_open(&r, hg_model_find(names[k])));
        hg_scope *s = hg_scope_open(r.context, HG_EVAL);
        hg_tensor *z = r.model->prior(r.state, 23);
        int64_t width = z->shape.dim[1];
        expect_ok(hg_read(z, code, 23 * width));
        for (int64_t i = 0; i < 23; i++)
            for (int64_t j = 0; j < 10; j++)
                ck_assert(code[(i + 1) * width - 10 + j] == (i % 10 == j));
        hg_scope_close(s);
        rig_close(&r);
    }
}
END_TEST

/* ---- aae-semi ----------------------------------------------------------- */

START_TEST(more_labels_than_there_are_is_told)
{
    rig r = {0};
    snprintf(r.option[0], sizeof r.option[0], "labels");
    snprintf(r.option[1], sizeof r.option[1], "1000");
    ck_assert(!rig_open(&r, hg_model_find("aae-semi")));
    ck_assert_ptr_nonnull(strstr(hg_error(), "--labels 1000"));
    hg_error_clear();
    rig_close(&r);
}
END_TEST

START_TEST(labels_are_wanted_where_they_are_needed)
{
    static const char *const names[] = {"cvae", "aae-supervised", "aae-semi"};
    for (int k = 0; k < 3; k++) {
        static uint8_t pixels[3 * RIG_PIXELS];
        hg_data_options plain = {0};
        hg_context *context = hg_context_new("cpu", 1);
        const hg_model *m = hg_model_find(names[k]);
        hg_data *data = hg_data_from(context, pixels, "u1",
                                     HG_SHAPE(3, 1, 28, 28), NULL, plain);
        hg_config *c = hg_config_new(context, m, data);
        ck_assert_ptr_null(hg_model_build(m, hg_params_new(context), c));
        ck_assert_ptr_nonnull(strstr(hg_error(), "labels"));
        hg_error_clear();
        hg_context_free(context);
    }
}
END_TEST

/* ---- vade --------------------------------------------------------------- */

static hg_real one_of(const rig *r, const char *name)
{
    return hg_item(hg_params_find(r->params, name));
}

START_TEST(the_mixture_is_fitted_to_codes_after_the_pretraining)
{
    rig r = {0};
    hg_real before[10 * 10], after[10 * 10];
    open_with(&r, "vade", "pretrain", "1");
    hg_tensor *mu = hg_params_find(r.params, "mixture.mu");
    expect_ok(hg_read(mu, before, 100));
    expect_ok(rig_train(&r, 8)); /* one epoch of 15 images */
    expect_ok(hg_read(mu, after, 100));
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert(one_of(&r, "seen") == RIG_ITEMS && one_of(&r, "fitted") == -1);
    expect_ok(rig_train(&r, 1));
    expect_ok(hg_read(mu, after, 100));
    ck_assert_mem_ne(before, after, sizeof before);
    ck_assert(one_of(&r, "fitted") == RIG_ITEMS);
    expect_ok(rig_train(&r, 16));
    ck_assert(one_of(&r, "fitted") == RIG_ITEMS); /* once and for all */
    rig_close(&r);
}
END_TEST

START_TEST(a_kl_that_comes_after_the_pretraining_can_be_weighed)
{
    rig r = {0};
    hg_batch b;
    hg_objective free_bits = {.free_bits = 1};
    open_with(&r, "vade", "pretrain", "1");
    hg_scope *s = hg_next(r.loader, HG_TRAIN, &b);
    b.objective = &free_bits;
    expect_ok(hg_model_step(r.model, r.state, &b, &r.optimizers));
    ck_assert(free_bits.weighed_kl);
    hg_scope_close(s);
    rig_close(&r);
}
END_TEST

START_TEST(the_mixture_is_fitted_again_when_that_is_asked_for)
{
    rig r = {0};
    open_with(&r, "vade", "refit", "2");
    expect_ok(rig_train(&r, 1));
    ck_assert(one_of(&r, "fitted") == 0); /* no epoch of pretraining */
    expect_ok(rig_train(&r, 15));
    ck_assert(one_of(&r, "fitted") == 0 && one_of(&r, "seen") == 2 * RIG_ITEMS);
    hg_set(hg_params_find(r.params, "seen"), RIG_ITEMS); /* as if loaded */
    expect_ok(rig_train(&r, 1));
    ck_assert(one_of(&r, "fitted") == 0);
    expect_ok(rig_train(&r, 8));
    ck_assert(one_of(&r, "fitted") >= 2 * RIG_ITEMS);
    rig_close(&r);
}
END_TEST

/* Codes [RIG_ITEMS, 10] and their log densities under the prior. */
static void codes_and_prior(rig *r, double *code, double *log_p)
{
    hg_real z[RIG_ITEMS * 10], p[RIG_ITEMS];
    hg_scope *s = hg_scope_open(r->context, HG_EVAL);
    hg_tensor *x = first_rows(r, RIG_ITEMS).x;
    hg_tensor *codes = hg_model_encode(r->model, r->state, x);
    expect_ok(hg_read(codes, z, RIG_ITEMS * 10));
    expect_ok(hg_read(r->model->log_prior(r->state, codes), p, RIG_ITEMS));
    for (int i = 0; i < RIG_ITEMS * 10; i++)
        code[i] = (double)z[i];
    for (int i = 0; i < RIG_ITEMS; i++)
        log_p[i] = (double)p[i];
    hg_scope_close(s);
}

START_TEST(full_covariances_are_those_of_the_fitted_mixture)
{
    double code[RIG_ITEMS * 10], got[RIG_ITEMS], want[RIG_ITEMS];
    hg_points points = {code, RIG_ITEMS, 10};
    rig r = {.option = {"covariance", "full", "clusters", "1"}};
    expect_ok(rig_open(&r, hg_model_find("vade")));
    codes_and_prior(&r, code, got);
    hg_mixture *m = hg_mixture_fit(r.context, points, 1, 1, 1);
    expect_ok(m && !m->diagonal);
    expect_ok(hg_mixture_score(r.context, m, points, want, NULL));
    for (int i = 0; i < RIG_ITEMS; i++)
        ck_assert_double_eq_tol(got[i], want[i], 1e3 * CLOSE);
    rig_close(&r);
}
END_TEST

START_TEST(the_prior_of_vade_has_the_density_that_it_draws_from)
{
    /* The mean of p over points even in a box is the box's share. */
    rig r = {0};
    open_with(&r, "vade", "latent", "1");
    hg_real mu[] = {-9, -7, -5, -3, -1, 1, 2, 3, 4, 8}, narrow[10] = {0};
    expect_ok(hg_write(hg_params_find(r.params, "mixture.mu"), mu, 10));
    expect_ok(hg_write(hg_params_find(r.params, "mixture.raw"), narrow, 10));
    hg_scope *s = hg_scope_open(r.context, HG_EVAL);
    hg_tensor *even = hg_uniform(HG_SHAPE(20000, 1), -20, 20);
    hg_tensor *p = hg_exp(r.model->log_prior(r.state, even));
    double whole = 40 * (double)hg_item(hg_mean(p, HG_ALL));
    ck_assert_double_eq_tol(whole, 1, 0.02);
    hg_tensor *draws = r.model->prior(r.state, 20000);
    hg_tensor *x = hg_reshape(even, p->shape);
    double mean = 40 * (double)hg_item(hg_mean(hg_mul(p, x), HG_ALL));
    double drawn = (double)hg_item(hg_mean(draws, HG_ALL));
    ck_assert_double_eq_tol(mean, drawn, 0.2);
    hg_scope_close(s);
    rig_close(&r);
}
END_TEST

TEST_MAIN("recipes", the_jacobian_by_second_derivatives_is_the_closed_form,
          a_k_sparse_code_has_k_units_at_work,
          masking_drops_pixels_and_noise_stays_in_range,
          all_components_give_the_images_back,
          the_decoder_begins_with_the_mean_image,
          the_bound_is_tighter_with_more_draws_and_the_elbo_is_not,
          visible_quarters_are_kept_and_all_numbers_of_them_occur,
          draws_have_every_class_in_turn, more_labels_than_there_are_is_told,
          labels_are_wanted_where_they_are_needed,
          the_mixture_is_fitted_to_codes_after_the_pretraining,
          a_kl_that_comes_after_the_pretraining_can_be_weighed,
          the_mixture_is_fitted_again_when_that_is_asked_for,
          full_covariances_are_those_of_the_fitted_mixture,
          the_prior_of_vade_has_the_density_that_it_draws_from)
