/* test_datasets.c - data sets from files: IDX, plain and gzip, hostile ones
 * too; MNIST. The real MNIST is read where HOURGLASS_DATA says where it is. */
#include "datasets_fixture.h"

#include <glob.h>

START_TEST(a_folder_of_plain_files_is_read)
{
    write_set(false);
    hg_data *data = open_folder();
    ck_assert_ptr_nonnull(data);
    ck_assert_int_eq(hg_data_size(data), ROWS);
    hg_shape item = hg_data_shape(data);
    ck_assert_int_eq(item.rank, 3);
    ck_assert(item.dim[0] == 1 && item.dim[1] == 2 && item.dim[2] == 3);
    ck_assert_int_eq(hg_data_features(data), 6);
    ck_assert_int_eq(hg_data_classes(data), ROWS);
    ck_assert_int_eq(hg_data_label(data, 4), 4);
    ck_assert_int_eq(hg_data_label(data, ROWS), -1);
    ck_assert_int_eq(hg_data_size(hg_data_split(data, "test", 0)), 3);
    hg_real x[6];
    value_of(data, 2, x);
    for (int i = 0; i < 6; i++)
        ck_assert(x[i] == (hg_real)(7 + 12 + i) / 255);
}
END_TEST

START_TEST(gzip_files_give_the_same_as_plain_ones)
{
    write_set(true);
    hg_data *zipped = open_folder();
    write_set(false);
    hg_data *plain = open_folder();
    ck_assert(zipped && plain);
    for (int64_t row = 0; row < ROWS; row++) {
        hg_real a[6], b[6];
        value_of(zipped, row, a);
        value_of(plain, row, b);
        ck_assert_mem_eq(a, b, sizeof a);
        ck_assert_int_eq(hg_data_label(zipped, row), hg_data_label(plain, row));
    }
}
END_TEST

START_TEST(a_single_file_is_a_set_with_its_labels_beside_it)
{
    hg_data_options all = {.whole = true};
    write_set(false);
    hg_data *data = hg_data_open(ctx, in_folder(file_name[0]), all);
    ck_assert_ptr_nonnull(data);
    ck_assert_str_eq(hg_data_name(data), file_name[0]);
    ck_assert_int_eq(hg_data_classes(data), ROWS);
    ck_assert_ptr_null(hg_data_split(data, "test", 0));
    expect_error(HG_ERROR_DATA, "has no test part");
    ck_assert_int_eq(remove(in_folder(file_name[1])), 0);
    data = hg_data_open(ctx, in_folder(file_name[0]), NONE);
    ck_assert_int_eq(hg_data_classes(data), 0);
    ck_assert_int_eq(hg_data_label(data, 0), -1);
    hg_data *test = hg_data_split(data, "test", 0);
    ck_assert_int_ge(hg_data_size(test), 1);
    ck_assert_int_eq(hg_data_size(test) + hg_data_size(data), ROWS);
}
END_TEST

/* What is done to the training images, and what must be said about it. */
static const struct {
    const char *says;
    size_t at;
    int byte;   /* written there; or */
    int longer; /* bytes added at the end, or cut off */
} damage[] = {
    {"no IDX file", 0, 1, 0},
    {"no IDX file", 1, 255, 0},
    {"of type 0x0d", 2, 13, 0},
    {"rank 1 where images", 3, 1, 0},
    {"rank 200 where images", 3, 200, 0},
    {"more than a file of 76 bytes can hold", 4, 127, 0},
    {"every size must be between 1", 4, 255, 0},
    {"more than a file of 76 bytes can hold", 7, 11, 0},
    {"goes on after its last item", 7, 9, 0},
    {"every size must be between 1", 11, 0, 0},
    {"every size must be between 1", 7, 0, 0},
    {"goes on after its last item", 0, 0, 1},
    {"can hold; it is cut off", 0, 0, -1},
    {"can hold; it is cut off", 0, 0, -59},
    {"2 of 4 bytes", 0, 0, -62},
    {"0 of 4 bytes", 0, 0, -72},
    {"3 of 4 bytes", 0, 0, -73},
    {"0 of 4 bytes", 0, 0, -76},
};

START_TEST(a_damaged_file_is_refused_with_the_reason)
{
    uint8_t bytes[128];
    write_set(false);
    size_t size = read_back(file_name[0], bytes, sizeof bytes);
    ck_assert_uint_eq(size, 76);
    bytes[size] = 0;
    if (!damage[_i].longer)
        bytes[damage[_i].at] = (uint8_t)damage[_i].byte;
    write_plain(file_name[0], bytes, (size_t)((int)size + damage[_i].longer));
    size_t before = hg_context_bytes(ctx);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, damage[_i].says);
    /* The pixels are given back; pooled chunks of a mebibyte may remain. */
    ck_assert_uint_le(hg_context_bytes(ctx), before + (3u << 20));
}
END_TEST

/* The same damage inside a gzip file, where no length helps. */
START_TEST(a_short_or_long_gzip_file_is_refused)
{
    uint8_t bytes[128];
    write_set(false);
    size_t size = read_back(file_name[0], bytes, sizeof bytes);
    ck_assert_int_eq(remove(in_folder(file_name[0])), 0);
    write_gzip("train-images-idx3-ubyte.gz", bytes, size - 1);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, "59 of 60 bytes");
    bytes[size] = 0;
    write_gzip("train-images-idx3-ubyte.gz", bytes, size + 1);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, "goes on after its last item");
    bytes[4] = 127;
    write_gzip("train-images-idx3-ubyte.gz", bytes, size);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, "can hold; it is cut off");
}
END_TEST

START_TEST(gzip_data_cut_off_anywhere_are_refused)
{
    uint8_t bytes[256];
    write_set(true);
    size_t size = read_back("train-images-idx3-ubyte.gz", bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        write_plain("train-images-idx3-ubyte.gz", bytes, cut);
        ck_assert_ptr_null(open_folder());
        expect_error(HG_ERROR_FORMAT, "train-images-idx3-ubyte.gz: ");
    }
    bytes[size] = 0;
    write_plain("train-images-idx3-ubyte.gz", bytes, size + 1);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, "goes on after");
}
END_TEST

START_TEST(any_flipped_bit_of_a_gzip_file_is_seen_or_harmless)
{
    uint8_t bytes[256];
    write_set(true);
    size_t size = read_back("train-images-idx3-ubyte.gz", bytes, sizeof bytes);
    hg_data *good = open_folder();
    hg_real wanted[6], found[6];
    value_of(good, 9, wanted);
    int refused = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_plain("train-images-idx3-ubyte.gz", bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        hg_data *data = open_folder();
        if (data) { /* the time stamp and the like */
            value_of(data, 9, found);
            ck_assert_mem_eq(found, wanted, sizeof found);
        } else {
            ck_assert_int_eq(hg_error_kind(), HG_ERROR_FORMAT);
            refused++;
            hg_error_clear();
        }
    }
    ck_assert_int_gt(refused, (int)(8 * (size - 10)) * 9 / 10);
}
END_TEST

START_TEST(a_promise_that_no_gzip_file_can_keep_costs_no_memory)
{
    uint8_t bytes[16] = {0, 0, 8, 3, 64, 0, 0, 0, 0, 0, 64, 0, 0, 0, 64, 0};
    write_set(true);
    write_gzip("train-images-idx3-ubyte.gz", bytes, sizeof bytes);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, "can hold; it is cut off");
    ck_assert_uint_le(hg_context_peak_bytes(ctx), 8u << 20);
}
END_TEST

START_TEST(files_that_do_not_belong_together_are_refused)
{
    uint8_t bytes[256];
    write_set(false);
    size_t size = idx(bytes, 1, (uint32_t[]){ROWS - 1}, 0);
    write_plain(file_name[1], bytes, size);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, "9 labels for 10 images");
    write_set(false);
    size = idx(bytes, 3, (uint32_t[]){3, 3, 2}, 0);
    write_plain(file_name[2], bytes, size);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_DATA,
                 "training items are [1, 2, 3] but test items [1, 3, 2]");
    write_set(false);
    ck_assert_int_eq(remove(in_folder(file_name[2])), 0);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_DATA, "t10k-images-idx3-ubyte (or "
                                "t10k-images-idx3-ubyte.gz) is not in this");
}
END_TEST

START_TEST(classes_are_counted_over_both_parts)
{
    uint8_t bytes[256];
    write_set(false);
    size_t size = idx(bytes, 1, (uint32_t[]){3}, 20);
    write_plain(file_name[3], bytes, size);
    hg_data *data = open_folder();
    ck_assert_int_eq(hg_data_classes(data), 23);
    ck_assert_int_eq(hg_data_classes(hg_data_split(data, "test", 0)), 23);
}
END_TEST

START_TEST(items_beyond_two_to_the_31_are_refused)
{
    /* A file with a hole, which takes no room on the disk. */
    const uint8_t bytes[16] = {0, 0, 8,   3, 0, 0, 0, 1,
                               0, 0, 128, 0, 0, 1, 0, 0};
    write_plain(file_name[0], bytes, sizeof bytes);
    ck_assert_int_eq(truncate(in_folder(file_name[0]), 16 + (1LL << 31)), 0);
    ck_assert_ptr_null(hg_data_open(ctx, in_folder(file_name[0]), NONE));
    expect_error(HG_ERROR_FORMAT, "items of 2147483648 bytes are too large");
}
END_TEST

START_TEST(a_set_is_named_after_the_last_part_of_its_path)
{
    char path[512];
    write_set(false);
    snprintf(path, sizeof path, "%s//", folder);
    hg_data *data = hg_data_open(ctx, path, NONE);
    ck_assert_str_eq(hg_data_name(data), strrchr(folder, '/') + 1);
}
END_TEST

START_TEST(images_and_labels_mixed_up_are_named)
{
    uint8_t bytes[256];
    write_set(false);
    size_t size = read_back(file_name[1], bytes, sizeof bytes);
    write_plain(file_name[0], bytes, size);
    ck_assert_ptr_null(open_folder());
    expect_error(HG_ERROR_FORMAT, "are these the labels?");
}
END_TEST

START_TEST(a_path_that_is_no_file_is_refused)
{
    ck_assert_ptr_null(hg_data_open(ctx, in_folder("nothing"), NONE));
    expect_error(HG_ERROR_DATA, "there is no such file or folder");
    ck_assert_int_eq(mkfifo(in_folder("pipe"), 0600), 0);
    ck_assert_ptr_null(hg_data_open(ctx, in_folder("pipe"), NONE));
    expect_error(HG_ERROR_IO, "this is not a file");
}
END_TEST

/* ---- MNIST -------------------------------------------------------------- */

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
    TCase *c = tcase_create("datasets");
    tcase_add_test(c, a_folder_of_plain_files_is_read);
    tcase_add_test(c, gzip_files_give_the_same_as_plain_ones);
    tcase_add_test(c, a_single_file_is_a_set_with_its_labels_beside_it);
    tcase_add_loop_test(c, a_damaged_file_is_refused_with_the_reason, 0,
                        sizeof damage / sizeof damage[0]);
    tcase_add_test(c, a_short_or_long_gzip_file_is_refused);
    tcase_add_test(c, gzip_data_cut_off_anywhere_are_refused);
    tcase_add_test(c, any_flipped_bit_of_a_gzip_file_is_seen_or_harmless);
    tcase_add_test(c, a_promise_that_no_gzip_file_can_keep_costs_no_memory);
    tcase_add_test(c, files_that_do_not_belong_together_are_refused);
    tcase_add_test(c, classes_are_counted_over_both_parts);
    tcase_add_test(c, items_beyond_two_to_the_31_are_refused);
    tcase_add_test(c, a_set_is_named_after_the_last_part_of_its_path);
    tcase_add_test(c, images_and_labels_mixed_up_are_named);
    tcase_add_test(c, a_path_that_is_no_file_is_refused);
    tcase_add_test(
        c, missing_mnist_says_what_is_wanted_and_where_it_was_looked_for);
    tcase_add_test(c, the_cache_is_below_the_home_directory_by_default);
    tcase_add_test(c, other_files_under_the_name_mnist_are_refused);
    tcase_add_test(c, the_real_mnist_is_read);
    tcase_add_test(c, a_named_set_is_packed_in_the_cache_and_opened_from_there);
    return run_suite("datasets", c);
}
