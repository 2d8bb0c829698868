/* test_recipes.c - what single models promise beyond what holds for all. */
#include "models_fixture.h"

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

TEST_MAIN("recipes", the_jacobian_by_second_derivatives_is_the_closed_form,
          a_k_sparse_code_has_k_units_at_work,
          masking_drops_pixels_and_noise_stays_in_range)
