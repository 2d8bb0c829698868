/* test_datasets.c - data sets from files: IDX, plain and gzip, hostile ones
 * too. */
#include "datasets_fixture.h"

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

START_TEST(a_stretch_of_rows_is_the_batch_of_these_rows)
{
    write_set(false);
    hg_data *data = open_folder();
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_real x[24], wanted[24];
    int32_t row[4], label[4];
    hg_batch b, rows;
    ck_assert(hg_data_batch_from(data, 3, 4, &b));
    ck_assert(hg_data_batch(data, (int64_t[]){3, 4, 5, 6}, 4, &rows));
    ck_assert(hg_read(b.x, x, 24) && hg_read(rows.x, wanted, 24));
    ck_assert_mem_eq(x, wanted, sizeof x);
    ck_assert(hg_read_int(b.index, row, 4) && hg_read_int(b.label, label, 4));
    for (int i = 0; i < 4; i++)
        ck_assert(row[i] == 3 + i && label[i] == 3 + i);
    ck_assert(!hg_data_batch_from(data, 7, 4, &b));
    expect_error(HG_ERROR_ARGUMENT, "4 rows from 7 on are out of range");
    ck_assert(!hg_data_batch_from(data, -1, 1, &b));
    expect_error(HG_ERROR_ARGUMENT, "1 rows from -1 on");
    ck_assert(!hg_data_batch_from(NULL, 0, 1, &b));
    expect_error(HG_ERROR_ARGUMENT, "the data set is NULL");
    hg_scope_close(s);
}
END_TEST

START_TEST(a_missing_set_is_named)
{
    ck_assert_ptr_null(hg_data_spread(NULL, 3));
    expect_error(HG_ERROR_ARGUMENT, "hg_data_spread: the data set is NULL");
    ck_assert_ptr_null(hg_data_class(NULL, 1, false));
    expect_error(HG_ERROR_ARGUMENT, "hg_data_class: the data set is NULL");
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
    tcase_add_test(c, a_stretch_of_rows_is_the_batch_of_these_rows);
    tcase_add_test(c, a_missing_set_is_named);
    return run_suite("datasets", c);
}
