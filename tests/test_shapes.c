/* test_shapes.c - views, joins and their mirrors. */
#include "ops_fixture.h"

/* ---- expand and sum_to -------------------------------------------------- */

START_TEST(expand_repeats_without_copying)
{
    hg_tensor *x = tensor((3, 1), 1, 2, 3);
    uint64_t launches = hg_context_launches(ctx);
    hg_tensor *z = hg_expand(x, HG_SHAPE(2, -1, 2));
    expect_values(z, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3);
    ck_assert_ptr_eq(z->storage, x->storage);
    ck_assert_int_eq(z->stride[0], 0);
    if (on_cpu()) /* elsewhere reading launches */
        ck_assert_uint_eq(hg_context_launches(ctx), launches);
    expect_values(hg_expand(scalar(5), HG_SHAPE(3)), 5, 5, 5);
    expect_shape(hg_expand(x, HG_SHAPE(0, 3, 4)), 0, 3, 4);
}
END_TEST

START_TEST(sum_to_undoes_expand)
{
    hg_tensor *x = tensor((2, 2, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    expect_values(hg_sum_to(x, HG_SHAPE(3)), 22, 26, 30);
    expect_values(hg_sum_to(x, HG_SHAPE(2, 1, 1)), 21, 57);
    expect_values(hg_sum_to(x, HG_SHAPE(2, 1)), 30, 48);
    expect_values(hg_sum_to(x, HG_SCALAR), 78);
    ck_assert_ptr_eq(hg_sum_to(x, HG_SHAPE(2, 2, 3)), x);
}
END_TEST

START_TEST(expand_to_a_shape_that_does_not_fit_reports_both_shapes)
{
    hg_expand(hg_zeros(HG_SHAPE(2, 3)), HG_SHAPE(2, 4));
    expect_error(SHAPE, "expand", "[2, 3]", "[2, 4]", "hg_unsqueeze");
    hg_expand(hg_zeros(HG_SHAPE(2, 3)), HG_SHAPE(3));
    expect_error(SHAPE, "expand", "[2, 3]", "[3]");
    hg_expand(hg_zeros(HG_SHAPE(3)), HG_SHAPE(-1, 3));
    expect_error(SHAPE, "expand", "[-1, 3]");
    hg_sum_to(hg_zeros(HG_SHAPE(2, 3)), HG_SHAPE(2));
    expect_error(SHAPE, "sum_to", "[2, 3]", "[2]");
    hg_sum_to(hg_zeros(HG_SHAPE(3)), HG_SHAPE(2, 3));
    expect_error(SHAPE, "sum_to", "[3]", "[2, 3]");
}
END_TEST

/* ---- reshape, squeeze, unsqueeze ---------------------------------------- */

START_TEST(reshape_of_dense_values_is_a_view)
{
    hg_tensor *x = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    hg_tensor *z = hg_reshape(x, HG_SHAPE(3, -1));
    expect_shape(z, 3, 2);
    expect_values(z, 1, 2, 3, 4, 5, 6);
    ck_assert_ptr_eq(z->storage, x->storage);
    expect_shape(hg_reshape(hg_zeros(HG_SHAPE(0, 4)), HG_SHAPE(2, 0)), 2, 0);
    expect_values(hg_reshape(vector(3), HG_SCALAR), 3);
    expect_shape(hg_reshape(scalar(3), HG_SHAPE(1, 1, 1)), 1, 1, 1);
}
END_TEST

START_TEST(reshape_copies_only_where_strides_cannot_say_it)
{
    hg_tensor *x = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    hg_tensor *t = hg_transpose(x);
    hg_tensor *copied = hg_reshape(t, HG_SHAPE(6));
    expect_values(copied, 1, 4, 2, 5, 3, 6);
    ck_assert_ptr_ne(copied->storage, x->storage);
    hg_tensor *view = hg_reshape(t, HG_SHAPE(3, 1, 2, 1));
    expect_values(view, 1, 4, 2, 5, 3, 6);
    ck_assert_ptr_eq(view->storage, x->storage);
    hg_tensor *rows = hg_reshape(hg_slice(x, 0, 0, HG_END, 1), HG_SHAPE(1, 6));
    ck_assert_ptr_eq(rows->storage, x->storage);
    hg_tensor *repeated = hg_expand(vector(1, 2), HG_SHAPE(2, 2, 2));
    expect_shape(hg_reshape(repeated, HG_SHAPE(4, 2)), 4, 2);
    expect_values(hg_reshape(repeated, HG_SHAPE(4, 2)), 1, 2, 1, 2, 1, 2, 1, 2);
}
END_TEST

START_TEST(reshape_of_random_views_keeps_the_order_of_values)
{
    for (int trial = 0; trial < 500; trial++) {
        hg_tensor *x = random_view(1);
        hg_shape to = {.rank = 0};
        int64_t left = hg_numel(x);
        while (to.rank < HG_MAX_RANK - 1) {
            int64_t size = 1 + draw(6);
            if (left % size)
                continue;
            to.dim[to.rank++] = size;
            left /= size;
        }
        to.dim[to.rank++] = -1;
        hg_tensor *z = hg_reshape(x, to);
        expect_no_error();
        hg_real a[4096], b[4096];
        expect_ok(hg_read(x, a, hg_numel(x)));
        expect_ok(hg_read(z, b, hg_numel(z)));
        ck_assert_mem_eq(a, b, (size_t)hg_numel(x) * sizeof *a);
    }
}
END_TEST

START_TEST(reshape_to_another_number_of_values_reports_both_shapes)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 3));
    hg_reshape(x, HG_SHAPE(4, -1));
    expect_error(SHAPE, "reshape", "[2, 3]", "[4, -1]", "6 values");
    hg_reshape(x, HG_SHAPE(-1, -1));
    expect_error(SHAPE, "reshape", "[-1, -1]");
    hg_reshape(x, HG_SHAPE(7));
    expect_error(SHAPE, "reshape", "[7]");
    hg_reshape(hg_zeros(HG_SHAPE(0)), HG_SHAPE(0, -1));
    expect_error(SHAPE, "reshape", "[0, -1]");
    hg_reshape(NULL, HG_SHAPE(7));
    expect_error(ARGUMENT, "reshape", "NULL");
}
END_TEST

START_TEST(unsqueeze_and_squeeze_insert_and_remove_axes_of_size_one)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 3));
    expect_shape(hg_unsqueeze(x, 0), 1, 2, 3);
    expect_shape(hg_unsqueeze(x, 1), 2, 1, 3);
    expect_shape(hg_unsqueeze(x, -1), 2, 3, 1);
    expect_shape(hg_unsqueeze(x, -3), 1, 2, 3);
    hg_tensor *y = hg_zeros(HG_SHAPE(1, 2, 1));
    expect_shape(hg_squeeze(y, HG_OVER(0)), 2, 1);
    expect_shape(hg_squeeze(y, HG_OVER(-1)), 1, 2);
    expect_shape(hg_squeeze(y, HG_ALL), 2);
    expect_shape(hg_squeeze(y, HG_FROM(1)), 1, 2);
    hg_squeeze(y, HG_OVER(1));
    expect_error(SHAPE, "squeeze", "axis 1", "[1, 2, 1]", "size 2");
    hg_squeeze(y, HG_OVER(3));
    expect_error(SHAPE, "squeeze", "axis 3");
    hg_unsqueeze(x, 3);
    expect_error(SHAPE, "unsqueeze", "3", "[2, 3]");
    hg_unsqueeze(hg_zeros(HG_SHAPE(1, 1, 1, 1, 1, 1)), 0);
    expect_error(SHAPE, "unsqueeze", "6 axes");
    hg_unsqueeze(NULL, 0);
    expect_error(ARGUMENT, "unsqueeze", "NULL");
}
END_TEST

/* ---- permute and transpose ---------------------------------------------- */

START_TEST(permute_moves_axes_without_copying)
{
    hg_tensor *x = tensor((1, 2, 3), 1, 2, 3, 4, 5, 6);
    hg_tensor *z = hg_permute(x, HG_OVER(2, 0, -2));
    expect_shape(z, 3, 1, 2);
    expect_values(z, 1, 4, 2, 5, 3, 6);
    ck_assert_ptr_eq(z->storage, x->storage);
    expect_values(hg_transpose(x), 1, 4, 2, 5, 3, 6);
    expect_shape(hg_transpose(x), 1, 3, 2);
    expect_values(hg_permute(scalar(2), (hg_axes){0}), 2);
}
END_TEST

START_TEST(permute_wants_every_axis_once)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 3));
    hg_permute(x, HG_OVER(0, 0));
    expect_error(SHAPE, "permute", "axis 0", "twice", "[2, 3]");
    hg_permute(x, HG_OVER(0));
    expect_error(SHAPE, "permute", "[2, 3]", "every axis once");
    hg_permute(x, HG_OVER(0, 2));
    expect_error(SHAPE, "permute", "axis 2");
    hg_transpose(hg_zeros(HG_SHAPE(3)));
    expect_error(SHAPE, "transpose", "[3]", "hg_unsqueeze");
    hg_transpose(NULL);
    expect_error(ARGUMENT, "transpose", "NULL");
}
END_TEST

/* ---- Integers, mirrors, gradients --------------------------------------- */

START_TEST(views_of_int32_tensors_stay_int32)
{
    hg_tensor *x = hg_reshape(hg_arange(6), HG_SHAPE(2, 3));
    ck_assert_int_eq(x->dtype, HG_INT32);
    int32_t value[6];
    expect_ok(hg_read_int(hg_reshape(hg_transpose(x), HG_SHAPE(-1)), value, 6));
    const int32_t turned_[] = {0, 3, 1, 4, 2, 5};
    ck_assert_mem_eq(value, turned_, sizeof value);
    expect_ok(hg_read_int(hg_select(x, 1, 2), value, 2));
    ck_assert(value[0] == 2 && value[1] == 5);
    expect_ok(hg_read_int(hg_expand(hg_arange(2), HG_SHAPE(2, 2)), value, 4));
    ck_assert(value[0] == 0 && value[1] == 1 && value[2] == 0);
    hg_pad(x, 0, 1, 1);
    expect_error(ARGUMENT, "int32", "hg_real_of");
}
END_TEST

START_TEST(backward_of_every_linear_op_is_its_mirror)
{
    hg_tensor *x = hg_watch(apart(HG_SHAPE(4, 1, 6), 1));
    hg_tensor *y = hg_watch(apart(HG_SHAPE(4, 2, 6), 2));
    expect_mirror(x, hg_expand(x, HG_SHAPE(3, 4, 5, 6)));
    expect_mirror(y, hg_sum_to(y, HG_SHAPE(2, 1)));
    expect_mirror(x, hg_reshape(x, HG_SHAPE(3, -1)));
    expect_mirror(y,
                  hg_reshape(hg_permute(y, HG_OVER(1, 2, 0)), HG_SHAPE(3, 16)));
    expect_mirror(y, hg_permute(y, HG_OVER(2, 0, 1)));
    expect_mirror(x, hg_squeeze(x, HG_OVER(1)));
    expect_mirror(x, hg_unsqueeze(x, 2));
    expect_mirror(y, hg_slice(y, 2, 1, HG_END, 2));
    expect_mirror(y, hg_slice(y, 0, 1, 4, 2));
    expect_mirror(y, hg_slice(y, 0, 2, 2, 1));
    expect_mirror(y, hg_select(y, 1, 1));
    expect_mirror(y, hg_pad(y, 1, 2, 1));
    expect_mirror(y, hg_flip(y, HG_OVER(0, 2)));
    expect_mirror(y, hg_concat(1, y, hg_neg(y), y));
    expect_mirror(y, hg_stack(1, y, hg_scale(y, 2), y));
    expect_mirror(y, hg_sum(y, HG_OVER(0, 2)));
    expect_mirror(y, hg_mean(y, HG_KEEP(1)));
    expect_mirror(y, hg_cumsum(y, 1));
    expect_mirror(y, hg_transpose(hg_cumsum(hg_transpose(y), -1)));
    expect_mirror(y, hg_sum(y, (hg_axes){0}));
}
END_TEST

static hg_tensor *expanded(hg_tensor *const *x)
{
    return hg_square(hg_expand(x[0], HG_SHAPE(2, -1, 4)));
}

static hg_tensor *summed_to(hg_tensor *const *x)
{
    return hg_square(hg_sum_to(x[0], HG_SHAPE(3, 1)));
}

static hg_tensor *reshaped(hg_tensor *const *x)
{
    return hg_square(hg_reshape(x[0], HG_SHAPE(4, -1)));
}

static hg_tensor *sliced(hg_tensor *const *x)
{
    return hg_square(hg_slice(x[0], -1, 1, HG_END, 2));
}

static hg_tensor *padded(hg_tensor *const *x)
{
    return hg_square(hg_pad(x[0], 0, 1, 2));
}

static hg_tensor *flipped(hg_tensor *const *x)
{
    return hg_mul(x[0], hg_flip(x[0], HG_OVER(1)));
}

static hg_tensor *joined(hg_tensor *const *x)
{
    return hg_square(hg_concat(1, x[0], hg_mul(x[1], x[1]), x[0]));
}

static hg_tensor *stacked(hg_tensor *const *x)
{
    return hg_square(hg_stack(1, x[0], hg_mul(x[0], x[1]), x[1]));
}

START_TEST(gradients_of_views_and_joins_agree_with_differences)
{
    check_gradients(expanded, HG_SHAPE(3, 1));
    check_gradients(summed_to, HG_SHAPE(2, 3, 4));
    check_gradients(reshaped, HG_SHAPE(2, 3, 4));
    check_gradients(sliced, HG_SHAPE(2, 6));
    check_gradients(padded, HG_SHAPE(2, 3));
    check_gradients(flipped, HG_SHAPE(2, 4));
    check_gradients(joined, HG_SHAPE(2, 3), HG_SHAPE(2, 1));
    check_gradients(stacked, HG_SHAPE(2, 3), HG_SHAPE(2, 3));
}
END_TEST

START_TEST(a_rule_skips_the_inputs_that_no_one_asks_for)
{
    hg_tensor *x = hg_watch(vector(1, 2)), *c = vector(3, 4);
    expect_ok(hg_backward(hg_sum(hg_concat(0, x, c), HG_ALL)));
    expect_values(x->grad, 1, 1);
    ck_assert_ptr_null(c->grad);
}
END_TEST

TEST_MAIN("shapes", expand_repeats_without_copying, sum_to_undoes_expand,
          expand_to_a_shape_that_does_not_fit_reports_both_shapes,
          reshape_of_dense_values_is_a_view,
          reshape_copies_only_where_strides_cannot_say_it,
          reshape_of_random_views_keeps_the_order_of_values,
          reshape_to_another_number_of_values_reports_both_shapes,
          unsqueeze_and_squeeze_insert_and_remove_axes_of_size_one,
          permute_moves_axes_without_copying, permute_wants_every_axis_once,
          views_of_int32_tensors_stay_int32,
          backward_of_every_linear_op_is_its_mirror,
          gradients_of_views_and_joins_agree_with_differences,
          a_rule_skips_the_inputs_that_no_one_asks_for)
