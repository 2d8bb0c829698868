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
        skip_test("nothing is replayed there");
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

/* The model at its own size, with noise for pictures. */
static void open_workload(rig *r, const hg_model *m, int64_t batch)
{
    hg_data_options borrow = {.borrow = true};
    static uint8_t image[256 * 784];
    for (int i = 0; i < 256 * 784; i++)
        image[i] = (uint8_t)((unsigned)i * 2654435761u >> 24);
    setenv("HOURGLASS_TEST_DEVICE", "cuda", 1);
    if (scope)
        hg_scope_close(scope);
    scope = NULL;
    r->model = m;
    r->context =
        hg_context_new_with(test_device(), 42, test_allocator(&r->memory));
    r->data = hg_data_from(r->context, image, "u1", HG_SHAPE(256, 1, 28, 28),
                           NULL, borrow);
    r->params = hg_params_new(r->context);
    hg_config *c = hg_config_new(r->context, m, r->data);
    r->state = hg_model_build(m, r->params, c);
    r->loader = hg_loader_new(r->data, batch, true);
    expect_ok(hg_model_optimizers(m, r->state, r->params, c, &r->optimizers));
}

/* Kernels of one step, batch and update included. */
START_TEST(a_step_takes_few_launches)
{
    static const struct {
        const char *name;
        int64_t batch;
        uint64_t most;
    } load[] = {{"ae", 32, 14},
                {"vae", 32, 16},
                {"aae", 100, 56},
                {"conv-vae", 256, 43}};
    if (on_cpu())
        skip_test("nothing is replayed there");
    for (int i = 0; i < 4; i++) {
        rig r = {0};
        uint64_t before = 0;
        open_workload(&r, hg_model_find(load[i].name), load[i].batch);
        for (int step = 0; step < 2; step++) {
            before = r.context->launches;
            expect_ok(rig_step(&r));
        }
        ck_assert_msg(r.context->launches - before <= load[i].most,
                      "%s: %d launches", load[i].name,
                      (int)(r.context->launches - before));
        rig_close(&r);
    }
}
END_TEST

/* Reports, their notes and the batches' order included. */
START_TEST(training_does_not_wait_for_the_device)
{
    rig r = {0};
    int64_t tag, taken = 0;
    if (on_cpu())
        skip_test("nothing is replayed there");
    expect_ok(rig_open(&r, hg_model_find("vae")));
    expect_ok(rig_train(&r, 2)); /* the set is sent, room is made */
    uint64_t before = r.context->waits;
    for (int i = 0; i < HG_REPORT_NOTES; i++) {
        expect_ok(rig_step(&r));
        expect_ok(hg_report_note(r.context, i));
    }
    ck_assert_uint_eq(r.context->waits, before);
    while (hg_report_take(r.context, true, &tag))
        ck_assert_int_eq(tag, taken++);
    ck_assert_int_eq(taken, HG_REPORT_NOTES);
    rig_close(&r);
}
END_TEST

/* ---- Each replay beside a run without ----------------------------------- */

/* The last batch of an epoch is smaller, and each kind is captured. */
START_TEST(no_replay_of_any_model_differs_from_its_operations_one_by_one)
{
    if (on_cpu())
        skip_test("nothing is replayed there");
    setenv("HOURGLASS_REPLAY", "verify", 1);
    for
        EACH_MODEL(m)
        {
            rig r = {0};
            expect_ok(rig_open(&r, m));
            expect_ok(rig_train(&r, STEPS / 2));
            ck_assert_msg(r.context->replays > 0, "%s", m->name);
            ck_assert_uint_eq(r.context->verified, r.context->replays);
            rig_close(&r);
        }
    unsetenv("HOURGLASS_REPLAY");
}
END_TEST

static int times_run;
static const hg_tensor *honest;

/* x y or y y, in turn. */
static void fickle_run(const hg_kernel *k)
{
    hg_kernel other = *k;
    other.op = honest->op;
    other.attr = honest->attr;
    other.in[0] = k->in[times_run++ % 2];
    honest->op->cuda(&other);
}

static const hg_op fickle = {.name = "fickle",
                             .arity = 2,
                             .contiguous = true,
                             .shape = first_shape,
                             .cpu = product_cpu,
                             .cuda = fickle_run};

static bool fickle_step(hg_context *context)
{
    hg_scope *s = hg_scope_open(context, HG_EVAL);
    hg_tensor *x = hg_full(HG_SHAPE(3), 2), *y = hg_full(HG_SHAPE(3), 5);
    honest = hg_mul(x, y);
    hg_apply(&fickle, NULL, x, y);
    hg_scope_close(s);
    return !hg_error();
}

START_TEST(a_replay_with_other_bits_is_found)
{
    if (on_cpu())
        skip_test("nothing is replayed there");
    setenv("HOURGLASS_REPLAY", "verify", 1);
    hg_scope_close(scope);
    scope = NULL;
    hg_context *context = hg_context_new(test_device(), 42);
    expect_ok(fickle_step(context));
    ck_assert(!fickle_step(context));
    expect_error(DEVICE, "replaying a step", "are not those that its 4",
                 "HOURGLASS_REPLAY=0");
    hg_context_free(context);
    unsetenv("HOURGLASS_REPLAY");
}
END_TEST

TEST_MAIN("replay", a_replayed_run_has_the_bits_of_one_that_was_not,
          a_step_takes_few_launches, training_does_not_wait_for_the_device,
          no_replay_of_any_model_differs_from_its_operations_one_by_one,
          a_replay_with_other_bits_is_found)
