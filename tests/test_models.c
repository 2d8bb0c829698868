/* test_models.c - what holds for every model of the zoo: sizes, failing
 * allocations, files, threads. */
#include "models_fixture.h"

#include <pthread.h>
#include <unistd.h>

static const char *temporary(const char *name)
{
    static char path[4096];
    const char *root = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/hourglass-%d-%s", root ? root : "/tmp",
             (int)getpid(), name);
    return path;
}

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

/* ---- Every allocation fails in turn ------------------------------------- */

static void expect_no_memory(const hg_model *m, const char *when, long n)
{
    ck_assert_msg(hg_error() && hg_error_kind() == HG_ERROR_MEMORY,
                  "%s, %s, allocation %ld: %s", m->name, when, n,
                  hg_error() ? hg_error() : "no error");
    hg_error_clear();
}

START_TEST(building_without_memory_is_a_sentence_and_leaks_nothing)
{
    for
        EACH_MODEL(m)
        {
            bool done = false;
            for (long n = 1; !done; n++) {
                rig r = {.memory = {.fail_at = n}};
                done = rig_open(&r, m);
                if (!done)
                    expect_no_memory(m, "build", n);
                expect_no_error();
                rig_close(&r);
            }
        }
}
END_TEST

/* Weights and running statistics after `act` failed are those before it. A
 * step of several updates (aae) may have made the first of them: each is whole
 * or not at all. */
static void expect_whole_updates(const rig *r, const rig *before,
                                 const rig *after, const char *when, long n)
{
    const hg_tensor *t;
    bool several = r->optimizers.count > 1;
    for (int64_t i = 0; (t = hg_params_entry(r->params, i)); i++) {
        uint64_t bits = tensor_bits(t);
        bool same = bits == tensor_bits(hg_params_entry(before->params, i));
        bool done = bits == tensor_bits(hg_params_entry(after->params, i));
        /* The encoder is updated twice; what it is in between, nobody has. */
        bool between = !strncmp(t->name, "encoder", 7);
        ck_assert_msg(same || (several && (done || between)),
                      "%s, %s, allocation %ld: %s has changed", r->model->name,
                      when, n, t->name);
    }
}

/* `act` with the n-th allocation from here failing, for n = 1, 2, ... until it
 * gets through; the weights stay as they were, and training goes on. */
static void fail_in_turn(const hg_model *m, const char *when,
                         bool (*act)(rig *))
{
    bool done = false;
    rig before = {0}, after = {0};
    expect_ok(rig_open(&before, m) && rig_open(&after, m) && rig_step(&after));
    for (long n = 1; !done; n++) {
        rig r = {0};
        expect_ok(rig_open(&r, m));
        r.memory.fail_at = r.memory.calls + n;
        done = act(&r);
        r.memory.fail_at = 0;
        if (!done) {
            expect_no_memory(m, when, n);
            expect_whole_updates(&r, &before, &after, when, n);
        }
        expect_ok(rig_train(&r, 2));
        ck_assert(!r.optimizers.count || rig_bits(&r) != rig_bits(&before));
        rig_close(&r);
    }
    rig_close(&before);
    rig_close(&after);
}

static bool save(rig *r)
{
    return hg_params_save(r->params, temporary("model.safetensors"));
}

static bool load(rig *r)
{
    return hg_params_load(r->params, temporary("model.safetensors"));
}

START_TEST(a_step_without_memory_changes_nothing)
{
    for
        EACH_MODEL(m)
    fail_in_turn(m, "step", rig_step);
}
END_TEST

START_TEST(saving_and_loading_without_memory_change_nothing)
{
    for
        EACH_MODEL(m)
        {
            fail_in_turn(m, "save", save); /* ends with a file that is whole */
            fail_in_turn(m, "load", load);
            unlink(temporary("model.safetensors"));
        }
}
END_TEST

/* ---- Threads ------------------------------------------------------------ */

static uint64_t bits_after_training(const hg_model *m, int threads,
                                    bool reference)
{
    rig r = {0};
    expect_ok(rig_open_with(&r, m, threads, reference));
    expect_ok(rig_train(&r, 3));
    uint64_t bits = rig_bits(&r);
    rig_close(&r);
    return bits;
}

START_TEST(the_number_of_threads_changes_no_bit)
{
    for
        EACH_MODEL(m)
    for (int reference = 0; reference < 2; reference++) {
        uint64_t one = bits_after_training(m, 1, reference);
        for (int threads = 2; threads <= 3; threads++)
            ck_assert_msg(bits_after_training(m, threads, reference) == one,
                          "%s: %d threads give other weights than one (%s)",
                          m->name, threads,
                          reference ? "reference kernels" : "fast kernels");
    }
}
END_TEST

typedef struct {
    const char *model;
    uint64_t bits;
    char error[256];
} job;

static void *train_job(void *argument)
{
    job *j = argument;
    rig r = {0};
    if (rig_open(&r, hg_model_find(j->model)) && rig_train(&r, 5))
        j->bits = rig_bits(&r);
    else
        snprintf(j->error, sizeof j->error, "%s", hg_error());
    hg_context_free(r.context);
    return NULL;
}

START_TEST(two_threads_train_two_models_as_one_after_the_other_does)
{
    static const char *const pairs[][2] = {
        {"ae", "conv-vae"}, {"vae", "ae-leaky"}, {"aae", "tfp-vae"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        job alone[2], beside[2];
        pthread_t thread[2];
        for (int k = 0; k < 2; k++) {
            alone[k] = beside[k] = (job){.model = pairs[i][k]};
            train_job(&alone[k]);
        }
        for (int k = 0; k < 2; k++)
            pthread_create(&thread[k], NULL, train_job, &beside[k]);
        for (int k = 0; k < 2; k++) {
            pthread_join(thread[k], NULL);
            ck_assert_str_eq(beside[k].error, "");
            ck_assert_msg(alone[k].bits && alone[k].bits == beside[k].bits,
                          "%s differs when %s is trained beside it",
                          pairs[i][k], pairs[i][1 - k]);
        }
    }
}
END_TEST

TEST_MAIN("models", the_models_have_the_published_number_of_parameters,
          every_parameter_moves_in_a_step,
          a_step_reports_its_loss_and_an_evaluation_reports_nothing,
          a_model_that_was_saved_and_loaded_has_the_same_loss,
          building_without_memory_is_a_sentence_and_leaks_nothing,
          a_step_without_memory_changes_nothing,
          saving_and_loading_without_memory_change_nothing,
          the_number_of_threads_changes_no_bit,
          two_threads_train_two_models_as_one_after_the_other_does)
