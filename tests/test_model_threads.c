/* test_model_threads.c - every model of the zoo trains to the same bits,
 * however many threads work on it, and whatever is trained beside it. */
#include "models_fixture.h"

#include <pthread.h>

/* A step of one and of three threads shows ThreadSanitizer all there is. */
enum { STEPS = WATCHED ? 1 : 3, FEWEST = WATCHED ? 3 : 2 };

static uint64_t bits_after_training(const hg_model *m, int threads,
                                    bool reference)
{
    rig r = {0};
    expect_ok(rig_open_with(&r, m, threads, reference));
    expect_ok(rig_train(&r, STEPS));
    uint64_t bits = rig_bits(&r);
    rig_close(&r);
    return bits;
}

START_TEST(the_number_of_threads_changes_no_bit)
{
    if (!on_cpu())
        skip_test("its kernels have no threads of the CPU");
    for
        EACH_MODEL(m)
    for (int reference = 0; reference < 2; reference++) {
        uint64_t one = bits_after_training(m, 1, reference);
        for (int threads = FEWEST; threads <= 3; threads++)
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
    forget_fetched();
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

TEST_MAIN("model_threads", the_number_of_threads_changes_no_bit,
          two_threads_train_two_models_as_one_after_the_other_does)
