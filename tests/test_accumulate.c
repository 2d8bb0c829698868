/* test_accumulate.c - one update from the gradients of several rounds. */
#include "tests/support.h"
#include "nn/nn.h"

#include <stdio.h>
#include <unistd.h>

static const hg_real start[] = {1, -2, (hg_real)0.5};

typedef struct {
    hg_params *p;
    hg_tensor *w;
    hg_optimizer *o;
} problem;

static problem problem_of(hg_optimizer *(*make)(hg_params *))
{
    problem q = {.p = hg_params_new(ctx)};
    q.w = hg_param(q.p, "w", HG_SHAPE(3), HG_INIT(HG_INIT_ZEROS));
    expect_ok(q.w && hg_write(q.w, start, 3));
    q.o = make(q.p);
    ck_assert_ptr_nonnull(q.o);
    return q;
}

static hg_optimizer *make_sgd(hg_params *p)
{
    return hg_sgd(p, "o", (hg_sgd_options){.rate = 0.5});
}

static hg_optimizer *make_adam(hg_params *p)
{
    return hg_adam(p, "o", (hg_adam_options){.rate = 0.1});
}

/* sum(c w), whose gradient is c. */
static bool minimize(const problem *q, hg_real a, hg_real b, hg_real c)
{
    bool ok = hg_minimize(total(hg_mul(q->w, vector(a, b, c))), q->o);
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_TRAIN);
    return ok;
}

START_TEST(an_update_is_made_from_the_mean_of_the_rounds)
{
    problem q = problem_of(make_sgd);
    expect_ok(hg_optimizer_accumulate(q.o, 2));
    for (int i = 1; i <= 2; i++) {
        expect_ok(minimize(&q, 1, 2, 0));
        ck_assert_int_eq(hg_optimizer_steps(q.o), i - 1);
        expect_ok(minimize(&q, 3, -2, 4));
        ck_assert_int_eq(hg_optimizer_steps(q.o), i);
        expect_values(q.w, 1 - i, -2, 0.5 - i);
    }
}
END_TEST

START_TEST(rounds_follow_one_large_batch)
{
    problem many = problem_of(make_adam), one = problem_of(make_adam);
    expect_ok(hg_optimizer_accumulate(many.o, 4));
    for (int i = 0; i < 3; i++) {
        expect_ok(minimize(&many, 1, 2, 3) && minimize(&many, 3, 2, 1));
        expect_ok(minimize(&many, -4, 0, 0) && minimize(&many, 2, 0, 4));
        expect_ok(minimize(&one, (hg_real)0.5, 1, 2));
    }
    hg_real values[3];
    expect_ok(hg_read(one.w, values, 3));
    expect_values_n(
        many.w,
        (double[]){(double)values[0], (double)values[1], (double)values[2]}, 3,
        1e-6);
}
END_TEST

START_TEST(what_was_added_up_is_saved_and_loaded)
{
    char file[64];
    snprintf(file, sizeof file, "accumulate-%d.safetensors", (int)getpid());
    problem q = problem_of(make_adam), r = problem_of(make_adam);
    expect_ok(hg_optimizer_accumulate(q.o, 3));
    expect_ok(hg_optimizer_accumulate(r.o, 3));
    expect_ok(minimize(&q, 1, 2, 3) && minimize(&q, 3, 1, -1));
    expect_ok(hg_optimizers_save(&q.o, 1, file));
    expect_ok(hg_optimizers_load(&r.o, 1, file));
    unlink(file);
    expect_ok(minimize(&q, 5, 5, 5) && minimize(&r, 5, 5, 5));
    hg_real a[3], b[3];
    expect_ok(hg_read(q.w, a, 3) && hg_read(r.w, b, 3));
    for (int i = 0; i < 3; i++) {
        ck_assert(a[i] == b[i]);
        ck_assert(a[i] != start[i]);
    }
}
END_TEST

START_TEST(other_rounds_begin_afresh)
{
    problem q = problem_of(make_sgd);
    expect_ok(hg_optimizer_accumulate(q.o, 4));
    expect_ok(minimize(&q, 100, 100, 100) && minimize(&q, 100, 100, 100));
    expect_ok(hg_optimizer_accumulate(q.o, 2));
    expect_ok(minimize(&q, 1, 2, 0) && minimize(&q, 3, -2, 4));
    expect_values(q.w, 0, -2, -0.5);
    expect_ok(minimize(&q, 100, 100, 100));
    expect_ok(hg_optimizer_accumulate(q.o, 1));
    expect_ok(minimize(&q, 2, 0, 0));
    expect_values(q.w, -1, -2, -0.5);
}
END_TEST

/* ---- Resuming between two rounds ---------------------------------------- */

/* The second round reaches w alone; u waits with what the first one left. */
typedef struct {
    hg_params *p;
    hg_tensor *w, *u;
    hg_optimizer *o;
} pair;

static pair pair_of(double momentum)
{
    pair q = {.p = hg_params_new(ctx)};
    hg_sgd_options options = {.rate = 1, .momentum = momentum};
    q.w = hg_param(q.p, "w", HG_SCALAR, HG_INIT(HG_INIT_ZEROS));
    q.u = hg_param(q.p, "u", HG_SCALAR, HG_INIT(HG_INIT_ZEROS));
    q.o = hg_sgd(q.p, "o", options);
    expect_ok(q.o && hg_optimizer_accumulate(q.o, 2));
    return q;
}

/* a w + b u, in a scope of its own. */
static bool descend(const pair *q, hg_real a, hg_real b, bool both)
{
    hg_tensor *loss = hg_scale(q->w, (double)a);
    if (both)
        loss = hg_add(loss, hg_scale(q->u, (double)b));
    bool ok = hg_minimize(loss, q->o);
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_TRAIN);
    return ok;
}

START_TEST(a_sum_that_waits_is_applied_after_loading)
{
    char file[64];
    snprintf(file, sizeof file, "waiting-%d.safetensors", (int)getpid());
    for (int slope = 0; slope < 2; slope++) { /* a sum of 0 waits as well */
        pair q = pair_of(0.5), r = pair_of(0.5);
        expect_ok(descend(&q, 0, 4, true) && descend(&q, 0, 4, true));
        expect_ok(descend(&q, 1, (hg_real)slope, true));
        expect_ok(hg_params_save(q.p, file) && hg_params_load(r.p, file));
        expect_ok(hg_optimizers_save(&q.o, 1, file));
        expect_ok(hg_optimizers_load(&r.o, 1, file));
        unlink(file);
        expect_ok(descend(&q, 1, 0, false) && descend(&r, 1, 0, false));
        expect_values(q.u, -4 - 2 - 0.5 * slope);
        ck_assert(same_bits(q.u, r.u) && same_bits(q.w, r.w));
    }
}
END_TEST

/* What was saved before `waiting` was: a sum that is not 0 waits. */
START_TEST(a_state_that_does_not_say_what_waits_can_be_loaded)
{
    char file[64];
    snprintf(file, sizeof file, "older-%d.safetensors", (int)getpid());
    pair q = pair_of(0);
    hg_params *older = hg_params_new(ctx);
    const char *counts[] = {"o/steps", "o/w.step", "o/u.step", "o/round"};
    for (int i = 0; i < 4; i++)
        expect_ok(hg_counter(older, counts[i]));
    expect_ok(hg_assign(hg_params_find(older, "o/round"),
                        hg_from((const int32_t[]){1}, "i4", HG_SCALAR)));
    expect_ok(hg_buffer(older, "o/rate", HG_SCALAR, 1));
    expect_ok(hg_buffer(older, "o/w.accumulated", HG_SCALAR, 0));
    expect_ok(hg_buffer(older, "o/u.accumulated", HG_SCALAR, (hg_real)0.5));
    expect_ok(hg_params_save(older, file));
    expect_ok(descend(&q, 1, 7, true)); /* goes when the file comes */
    expect_ok(hg_optimizers_load(&q.o, 1, file));
    unlink(file);
    expect_ok(descend(&q, 2, 0, false));
    expect_values(q.w, -1);
    expect_values(q.u, -0.5);
}
END_TEST

START_TEST(one_round_is_ordinary_training)
{
    problem q = problem_of(make_sgd);
    expect_ok(hg_optimizer_accumulate(q.o, 1));
    expect_ok(minimize(&q, 2, 0, 0));
    expect_values(q.w, 0, -2, 0.5);
    ck_assert(!hg_optimizer_accumulate(q.o, 0));
    expect_error(ARGUMENT, "at least one round");
    ck_assert(!hg_optimizer_accumulate(NULL, 2));
    expect_error(ARGUMENT, "hg_optimizer_accumulate");
}
END_TEST

TEST_MAIN("accumulate", an_update_is_made_from_the_mean_of_the_rounds,
          rounds_follow_one_large_batch, what_was_added_up_is_saved_and_loaded,
          other_rounds_begin_afresh, a_sum_that_waits_is_applied_after_loading,
          a_state_that_does_not_say_what_waits_can_be_loaded,
          one_round_is_ordinary_training)
