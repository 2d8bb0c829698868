/* test_locale.c - numbers are written with a point, also for users whose
 * locale has a comma. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "models/model.h"
#include "support.h"

#include <locale.h>
#include <unistd.h>

static char folder[256];

static const char *path_of(const char *name)
{
    static char path[2][300];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* A locale made here, or one that the machine has. */
static bool use_commas(void)
{
    char command[700];
    write_text("comma", "LC_NUMERIC\ndecimal_point \"<U002C>\"\n"
                        "thousands_sep \"\"\ngrouping -1\nEND LC_NUMERIC\n");
    snprintf(command, sizeof command,
             "localedef -c --no-archive -i %s %s >/dev/null 2>&1",
             path_of("comma"), path_of("xx_XX"));
    (void)!system(command); /* warns about what else a locale has */
    setenv("LOCPATH", folder, 1);
    if (setlocale(LC_NUMERIC, "xx_XX"))
        return true;
    unsetenv("LOCPATH");
    return setlocale(LC_NUMERIC, "de_DE.UTF-8") != NULL;
}

/* False where no locale has a comma. */
static bool with_commas(void (*test)(void))
{
    const char *root = getenv("TMPDIR");
    char command[300];
    snprintf(folder, sizeof folder, "%.200s/locale-XXXXXX",
             root ? root : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    bool found = use_commas();
    if (found) {
        ck_assert_str_eq(localeconv()->decimal_point, ",");
        test();
        setlocale(LC_NUMERIC, "C");
    }
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    (void)!system(command);
    return found;
}

static void read_an_option(void)
{
    hg_data *data = hg_data_from(ctx, (const float[]){0, 1}, "f4",
                                 HG_SHAPE(2, 1), NULL, (hg_data_options){0});
    hg_config *c = hg_config_new(ctx, &model_aae, data);
    expect_ok(hg_config_set(c, "prior-std", "2.5"));
    ck_assert_double_eq(hg_config_number(c, "prior-std"), 2.5);
    ck_assert(!hg_config_set(c, "prior-std", "2,5"));
    expect_error(ARGUMENT, "2,5 is not a number");
}

START_TEST(an_option_of_a_model_has_a_point)
{
    if (!with_commas(read_an_option))
        skip_test("there is no locale with a comma");
}
END_TEST

static void read_a_table(void)
{
    write_text("t.csv", "0.25,0.5\n0.75,1\n");
    hg_data *data = hg_data_open(ctx, path_of("t.csv"),
                                 (hg_data_options){.high = 1, .whole = true});
    expect_ok(data != NULL);
    ck_assert_int_eq(hg_data_size(data), 2);
    hg_batch b;
    expect_ok(hg_data_batch(data, (const int64_t[]){0, 1}, 2, &b));
    expect_values(b.x, 0.25, 0.5, 0.75, 1);
}

START_TEST(a_table_of_numbers_has_points)
{
    if (!with_commas(read_a_table))
        skip_test("there is no locale with a comma");
}
END_TEST

START_TEST(the_users_locale_is_left_as_it_was)
{
    char *end;
    ck_assert_double_eq(hg_number_of("1.5e3x", &end), 1500);
    ck_assert_str_eq(end, "x");
    ck_assert_str_eq(setlocale(LC_NUMERIC, NULL), "C");
}
END_TEST

TEST_MAIN("locale", an_option_of_a_model_has_a_point,
          a_table_of_numbers_has_points, the_users_locale_is_left_as_it_was)
