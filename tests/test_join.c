/* test_join.c - parts of tensors: slices, padding, joins and splits. */
#include "ops_fixture.h"

/* ---- slice, select, pad, flip
 * --------------------------------------------------- */

START_TEST(slice_takes_every_step_th_position_without_copying)
{
    hg_tensor *x = vector(0, 1, 2, 3, 4, 5, 6);
    expect_values(hg_slice(x, 0, 1, 4, 1), 1, 2, 3);
    expect_values(hg_slice(x, 0, 1, HG_END, 2), 1, 3, 5);
    expect_values(hg_slice(x, 0, -3, -1, 1), 4, 5);
    expect_values(hg_slice(x, 0, 0, HG_END, 7), 0);
    expect_shape(hg_slice(x, 0, 4, 4, 1), 0);
    expect_shape(hg_slice(x, 0, 5, 2, 1), 0);
    expect_shape(hg_slice(x, 0, 7, HG_END, 1), 0);
    hg_tensor *m = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    hg_tensor *z = hg_slice(m, -1, 1, 3, 1);
    expect_values(z, 2, 3, 5, 6);
    ck_assert_ptr_eq(z->storage, m->storage);
    expect_values(hg_slice(hg_slice(m, 1, 0, HG_END, 2), 0, 1, 2, 1), 4, 6);
    expect_values(hg_select(m, 0, -1), 4, 5, 6);
    expect_values(hg_select(m, 1, 0), 1, 4);
}
END_TEST

START_TEST(slice_off_the_axis_says_what_there_is)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 3));
    hg_slice(x, 1, 0, 4, 1);
    expect_error(ARGUMENT, "slice", "axis 1", "[2, 3]", "HG_END");
    hg_slice(x, 1, -4, 3, 1);
    expect_error(ARGUMENT, "slice", "-4");
    hg_slice(x, 1, 0, 3, 0);
    expect_error(ARGUMENT, "slice", "step");
    hg_slice(x, 2, 0, 3, 1);
    expect_error(SHAPE, "slice", "axis 2", "rank 2");
    hg_select(x, 0, 2);
    expect_error(ARGUMENT, "select", "position 2", "axis 0", "[2, 3]");
    hg_select(x, 0, -3);
    expect_error(ARGUMENT, "select", "-3");
    hg_select(x, 5, 0);
    expect_error(SHAPE, "select", "axis 5");
    hg_pad(x, 0, -1, 0);
    expect_error(ARGUMENT, "pad", "-1", "[2, 3]", "hg_slice");
    hg_pad(x, 0, 0, -2);
    expect_error(ARGUMENT, "pad", "-2");
    hg_pad(NULL, 0, 1, 1);
    expect_error(ARGUMENT, "pad", "NULL");
}
END_TEST

START_TEST(pad_puts_zeros_before_and_after)
{
    hg_tensor *x = tensor((2, 2), 1, 2, 3, 4);
    expect_values(hg_pad(x, 1, 1, 2), 0, 1, 2, 0, 0, 0, 3, 4, 0, 0);
    expect_values(hg_pad(x, 0, 0, 1), 1, 2, 3, 4, 0, 0);
    expect_values(hg_pad(hg_zeros(HG_SHAPE(0)), 0, 1, 1), 0, 0);
    expect_values(hg_pad(hg_transpose(x), 0, 1, 0), 0, 0, 1, 3, 2, 4);
    ck_assert_ptr_null(hg_pad(vector(1), 0, INT64_MAX, INT64_MAX));
    expect_error(SHAPE, "pad", "[1]", "addressed");
}
END_TEST

START_TEST(flip_reads_axes_backwards)
{
    hg_tensor *x = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    expect_values(hg_flip(x, HG_OVER(1)), 3, 2, 1, 6, 5, 4);
    expect_values(hg_flip(x, HG_OVER(0)), 4, 5, 6, 1, 2, 3);
    expect_values(hg_flip(x, HG_ALL), 6, 5, 4, 3, 2, 1);
    expect_values(hg_flip(hg_transpose(x), HG_OVER(0)), 3, 6, 2, 5, 1, 4);
    expect_values(hg_flip(scalar(3), HG_ALL), 3);
    expect_shape(hg_flip(hg_zeros(HG_SHAPE(0, 2)), HG_ALL), 0, 2);
    hg_flip(x, HG_OVER(2));
    expect_error(SHAPE, "flip", "axis 2");
    for (int trial = 0; trial < 100; trial++) {
        hg_tensor *v = random_view(1);
        expect_same(hg_flip(hg_flip(v, HG_ALL), HG_ALL), v, 0);
    }
}
END_TEST

/* ---- concat, stack, split
 * ---------------------------------------------------------- */

START_TEST(concat_joins_along_an_axis)
{
    hg_tensor *a = tensor((2, 1), 1, 2), *b = tensor((2, 2), 3, 4, 5, 6);
    expect_values(hg_concat(1, a, b), 1, 3, 4, 2, 5, 6);
    expect_values(hg_concat(-1, b, a), 3, 4, 1, 5, 6, 2);
    expect_values(hg_concat(0, b, hg_transpose(b)), 3, 4, 5, 6, 3, 5, 4, 6);
    expect_values(hg_concat(0, b, hg_zeros(HG_SHAPE(0, 2))), 3, 4, 5, 6);
    expect_values(hg_concat(1, a), 1, 2);
    expect_shape(hg_concat(0, hg_zeros(HG_SHAPE(0)), hg_zeros(HG_SHAPE(0))), 0);
}
END_TEST

START_TEST(concat_and_stack_take_any_number_of_tensors)
{
    for (int count = 1; count <= 80; count += count < 20 ? 1 : 13) {
        hg_tensor *t[80];
        hg_real expected[160];
        for (int i = 0; i < count; i++) {
            expected[2 * i] = (hg_real)i;
            expected[2 * i + 1] = (hg_real)-i;
            t[i] = vector((hg_real)i, (hg_real)-i);
        }
        hg_tensor *row = hg_concat_n(0, t, count);
        hg_tensor *rows = hg_stack_n(0, t, count);
        expect_shape(row, 2 * count);
        expect_shape(rows, count, 2);
        expect_same(row, hg_from(expected, REALS, HG_SHAPE(2 * count)), 0);
        expect_same(rows, hg_from(expected, REALS, HG_SHAPE(count, 2)), 0);
        expect_same(hg_stack_n(-1, t, count), hg_transpose(rows), 0);
    }
}
END_TEST

START_TEST(concat_of_mismatched_shapes_reports_both_shapes)
{
    hg_tensor *a = hg_zeros(HG_SHAPE(2, 3)), *b = hg_zeros(HG_SHAPE(3, 3));
    hg_concat(1, a, b);
    expect_error(SHAPE, "concat", "[2, 3]", "[3, 3]", "axis 1");
    hg_concat(0, a, hg_zeros(HG_SHAPE(3)));
    expect_error(SHAPE, "concat", "[2, 3]", "[3]");
    hg_concat(2, a, b);
    expect_error(SHAPE, "concat", "axis 2");
    hg_stack(0, a, b);
    expect_error(SHAPE, "[1, 2, 3]", "[1, 3, 3]");
    hg_concat_n(0, NULL, 0);
    expect_error(ARGUMENT, "concat", "at least one");
    hg_stack_n(0, &a, 0);
    expect_error(ARGUMENT, "stack", "at least one");
    hg_concat(0, a, NULL);
    expect_error(ARGUMENT, "concat", "NULL");
}
END_TEST

START_TEST(split_cuts_into_equal_views)
{
    hg_tensor *x = tensor((2, 4), 1, 2, 3, 4, 5, 6, 7, 8), *part[2];
    expect_ok(hg_split(x, 1, 2, part));
    expect_values(part[0], 1, 2, 5, 6);
    expect_values(part[1], 3, 4, 7, 8);
    ck_assert_ptr_eq(part[1]->storage, x->storage);
    ck_assert(!hg_split(x, 1, 3, part));
    expect_error(SHAPE, "split", "axis 1", "[2, 4]", "3 equal parts");
    ck_assert(!hg_split(x, 1, 0, part));
    expect_error(SHAPE, "split");
    ck_assert(!hg_split(NULL, 0, 2, part));
    expect_error(ARGUMENT, "split", "NULL");
    ck_assert(!hg_split(vector(1, 2), 0, 2, NULL));
    expect_error(ARGUMENT, "split", "NULL");
}
END_TEST

TEST_MAIN("join", slice_takes_every_step_th_position_without_copying,
          slice_off_the_axis_says_what_there_is,
          pad_puts_zeros_before_and_after, flip_reads_axes_backwards,
          concat_joins_along_an_axis,
          concat_and_stack_take_any_number_of_tensors,
          concat_of_mismatched_shapes_reports_both_shapes,
          split_cuts_into_equal_views)
