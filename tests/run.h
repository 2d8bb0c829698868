/* run.h - runs a program's tests, and leaves out what cannot be tried here.
 *
 *     START_TEST(a_step_is_replayed)
 *     {
 *         if (on_cpu())
 *             skip_test("nothing is replayed on a CPU");
 *
 * Check has no word for that: such a test is "ok" to it. So its lines of TAP
 * pass through a thread, which writes "ok 3 - name # SKIP reason". */
#ifndef HG_TEST_RUN_H
#define HG_TEST_RUN_H

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Check writes each place that it passes to a file, for the case that a forked
 * test dies. These do not fork, and assert in loops: that took most of their
 * time. */
#define _mark_point(file, line) ((void)0)

enum { MOST_SKIPPED = 64 };

static struct {
    char name[120], reason[120];
} test_skipped[MOST_SKIPPED];
static atomic_int test_skips;

/* In the test's own function. */
#define skip_test(reason_)                                                     \
    do {                                                                       \
        note_skip(__func__, reason_);                                          \
        return;                                                                \
    } while (0)

__attribute__((unused)) static void note_skip(const char *function,
                                              const char *reason)
{
    int n = atomic_load(&test_skips);
    if (n == MOST_SKIPPED)
        return;
    /* Check calls the function NAME_fn. */
    snprintf(test_skipped[n].name, sizeof test_skipped[n].name, "%.*s",
             (int)(strlen(function) - strlen("_fn")), function);
    snprintf(test_skipped[n].reason, sizeof test_skipped[n].reason, "%s",
             reason);
    atomic_store(&test_skips, n + 1);
}

/* Of "ok 3 - FILE:SUITE:NAME: Passed", or NULL. */
static const char *reason_of(const char *line)
{
    const char *end = strstr(line, ": Passed");
    for (int i = 0; end && i < atomic_load(&test_skips); i++) {
        const char *name = test_skipped[i].name;
        long n = (long)strlen(name);
        if (end - line > n && end[-n - 1] == ':' &&
            !memcmp(end - n, name, (size_t)n))
            return test_skipped[i].reason;
    }
    return NULL;
}

static void *pass_lines(void *file)
{
    char line[4096];
    while (fgets(line, sizeof line, file)) {
        const char *reason = reason_of(line);
        if (reason)
            printf("%.*s # SKIP %s\n", (int)strcspn(line, "\n"), line, reason);
        else
            fputs(line, stdout);
        fflush(stdout);
    }
    return NULL;
}

/* Where the environment asks for TAP on standard output. */
static int run_through_thread(SRunner *runner)
{
    int ends[2];
    char path[32];
    pthread_t thread;
    FILE *lines = pipe(ends) ? NULL : fdopen(ends[0], "r");
    if (!lines || pthread_create(&thread, NULL, pass_lines, lines))
        return 1;
    snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
    srunner_set_tap(runner, path);
    srunner_run_all(runner, CK_ENV);
    close(ends[1]); /* Check has closed its own */
    pthread_join(thread, NULL);
    fclose(lines);
    return srunner_ntests_failed(runner);
}

static int run_here(SRunner *runner)
{
    srunner_run_all(runner, CK_ENV);
    for (int i = 0; i < atomic_load(&test_skips); i++)
        fprintf(stderr, "skipped: %s: %s\n", test_skipped[i].name,
                test_skipped[i].reason);
    return srunner_ntests_failed(runner);
}

/* The exit code of the program. */
static int run_cases(const char *name, TCase *cases)
{
    const char *tap = getenv("CK_TAP_LOG_FILE_NAME");
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    int failed = tap && !strcmp(tap, "-") ? run_through_thread(runner)
                                          : run_here(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The tests of a list, each between these two. */
__attribute__((unused)) static int run_list(const char *name,
                                            void (*before)(void),
                                            void (*after)(void),
                                            const TTest *const *tests,
                                            size_t count)
{
    TCase *cases = tcase_create(name);
    tcase_add_checked_fixture(cases, before, after);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(cases, tests[i]);
    return run_cases(name, cases);
}

#endif
