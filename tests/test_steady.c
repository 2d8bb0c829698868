/* test_steady.c - training makes no allocation once it is under way, and no
 * memory grows: counted over many steps of every model. */
#include "models_fixture.h"

enum { WARM_UP = 2 * RIG_ITEMS };

static bool is_quick(const hg_model *m)
{
    static const char *const quick[] = {"ae", "ae-leaky", "vae", "aae",
                                        "conv-vae"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(m->name, quick[i]))
            return true;
    return false;
}

/* A thousand steps where they are quick, as many epochs as show a leak
 * elsewhere. */
static void expect_steady(const hg_model *m, const char *recipe)
{
    rig r = {0};
    int steps = is_quick(m) ? 1000 : 100;
    if (recipe) {
        snprintf(r.option[0], sizeof r.option[0], "recipe");
        snprintf(r.option[1], sizeof r.option[1], "%s", recipe);
    }
    expect_ok(rig_open_with(&r, m, 0, false));
    /* A last batch of one item would have no variance. */
    r.loader = hg_loader_new(r.data, 4, true);
    expect_ok(rig_train(&r, WARM_UP));
    long calls = r.memory.calls, live = r.memory.live;
    size_t bytes = hg_context_bytes(r.context);
    expect_ok(rig_train(&r, steps));
    ck_assert_msg(r.memory.calls == calls && r.memory.live == live,
                  "%s: %ld allocations in %d steps", m->name,
                  r.memory.calls - calls, steps);
    ck_assert_uint_eq(hg_context_bytes(r.context), bytes);
    rig_close(&r);
}

START_TEST(many_steps_of_every_model_allocate_nothing)
{
    for
        EACH_MODEL(m)
    expect_steady(m, NULL);
}
END_TEST

START_TEST(many_steps_as_published_allocate_nothing)
{
    for
        EACH_MODEL(m)
    if (is_quick(m))
        expect_steady(m, "faithful");
}
END_TEST

TEST_MAIN("steady", many_steps_of_every_model_allocate_nothing,
          many_steps_as_published_allocate_nothing)
