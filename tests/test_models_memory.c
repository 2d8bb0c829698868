/* test_models_memory.c - every model of the zoo with each allocation failing in
 * turn: a sentence, nothing leaked, nothing changed. */
#include "models_fixture.h"

#include <unistd.h>

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
    bool several = r->optimizers.count > 1 && !strcmp(when, "step");
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

/* A file that differs from a model that was built just now. */
static void save_trained(const hg_model *m)
{
    rig r = {0};
    expect_ok(rig_open(&r, m) && rig_step(&r) && save(&r));
    rig_close(&r);
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
            save_trained(m);
            fail_in_turn(m, "load", load);
            unlink(temporary("model.safetensors"));
        }
}
END_TEST

TEST_MAIN("models_memory",
          building_without_memory_is_a_sentence_and_leaks_nothing,
          a_step_without_memory_changes_nothing,
          saving_and_loading_without_memory_change_nothing)
