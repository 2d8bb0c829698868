/* test_named.c - data sets by name: where they are looked for, and kept.
 * The real MNIST is read where HOURGLASS_DATA says where it is. */
#include "datasets_fixture.h"

#include <glob.h>

START_TEST(missing_mnist_says_what_is_wanted_and_where_it_was_looked_for)
{
    setenv("HOURGLASS_DATA", "/nowhere/at-all", 1);
    ck_assert_ptr_null(hg_data_open(
        ctx, "mnist", (hg_data_options){.data_dir = "/no/such/dir"}));
    const char *text = hg_error();
    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(strstr(text, "/no/such/dir/mnist"));
    ck_assert_ptr_nonnull(strstr(text, "/no/such/dir/MNIST/raw"));
    ck_assert_ptr_nonnull(strstr(text, "/nowhere/at-all/mnist"));
    ck_assert_ptr_nonnull(strstr(text, in_folder("hourglass/mnist")));
    ck_assert_ptr_nonnull(strstr(text, "ba891046e6505d7aadcbbe25680a0738ad16ae"
                                       "c93bde7f9b65e87a2fc25776db"));
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_nonnull(strstr(text, file_name[i]));
    expect_error(HG_ERROR_DATA, "synthetic, which needs no files");
}
END_TEST

START_TEST(the_cache_is_below_the_home_directory_by_default)
{
    char home[4096];
    const char *before = getenv("HOME");
    snprintf(home, sizeof home, "%s", before ? before : "");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "/home/nobody-here", 1);
    ck_assert_ptr_null(hg_data_open(ctx, "mnist", NONE));
    expect_error(HG_ERROR_DATA, "/home/nobody-here/.cache/hourglass/mnist");
    unsetenv("HOME");
    ck_assert_ptr_null(hg_data_open(ctx, "mnist", NONE));
    expect_error(HG_ERROR_DATA, "nowhere (HOURGLASS_DATA and HOME are unset)");
    setenv("HOME", home, 1);
}
END_TEST

START_TEST(other_files_under_the_name_mnist_are_refused)
{
#ifndef HG_HAVE_NETTLE
    skip_test("this build has no SHA-256 (nettle)");
#endif
    char root[256], raw[sizeof folder + 16];
    snprintf(root, sizeof root, "%.250s", folder);
    snprintf(raw, sizeof raw, "%s/MNIST", root);
    ck_assert_int_eq(mkdir(raw, 0700), 0);
    snprintf(folder, sizeof folder, "%.240s/MNIST/raw", root);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    write_set(true);
    setenv("HOURGLASS_DATA", root, 1);
    ck_assert_ptr_null(hg_data_open(ctx, "mnist", NONE));
    expect_error(HG_ERROR_DATA, "the SHA-256 of the uncompressed bytes is");
    ck_assert_ptr_nonnull(open_folder()); /* by path they are welcome */
    ck_assert_int_eq(remove(in_folder("t10k-labels-idx1-ubyte.gz")), 0);
    ck_assert_ptr_null(hg_data_open(ctx, "mnist", NONE));
    expect_error(HG_ERROR_DATA, "MNIST/raw has no t10k-labels-idx1-ubyte");
    snprintf(folder, sizeof folder, "%s", root);
}
END_TEST

START_TEST(the_real_mnist_is_read)
{
    if (!real_data[0])
        skip_test("set HOURGLASS_DATA to test real MNIST");
    hg_data *data =
        hg_data_open(ctx, "mnist", (hg_data_options){.data_dir = real_data});
    ck_assert_msg(data != NULL, "%s", hg_error() ? hg_error() : "");
    hg_data *test = hg_data_split(data, "test", 0);
    ck_assert_int_eq(hg_data_size(data), 60000);
    ck_assert_int_eq(hg_data_size(test), 10000);
    ck_assert_int_eq(hg_data_classes(data), 10);
    ck_assert_int_eq(hg_data_features(data), 784);
    ck_assert_str_eq(hg_data_name(test), "mnist/test");
    int64_t train_count[10], test_count[10];
    count_classes(data, train_count);
    count_classes(test, test_count);
    ck_assert_int_eq(train_count[1], 6742);
    ck_assert_int_eq(train_count[5], 5421);
    ck_assert_int_eq(test_count[0], 980);
    /* Mean and deviation as everyone quotes them. */
    double sum = 0, squares = 0;
    hg_batch b;
    hg_loader *l = hg_loader_new(data, 1000, true);
    for (hg_scope *s; (s = hg_next(l, HG_EVAL, &b)); hg_scope_close(s)) {
        const hg_real *x = host_values(b.x);
        for (int64_t i = 0; i < hg_numel(b.x); i++) {
            sum += (double)x[i];
            squares += (double)x[i] * (double)x[i];
        }
    }
    double mean = sum / (60000.0 * 784);
    ck_assert_double_eq_tol(mean, 0.1307, 5e-5);
    ck_assert_double_eq_tol(sqrt(squares / (60000.0 * 784) - mean * mean),
                            0.3081, 5e-5);
}
END_TEST

START_TEST(a_named_set_is_packed_in_the_cache_and_opened_from_there)
{
    char pattern[512];
    glob_t found;
    hg_real a[784], b[784];
    if (!real_data[0])
        skip_test("MNIST is wanted in HOURGLASS_DATA");
    setenv("HOURGLASS_DATA", real_data, 1);
    hg_data *read = hg_data_open(ctx, "mnist", NONE);
    ck_assert_msg(read != NULL, "%s", hg_error());
    snprintf(pattern, sizeof pattern, "%s/hourglass/packed/*.pack", folder);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    ck_assert_uint_eq(found.gl_pathc, 1);
    for (int damaged = 0; damaged < 2; damaged++) {
        size_t before = hg_context_bytes(ctx);
        hg_data *mapped = hg_data_open(ctx, "mnist", NONE);
        ck_assert_msg(mapped != NULL, "%s", hg_error());
        if (!damaged) /* no pixel was read into memory */
            ck_assert_uint_le(hg_context_bytes(ctx), before + (4u << 20));
        for (int64_t row = 0; row < 60000; row += 9999) {
            value_of(read, row, a);
            value_of(mapped, row, b);
            ck_assert_mem_eq(a, b, sizeof a);
            ck_assert_int_eq(hg_data_label(read, row),
                             hg_data_label(mapped, row));
        }
        ck_assert_int_eq(hg_data_size(hg_data_split(mapped, "test", 0)), 10000);
        ck_assert_int_eq(truncate(found.gl_pathv[0], 5000), 0);
    }
    globfree(&found);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("named");
    tcase_add_test(
        c, missing_mnist_says_what_is_wanted_and_where_it_was_looked_for);
    tcase_add_test(c, the_cache_is_below_the_home_directory_by_default);
    tcase_add_test(c, other_files_under_the_name_mnist_are_refused);
    tcase_add_test(c, the_real_mnist_is_read);
    tcase_add_test(c, a_named_set_is_packed_in_the_cache_and_opened_from_there);
    return run_suite("named", c);
}
