/* test_threads.c - the parallel loop, flush-to-zero, and contexts on several
 * threads at once. */
#include "tests/support.h"

#include <float.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- The parallel loop -------------------------------------------------- */

typedef struct {
    int visits[1000];
    hg_real tiny[1000];
} marks;

static void mark_range(void *argument, int64_t from, int64_t to)
{
    marks *m = argument;
    for (int64_t i = from; i < to; i++)
        m->visits[i]++;
}

START_TEST(the_parallel_loop_visits_every_index_once)
{
    for (int threads = 1; threads <= 5; threads++)
        for (int64_t n = 0; n <= 1000; n += 111) {
            marks m = {0};
            hg_parallel_for(threads, n, 10, mark_range, &m);
            for (int64_t i = 0; i < 1000; i++)
                ck_assert_int_eq(m.visits[i], i < n);
        }
}
END_TEST

START_TEST(there_may_be_more_threads_than_shares)
{
    marks m = {0};
    hg_parallel_for(70, 1000, 1, mark_range, &m);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(m.visits[i], 1);
}
END_TEST

typedef struct {
    atomic_int done;
    bool alone; /* the first item waited in vain for all others */
} held;

static void hold_first(void *argument, int64_t from, int64_t to)
{
    held *h = argument;
    for (int64_t i = from; i < to; i++) {
        for (int64_t turns = 0; i == 0 && atomic_load(&h->done) < 7; turns++) {
            if ((h->alone = turns > 10000000))
                break;
            sched_yield();
        }
        atomic_fetch_add(&h->done, 1);
    }
}

START_TEST(a_thread_that_is_held_up_loses_what_it_has_not_begun)
{
    held h = {0};
    hg_parallel_for(2, 8, 1, hold_first, &h);
    ck_assert_int_eq(atomic_load(&h.done), 8);
#ifdef _OPENMP
    ck_assert(!h.alone);
#endif
}
END_TEST

static void nested_range(void *argument, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        hg_parallel_for(2, 1, 0, mark_range, (marks *)argument + i);
}

START_TEST(a_loop_inside_a_loop_runs_on_its_thread)
{
    static marks m[4];
    memset(m, 0, sizeof m);
    hg_parallel_for(2, 4, 1, nested_range, m);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(m[i].visits[0], 1);
}
END_TEST

/* ---- Denormals ---------------------------------------------------------- */

#ifdef HG_DOUBLE
#define SMALLEST DBL_MIN
#else
#define SMALLEST FLT_MIN
#endif

static void halve_range(void *argument, int64_t from, int64_t to)
{
    marks *m = argument;
    for (int64_t i = from; i < to; i++) {
        volatile hg_real x = (hg_real)SMALLEST;
        m->tiny[i] = x * (hg_real)0.5;
    }
}

START_TEST(denormals_are_flushed_inside_the_loop_only)
{
    static marks m;
#if defined(__x86_64__)
    unsigned before = _mm_getcsr() & 0xffc0u; /* without the sticky flags */
#endif
    for (int threads = 1; threads <= 5; threads++) {
        memset(&m, 0xff, sizeof m);
        hg_parallel_for(threads, 1000, 10, halve_range, &m);
#if defined(__x86_64__)
        ck_assert_uint_eq(_mm_getcsr() & 0xffc0u, before);
        for (int i = 0; i < 1000; i++)
            ck_assert(m.tiny[i] == 0);
#endif
        volatile hg_real x = (hg_real)SMALLEST;
        volatile hg_real half = x * (hg_real)0.5;
        ck_assert(half != 0);
    }
}
END_TEST

START_TEST(no_operation_changes_the_floating_point_state_of_the_caller)
{
#if defined(__x86_64__)
    unsigned control = _mm_getcsr() & 0xffc0u; /* without the sticky flags */
    hg_tensor *x = hg_watch(hg_randn(HG_SHAPE(200, 100)));
    hg_tensor *w = hg_watch(hg_randn(HG_SHAPE(50, 100)));
    hg_tensor *y = hg_softmax(hg_linear(hg_exp(x), w, NULL), 1);
    expect_ok(hg_backward(hg_mean(hg_square(y), HG_ALL)));
    ck_assert_uint_eq(_mm_getcsr() & 0xffc0u, control);
#endif
}
END_TEST

/* ---- Two contexts on two threads ---------------------------------------- */

typedef struct {
    uint64_t seed;
    double loss[20];
    hg_real weight[60];
    char sentence[200];
    bool ok;
} training;

static bool train_step(hg_context *own, hg_tensor *w, double *loss)
{
    hg_scope *s = hg_scope_open(own, HG_TRAIN);
    hg_tensor *x = hg_randn(HG_SHAPE(32, 10));
    hg_tensor *h = hg_tanh(hg_linear(x, w, NULL));
    hg_tensor *y = hg_mean(hg_square(hg_shift(h, -0.25)), HG_ALL);
    bool ok = hg_backward(y);
    *loss = (double)hg_item(y);
    hg_scope_close(s);
    return ok && test_descend(w, 0.5);
}

static void *train(void *argument)
{
    training *t = argument;
    hg_context *own = hg_context_new(test_device(), t->seed);
    hg_context_set_threads(own, 2);
    hg_tensor *w = test_parameter(test_owner(own), "w", HG_SHAPE(6, 10), -2);
    t->ok = w != NULL;
    for (int i = 0; i < 20 && t->ok; i++)
        t->ok = train_step(own, w, &t->loss[i]);
    t->ok = t->ok && hg_read(w, t->weight, 60);
    hg_fail(HG_ERROR_STATE, "of thread %d", (int)t->seed);
    snprintf(t->sentence, sizeof t->sentence, "%s", hg_error());
    hg_context_free(own);
    hg_error_clear();
    return NULL;
}

START_TEST(two_threads_train_two_models_as_if_one_after_the_other)
{
    static training alone[2], both[2];
    pthread_t thread[2];
    hg_scope_close(scope);
    for (int i = 0; i < 2; i++) {
        alone[i] = both[i] = (training){.seed = (uint64_t)i + 1};
        train(&alone[i]);
        ck_assert(alone[i].ok);
    }
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, train, &both[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert(both[i].ok);
        ck_assert(!memcmp(both[i].loss, alone[i].loss, sizeof both[i].loss));
        ck_assert(
            !memcmp(both[i].weight, alone[i].weight, sizeof both[i].weight));
    }
    ck_assert(both[0].loss[19] != both[1].loss[19]);
    ck_assert(both[0].loss[19] < both[0].loss[0]);
    ck_assert_str_eq(both[1].sentence, "of thread 2");
}
END_TEST

static void *look_around(void *argument)
{
    bool *clean = argument;
    *clean = !hg_error() && !hg_ambient_here()->scope;
    return NULL;
}

START_TEST(errors_and_scopes_belong_to_their_thread)
{
    pthread_t thread;
    bool clean = false;
    hg_fail(HG_ERROR_STATE, "mine");
    ck_assert_int_eq(pthread_create(&thread, NULL, look_around, &clean), 0);
    pthread_join(thread, NULL);
    ck_assert(clean);
    expect_error(STATE, "mine");
}
END_TEST

/* ---- Contexts handed over ----------------------------------------------- */

static hg_context *handed;
static int finished;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;

enum { HANDED = 20 };

/* Uses and frees what it is given; the next may lie in the same place. */
static void *use_and_free(void *argument)
{
    char *sentence = argument;
    for (int i = 0; i < HANDED; i++) {
        pthread_mutex_lock(&lock);
        while (!handed)
            pthread_cond_wait(&turn, &lock);
        hg_scope *s = hg_scope_open(handed, HG_TRAIN);
        if (s)
            hg_scope_close(s);
        hg_context_free(handed);
        if (hg_error() && !*sentence)
            snprintf(sentence, 200, "%d: %s", i, hg_error());
        hg_error_clear();
        handed = NULL;
        finished++;
        pthread_cond_broadcast(&turn);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

START_TEST(a_thread_may_free_the_contexts_that_another_makes)
{
    pthread_t thread;
    char sentence[200] = "";
    finished = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, use_and_free, sentence), 0);
    pthread_mutex_lock(&lock);
    for (int i = 1; i <= HANDED; i++) {
        handed = hg_context_new(test_device(), 1);
        ck_assert_ptr_nonnull(handed);
        pthread_cond_broadcast(&turn);
        while (finished < i)
            pthread_cond_wait(&turn, &lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    ck_assert_str_eq(sentence, "");
}
END_TEST

TEST_MAIN("threads", the_parallel_loop_visits_every_index_once,
          there_may_be_more_threads_than_shares,
          a_thread_that_is_held_up_loses_what_it_has_not_begun,
          a_loop_inside_a_loop_runs_on_its_thread,
          denormals_are_flushed_inside_the_loop_only,
          no_operation_changes_the_floating_point_state_of_the_caller,
          two_threads_train_two_models_as_if_one_after_the_other,
          errors_and_scopes_belong_to_their_thread,
          a_thread_may_free_the_contexts_that_another_makes)
