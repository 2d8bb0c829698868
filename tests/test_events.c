/* test_events.c - TensorBoard's files where memory runs out: any of the texts
 * that an event is made of may fail, and none of the others is lost. */
#include "apps/events.h"
#include "tests/run.h"

#include <stdlib.h>
#include <string.h>

/* Of the texts opened and not yet closed, and of what they hold. */
static int until_failure, opened, held;

static FILE *scarce_memstream(char **text, size_t *size)
{
    FILE *f = until_failure-- ? open_memstream(text, size) : NULL;
    opened += f != NULL;
    held += f != NULL;
    return f;
}

static int counted_close(FILE *f)
{
    opened--;
    return fclose(f);
}

static void counted_free(void *p)
{
    held -= p != NULL;
    free(p);
}

#define open_memstream scarce_memstream
#define fclose         counted_close
#define free           counted_free
#include "apps/events.c"
#undef open_memstream
#undef fclose
#undef free

/* The head of a picture, 2 x 1 pixels in colour. */
char *read_file(const char *path, size_t *size)
{
    static const unsigned char head[33] = {[19] = 2, [23] = 1, [25] = 2};
    char *bytes = strcmp(path, "there") ? NULL : malloc(sizeof head);
    if (bytes)
        memcpy(bytes, head, sizeof head);
    held += bytes != NULL;
    *size = sizeof head;
    return bytes;
}

static bool write_event(FILE *f, int kind)
{
    static const hg_real values[] = {1, 2, 3};
    switch (kind) {
    case 0:
        return event_version(f);
    case 1:
        return event_scalar(f, 7, "train/loss", 0.5);
    case 2:
        return event_image(f, 7, "samples", "there");
    default:
        return event_histogram(f, 7, "weights/w", values, 3);
    }
}

START_TEST(an_event_without_memory_is_an_error_and_loses_none)
{
    static const int texts[] = {1, 3, 4, 4};
    FILE *f = tmpfile();
    for (int n = 0; n <= texts[_i]; n++) {
        until_failure = n;
        opened = held = 0;
        bool ok = write_event(f, _i);
        ck_assert_msg(ok == (n == texts[_i]), "%d texts", n);
        ck_assert_msg(!opened && !held, "%d texts: %d open, %d held", n, opened,
                      held);
        ck_assert(ok || hg_error_kind() == HG_ERROR_MEMORY);
        ck_assert_msg(ok == (ftell(f) > 0), "%d texts", n);
        hg_error_clear();
    }
    fclose(f);
}
END_TEST

START_TEST(a_picture_that_is_not_there_is_no_event)
{
    FILE *f = tmpfile();
    ck_assert(event_image(f, 7, "samples", "nowhere"));
    ck_assert_int_eq(ftell(f), 0);
    fclose(f);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("events");
    tcase_add_loop_test(c, an_event_without_memory_is_an_error_and_loses_none,
                        0, 4);
    tcase_add_test(c, a_picture_that_is_not_there_is_no_event);
    return run_cases("events", c);
}
