/* test_replay.c - steps that are replayed as a graph on a GPU, against steps
 * that are not, and against the CPU. */
#include "models_fixture.h"

enum { STEPS = 6 }; /* fewer than an epoch of RIG_ITEMS has */

/* Trains a model; what the weights came to, and the losses. */
static uint64_t train(const hg_model *m, const char *device, bool replay,
                      uint64_t replays[STEPS], uint64_t *launches)
{
    rig r = {0};
    setenv("HOURGLASS_TEST_DEVICE", device, 1);
    expect_ok(rig_open(&r, m));
    r.context->replay = replay;
    for (int i = 0; i < STEPS; i++) {
        uint64_t before = r.context->launches;
        expect_ok(rig_step(&r));
        replays[i] = r.context->replays;
        *launches = r.context->launches - before;
    }
    uint64_t bits = rig_bits(&r);
    rig_close(&r);
    return bits;
}

START_TEST(a_replayed_run_has_the_bits_of_one_that_was_not)
{
    static const char *const names[] = {"ae", "vae", "aae", "conv-vae"};
    if (on_cpu())
        return; /* nothing is replayed there */
    for (int i = 0; i < 4; i++) {
        const hg_model *m = hg_model_find(names[i]);
        uint64_t with[STEPS], without[STEPS], launches;
        uint64_t a = train(m, "cuda", true, with, &launches);
        uint64_t b = train(m, "cuda", false, without, &launches);
        ck_assert_msg(a == b, "%s: the bits differ", names[i]);
        ck_assert_uint_eq(without[STEPS - 1], 0);
        /* First sight, then capture; from the third step on one graph. */
        for (int s = 2; s < STEPS; s++)
            ck_assert_msg(with[s] == with[s - 1] + 1, "%s, step %d: %d graphs",
                          names[i], s + 1, (int)(with[s] - with[s - 1]));
    }
}
END_TEST

/* Kernels of one step, batch and update included. */
START_TEST(a_step_takes_few_launches)
{
    static const struct {
        const char *name;
        uint64_t most;
    } limit[] = {{"ae", 46}, {"vae", 76}, {"aae", 160}, {"conv-vae", 122}};
    if (on_cpu())
        return;
    for (int i = 0; i < 4; i++) {
        uint64_t replays[STEPS], launches;
        train(hg_model_find(limit[i].name), "cuda", true, replays, &launches);
        ck_assert_msg(launches <= limit[i].most, "%s: %d launches",
                      limit[i].name, (int)launches);
    }
}
END_TEST

TEST_MAIN("replay", a_replayed_run_has_the_bits_of_one_that_was_not,
          a_step_takes_few_launches)
