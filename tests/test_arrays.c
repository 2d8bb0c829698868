/* test_arrays.c - data sets from .npy and .npz files. */
#include "arrays_fixture.h"

#ifdef HG_HAVE_ZIP
#include <zip.h>
#endif

static const char npy_head[] = "{'descr': '%s', 'fortran_order': %s, 'shape': "
                               "(%s), }";

/* An array as numpy.save writes it; how many bytes. */
static size_t npy(uint8_t *out, const char *type, const char *shape,
                  const void *values, size_t size)
{
    char text[256];
    int n = snprintf(text, sizeof text, npy_head, type, "False", shape);
    size_t whole = ((size_t)n + 11 + 63) / 64 * 64 - 10;
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (uint8_t)whole;
    out[9] = 0;
    memset(out + 10, ' ', whole);
    memcpy(out + 10, text, (size_t)n);
    out[9 + whole] = '\n';
    memcpy(out + 10 + whole, values, size);
    return 10 + whole + size;
}

static void write_npy(const char *name, const char *type, const char *shape,
                      const void *values, size_t size)
{
    uint8_t bytes[4096];
    write_plain(name, bytes, npy(bytes, type, shape, values, size));
}

/* ---- .npy --------------------------------------------------------------- */

START_TEST(arrays_of_every_type_have_their_values)
{
    const double wanted[2] = {3, 1};
    write_npy("f4.npy", "<f4", "1, 2", (float[]){3, 1}, 8);
    write_npy("f8.npy", "<f8", "1, 2", (double[]){3, 1}, 16);
    write_npy("i1.npy", "|i1", "1, 2", (int8_t[]){3, 1}, 2);
    write_npy("i2.npy", "<i2", "1, 2", (int16_t[]){3, 1}, 4);
    write_npy("i8.npy", "<i8", "1, 2", (int64_t[]){3, 1}, 16);
    write_npy("u4.npy", "<u4", "1, 2", (uint32_t[]){3, 1}, 8);
    write_npy("big.npy", ">i4", "1, 2", "\0\0\0\3\0\0\0\1", 8);
    const char *const names[] = {"f4.npy", "f8.npy", "i1.npy", "i2.npy",
                                 "i8.npy", "u4.npy", "big.npy"};
    for (int i = 0; i < 7; i++)
        expect_values(opened(names[i], NONE), 0, wanted);
    write_npy("minus.npy", "<i4", "1, 1", (int32_t[]){-5}, 4);
    expect_values(opened("minus.npy", NONE), 0, (double[]){-5});
    write_npy("bool.npy", "|b1", "1, 2", "\1\0", 2);
    expect_values(opened("bool.npy", NONE), 0, (double[]){1, 0});
    write_npy("u1.npy", "|u1", "1, 2", "\xff\x33", 2);
    expect_values(opened("u1.npy", NONE), 0, (double[]){1, 0.2});
}
END_TEST

START_TEST(shapes_tell_channels_from_rows)
{
    uint8_t v[48];
    for (int i = 0; i < 48; i++)
        v[i] = (uint8_t)i;
    write_npy("a.npy", "|u1", "2, 24", v, 48);
    expect_shape(opened("a.npy", NONE), 2, 1, 1, 24);
    expect_shape(opened("a.npy", (hg_data_options){.height = 4, .width = 6}), 2,
                 1, 4, 6);
    expect_shape(opened("a.npy", (hg_data_options){.height = 2, .width = 4}), 2,
                 3, 2, 4);
    ck_assert_ptr_null(
        whole("a.npy", (hg_data_options){.height = 5, .width = 5}));
    expect_error(HG_ERROR_DATA, "24 values a row are no picture of 5 x 5");
    write_npy("b.npy", "|u1", "2, 4, 6", v, 48);
    expect_shape(opened("b.npy", NONE), 2, 1, 4, 6);
    write_npy("c.npy", "|u1", "2, 3, 2, 4", v, 48);
    expect_shape(opened("c.npy", NONE), 2, 3, 2, 4);
    write_npy("d.npy", "|u1", "2, 2, 4, 3", v, 48);
    hg_data *last = opened("d.npy", NONE);
    expect_shape(last, 2, 3, 2, 4);
    hg_real x[24];
    value_of(last, 1, x);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 8; k++)
            ck_assert(x[8 * c + k] == (hg_real)(24 + 3 * k + c) / 255);
}
END_TEST

START_TEST(labels_lie_beside_an_array)
{
    write_npy("x.npy", "<f4", "3, 1", (float[]){0, 1, 2}, 12);
    write_npy("x_labels.npy", "<i8", "3,", (int64_t[]){4, 0, 2}, 24);
    hg_data *data = opened("x.npy", NONE);
    ck_assert_int_eq(hg_data_classes(data), 5);
    ck_assert_int_eq(hg_data_label(data, 2), 2);
    write_npy("x_labels.npy", "<i8", "2,", (int64_t[]){4, 0}, 16);
    ck_assert_ptr_null(whole("x.npy", NONE));
    expect_error(HG_ERROR_DATA, "one number for each of the 3 items");
    write_npy("x_labels.npy", "<f4", "3,", (float[]){0, 1.5f, 0}, 12);
    ck_assert_ptr_null(whole("x.npy", NONE));
    expect_error(HG_ERROR_DATA, "label 1.5 of item 1");
}
END_TEST

START_TEST(a_set_without_a_test_part_gives_a_tenth_of_its_items)
{
    float x[100];
    for (int i = 0; i < 100; i++)
        x[i] = (float)i;
    write_npy("x.npy", "<f4", "100, 1", x, sizeof x);
    hg_data *data = hg_data_open(ctx, in_folder("x.npy"), NONE);
    hg_data *test = hg_data_split(data, "test", 0.1);
    int64_t held = hg_data_size(test);
    ck_assert(held >= 3 && held <= 20);
    ck_assert_int_eq(hg_data_size(data), 100 - held);
    int seen[100] = {0};
    for (int64_t i = 0; i < 100; i++) {
        hg_real value;
        value_of(i < held ? test : data, i < held ? i : i - held, &value);
        seen[(int)value]++;
    }
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(seen[i], 1);
    write_npy("one.npy", "<f4", "1, 1", x, 4);
    ck_assert_ptr_null(hg_data_open(ctx, in_folder("one.npy"), NONE));
    expect_error(HG_ERROR_DATA, "at least two are needed");
}
END_TEST

static const struct {
    const char *type, *order, *shape, *says;
    hg_error_code code;
} wrong[] = {
    {"<f4", "True", "2, 1", "ascontiguousarray", HG_ERROR_FORMAT},
    {"<c8", "False", "2, 1", "values of type", HG_ERROR_FORMAT},
    {"<f2", "False", "2, 1", "values of type", HG_ERROR_FORMAT},
    {"|O", "False", "2, 1", "values of type", HG_ERROR_FORMAT},
    {"<f4", "False", "2", "an array of items is", HG_ERROR_FORMAT},
    {"<f4", "False", "", "an array of items is", HG_ERROR_FORMAT},
    {"<f4", "False", "0, 2", "cut off or empty", HG_ERROR_FORMAT},
    {"<f4", "False", "200, 1", "cut off or empty", HG_ERROR_FORMAT},
    {"<f4", "False", "99999999999999999999, 1", "cannot be read",
     HG_ERROR_FORMAT},
    {"<f4", "False", "9999999999999999, 99999999999999", "cut off or empty",
     HG_ERROR_FORMAT},
    {"<f4", "False", "-2, 1", "cannot be read", HG_ERROR_FORMAT},
    {"<f4", "False", "1, 1", "goes on after", HG_ERROR_FORMAT},
    {"<f4", "False", "1, 1, 1, 1, 2", "an array of items is", HG_ERROR_FORMAT},
};

START_TEST(arrays_that_cannot_be_used_are_refused_with_the_reason)
{
    uint8_t bytes[512] = "\x93NUMPY\x01";
    int n = snprintf((char *)bytes + 10, 400, npy_head, wrong[_i].type,
                     wrong[_i].order, wrong[_i].shape);
    bytes[8] = (uint8_t)n;
    write_plain("x.npy", bytes, (size_t)n + 18);
    ck_assert_ptr_null(whole("x.npy", NONE));
    expect_error(wrong[_i].code, wrong[_i].says);
}
END_TEST

START_TEST(an_array_cut_off_anywhere_is_refused)
{
    uint8_t bytes[512];
    size_t size =
        npy(bytes, "<f4", "4, 2", (float[]){0, 1, 2, 3, 4, 5, 6, 7}, 32);
    for (size_t cut = 6; cut < size; cut++) {
        write_plain("x.npy", bytes, cut);
        ck_assert_ptr_null(whole("x.npy", NONE));
        expect_error(HG_ERROR_FORMAT, "x.npy: ");
    }
}
END_TEST

/* ---- .npz --------------------------------------------------------------- */

#ifdef HG_HAVE_ZIP
static void add_array(zip_t *zip, const char *name, const char *type,
                      const char *shape, const void *values, size_t size)
{
    uint8_t *bytes = malloc(size + 256);
    size_t n = npy(bytes, type, shape, values, size);
    zip_source_t *source = zip_source_buffer(zip, bytes, n, 1);
    ck_assert_int_ge(zip_file_add(zip, name, source, 0), 0);
}

static zip_t *new_zip(void)
{
    return zip_open(in_folder("x.npz"), ZIP_CREATE | ZIP_TRUNCATE, NULL);
}

START_TEST(an_archive_has_items_labels_and_a_test_part)
{
    uint8_t x[12] = {255, 0, 51};
    zip_t *zip = new_zip();
    add_array(zip, "x_train.npy", "|u1", "3, 2, 2", x, 12);
    add_array(zip, "y_train.npy", "<i8", "3,", (int64_t[]){0, 2, 1}, 24);
    add_array(zip, "x_test.npy", "|u1", "2, 2, 2", x, 8);
    add_array(zip, "y_test.npy", "<i8", "2,", (int64_t[]){1, 1}, 16);
    ck_assert_int_eq(zip_close(zip), 0);
    hg_data *data = hg_data_open(ctx, in_folder("x.npz"), NONE);
    ck_assert_msg(data != NULL, "%s", hg_error());
    expect_shape(data, 3, 1, 2, 2);
    expect_values(data, 0, (double[]){1, 0, 0.2, 0});
    ck_assert_int_eq(hg_data_label(data, 1), 2);
    ck_assert_int_eq(hg_data_size(hg_data_split(data, "test", 0)), 2);
}
END_TEST

START_TEST(the_only_array_of_an_archive_is_the_items)
{
    zip_t *zip = new_zip();
    add_array(zip, "weird.npy", "<f4", "2, 1", (float[]){4, 5}, 8);
    ck_assert_int_eq(zip_close(zip), 0);
    expect_values(opened("x.npz", NONE), 1, (double[]){5});
    zip = zip_open(in_folder("x.npz"), 0, NULL);
    add_array(zip, "other.npy", "<f4", "2, 1", (float[]){4, 5}, 8);
    ck_assert_int_eq(zip_close(zip), 0);
    ck_assert_ptr_null(whole("x.npz", NONE));
    expect_error(HG_ERROR_DATA, "It has weird.npy other.npy; call it x");
}
END_TEST

START_TEST(any_flipped_bit_of_an_archive_is_seen_or_harmless)
{
    uint8_t bytes[2048], x[64] = {255, 0, 51};
    zip_t *zip = new_zip();
    add_array(zip, "x.npy", "|u1", "2, 32", x, 64);
    ck_assert_int_eq(zip_close(zip), 0);
    size_t size = read_back("x.npz", bytes, sizeof bytes);
    int refused = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_plain("x.npz", bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        hg_data *data = whole("x.npz", NONE);
        if (data)
            expect_values(data, 0, (double[32]){1, 0, 0.2});
        refused += !data;
        hg_error_clear();
    }
    ck_assert_int_gt(refused, 500);
}
END_TEST
#endif

START_TEST(files_of_no_known_kind_are_refused)
{
    write_plain("x.bin", "hello", 5);
    ck_assert_ptr_null(whole("x.bin", NONE));
    expect_error(HG_ERROR_FORMAT, "what is in this file?");
    write_plain("x.png", "\x89PNG", 4);
    ck_assert_ptr_null(whole("x.png", NONE));
    expect_error(HG_ERROR_FORMAT, "give the folder that holds them");
    write_plain("empty", "", 0);
    ck_assert_ptr_null(whole("empty", NONE));
    ck_assert_ptr_nonnull(hg_error());
}
END_TEST

START_TEST(every_allocation_may_fail_while_arrays_are_read)
{
    char text[60000];
    size_t at = 0;
    for (int i = 0; i < 5000; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%d,0.5\n", i);
    write_npy("x.npy", "<f4", "3, 1", (float[]){0, 1, 2}, 12);
    write_plain("x.csv", text, at);
    for (int file = 0; file < 2; file++) {
        int64_t n = 0;
        for (bool good = false; !good; n++) {
            ck_assert_int_lt(n, 1000);
            tally t = {.fail_at = -1};
            hg_context *context = tallied(&t);
            t.fail_at = t.calls + n;
            good = hg_data_open(context, in_folder(file ? "x.csv" : "x.npy"),
                                NONE);
            if (!good)
                expect_error(HG_ERROR_MEMORY, "could not be allocated");
            hg_context_free(context);
            ck_assert_uint_eq(t.held, 0);
        }
        ck_assert_int_gt(n, 3);
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("arrays");
    tcase_add_test(c, arrays_of_every_type_have_their_values);
    tcase_add_test(c, shapes_tell_channels_from_rows);
    tcase_add_test(c, labels_lie_beside_an_array);
    tcase_add_test(c, a_set_without_a_test_part_gives_a_tenth_of_its_items);
    tcase_add_loop_test(c,
                        arrays_that_cannot_be_used_are_refused_with_the_reason,
                        0, sizeof wrong / sizeof wrong[0]);
    tcase_add_test(c, an_array_cut_off_anywhere_is_refused);
#ifdef HG_HAVE_ZIP
    tcase_add_test(c, an_archive_has_items_labels_and_a_test_part);
    tcase_add_test(c, the_only_array_of_an_archive_is_the_items);
    tcase_add_test(c, any_flipped_bit_of_an_archive_is_seen_or_harmless);
#endif
    tcase_add_test(c, files_of_no_known_kind_are_refused);
    tcase_add_test(c, every_allocation_may_fail_while_arrays_are_read);
    return run_suite("arrays", c);
}
