/* test_loader.c - batches and epochs. */
#include "datasets_fixture.h"

/* ---- Loader ------------------------------------------------------------- */

static hg_data *counting_set(int64_t rows)
{
    float x[512];
    int32_t label[256];
    for (int i = 0; i < rows; i++) {
        x[2 * i] = (float)i;
        x[2 * i + 1] = (float)-i;
        label[i] = i % 7;
    }
    return hg_data_from(ctx, x, "f4", HG_SHAPE(rows, 2), label, NONE);
}

/* Rows of one epoch; every tensor of every batch is looked at. */
static int64_t one_epoch(hg_loader *l, int32_t *rows)
{
    int64_t n = 0;
    hg_batch b;
    for (hg_scope *s; (s = hg_next(l, HG_TRAIN, &b)); hg_scope_close(s)) {
        const hg_real *x = host_values(b.x);
        const int32_t *label = host_values(b.label),
                      *index = host_values(b.index);
        ck_assert_ptr_eq(b.x, b.target);
        ck_assert(!b.mask && !b.unlabelled);
        ck_assert(b.x->shape.rank == 2 && b.x->shape.dim[0] == b.size);
        ck_assert(b.label->dtype == HG_INT32 && b.index->dtype == HG_INT32);
        for (int64_t i = 0; i < b.size; i++) {
            ck_assert(x[2 * i] == (hg_real)index[i]);
            ck_assert(x[2 * i + 1] == (hg_real)-index[i]);
            ck_assert_int_eq(label[i], index[i] % 7);
            rows[n++] = index[i];
        }
    }
    ck_assert_ptr_null(hg_error());
    return n;
}

START_TEST(every_item_comes_exactly_once_an_epoch)
{
    hg_loader *l = hg_loader_new(counting_set(250), 32, true);
    int32_t rows[250], before[250] = {0};
    for (int epoch = 0; epoch < 5; epoch++) {
        ck_assert_int_eq(hg_loader_epoch(l), epoch);
        ck_assert_int_eq(one_epoch(l, rows), 250);
        int seen[250] = {0}, same = 0, in_order = 0;
        for (int i = 0; i < 250; i++) {
            seen[rows[i]]++;
            same += rows[i] == before[i];
            in_order += rows[i] == i;
            ck_assert_int_eq(rows[i], hg_permuted(42, (uint64_t)epoch, 250, i));
        }
        for (int i = 0; i < 250; i++)
            ck_assert_int_eq(seen[i], 1);
        ck_assert_int_lt(same, 20);
        ck_assert_int_lt(in_order, 20);
        memcpy(before, rows, sizeof rows);
    }
}
END_TEST

START_TEST(the_last_partial_batch_is_kept)
{
    hg_loader *l = hg_loader_new(counting_set(10), 4, false);
    const int64_t size[3] = {4, 4, 2};
    hg_batch b;
    ck_assert_int_eq(hg_loader_batches(l), 3);
    for (int i = 0; i < 3; i++) {
        hg_scope *s = hg_next(l, HG_EVAL, &b);
        ck_assert_ptr_nonnull(s);
        ck_assert_int_eq(b.size, size[i]);
        ck_assert_int_eq(b.x->shape.dim[0], size[i]);
        ck_assert_int_eq(((const int32_t *)host_values(b.index))[0], 4 * i);
        ck_assert_int_eq(hg_loader_position(l), i + 1);
        hg_scope_close(s);
    }
    ck_assert_ptr_null(hg_next(l, HG_EVAL, &b));
    ck_assert_ptr_null(hg_error());
    ck_assert_int_eq(hg_loader_epoch(l), 1);
    ck_assert_int_eq(hg_loader_position(l), 0);
    hg_scope *s = hg_next(l, HG_EVAL, &b);
    ck_assert_ptr_nonnull(s);
    hg_scope_close(s);
    ck_assert_int_eq(
        hg_loader_batches(hg_loader_new(counting_set(10), 64, true)), 1);
}
END_TEST

START_TEST(the_last_partial_batch_can_be_left_out)
{
    hg_loader *l = hg_loader_new(counting_set(10), 4, true);
    hg_batch b;
    hg_loader_drop_last(l, true);
    ck_assert_int_eq(hg_loader_batches(l), 2);
    for (int epoch = 0; epoch < 2; epoch++) {
        for (int i = 0; i < 2; i++) {
            hg_scope *s = hg_next(l, HG_EVAL, &b);
            ck_assert_ptr_nonnull(s);
            ck_assert_int_eq(b.size, 4);
            hg_scope_close(s);
        }
        ck_assert_ptr_null(hg_next(l, HG_EVAL, &b));
        ck_assert_ptr_null(hg_error());
    }
    hg_loader *few = hg_loader_new(counting_set(3), 4, false);
    hg_loader_drop_last(few, true);
    ck_assert_int_eq(hg_loader_batches(few), 0);
    hg_loader_drop_last(NULL, true);
    expect_error(HG_ERROR_ARGUMENT, "the loader is NULL");
}
END_TEST

START_TEST(loaders_and_splits_made_over_and_over_take_no_more_memory)
{
    hg_data *all = counting_set(10);
    size_t held = 0;
    for (int i = 0; i < 2000; i++) {
        hg_data *val = hg_data_split(all, "val", 0.2);
        hg_data *train = hg_data_split(all, "train", 0.2);
        ck_assert_int_eq(hg_data_size(val) + hg_data_size(train), 10);
        ck_assert_ptr_eq(hg_data_split(all, "val", 0.2), val);
        ck_assert_ptr_ne(hg_data_split(all, "val", 0.4), val);
        hg_loader *l = hg_loader_new(train, 3, true);
        ck_assert_int_eq(hg_loader_batches(l), 3);
        hg_loader_free(l);
        if (!i)
            held = hg_context_bytes(ctx);
    }
    ck_assert_uint_eq(hg_context_bytes(ctx), held);
    hg_loader_free(NULL);
    ck_assert_ptr_null(hg_error());
}
END_TEST

START_TEST(batches_are_the_same_for_any_thread_count)
{
    static hg_real x[3][256 * 784];
    const int threads[3] = {1, 2, 7};
    for (int k = 0; k < 3; k++) {
        hg_context *context = hg_context_new(test_device(), 9);
        hg_context_set_threads(context, threads[k]);
        hg_data *data = hg_data_split(
            hg_data_open(context, "synthetic:700", NONE), "train", 0.1);
        hg_loader *l = hg_loader_new(data, 256, true);
        hg_batch b;
        hg_scope *s = hg_next(l, HG_TRAIN, &b);
        ck_assert(hg_read(b.x, x[k], 256 * 784));
        hg_scope_close(s);
        hg_context_free(context);
    }
    ck_assert_mem_eq(x[0], x[1], sizeof x[0]);
    ck_assert_mem_eq(x[0], x[2], sizeof x[0]);
}
END_TEST

START_TEST(a_loader_set_to_epoch_and_position_goes_on_from_there)
{
    hg_data *data = counting_set(100);
    hg_loader *first = hg_loader_new(data, 16, true);
    int32_t rows[100], again[100];
    one_epoch(first, rows);
    one_epoch(first, rows);
    hg_loader *resumed = hg_loader_new(data, 16, true);
    ck_assert(hg_loader_set_epoch(resumed, 1));
    ck_assert(hg_loader_set_position(resumed, 3));
    ck_assert_int_eq(one_epoch(resumed, again), 100 - 48);
    ck_assert_mem_eq(again, rows + 48, 52 * sizeof rows[0]);
    ck_assert_int_eq(hg_loader_epoch(resumed), 2);
    ck_assert(!hg_loader_set_position(resumed, 8));
    expect_error(HG_ERROR_ARGUMENT, "batch 8 of 7");
    ck_assert(!hg_loader_set_epoch(resumed, -1));
    expect_error(HG_ERROR_ARGUMENT, "counted from 0");
    ck_assert(!hg_loader_set_epoch(resumed, 5000000000));
    expect_error(HG_ERROR_ARGUMENT, "4294967294 at most (epoch 5000000000)");
    ck_assert(!hg_loader_set_epoch(NULL, 0));
    expect_error(HG_ERROR_ARGUMENT, "the loader is NULL");
    ck_assert(!hg_loader_set_position(NULL, 0));
    expect_error(HG_ERROR_ARGUMENT, "hg_loader_set_position");
}
END_TEST

START_TEST(rows_of_a_split_batch_are_those_of_the_split)
{
    hg_data *all = counting_set(40);
    hg_data *val = hg_data_split(all, "val", 0.25);
    hg_loader *l = hg_loader_new(val, 10, true);
    hg_batch b;
    hg_scope *s = hg_next(l, HG_EVAL, &b);
    const int32_t *index = host_values(b.index), *label = host_values(b.label);
    const hg_real *x = host_values(b.x);
    for (int64_t i = 0; i < 10; i++) {
        int64_t row = hg_data_source_row(val, index[i]);
        ck_assert(x[2 * i] == (hg_real)row);
        ck_assert_int_eq(label[i], row % 7);
    }
    hg_scope_close(s);
}
END_TEST

START_TEST(items_are_spread_over_the_whole_set)
{
    hg_data *train = hg_data_split(counting_set(41), "train", 0);
    hg_data *some = hg_data_spread(train, 4);
    ck_assert_int_eq(hg_data_size(some), 4);
    for (int64_t i = 0; i < 4; i++) {
        int64_t row = hg_data_source_row(some, i);
        ck_assert(row >= i * 41 / 4 && row < (i + 1) * 41 / 4);
    }
    ck_assert_ptr_eq(hg_data_spread(train, 4), some);
    ck_assert_ptr_ne(hg_data_spread(train, 5), some);
    ck_assert_ptr_eq(hg_data_spread(train, 41), train);
    ck_assert_ptr_eq(hg_data_spread(train, 99), train);
    ck_assert_ptr_eq(hg_data_spread(train, 0), train);
    hg_data *permuted = hg_data_split(counting_set(41), "train", 0.2);
    some = hg_data_spread(permuted, 3);
    for (int64_t i = 0, at = 0; i < 3; i++, at++) {
        int64_t row = hg_data_source_row(some, i);
        while (hg_data_source_row(permuted, at) != row)
            ck_assert_int_lt(++at, (i + 1) * 33 / 3);
        ck_assert_int_ge(at, i * 33 / 3);
    }
    ck_assert_msg(!hg_error(), "%s", hg_error());
}
END_TEST

/* The longer choice comes second: it needs more room on a device. */
START_TEST(chosen_items_are_a_set_of_their_own)
{
    const int64_t rows[6] = {8, 3, 0, 9, 1, 5};
    hg_data *val = hg_data_split(counting_set(40), "val", 0.25);
    for (int count = 3; count <= 6; count += 3) {
        hg_data *chosen = hg_data_select(val, rows, count);
        hg_loader *l = hg_loader_new(chosen, 6, true);
        hg_batch b;
        hg_scope *s = hg_next(l, HG_EVAL, &b);
        const int32_t *index = host_values(b.index);
        const hg_real *x = host_values(b.x);
        ck_assert_int_eq(b.size, count);
        for (int64_t i = 0; i < count; i++) {
            ck_assert_int_eq(index[i], hg_permuted(42, 0, count, i));
            int64_t row = hg_data_source_row(val, rows[index[i]]);
            ck_assert(x[2 * i] == (hg_real)row);
        }
        hg_scope_close(s);
    }
    ck_assert_ptr_null(hg_data_select(val, (int64_t[]){10}, 1));
    expect_error(HG_ERROR_ARGUMENT, "row 10");
}
END_TEST

START_TEST(chosen_rows_make_a_batch_in_the_open_scope)
{
    hg_data *data = counting_set(20);
    const int64_t rows[4] = {7, 0, 19, 7};
    hg_batch b;
    ck_assert(!hg_data_batch(data, rows, 4, &b));
    expect_error(HG_ERROR_STATE, "no scope is open");
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert(hg_data_batch(data, rows, 4, &b));
    hg_real x[8];
    ck_assert(hg_read(b.x, x, 8));
    for (int i = 0; i < 4; i++)
        ck_assert(x[2 * i] == (hg_real)rows[i]);
    ck_assert(!hg_data_batch(data, (int64_t[]){20}, 1, &b));
    expect_error(HG_ERROR_ARGUMENT, "row 20 is out of range; array has rows "
                                    "0 to 19");
    ck_assert(!hg_data_batch(data, (int64_t[]){-1}, 1, &b));
    expect_error(HG_ERROR_ARGUMENT, "row -1");
    ck_assert(!hg_data_batch(NULL, rows, 4, &b));
    expect_error(HG_ERROR_ARGUMENT, "the data set is NULL");
    ck_assert(!hg_data_batch(data, NULL, 4, &b));
    expect_error(HG_ERROR_ARGUMENT, "rows is NULL");
    ck_assert(!hg_data_batch(data, rows, -4, &b));
    expect_error(HG_ERROR_ARGUMENT, "the count is negative");
    ck_assert(!hg_data_batch(data, rows, 4, NULL));
    expect_error(HG_ERROR_ARGUMENT, "the batch is NULL");
    hg_scope_close(s);
}
END_TEST

START_TEST(a_set_without_labels_gives_unlabelled_batches)
{
    float x[4] = {1, 2, 3, 4};
    hg_loader *l = hg_loader_new(
        hg_data_from(ctx, x, "f4", HG_SHAPE(4, 1), NULL, NONE), 4, false);
    hg_batch b;
    hg_scope *s = hg_next(l, HG_EVAL, &b);
    ck_assert(b.unlabelled && !b.label && b.index);
    hg_scope_close(s);
}
END_TEST

START_TEST(wrong_uses_give_sentences)
{
    hg_batch b;
    ck_assert_ptr_null(hg_data_open(NULL, "synthetic", NONE));
    expect_error(HG_ERROR_ARGUMENT, "the context is NULL");
    ck_assert_ptr_null(hg_data_open(ctx, NULL, NONE));
    expect_error(HG_ERROR_ARGUMENT, "no name was given");
    ck_assert_ptr_null(hg_data_open(ctx, "", NONE));
    expect_error(HG_ERROR_ARGUMENT, "no name was given");
    ck_assert_ptr_null(hg_data_open(ctx, "fashion", NONE));
    expect_error(HG_ERROR_DATA, "a path has a slash in it: ./fashion");
    ck_assert_ptr_null(hg_loader_new(NULL, 4, true));
    expect_error(HG_ERROR_ARGUMENT, "the data set is NULL");
    hg_data *data = counting_set(4);
    ck_assert_ptr_null(hg_loader_new(data, 0, true));
    expect_error(HG_ERROR_ARGUMENT, "a batch of 0 items");
    ck_assert_ptr_null(hg_next(NULL, HG_EVAL, &b));
    expect_error(HG_ERROR_ARGUMENT, "the loader is NULL");
    ck_assert_ptr_null(hg_next(hg_loader_new(data, 2, true), HG_EVAL, NULL));
    expect_error(HG_ERROR_ARGUMENT, "the batch is NULL");
    ck_assert_int_eq(hg_data_size(NULL), 0);
    ck_assert_int_eq(hg_data_classes(NULL), 0);
    ck_assert_int_eq(hg_data_features(NULL), 0);
    ck_assert_int_eq(hg_data_shape(NULL).dim[0], 0);
    ck_assert_str_eq(hg_data_name(NULL), "");
    ck_assert_int_eq(hg_data_label(NULL, 0), -1);
    ck_assert_int_eq(hg_loader_batches(NULL), 0);
    ck_assert_int_eq(hg_loader_epoch(NULL), 0);
    ck_assert_int_eq(hg_loader_position(NULL), 0);
}
END_TEST

START_TEST(nothing_is_made_while_an_error_is_pending)
{
    hg_data *data = counting_set(4);
    hg_loader *l = hg_loader_new(data, 2, true);
    hg_batch b;
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    hg_fail(HG_ERROR_SHAPE, "an earlier error");
    ck_assert_ptr_null(hg_data_open(ctx, "synthetic", NONE));
    ck_assert_ptr_null(hg_data_split(data, "val", 0.1));
    ck_assert_ptr_null(hg_loader_new(data, 2, true));
    ck_assert_ptr_null(hg_next(l, HG_EVAL, &b));
    ck_assert(!hg_data_batch(data, (int64_t[]){0}, 1, &b));
    ck_assert_int_eq(hg_data_size(data), 4);
    ck_assert_int_eq(hg_loader_position(l), 0);
    expect_error(HG_ERROR_SHAPE, "an earlier error");
    hg_scope_close(s);
}
END_TEST

/* The example of data.h. */
static bool example(void)
{
    FILE *out = fopen(in_folder("labels"), "w");
    hg_data_options options = {0};
    hg_data *all = hg_data_open(ctx, "synthetic:1000", options);
    hg_data *train = hg_data_split(all, "train", 0.1);
    hg_loader *loader = hg_loader_new(train, 128, true);
    hg_batch b;
    for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b)); hg_scope_close(s))
        hg_print(out, b.label);
    fclose(out);
    if (hg_error())
        return false;
    return true;
}

START_TEST(the_example_of_the_header_works)
{
    uint8_t text[4096];
    ck_assert(example());
    size_t size = read_back("labels", text, sizeof text - 1);
    text[size] = 0;
    int lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    ck_assert_int_eq(lines, 8); /* 900 items: 7 batches of 128, one of 4 */
    ck_assert_ptr_nonnull(strstr((char *)text, "[4] ["));
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("loader");
    tcase_add_test(c, every_item_comes_exactly_once_an_epoch);
    tcase_add_test(c, the_last_partial_batch_is_kept);
    tcase_add_test(c, the_last_partial_batch_can_be_left_out);
    tcase_add_test(c,
                   loaders_and_splits_made_over_and_over_take_no_more_memory);
    tcase_add_test(c, batches_are_the_same_for_any_thread_count);
    tcase_add_test(c, a_loader_set_to_epoch_and_position_goes_on_from_there);
    tcase_add_test(c, rows_of_a_split_batch_are_those_of_the_split);
    tcase_add_test(c, items_are_spread_over_the_whole_set);
    tcase_add_test(c, chosen_items_are_a_set_of_their_own);
    tcase_add_test(c, chosen_rows_make_a_batch_in_the_open_scope);
    tcase_add_test(c, a_set_without_labels_gives_unlabelled_batches);
    tcase_add_test(c, wrong_uses_give_sentences);
    tcase_add_test(c, nothing_is_made_while_an_error_is_pending);
    tcase_add_test(c, the_example_of_the_header_works);
    return run_suite("loader", c);
}
