/* test_own_data.c - own arrays, splits, and memory that runs out. */
#include "datasets_fixture.h"

/* ---- Own arrays --------------------------------------------------------- */

START_TEST(bytes_become_0_to_1_and_floats_stay_as_they_are)
{
    uint8_t bytes[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    hg_data *u1 =
        hg_data_from(ctx, bytes, "u1", HG_SHAPE(1, 16, 16), NULL, NONE);
    hg_real x[256];
    value_of(u1, 0, x);
    for (int i = 0; i < 256; i++)
        ck_assert(x[i] == (hg_real)i / 255);
    float f4[4] = {-3.5f, 0, 1e-30f, 300};
    hg_data *as_is = hg_data_from(ctx, f4, "f4", HG_SHAPE(2, 2), NULL, NONE);
    value_of(as_is, 1, x);
    ck_assert(x[0] == (hg_real)f4[2] && x[1] == (hg_real)f4[3]);
    double range[2];
    hg_data_range(as_is, range);
    ck_assert(range[0] == -3.5 && range[1] == 300);
    hg_data_range(u1, range);
    ck_assert(range[0] == 0 && range[1] == 1);
}
END_TEST

START_TEST(a_declared_range_is_mapped_to_0_to_1)
{
    hg_data_options o = {.low = -1, .high = 3};
    double f8[4] = {-1, 0, 1, 3};
    float f4[4] = {-1, 0, 1, 3};
    hg_real x[4], wanted[4] = {0, 0.25f, 0.5f, 1};
    value_of(hg_data_from(ctx, f8, "f8", HG_SHAPE(1, 4), NULL, o), 0, x);
    ck_assert_mem_eq(x, wanted, sizeof x);
    value_of(hg_data_from(ctx, f4, "f4", HG_SHAPE(1, 1, 2, 2), NULL, o), 0, x);
    ck_assert_mem_eq(x, wanted, sizeof x);
    uint8_t u1[4] = {0, 1, 2, 4};
    o = (hg_data_options){.high = 4};
    wanted[0] = 0, wanted[1] = 0.25f, wanted[2] = 0.5f, wanted[3] = 1;
    value_of(hg_data_from(ctx, u1, "u1", HG_SHAPE(1, 4), NULL, o), 0, x);
    ck_assert_mem_eq(x, wanted, sizeof x);
}
END_TEST

START_TEST(no_value_of_a_declared_range_is_rounded_out_of_0_to_1)
{
    hg_data_options o = {.low = 0.1, .high = 0.3};
    double f8[2] = {0.1, 0.3};
    hg_real x[2];
    value_of(hg_data_from(ctx, f8, "f8", HG_SHAPE(1, 2), NULL, o), 0, x);
    ck_assert(x[0] == 0 && x[1] == 1);
}
END_TEST

START_TEST(values_out_of_range_are_refused_with_what_was_seen)
{
    hg_data_options o = {.high = 1};
    float f4[6] = {0, 0.5f, 1, -0.25f, 300, 1};
    ck_assert_ptr_null(hg_data_from(ctx, f4, "f4", HG_SHAPE(3, 2), NULL, o));
    ck_assert_ptr_nonnull(strstr(hg_error(), "from -0.25 to 300"));
    ck_assert_ptr_nonnull(strstr(hg_error(), "feature 1 of item 1"));
    expect_error(HG_ERROR_DATA, "2 of 6 values are not values in the declared "
                                "range [0, 1]");
    f4[3] = NAN;
    ck_assert_ptr_null(hg_data_from(ctx, f4, "f4", HG_SHAPE(3, 2), NULL, NONE));
    expect_error(HG_ERROR_DATA, "1 of 6 values are not finite numbers");
    f4[3] = INFINITY;
    ck_assert_ptr_null(hg_data_from(ctx, f4, "f4", HG_SHAPE(3, 2), NULL, NONE));
    expect_error(HG_ERROR_DATA, "from 0 to 300");
    uint8_t u1[2] = {0, 2};
    ck_assert_ptr_null(hg_data_from(ctx, u1, "u1", HG_SHAPE(1, 2), NULL, o));
    expect_error(HG_ERROR_DATA, "from 0 to 2");
}
END_TEST

START_TEST(values_that_a_batch_cannot_hold_are_refused)
{
    double f8[3] = {0, -1e300, 1};
    hg_real x[3];
    hg_data *data = hg_data_from(ctx, f8, "f8", HG_SHAPE(1, 3), NULL, NONE);
#ifdef HG_DOUBLE
    value_of(data, 0, x);
    ck_assert(x[1] == -1e300);
#else
    ck_assert_ptr_null(data);
    ck_assert_ptr_nonnull(strstr(hg_error(), "float32"));
    expect_error(HG_ERROR_DATA, "-1e+300, is feature 1 of item 0");
#endif
    hg_data_options o = {.low = -1e300, .high = 1e300};
    value_of(hg_data_from(ctx, f8, "f8", HG_SHAPE(1, 3), NULL, o), 0, x);
    ck_assert(x[0] == 0.5 && x[1] == 0);
}
END_TEST

START_TEST(a_range_that_is_none_is_refused)
{
    float x[1] = {0};
    const hg_data_options bad[] = {{.low = 1, .high = 0},
                                   {.low = 1, .high = 1},
                                   {.low = 0, .high = NAN},
                                   {.low = NAN, .high = 1},
                                   {.low = 0, .high = INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_ptr_null(
            hg_data_from(ctx, x, "f4", HG_SHAPE(1, 1), NULL, bad[i]));
        expect_error(HG_ERROR_ARGUMENT, "low must be below high");
    }
}
END_TEST

START_TEST(arrays_are_copied_unless_they_are_lent)
{
    float x[2] = {1, 2};
    int32_t label[2] = {0, 1};
    hg_data *copy = hg_data_from(ctx, x, "f4", HG_SHAPE(2, 1), label, NONE);
    hg_data *lent = hg_data_from(ctx, x, "f4", HG_SHAPE(2, 1), label,
                                 (hg_data_options){.borrow = true});
    x[0] = 5;
    label[0] = 1;
    hg_real value;
    value_of(copy, 0, &value);
    ck_assert(value == 1);
    ck_assert_int_eq(hg_data_label(copy, 0), 0);
    value_of(lent, 0, &value);
    ck_assert(value == 5);
    ck_assert_int_eq(hg_data_label(lent, 0), 1);
}
END_TEST

START_TEST(wrong_arguments_of_an_own_array_are_named)
{
    float x[4] = {0};
    int32_t label[2] = {0, -1};
    ck_assert_ptr_null(hg_data_from(ctx, x, "i4", HG_SHAPE(2, 2), NULL, NONE));
    expect_error(HG_ERROR_ARGUMENT, "dtype i4 is not known");
    ck_assert_ptr_null(hg_data_from(ctx, x, NULL, HG_SHAPE(2, 2), NULL, NONE));
    expect_error(HG_ERROR_ARGUMENT, "dtype NULL");
    ck_assert_ptr_null(
        hg_data_from(ctx, NULL, "f4", HG_SHAPE(2, 2), NULL, NONE));
    expect_error(HG_ERROR_ARGUMENT, "the array is NULL");
    ck_assert_ptr_null(hg_data_from(ctx, x, "f4", HG_SHAPE(2, 2), label, NONE));
    expect_error(HG_ERROR_DATA, "label -1 of item 1");
    const hg_shape bad[] = {{0, {0}},
                            {1, {4}},
                            {2, {2, 0}},
                            {2, {-1, 2}},
                            {5, {1, 1, 1, 1, 1}},
                            {4, {1, 1 << 20, 1 << 20, 1 << 20}},
                            {2, {INT32_MAX, INT32_MAX}},
                            {2, {INT64_MAX, 2}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_ptr_null(hg_data_from(ctx, x, "f4", bad[i], NULL, NONE));
        expect_error(HG_ERROR_SHAPE, "[n, c, h, w]");
    }
    ck_assert_ptr_null(
        hg_data_from(ctx, x, "f4", (hg_shape){99, {0}}, NULL, NONE));
    expect_error(HG_ERROR_SHAPE, "rank 99");
}
END_TEST

START_TEST(a_set_of_no_items_is_legal)
{
    hg_data *data = hg_data_from(ctx, NULL, "f4", HG_SHAPE(0, 3), NULL, NONE);
    ck_assert_ptr_nonnull(data);
    ck_assert_int_eq(hg_data_size(data), 0);
    hg_loader *l = hg_loader_new(data, 4, true);
    hg_batch b;
    ck_assert_int_eq(hg_loader_batches(l), 0);
    ck_assert_ptr_null(hg_next(l, HG_EVAL, &b));
    ck_assert_ptr_null(hg_error());
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert(hg_data_batch(data, NULL, 0, &b));
    ck_assert_int_eq(hg_numel(b.x), 0);
    hg_scope_close(s);
}
END_TEST

/* ---- Splits ------------------------------------------------------------- */

START_TEST(train_and_val_are_disjoint_and_complete)
{
    hg_data *all = hg_data_open(ctx, "synthetic:1003", NONE);
    hg_data *train = hg_data_split(all, "train", 0.1);
    hg_data *val = hg_data_split(all, "val", 0.1);
    ck_assert_int_eq(hg_data_size(val), 100);
    ck_assert_int_eq(hg_data_size(train), 903);
    int seen[1003] = {0}, in_order = 0;
    for (int64_t i = 0; i < 903; i++)
        seen[hg_data_source_row(train, i)]++;
    for (int64_t i = 0; i < 100; i++) {
        int64_t row = hg_data_source_row(val, i);
        ck_assert_int_eq(row, hg_permuted(42, 0xFFFFFFFFu, 1003, i));
        ck_assert_int_eq(hg_data_label(val, i), hg_data_label(all, row));
        in_order += row == i;
        seen[row]++;
    }
    for (int i = 0; i < 1003; i++)
        ck_assert_int_eq(seen[i], 1);
    ck_assert_int_lt(in_order, 10);
    ck_assert_int_eq(hg_data_source_row(val, 100), -1);
    ck_assert_int_eq(hg_data_source_row(val, -1), -1);
    ck_assert_str_eq(hg_data_name(val), "synthetic/val");
}
END_TEST

START_TEST(without_a_val_part_train_is_all_in_its_own_order)
{
    hg_data *all = hg_data_open(ctx, "synthetic:50", NONE);
    hg_data *train = hg_data_split(all, "train", 0);
    ck_assert_int_eq(hg_data_size(train), 50);
    ck_assert_int_eq(hg_data_size(hg_data_split(all, "val", 0)), 0);
    for (int64_t i = 0; i < 50; i++)
        ck_assert_int_eq(hg_data_source_row(train, i), i);
}
END_TEST

START_TEST(the_split_depends_on_the_seed)
{
    hg_data *a =
        hg_data_split(hg_data_open(ctx, "synthetic:500", NONE), "val", 0.2);
    hg_context *other = hg_context_new(test_device(), 43);
    hg_data *b =
        hg_data_split(hg_data_open(other, "synthetic:500", NONE), "val", 0.2);
    int same = 0;
    for (int64_t i = 0; i < 100; i++)
        same += hg_data_source_row(a, i) == hg_data_source_row(b, i);
    ck_assert_int_lt(same, 10);
    hg_context_free(other);
}
END_TEST

START_TEST(wrong_splits_are_named)
{
    hg_data *all = hg_data_open(ctx, "synthetic:20", NONE);
    ck_assert_ptr_null(hg_data_split(all, "validation", 0.1));
    expect_error(HG_ERROR_ARGUMENT, "use train, val or test");
    ck_assert_ptr_null(hg_data_split(all, "val", 1));
    expect_error(HG_ERROR_ARGUMENT, "the val fraction is 1");
    ck_assert_ptr_null(hg_data_split(all, "val", NAN));
    expect_error(HG_ERROR_ARGUMENT, "the val fraction is");
    ck_assert_ptr_null(hg_data_split(NULL, "val", 0.1));
    expect_error(HG_ERROR_ARGUMENT, "the data set is NULL");
    ck_assert_ptr_null(hg_data_split(all, NULL, 0.1));
    expect_error(HG_ERROR_ARGUMENT, "the part is NULL");
    hg_data *train = hg_data_split(all, "train", 0.1);
    ck_assert_ptr_null(hg_data_split(train, "val", 0.1));
    expect_error(HG_ERROR_ARGUMENT, "is a split already");
}
END_TEST

/* ---- Memory ------------------------------------------------------------- */

START_TEST(batches_are_made_without_an_allocation_once_warm)
{
    tally t = {.fail_at = -1};
    hg_context *context = tallied(&t);
    hg_data *data = hg_data_open(context, "synthetic:1000", NONE);
    hg_loader *l = hg_loader_new(hg_data_split(data, "train", 0.1), 128, true);
    int64_t warm = 0;
    hg_batch b;
    for (int epoch = 0; epoch < 4; epoch++) {
        for (hg_scope *s; (s = hg_next(l, HG_TRAIN, &b)); hg_scope_close(s))
            ck_assert_int_gt(b.size, 0);
        if (!epoch)
            warm = t.calls;
    }
    ck_assert_int_eq(t.calls, warm);
    hg_context_free(context);
    ck_assert_uint_eq(t.held, 0);
}
END_TEST

/* Images take a byte a pixel, however a batch will have them. */
START_TEST(bytes_stay_bytes_until_a_batch_is_made)
{
    enum { ITEMS = 10000, PIXELS = 784 };
    uint8_t *x = calloc(ITEMS, PIXELS);
    ck_assert_ptr_nonnull(x);
    size_t none = hg_context_bytes(ctx);
    hg_shape shape = HG_SHAPE(ITEMS, PIXELS);
    ck_assert_ptr_nonnull(hg_data_from(ctx, x, "u1", shape, NULL, NONE));
    size_t own = hg_context_bytes(ctx);
    ck_assert_uint_lt(own - none, (size_t)ITEMS * PIXELS * 3 / 2);
    free(x);
    ck_assert_ptr_nonnull(hg_data_open(ctx, "synthetic:10000", NONE));
    ck_assert_uint_lt(hg_context_bytes(ctx) - own,
                      (size_t)12000 * PIXELS * 3 / 2);
}
END_TEST

/* All there is in datasets/, once; false if something failed. */
static bool use_everything(hg_context *context)
{
    float x[4] = {0, 1, 2, 3};
    int32_t label[4] = {0, 1, 0, 1};
    hg_batch b;
    hg_data *own = hg_data_from(context, x, "f4", HG_SHAPE(4, 1), label, NONE);
    hg_data *files = own ? hg_data_open(context, folder, NONE) : NULL;
    hg_data *drawn =
        files ? hg_data_open(context, "synthetic:2000", NONE) : NULL;
    hg_data *train = drawn ? hg_data_split(drawn, "train", 0.5) : NULL;
    hg_data *test = train ? hg_data_split(drawn, "test", 0) : NULL;
    hg_loader *l = test ? hg_loader_new(train, 500, true) : NULL;
    hg_scope *s = l ? hg_next(l, HG_TRAIN, &b) : NULL;
    if (!s)
        return false;
    bool good = hg_data_batch(files, (int64_t[]){0}, 1, &b);
    hg_scope_close(s);
    return good;
}

START_TEST(every_allocation_may_fail_without_harm)
{
    write_set(true);
    int64_t n = 0;
    for (bool good = false; !good; n++) {
        ck_assert_int_lt(n, 1000);
        tally t = {.fail_at = -1};
        hg_context *context = tallied(&t);
        t.fail_at = t.calls + n;
        good = use_everything(context);
        if (!good) {
            expect_error(HG_ERROR_MEMORY, "could not be allocated");
            /* The same context goes on once there is memory. */
            t.fail_at = -1;
            ck_assert(use_everything(context));
        }
        ck_assert_ptr_null(hg_error());
        hg_context_free(context);
        ck_assert_uint_eq(t.held, 0);
    }
    ck_assert_int_gt(n, 15);
}
END_TEST

START_TEST(a_batch_that_failed_comes_again)
{
    tally t = {.fail_at = -1};
    hg_context *context = tallied(&t);
    hg_data *data = hg_data_open(context, "synthetic:2000", NONE);
    hg_loader *l = hg_loader_new(data, 500, false);
    hg_batch b;
    uint64_t steps[2];
    /* A scope, its blocks, three tensors: which of them needs memory of its
     * own does not matter, one after the other is refused. */
    for (int n = 0; n < 2; n++) {
        t.fail_at = t.calls + n;
        ck_assert_ptr_null(hg_next(l, HG_TRAIN, &b));
        expect_error(HG_ERROR_MEMORY, "could not be allocated");
        ck_assert_ptr_null(hg_ambient_here()->scope);
        hg_context_steps(context, steps);
        ck_assert_uint_eq(steps[0], 0);
        ck_assert_int_eq(hg_loader_position(l), 0);
    }
    hg_scope *s = hg_next(l, HG_TRAIN, &b);
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(((const int32_t *)host_values(b.index))[0], 0);
    hg_scope_close(s);
    hg_context_free(context);
    ck_assert_uint_eq(t.held, 0);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("own_data");
    tcase_add_test(c, bytes_become_0_to_1_and_floats_stay_as_they_are);
    tcase_add_test(c, a_declared_range_is_mapped_to_0_to_1);
    tcase_add_test(c, no_value_of_a_declared_range_is_rounded_out_of_0_to_1);
    tcase_add_test(c, values_out_of_range_are_refused_with_what_was_seen);
    tcase_add_test(c, values_that_a_batch_cannot_hold_are_refused);
    tcase_add_test(c, a_range_that_is_none_is_refused);
    tcase_add_test(c, arrays_are_copied_unless_they_are_lent);
    tcase_add_test(c, wrong_arguments_of_an_own_array_are_named);
    tcase_add_test(c, a_set_of_no_items_is_legal);
    tcase_add_test(c, train_and_val_are_disjoint_and_complete);
    tcase_add_test(c, without_a_val_part_train_is_all_in_its_own_order);
    tcase_add_test(c, the_split_depends_on_the_seed);
    tcase_add_test(c, wrong_splits_are_named);
    tcase_add_test(c, batches_are_made_without_an_allocation_once_warm);
    tcase_add_test(c, bytes_stay_bytes_until_a_batch_is_made);
    tcase_add_test(c, every_allocation_may_fail_without_harm);
    tcase_add_test(c, a_batch_that_failed_comes_again);
    return run_suite("own_data", c);
}
