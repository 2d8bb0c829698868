/* test_index.c - positions named by int32 tensors, and what makes them. */
#include "ops_fixture.h"

/* ---- index_select and scatter_add --------------------------------------- */

START_TEST(index_select_takes_slices_in_any_order)
{
    hg_tensor *x = tensor((3, 2), 1, 2, 3, 4, 5, 6);
    expect_values(hg_index_select(x, 0, ints(2, 0, 2)), 5, 6, 1, 2, 5, 6);
    expect_values(hg_index_select(x, -1, ints(1)), 2, 4, 6);
    expect_values(hg_index_select(hg_transpose(x), 1, ints(1, 1)), 3, 3, 4, 4);
    hg_tensor *none = hg_slice(hg_arange(3), 0, 0, 0, 1);
    expect_shape(hg_index_select(x, 0, none), 0, 2);
    expect_shape(hg_index_select(hg_zeros(HG_SHAPE(3, 0)), 0, ints(1)), 1, 0);
}
END_TEST

START_TEST(scatter_add_adds_slices_that_share_a_place)
{
    hg_tensor *x = tensor((3, 2), 1, 2, 3, 4, 5, 6);
    expect_values(hg_scatter_add(x, 0, ints(1, 3, 1), 4), 0, 0, 6, 8, 0, 0, 3,
                  4);
    expect_values(hg_scatter_add(x, 1, ints(2, 0), 3), 2, 0, 1, 4, 0, 3, 6, 0,
                  5);
    hg_tensor *none = hg_slice(hg_arange(3), 0, 0, 0, 1);
    hg_tensor *nothing = hg_zeros(HG_SHAPE(0, 2));
    expect_values(hg_scatter_add(nothing, 0, none, 2), 0, 0, 0, 0);
    expect_shape(hg_scatter_add(nothing, 0, none, 0), 0, 2);
}
END_TEST

START_TEST(slices_by_index_agree_with_plain_loops)
{
    for (int trial = 0; trial < 200; trial++) {
        hg_tensor *x = random_view(1);
        if (!x->shape.rank)
            continue;
        int axis = (int)draw((uint32_t)x->shape.rank);
        int64_t size = x->shape.dim[axis], m = 1 + draw(5);
        hg_tensor *index = indices(HG_SHAPE(m), (uint32_t)size);
        hg_tensor *z = hg_index_select(x, axis, index);
        expect_no_error();
        for_each_index(at, z->shape)
        {
            int64_t from[HG_MAX_RANK];
            memcpy(from, at, sizeof from);
            from[axis] = (int64_t)value_at(index, &at[axis]);
            ck_assert(value_at(z, at) == value_at(x, from));
        }
        hg_tensor *w = hg_watch(x);
        expect_mirror(w, hg_index_select(w, axis, index));
        expect_mirror(w,
                      hg_scatter_add(w, axis, indices(HG_SHAPE(size), 7), 7));
    }
}
END_TEST

/* ---- take_along and add_along ------------------------------------------- */

START_TEST(take_along_picks_one_element_a_row)
{
    hg_tensor *log_p = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    hg_tensor *label = hg_unsqueeze(ints(2, 0), 1);
    expect_values(hg_take_along(log_p, 1, label), 3, 4);
    hg_tensor *place = hg_reshape(ints(1, 0, 0, 1, 1, 1), HG_SHAPE(2, 3));
    expect_values(hg_take_along(log_p, 0, place), 4, 2, 3, 4, 5, 6);
    expect_values(hg_add_along(log_p, 0, place, 3), 0, 2, 3, 5, 5, 6, 0, 0, 0);
    place = hg_reshape(ints(0, 0, 1, 1, 1, 1), HG_SHAPE(2, 3));
    expect_values(hg_add_along(log_p, 1, place, 2), 3, 3, 0, 15);
}
END_TEST

START_TEST(elements_by_index_agree_with_plain_loops)
{
    for (int trial = 0; trial < 200; trial++) {
        hg_tensor *x = random_view(1);
        if (!x->shape.rank)
            continue;
        int axis = (int)draw((uint32_t)x->shape.rank);
        hg_shape shape = x->shape;
        int64_t size = shape.dim[axis];
        shape.dim[axis] = 1;
        if (hg_shape_numel(shape) > 256)
            continue;
        shape.dim[axis] += draw(4);
        hg_tensor *index = indices(shape, (uint32_t)size);
        hg_tensor *z = hg_take_along(x, axis, index);
        expect_no_error();
        for_each_index(at, z->shape)
        {
            int64_t from[HG_MAX_RANK];
            memcpy(from, at, sizeof from);
            from[axis] = (int64_t)value_at(index, at);
            ck_assert(value_at(z, at) == value_at(x, from));
        }
        hg_tensor *w = hg_watch(x);
        expect_mirror(w, hg_take_along(w, axis, index));
        if (hg_numel(w) <= 1024)
            expect_mirror(w, hg_add_along(w, axis, indices(w->shape, 5), 5));
    }
}
END_TEST

/* ---- Errors ------------------------------------------------------------- */

START_TEST(an_index_out_of_range_is_named_with_the_size)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(3, 2));
    ck_assert(is_refused(hg_index_select(x, 0, ints(0, 2, 3))));
    expect_error(ARGUMENT, "index_select", "index 3", "place 2", "3 positions");
    ck_assert(is_refused(hg_index_select(x, 1, ints(0, -1))));
    expect_error(ARGUMENT, "index_select", "index -1", "place 1");
    ck_assert(is_refused(hg_scatter_add(x, 1, ints(0, 5), 5)));
    expect_error(ARGUMENT, "scatter_add", "index 5", "5 positions");
    hg_tensor *place = hg_reshape(ints(0, 1, 0, 2, 0, 0), HG_SHAPE(3, 2));
    ck_assert(is_refused(hg_take_along(x, 1, place)));
    expect_error(ARGUMENT, "take_along", "index 2", "place 3", "2 positions");
    ck_assert(is_refused(hg_add_along(x, 1, place, 2)));
    expect_error(ARGUMENT, "add_along", "index 2");
    ck_assert(is_refused(hg_one_hot(ints(0, 4, 1), 3)));
    expect_error(ARGUMENT, "one_hot", "index 4", "place 1", "3 positions");
    ck_assert(is_refused(hg_index_select(hg_zeros(HG_SHAPE(0)), 0, ints(0))));
    expect_error(ARGUMENT, "index_select", "index 0", "0 positions");
}
END_TEST

START_TEST(an_index_of_the_wrong_shape_or_type_is_an_error)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(3, 2));
    hg_tensor *square = hg_reshape(hg_arange(4), HG_SHAPE(2, 2));
    hg_index_select(x, 0, square);
    expect_error(SHAPE, "index_select", "[2, 2]", "hg_reshape");
    hg_index_select(x, 0, vector(1));
    expect_error(ARGUMENT, "index_select", "hg_int_of");
    hg_index_select(hg_arange(3), 0, ints(1));
    expect_error(ARGUMENT, "index_select", "hg_real_of");
    hg_index_select(x, 2, ints(1));
    expect_error(SHAPE, "index_select", "axis 2");
    hg_index_select(x, 0, NULL);
    expect_error(ARGUMENT, "index_select", "NULL");
    hg_scatter_add(x, 0, ints(0, 1), 3);
    expect_error(SHAPE, "scatter_add", "[2]", "[3, 2]", "axis 0");
    hg_scatter_add(x, 0, square, 3);
    expect_error(SHAPE, "scatter_add", "[2, 2]");
    hg_scatter_add(x, 0, ints(0, 1, 2), -1);
    expect_error(SHAPE, "scatter_add", "-1");
    hg_scatter_add(x, 3, ints(0), 1);
    expect_error(SHAPE, "scatter_add", "axis 3");
    hg_take_along(x, 1, square);
    expect_error(SHAPE, "take_along", "[2, 2]", "[3, 2]", "axis 1");
    hg_take_along(x, 1, ints(1, 1));
    expect_error(SHAPE, "take_along", "[2]", "[3, 2]", "hg_unsqueeze");
    hg_take_along(x, -3, square);
    expect_error(SHAPE, "take_along", "axis -3");
    hg_add_along(x, 1, square, 2);
    expect_error(SHAPE, "add_along", "[2, 2]", "[3, 2]");
    hg_add_along(x, 1, hg_reshape(hg_arange(6), HG_SHAPE(3, 2)), -2);
    expect_error(SHAPE, "add_along", "-2");
    hg_add_along(x, 2, square, 2);
    expect_error(SHAPE, "add_along", "axis 2");
}
END_TEST

/* ---- one_hot, arange, conversions --------------------------------------- */

START_TEST(one_hot_sets_one_class_a_row)
{
    hg_tensor *z = hg_one_hot(ints(2, 0), 3);
    expect_shape(z, 2, 3);
    expect_values(z, 0, 0, 1, 1, 0, 0);
    expect_shape(hg_one_hot(hg_reshape(hg_arange(4), HG_SHAPE(2, 2)), 4), 2, 2,
                 4);
    expect_shape(hg_one_hot(hg_arange(0), 3), 0, 3);
    expect_shape(hg_one_hot(hg_arange(0), 0), 0, 0);
    hg_one_hot(hg_arange(1), -1);
    expect_error(SHAPE, "one_hot", "-1 classes");
    hg_one_hot(hg_reshape(hg_arange(1), HG_SHAPE(1, 1, 1, 1, 1, 1)), 2);
    expect_error(SHAPE, "one_hot", "[1, 1, 1, 1, 1, 1]", "6 axes");
    hg_one_hot(vector(1), 2);
    expect_error(ARGUMENT, "one_hot", "hg_int_of");
}
END_TEST

START_TEST(arange_counts_from_zero)
{
    hg_tensor *z = hg_arange(4);
    ck_assert_int_eq(z->dtype, HG_INT32);
    expect_values(hg_real_of(z), 0, 1, 2, 3);
    expect_shape(hg_arange(0), 0);
    hg_arange(-1);
    expect_error(ARGUMENT, "arange", "-1");
    hg_arange((int64_t)1 << 31);
    expect_error(ARGUMENT, "arange", "2147483648");
}
END_TEST

START_TEST(conversions_drop_fractions_and_refuse_what_has_no_integer)
{
    int32_t value[4];
    expect_ok(hg_read_int(hg_int_of(vector(1.9, -1.9, 0, 3)), value, 4));
    ck_assert(value[0] == 1 && value[1] == -1 && value[2] == 0 &&
              value[3] == 3);
    hg_tensor *turned_ = hg_transpose(tensor((2, 2), 1, 2, 3, 4));
    expect_values(hg_real_of(hg_int_of(turned_)), 1, 3, 2, 4);
    expect_ok(hg_read_int(hg_int_of(vector(-2147483648.0)), value, 1));
    ck_assert_int_eq(value[0], INT32_MIN);
    ck_assert(is_refused(hg_int_of(vector(1, NAN))));
    expect_error(ARGUMENT, "int_of", "nan", "place 1");
    ck_assert(is_refused(hg_int_of(vector(3e9))));
    expect_error(ARGUMENT, "int_of", "3e+09");
    ck_assert(is_refused(hg_int_of(vector(-INFINITY))));
    expect_error(ARGUMENT, "int_of", "-inf");
    hg_real_of(vector(1));
    expect_error(ARGUMENT, "real_of", "hg_int_of");
    ck_assert(!hg_int_of(hg_watch(vector(1)))->wants_grad);
}
END_TEST

/* ---- Gradients, threads ------------------------------------------------- */

static hg_tensor *selected(hg_tensor *const *in)
{
    return hg_square(hg_index_select(in[0], 0, ints(1, 0, 1)));
}

static hg_tensor *scattered(hg_tensor *const *in)
{
    return hg_square(hg_scatter_add(in[0], 1, ints(1, 0, 1), 4));
}

static hg_tensor *taken(hg_tensor *const *in)
{
    hg_tensor *place = hg_reshape(ints(1, 1, 0, 2), HG_SHAPE(2, 2));
    return hg_square(hg_take_along(in[0], 1, place));
}

static hg_tensor *added(hg_tensor *const *in)
{
    hg_tensor *place = hg_reshape(ints(1, 1, 0, 2), HG_SHAPE(2, 2));
    return hg_square(hg_add_along(in[0], 1, place, 3));
}

START_TEST(gradients_by_index_agree_with_differences)
{
    check_gradients(selected, HG_SHAPE(2, 3));
    check_gradients(scattered, HG_SHAPE(2, 3));
    check_gradients(taken, HG_SHAPE(2, 3));
    check_gradients(added, HG_SHAPE(2, 2));
}
END_TEST

START_TEST(sums_by_index_do_not_depend_on_the_number_of_threads)
{
    if (!on_cpu())
        skip_test("its kernels have no threads of the CPU");
    hg_tensor *x =
        hg_expand(apart(HG_SHAPE(4, 1, 300), 1), HG_SHAPE(4, 900, 300));
    x = hg_mul(x, hg_unsqueeze(apart(HG_SHAPE(900, 1), 2), 0));
    hg_tensor *index = indices(HG_SHAPE(900), 50);
    hg_tensor *along = hg_expand(hg_unsqueeze(index, 1), HG_SHAPE(4, 900, 300));
    hg_tensor *expected[3];
    for (int threads = 1; threads <= 5; threads += 2) {
        hg_context_set_threads(ctx, threads);
        hg_tensor *z[] = {hg_scatter_add(x, 1, index, 50),
                          hg_add_along(x, 1, along, 50),
                          hg_index_select(x, 1, index)};
        expect_no_error();
        for (int i = 0; i < 3; i++)
            if (threads == 1)
                expected[i] = z[i];
            else
                ck_assert(same_bits(z[i], expected[i]));
    }
    expect_same(expected[0], expected[1], 0);
}
END_TEST

TEST_MAIN("index", index_select_takes_slices_in_any_order,
          scatter_add_adds_slices_that_share_a_place,
          slices_by_index_agree_with_plain_loops,
          take_along_picks_one_element_a_row,
          elements_by_index_agree_with_plain_loops,
          an_index_out_of_range_is_named_with_the_size,
          an_index_of_the_wrong_shape_or_type_is_an_error,
          one_hot_sets_one_class_a_row, arange_counts_from_zero,
          conversions_drop_fractions_and_refuse_what_has_no_integer,
          gradients_by_index_agree_with_differences,
          sums_by_index_do_not_depend_on_the_number_of_threads)
