/* test_saving.c - disks that are full, the state of optimisers, allocations
 * that fail. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "tests/safetensors_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- Writing that fails ------------------------------------------------- */

START_TEST(saving_works_while_an_error_is_pending_and_loading_refuses)
{
    hg_params *p = make_model();
    fill_model(p);
    hg_fail(HG_ERROR_DATA, "something else");
    ck_assert(hg_params_save(p, path_of("m")));
    ck_assert(!hg_params_load(p, path_of("m")));
    expect_error(DATA, "something else");
    expect_ok(hg_params_load(p, path_of("m")));
}
END_TEST

static void expect_old_file(const char *name)
{
    hg_params *q = make_model();
    ck_assert(!exists("m.tmp"));
    expect_ok(hg_params_load(q, path_of(name)));
    expect_model(q);
}

START_TEST(a_full_disk_leaves_the_old_file)
{
    hg_params *p = make_model();
    fill_model(p);
    expect_ok(hg_params_save(p, path_of("m")));
    hg_set(hg_params_find(p, "scale"), 9);
    struct rlimit was, tight;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    tight = was;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (rlim_t most = 0; most < 200; most += 50) {
        tight.rlim_cur = most;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
        bool saved = hg_params_save(p, path_of("m"));
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
        ck_assert(!saved);
        expect_error(IO, "m cannot be written", strerror(EFBIG), "still there");
        expect_old_file("m");
    }
    signal(SIGXFSZ, handler);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_said)
{
    hg_params *p = make_model();
    fill_model(p);
    ck_assert(!hg_params_save(p, path_of("no/such/folder")));
    expect_error(IO, "cannot be written", strerror(ENOENT));
    ck_assert_int_eq(mkdir(path_of("d"), 0700), 0);
    ck_assert(!hg_params_save(p, path_of("d")));
    expect_error(IO, "cannot be written", strerror(EISDIR));
    ck_assert(!exists("d.tmp"));
    ck_assert(!hg_params_save_with(p, path_of("m"),
                                   (const char *const[]){"key", "\xff", NULL}));
    expect_error(ARGUMENT, "metadata");
    ck_assert(!hg_params_save_with(p, path_of("m"),
                                   (const char *const[]){"key", NULL, NULL}));
    expect_error(ARGUMENT, "metadata");
    ck_assert(!exists("m") && !exists("m.tmp"));
}
END_TEST

START_TEST(a_read_only_folder_leaves_the_old_file)
{
    if (!geteuid())
        skip_test("root may write everywhere");
    hg_params *p = make_model();
    fill_model(p);
    expect_ok(hg_params_save(p, path_of("m")));
    ck_assert_int_eq(chmod(folder, 0500), 0);
    ck_assert(!hg_params_save(p, path_of("m")));
    ck_assert_int_eq(chmod(folder, 0700), 0);
    expect_error(IO, strerror(EACCES));
    expect_old_file("m");
}
END_TEST

/* ---- Optimisers --------------------------------------------------------- */

typedef struct {
    hg_params *p;
    nn_layer *net;
    hg_optimizer *o[3];
} machine;

static machine build_machine(hg_context *context)
{
    machine m = {.p = hg_params_new(context)};
    m.net = nn_chain(m.p, nn_linear(m.p, "a", 5, 7), nn_tanh(m.p),
                     nn_linear(m.p, "b", 7, 5));
    m.o[0] = hg_adam(hg_params_at(m.p, "a"), "first", (hg_adam_options){0});
    m.o[1] = hg_rmsprop(hg_params_at(m.p, "b"), "second",
                        (hg_rmsprop_options){.centered = true});
    m.o[2] = hg_sgd(hg_params_at(m.p, "b"), "third",
                    (hg_sgd_options){.momentum = 0.5});
    return m;
}

static bool train_once(hg_context *context, machine *m)
{
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    bool ok = s != NULL;
    for (int i = 1; ok && i < 3; i++) {
        hg_tensor *x = hg_rand(HG_SHAPE(4, 5));
        hg_tensor *y = nn_forward(m->net, x);
        ok = hg_minimize(hg_mean(hg_square(hg_sub(y, x)), HG_ALL), m->o[0],
                         m->o[i]);
    }
    if (s)
        hg_scope_close(s);
    return ok;
}

static hg_context *new_context(test_memory *m)
{
    *m = (test_memory){0};
    return hg_context_new_with(test_device(), 3, test_allocator(m));
}

START_TEST(training_goes_on_from_files_with_the_same_bits)
{
    test_memory m;
    hg_scope_close(scope);
    hg_context *c = new_context(&m);
    machine a = build_machine(c);
    for (int i = 0; i < 4; i++)
        expect_ok(train_once(c, &a));
    hg_set(hg_optimizer_rate(a.o[2]), (hg_real)0.3);
    expect_ok(hg_params_save(a.p, path_of("model")));
    expect_ok(hg_optimizers_save(a.o, 3, path_of("state")));
    uint64_t steps[2];
    hg_context_steps(c, steps);
    for (int i = 0; i < 4; i++)
        expect_ok(train_once(c, &a));
    hg_context *d = new_context(&m);
    machine b = build_machine(d);
    expect_ok(train_once(d, &b)); /* something else before */
    expect_ok(hg_params_load(b.p, path_of("model")));
    expect_ok(hg_optimizers_load(b.o, 3, path_of("state")));
    ck_assert_int_eq(hg_optimizer_steps(b.o[0]), 8);
    ck_assert_int_eq(hg_optimizer_steps(b.o[1]), 4);
    hg_context_set_steps(d, steps);
    for (int i = 0; i < 4; i++)
        expect_ok(train_once(d, &b));
    for (int64_t i = 0; hg_params_entry(a.p, i); i++)
        ck_assert(same_bits(hg_params_entry(a.p, i), hg_params_entry(b.p, i)));
    hg_context_free(c);
    hg_context_free(d);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(the_state_is_saved_under_the_optimisers_name)
{
    machine m = build_machine(ctx);
    char bytes[8192];
    expect_ok(hg_optimizers_save(m.o, 3, path_of("state")));
    size_t size = read_file("state", bytes, sizeof bytes - 1);
    for (size_t i = 0; i < size; i++)
        if (!bytes[i])
            bytes[i] = ' ';
    bytes[size] = 0;
    static const char *const names[] = {"\"first/rate\"",
                                        "\"first/steps\"",
                                        "\"first/a.weight.step\"",
                                        "\"first/a.weight.exp_avg\"",
                                        "\"first/a.bias.exp_avg_sq\"",
                                        "\"second/b.weight.square_avg\"",
                                        "\"second/b.weight.grad_avg\"",
                                        "\"third/b.bias.momentum_buffer\""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(strstr(bytes, names[i]) != NULL, "%s", names[i]);
    ck_assert_ptr_null(strstr(bytes, "second/b.weight.momentum_buffer"));
}
END_TEST

START_TEST(states_that_do_not_fit_are_refused)
{
    machine m = build_machine(ctx);
    expect_ok(hg_optimizers_save(m.o, 2, path_of("two")));
    ck_assert(!hg_optimizers_load(m.o, 3, path_of("two")));
    expect_error(FORMAT, "\"third/", "is missing");
    hg_optimizer *twice[] = {m.o[0], m.o[0]};
    ck_assert(!hg_optimizers_save(twice, 2, path_of("m")));
    expect_error(ARGUMENT, "two optimisers are called \"first\"");
    twice[1] = NULL;
    ck_assert(!hg_optimizers_load(twice, 2, path_of("two")));
    expect_error(ARGUMENT, "optimiser 1 is NULL");
    ck_assert(!hg_optimizers_load(twice, 0, path_of("two")));
    expect_error(ARGUMENT, "no optimiser");
    hg_optimizer *o = hg_sgd(m.p, "o", (hg_sgd_options){0});
    expect_ok(hg_optimizers_save(&o, 1, path_of("sgd")));
    char bytes[4096];
    size_t size = read_file("sgd", bytes, sizeof bytes);
    uint64_t length;
    memcpy(&length, bytes, 8);
    bytes[8 + length + 7] = -1; /* a count becomes negative */
    write_file("sgd", bytes, size);
    ck_assert(!hg_optimizers_load(&o, 1, path_of("sgd")));
    expect_error(FORMAT, "a count (I64, not negative) is needed");
}
END_TEST

/* ---- Allocations that fail ---------------------------------------------- */

/* After a step, in the files "model" and "state". */
static machine saved_machine(test_memory *m, hg_context **c)
{
    hg_scope_close(scope);
    *c = new_context(m);
    machine a = build_machine(*c);
    expect_ok(train_once(*c, &a));
    expect_ok(hg_params_save(a.p, path_of("model")));
    expect_ok(hg_optimizers_save(a.o, 3, path_of("state")));
    return a;
}

/* Each allocation of saving fails in turn: a sentence, nothing changed, nothing
 * leaked, and the next try works. */
START_TEST(every_failing_allocation_of_saving_is_a_sentence)
{
    test_memory m;
    hg_context *c;
    machine a = saved_machine(&m, &c);
    uint64_t before = hash_of(a.p);
    long failures = 0;
    for (bool failed = true; failed;) {
        hg_chunks_release(c); /* nothing to recycle */
        m.fail_at = m.calls + ++failures;
        bool ok = hg_params_save(a.p, path_of("model")) &&
                  hg_optimizers_save(a.o, 3, path_of("state"));
        failed = m.calls >= m.fail_at;
        ck_assert_int_eq(ok, !failed);
        m.fail_at = 0;
        if (failed)
            expect_error(MEMORY, "could not be allocated");
        ck_assert_uint_eq(hash_of(a.p), before);
        expect_ok(hg_params_load(a.p, path_of("model")));
        expect_ok(hg_optimizers_load(a.o, 3, path_of("state")));
        ck_assert(!exists("model.tmp") && !exists("state.tmp"));
        before = hash_of(a.p);
    }
    ck_assert_int_gt(failures, 3);
    expect_ok(train_once(c, &a));
    hg_context_free(c);
    ck_assert_int_eq(m.live, 0);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

/* What the optimisers hold is what this file held. */
static void expect_state(const machine *a, const char *file)
{
    static char was[1 << 15], is[1 << 15];
    expect_ok(hg_optimizers_save(a->o, 3, path_of("present")));
    size_t size = read_file(file, was, sizeof was);
    ck_assert_uint_eq(read_file("present", is, sizeof is), size);
    ck_assert_mem_eq(is, was, size);
}

/* The same of loading, of files that a step was made since. */
static void with_failing_load(bool state)
{
    test_memory m;
    hg_context *c;
    machine a = saved_machine(&m, &c);
    expect_ok(train_once(c, &a));
    expect_ok(hg_optimizers_save(a.o, 3, path_of("later")));
    uint64_t before = hash_of(a.p);
    long failures = 0;
    for (bool failed = true; failed;) {
        hg_chunks_release(c); /* nothing to recycle */
        m.fail_at = m.calls + ++failures;
        bool ok = state ? hg_optimizers_load(a.o, 3, path_of("state"))
                        : hg_params_load(a.p, path_of("model"));
        failed = m.calls >= m.fail_at;
        ck_assert_int_eq(ok, !failed);
        m.fail_at = 0;
        if (failed)
            expect_error(MEMORY, "could not be allocated");
        ck_assert(failed || state || hash_of(a.p) != before);
        ck_assert(!(failed || state) || hash_of(a.p) == before);
        expect_state(&a, state && !failed ? "state" : "later");
    }
    ck_assert_int_gt(failures, 1);
    expect_ok(train_once(c, &a));
    hg_context_free(c);
    ck_assert_int_eq(m.live, 0);
    scope = hg_scope_open(ctx, HG_TRAIN);
}

START_TEST(every_failing_allocation_of_loading_is_a_sentence)
{
    with_failing_load(false);
    with_failing_load(true);
}
END_TEST

START_TEST(saving_and_loading_again_takes_no_more_memory)
{
    machine m = build_machine(ctx);
    size_t held = 0;
    for (int i = 0; i < 20; i++) {
        expect_ok(hg_params_save(m.p, path_of("model")));
        expect_ok(hg_params_load(m.p, path_of("model")));
        expect_ok(hg_optimizers_save(m.o, 3, path_of("state")));
        expect_ok(hg_optimizers_load(m.o, 3, path_of("state")));
        if (i == 1)
            held = hg_context_bytes(ctx);
    }
    ck_assert_uint_eq(hg_context_bytes(ctx), held);
}
END_TEST

START_TEST(statistics_that_were_loaded_stay_when_something_fails)
{
    hg_params *p = hg_params_new(ctx);
    nn_layer *norm = nn_batch_norm(p, "bn", 1, (nn_norm_options){0});
    hg_tensor *mean = hg_params_find(p, "bn.running_mean");
    hg_set(mean, 7);
    expect_ok(hg_params_save(p, path_of("model")));
    hg_set(mean, 0);
    expect_ok(nn_forward(norm, tensor((2, 1), 1, 3)) != NULL);
    expect_ok(hg_params_load(p, path_of("model")));
    ck_assert_ptr_null(hg_matmul(vector(1, 2), vector(1, 2, 3)));
    expect_error(SHAPE, "matmul");
    expect_values(mean, 7);
}
END_TEST

FILES_TEST_MAIN("saving",
                saving_works_while_an_error_is_pending_and_loading_refuses,
                a_full_disk_leaves_the_old_file,
                a_place_that_cannot_be_written_is_said,
                a_read_only_folder_leaves_the_old_file,
                training_goes_on_from_files_with_the_same_bits,
                the_state_is_saved_under_the_optimisers_name,
                states_that_do_not_fit_are_refused,
                every_failing_allocation_of_saving_is_a_sentence,
                every_failing_allocation_of_loading_is_a_sentence,
                saving_and_loading_again_takes_no_more_memory,
                statistics_that_were_loaded_stay_when_something_fails)
