/* test_pack.c - packed sets: one file, mapped. */
#include "arrays_fixture.h"
#include "datasets/internal.h"

static hg_data *packed(const hg_data *data)
{
    char path[600];
    snprintf(path, sizeof path, "%s", in_folder("x.pack"));
    ck_assert_msg(hg_data_pack(data, path), "%s", hg_error());
    hg_data *again = hg_data_open(ctx, path, NONE);
    ck_assert_msg(again != NULL, "%s", hg_error());
    return again;
}

/* The first batches of an epoch. */
static void order_of(hg_data *data, int32_t out[24], hg_real pixels[4])
{
    hg_batch b;
    hg_loader *l = hg_loader_new(hg_data_split(data, "train", 0.1), 4, true);
    ck_assert(hg_loader_set_epoch(l, 3));
    for (int i = 0; i < 6; i++) {
        hg_scope *s = hg_next(l, HG_TRAIN, &b);
        ck_assert(hg_read_int(b.index, out + 4 * i, 4));
        memcpy(pixels, (const hg_real *)host_values(b.x) + 300,
               4 * sizeof *pixels);
        hg_scope_close(s);
    }
}

START_TEST(a_packed_set_gives_the_same_items_in_the_same_order)
{
    int32_t before[24], after[24];
    hg_real x[4], y[4];
    hg_data *data = hg_data_open(ctx, "synthetic:200", NONE);
    hg_data *again = packed(data);
    ck_assert(again->mapped && !again->streamed); /* it fits into memory */
    again->streamed = true;
    ck_assert_int_eq(hg_data_size(again), 200);
    ck_assert_int_eq(hg_data_classes(again), 10);
    for (int64_t i = 0; i < 200; i++)
        ck_assert_int_eq(hg_data_label(again, i), hg_data_label(data, i));
    order_of(data, before, x);
    order_of(again, after, y);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert_mem_eq(x, y, sizeof x);
    hg_data *test = hg_data_split(again, "test", 0);
    ck_assert_int_eq(hg_data_size(test), 33);
    hg_real a[784], b[784];
    value_of(test, 7, a);
    value_of(hg_data_split(data, "test", 0), 7, b);
    ck_assert_mem_eq(a, b, sizeof a);
}
END_TEST

START_TEST(a_packed_set_keeps_its_range_and_is_checked)
{
    uint8_t bytes[20000];
    char path[600];
    float v[6] = {-1, 3, 0, 1, 2, -1};
    hg_data_options o = {.low = -1, .high = 3};
    hg_data *data = hg_data_from(ctx, v, "f4", HG_SHAPE(3, 2), NULL, o);
    hg_data *again = packed(data);
    expect_values(again, 0, (double[]){0, 1});
    expect_values(again, 1, (double[]){0.25, 0.5});
    snprintf(path, sizeof path, "%s", in_folder("x.pack"));
    size_t size = read_back("x.pack", bytes, sizeof bytes);
    ck_assert_uint_eq(size, 4096 + 24);
    for (size_t cut = 8; cut < size; cut += 127) {
        write_plain("y.pack", bytes, cut);
        ck_assert_ptr_null(hg_data_open(ctx, in_folder("y.pack"), NONE));
        expect_error(HG_ERROR_FORMAT, "pack");
    }
    for (size_t at = 8; at < 64; at++) {
        bytes[at] ^= 0xff;
        write_plain("y.pack", bytes, size);
        bytes[at] ^= 0xff;
        ck_assert_ptr_null(hg_data_open(ctx, in_folder("y.pack"), NONE));
        expect_error(HG_ERROR_FORMAT, "pack");
    }
    ck_assert(!hg_data_pack(hg_data_split(data, "val", 0), path));
    expect_error(HG_ERROR_ARGUMENT, "a whole set");
    ck_assert(!hg_data_pack(data, "/dev/null/x.pack"));
    expect_error(HG_ERROR_IO, "cannot be written");
}
END_TEST

/* The library that packed it may have been that of doubles. */
START_TEST(a_packed_set_of_values_that_a_batch_cannot_hold_is_refused)
{
    double v[2] = {0, 1};
    hg_data *data = hg_data_from(ctx, v, "f8", HG_SHAPE(2, 1), NULL, NONE);
    data->range[1] = 1e300;
#ifdef HG_DOUBLE
    packed(data);
#else
    ck_assert(hg_data_pack(data, in_folder("x.pack")));
    ck_assert_ptr_null(hg_data_open(ctx, in_folder("x.pack"), NONE));
    expect_error(HG_ERROR_DATA, "from 0 to 1e+300");
#endif
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("pack");
    tcase_add_test(c, a_packed_set_gives_the_same_items_in_the_same_order);
    tcase_add_test(c, a_packed_set_keeps_its_range_and_is_checked);
    tcase_add_test(c,
                   a_packed_set_of_values_that_a_batch_cannot_hold_is_refused);
    return run_suite("pack", c);
}
