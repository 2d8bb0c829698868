/* test_two_devices.c - 200 training steps of every model on the CPU and on a
 * GPU, side by side: each step's losses agree.
 *
 * Both begin each step with the weights that the CPU came to. Left alone they
 * part company where a ReLU is at its bend: a unit that wakes up one step
 * earlier on one device gets a whole step of Adam there. */
#include "models_fixture.h"

enum { STEPS = 200, BATCH = 5 };

static void open_on(rig *r, const hg_model *m, const char *device)
{
    setenv("HOURGLASS_TEST_DEVICE", device, 1);
    r->narrow = true; /* on both */
    expect_ok(rig_open(r, m));
    r->loader = hg_loader_new(r->data, BATCH, true);
}

static double loss_of_step(rig *r)
{
    hg_real loss = NAN;
    expect_ok(rig_step(r));
    expect_ok(hg_report_mean(r->context, "loss", &loss));
    return (double)loss;
}

/* Puts the weights and statistics of one into the other. */
static void copy_weights(const rig *to, const rig *from)
{
    const hg_tensor *t;
    for (int64_t i = 0; (t = hg_params_entry(from->params, i)); i++) {
        hg_tensor *other = hg_params_find(to->params, t->name);
        if (t->dtype == HG_REAL)
            expect_ok(hg_write(other, hg_data(t), hg_numel(t)));
    }
}

static void follow(const hg_model *m)
{
    rig cpu = {0}, gpu = {0};
    open_on(&cpu, m, "cpu");
    open_on(&gpu, m, "cuda");
    for (int i = 1; i <= STEPS; i++) {
        copy_weights(&gpu, &cpu);
        double a = loss_of_step(&cpu), b = loss_of_step(&gpu);
        ck_assert_msg(fabs(b - a) <= 1e-5 * fabs(a) + 1e-10,
                      "%s, step %d: %.9g on the CPU, %.9g on the GPU", m->name,
                      i, a, b);
    }
    rig_close(&cpu);
    rig_close(&gpu);
}

START_TEST(the_losses_of_two_hundred_steps_agree)
{
    if (on_cpu())
        skip_test("there is one device only");
    for
        EACH_MODEL(m)
    follow(m);
    setenv("HOURGLASS_TEST_DEVICE", "cuda", 1);
}
END_TEST

TEST_MAIN("two_devices", the_losses_of_two_hundred_steps_agree)
