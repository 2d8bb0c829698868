/* test_models.c - what holds for every model of the zoo: sizes and files. */
#include "models_fixture.h"

/* ---- Names and sizes ---------------------------------------------------- */

START_TEST(the_models_have_the_published_number_of_parameters)
{
    static const struct {
        const char *name;
        int64_t parameters;
    } published[] = {
        {"ae", 438180},
        {"ae-leaky", 484944},
        {"vae", 437540},
        {"aae", 4124405},
        {"conv-vae", 87641},
        {"tfp-vae", 741505},
        {"ae-keras", 50992},
        {"conv-ae", 87125},
        {"denoising-ae", 393284},
        {"conv-denoising-ae", 178001},
        {"dropout-ae", 1569784},
        {"sparse-ae", 1569784},
        {"contractive-ae", 785784},
        {"pca", 0},
        {"vae-keras", 807700},
        {"vae-pytorch", 652824},
        {"beta-vae", 917205},
        {"iwae", 425284},
        {"cvae", 660824},
        {"vade", 3351014},
        {"aae-supervised", 4591787},
        {"aae-semi", 5614798},
        {"aae-cluster", 5683821},
        {"gan", 2043537},
    };
    int count = sizeof published / sizeof *published;
    for (int i = 0; i < count; i++) {
        rig r = {.full = true};
        const hg_model *m = hg_model_find(published[i].name);
        ck_assert_msg(m && m == hg_model_at(i), "%s", published[i].name);
        expect_ok(rig_open(&r, m));
        ck_assert_int_eq(hg_params_count(r.params), published[i].parameters);
        rig_close(&r);
    }
    ck_assert_ptr_null(hg_model_at(count));
    ck_assert_ptr_null(hg_model_at(-1));
    ck_assert_ptr_null(hg_model_find("nae"));
}
END_TEST

START_TEST(every_parameter_moves_in_a_step)
{
    for
        EACH_MODEL(m)
        {
            rig r = {0};
            uint64_t before[128];
            const hg_tensor *t;
            expect_ok(rig_open(&r, m));
            for (int64_t i = 0; (t = hg_params_entry(r.params, i)); i++)
                before[i] = tensor_bits(t);
            expect_ok(rig_train(&r, 2));
            for (int64_t i = 0; (t = hg_params_entry(r.params, i)); i++)
                ck_assert_msg(hg_is_buffer(t) || tensor_bits(t) != before[i],
                              "%s: %s stays", m->name, t->name);
            rig_close(&r);
        }
}
END_TEST

START_TEST(a_step_reports_its_loss_and_an_evaluation_reports_nothing)
{
    for
        EACH_MODEL(m)
        {
            rig r = {0};
            hg_metrics metrics;
            hg_real mean = NAN;
            expect_ok(rig_open(&r, m) && rig_train(&r, 1));
            expect_ok(hg_report_mean(r.context, "loss", &mean));
            ck_assert_msg(isfinite(mean), "%s: loss %g", m->name, (double)mean);
            (void)!hg_report_mean(r.context, "kl", &mean);
            expect_ok(hg_model_evaluate(m, r.state, r.data, 7, &metrics));
            ck_assert(!hg_report_mean(r.context, "loss", &mean));
            ck_assert(!hg_report_mean(r.context, "kl", &mean));
            rig_close(&r);
        }
}
END_TEST

/* ---- Training in one call ----------------------------------------------- */

typedef struct {
    int64_t epochs;
    double first, last;
} history;

static void remember(void *user, int64_t epoch, double loss)
{
    history *h = user;
    ck_assert_int_eq(epoch, ++h->epochs);
    h->first = epoch == 1 ? loss : h->first;
    h->last = loss;
}

/* A rig has the images; the model is another one. */
START_TEST(fitting_gives_the_model_and_its_weights)
{
    const hg_model *m = hg_model_find("ae-keras");
    rig r = {0};
    history h = {0};
    hg_metrics metrics;
    hg_params *p;
    expect_ok(rig_open(&r, m));
    void *model = hg_model_fit(r.context, m, r.data, 5, &p, remember, &h);
    expect_ok(model);
    ck_assert_int_eq(hg_params_count(p), 50992);
    ck_assert_int_eq(h.epochs, 5);
    ck_assert_double_lt(h.last, h.first);
    expect_ok(hg_model_evaluate(m, model, r.data, 7, &metrics));
    ck_assert_double_lt(metrics.loss, h.first);
    rig_close(&r);
}
END_TEST

START_TEST(what_cannot_be_fitted_is_an_error)
{
    const hg_model *m = hg_model_find("ae-keras");
    hg_params *p = hg_params_new(ctx);
    ck_assert_ptr_null(hg_model_fit(ctx, m, NULL, 1, &p, NULL, NULL));
    ck_assert_ptr_null(p);
    expect_error(ARGUMENT, "is NULL");
}
END_TEST

/* ---- Files -------------------------------------------------------------- */

START_TEST(a_model_that_was_saved_and_loaded_has_the_same_loss)
{
    for
        EACH_MODEL(m)
        {
            rig trained = {0}, loaded = {0};
            hg_metrics a, b;
            const char *file = temporary("model.safetensors");
            expect_ok(rig_open(&trained, m) && rig_train(&trained, 2));
            expect_ok(hg_params_save(trained.params, file));
            expect_ok(rig_open(&loaded, m));
            ck_assert(!trained.optimizers.count ||
                      rig_bits(&trained) != rig_bits(&loaded));
            expect_ok(hg_params_load(loaded.params, file));
            ck_assert_uint_eq(rig_bits(&trained), rig_bits(&loaded));
            expect_ok(hg_model_evaluate(m, trained.state, trained.data, 7, &a));
            expect_ok(hg_model_evaluate(m, loaded.state, loaded.data, 7, &b));
            ck_assert_msg(a.loss == b.loss && isfinite(a.loss), "%s: %g and %g",
                          m->name, a.loss, b.loss);
            rig_close(&trained);
            rig_close(&loaded);
            unlink(file);
        }
}
END_TEST

START_TEST(a_model_has_at_most_eight_optimisers)
{
    hg_optimizers o = {0};
    hg_params *p = hg_params_new(ctx);
    hg_param(p, "w", HG_SHAPE(1), HG_INIT(HG_INIT_ZEROS));
    hg_optimizer *one = hg_sgd(p, "one", (hg_sgd_options){.rate = 1});
    for (int i = 0; i < 8; i++)
        expect_ok(hg_optimizers_add(&o, one));
    ck_assert(!hg_optimizers_add(&o, one) && o.count == 8);
    expect_error(ARGUMENT, "hg_optimizers_add", "at most 8");
}
END_TEST

static void touch_nothing(void *model, hg_params *p, const hg_config *c)
{
    (void)model, (void)p, (void)c;
}

START_TEST(a_model_without_a_size_is_refused)
{
    static const hg_model bare = {.name = "bare", .build = touch_nothing};
    static const hg_model whole = {
        .name = "whole", .size = 8, .build = touch_nothing};
    static const uint8_t pixel[1];
    hg_data *data = hg_data_from(ctx, pixel, "u1", HG_SHAPE(1, 1), NULL,
                                 (hg_data_options){0});
    hg_params *p = hg_params_new(ctx);
    const hg_config *c = hg_config_new(ctx, &bare, data);
    const unsigned char *state = hg_model_build(&whole, p, c);
    expect_ok(state != NULL);
    ck_assert_mem_eq(state, (char[8]){0}, 8);
    ck_assert_ptr_null(hg_model_build(&bare, p, c));
    expect_error(ARGUMENT, ".size");
    ck_assert_ptr_null(hg_model_build(NULL, p, c));
    expect_error(ARGUMENT, "model is NULL");
    ck_assert_ptr_null(hg_model_build(&whole, p, NULL));
    expect_error(ARGUMENT, "hg_config_new");
}
END_TEST

START_TEST(a_model_of_steps_alone_has_no_loss_to_ask_for)
{
    static const hg_model idle = {.name = "idle"};
    hg_batch b = {.size = 1};
    ck_assert_ptr_null(hg_model_loss(&idle, NULL, &b));
    expect_error(ARGUMENT, "idle has no loss");
}
END_TEST

TEST_MAIN("models", a_model_without_a_size_is_refused,
          a_model_of_steps_alone_has_no_loss_to_ask_for,
          the_models_have_the_published_number_of_parameters,
          every_parameter_moves_in_a_step,
          a_step_reports_its_loss_and_an_evaluation_reports_nothing,
          fitting_gives_the_model_and_its_weights,
          what_cannot_be_fitted_is_an_error,
          a_model_that_was_saved_and_loaded_has_the_same_loss,
          a_model_has_at_most_eight_optimisers)
