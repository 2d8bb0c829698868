/* test_tensor.c - shapes, values in and out, contexts, steps, and the random
 * numbers under it all. */
#include "tests/support.h"
#include "tensor/cpu.h"
#include "tensor/device.h"
#include "tensor/random.h"

/* ---- Shapes ------------------------------------------------------------- */

START_TEST(shapes_are_written_in_brackets)
{
    ck_assert_str_eq(HG_SHAPE_TEXT(HG_SHAPE(2, 3)), "[2, 3]");
    ck_assert_str_eq(HG_SHAPE_TEXT(HG_SCALAR), "[]");
    char small[5];
    ck_assert_str_eq(hg_shape_text(HG_SHAPE(123, 456), small, 5), "[123");
}
END_TEST

START_TEST(shapes_count_and_compare)
{
    ck_assert_int_eq(hg_shape_numel(HG_SHAPE(2, 3, 4)), 24);
    ck_assert_int_eq(hg_shape_numel(HG_SCALAR), 1);
    ck_assert_int_eq(hg_shape_numel(HG_SHAPE(2, 0)), 0);
    ck_assert(hg_shape_equal(HG_SHAPE(2, 3), HG_SHAPE(2, 3)));
    ck_assert(!hg_shape_equal(HG_SHAPE(2, 3), HG_SHAPE(3, 2)));
    ck_assert(!hg_shape_equal(HG_SHAPE(2), HG_SHAPE(2, 1)));
    ck_assert_int_eq(hg_numel(NULL), 0);
}
END_TEST

static int mask_of(hg_axes axes, int rank)
{
    bool mask[HG_MAX_RANK];
    if (!hg_axes_mask(axes, rank, mask))
        return -1;
    int bits = 0;
    for (int i = 0; i < HG_MAX_RANK; i++)
        bits |= mask[i] << i;
    return bits;
}

START_TEST(axes_are_counted_from_both_ends)
{
    ck_assert_int_eq(mask_of(HG_OVER(1), 3), 2);
    ck_assert_int_eq(mask_of(HG_OVER(-1, 0), 3), 5);
    ck_assert_int_eq(mask_of(HG_FROM(1), 4), 14);
    ck_assert_int_eq(mask_of(HG_FROM(-1), 4), 8);
    ck_assert_int_eq(mask_of(HG_ALL, 0), 0);
    ck_assert_int_eq(mask_of(HG_FROM(2), 2), 0);
    ck_assert_int_eq(mask_of(HG_OVER(1, -1), 2), -1);
    expect_error(SHAPE, "axis 1 is named twice");
    ck_assert_int_eq(mask_of(HG_OVER(-3), 2), -1);
    expect_error(SHAPE, "axis -3", "use -2 to 1");
    ck_assert_int_eq(mask_of(HG_FROM(3), 2), -1);
    expect_error(SHAPE, "axis 3");
    ck_assert_int_eq(mask_of((hg_axes){.count = -1}, 2), -1);
    expect_error(SHAPE, "-1 axes");
}
END_TEST

START_TEST(dense_is_what_lies_row_by_row)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 3));
    ck_assert(hg_is_contiguous(x));
    ck_assert(!hg_is_contiguous(hg_transpose(x)));
    ck_assert(hg_is_contiguous(hg_transpose(hg_zeros(HG_SHAPE(1, 3)))));
    ck_assert(hg_is_contiguous(hg_transpose(hg_zeros(HG_SHAPE(0, 3)))));
    ck_assert(
        !hg_is_contiguous(hg_expand(hg_ones(HG_SHAPE(1, 3)), HG_SHAPE(2, 3))));
}
END_TEST

/* ---- Values ------------------------------------------------------------- */

START_TEST(arrays_of_every_type_are_copied_in)
{
    expect_values(hg_from((float[]){1.5f, -2}, "f4", HG_SHAPE(2)), 1.5, -2);
    expect_values(hg_from((double[]){0.25, 3}, "f8", HG_SHAPE(2)), 0.25, 3);
    expect_values(hg_from((uint8_t[]){0, 255}, "u1", HG_SHAPE(2)), 0, 255);
    hg_tensor *small = hg_from((int32_t[]){-1, 7}, "i4", HG_SHAPE(2));
    hg_tensor *large = hg_from((int64_t[]){5, -9}, "i8", HG_SHAPE(2));
    int32_t value[2];
    expect_ok(hg_read_int(small, value, 2));
    ck_assert(value[0] == -1 && value[1] == 7);
    expect_ok(hg_read_int(large, value, 2));
    ck_assert(value[0] == 5 && value[1] == -9);
    ck_assert_int_eq(small->dtype, HG_INT32);
    ck_assert(hg_item(hg_from((int32_t[]){3}, "i4", HG_SCALAR)) == 3);
    expect_shape(hg_from(NULL, "f4", HG_SHAPE(0, 2)), 0, 2);
}
END_TEST

START_TEST(views_are_read_row_by_row_too)
{
    hg_tensor *x = tensor((2, 3), 1, 2, 3, 4, 5, 6);
    expect_values(hg_transpose(x), 1, 4, 2, 5, 3, 6);
    expect_values(hg_slice(x, 1, 1, HG_END, 1), 2, 3, 5, 6);
    expect_values(hg_expand(vector(1, 2), HG_SHAPE(2, 2)), 1, 2, 1, 2);
}
END_TEST

START_TEST(writing_through_a_view_changes_what_it_looks_at)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2, 2));
    hg_tensor *t = hg_transpose(x);
    expect_ok(hg_write(t, (hg_real[]){1, 2, 3, 4}, 4));
    expect_values(x, 1, 3, 2, 4);
    ck_assert_uint_eq(hg_version(x), 1);
    ck_assert_uint_eq(hg_version(t), 1);
}
END_TEST

START_TEST(every_write_is_a_new_version)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2));
    hg_set(x, 3);
    expect_values(x, 3, 3);
    ck_assert_uint_eq(hg_version(x), 1);
    expect_ok(hg_assign(x, vector(1, 2)));
    expect_values(x, 1, 2);
    expect_ok(hg_assign(x, x));
    ck_assert_uint_eq(hg_version(x), 3);
    hg_tensor *square = hg_zeros(HG_SHAPE(2, 2));
    expect_ok(hg_assign(square, hg_transpose(tensor((2, 2), 1, 2, 3, 4))));
    expect_values(square, 1, 3, 2, 4);
    expect_ok(hg_assign(square, hg_transpose(square)));
    expect_values(square, 1, 2, 3, 4);
    ck_assert_uint_eq(hg_version(square), 2);
    ck_assert(!hg_assign(hg_transpose(square), square));
    expect_error(ARGUMENT, "hg_assign", "contiguous");
    hg_set(hg_transpose(square), 1);
    expect_error(ARGUMENT, "hg_set", "contiguous");
}
END_TEST

START_TEST(int64_values_that_do_not_fit_are_refused)
{
    int64_t labels[] = {1, INT64_C(5000000000)};
    ck_assert_ptr_null(hg_from(labels, "i8", HG_SHAPE(2)));
    expect_error(ARGUMENT, "hg_from", "5000000000", "place 1", "int32");
}
END_TEST

static const char *printed(const hg_tensor *t)
{
    static char text[4096];
    FILE *f = tmpfile();
    ck_assert_ptr_nonnull(f);
    hg_print(f, t);
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

START_TEST(tensors_are_printed_with_long_axes_abbreviated)
{
    ck_assert_str_eq(printed(scalar(1.5)), "[] 1.5\n");
    ck_assert_str_eq(printed(tensor((2, 2), 1, 2, 3, 4)),
                     "[2, 2] [[1, 2],\n [3, 4]]\n");
    ck_assert_str_eq(printed(hg_ones(HG_SHAPE(20))),
                     "[20] [1, 1, 1, 1, ..., 1, 1, 1, 1]\n");
    ck_assert_str_eq(printed(hg_from((int32_t[]){3, 4}, "i4", HG_SHAPE(2))),
                     "[2] [3, 4]\n");
    ck_assert_str_eq(printed(NULL), "(null)\n");
    hg_scope *inner = hg_scope_open(ctx, HG_EVAL);
    hg_tensor *gone = scalar(1);
    hg_scope_close(inner);
    ck_assert_str_eq(printed(gone), "(tensor of a closed scope)\n");
    hg_tensor *w = test_parameter(test_owner(ctx), "w", HG_SHAPE(2), 1);
    ck_assert_str_eq(printed(w), "w [2] [1, 1.125]\n");
}
END_TEST

/* ---- Contexts and steps ------------------------------------------------- */

START_TEST(a_context_knows_its_settings)
{
    ck_assert_str_eq(hg_context_device(ctx), test_device());
    ck_assert_uint_eq(hg_context_seed(ctx), 42);
    hg_context_set_threads(ctx, 3);
    ck_assert_int_eq(hg_context_threads(ctx), 3);
    hg_context_set_threads(ctx, 1000000);
    ck_assert_int_eq(hg_context_threads(ctx), 1024);
    hg_context_set_threads(ctx, 0);
    ck_assert_int_eq(hg_context_threads(ctx), hg_cpu_cores());
    ck_assert_int_ge(hg_cpu_cores(), 1);
    ck_assert_str_eq(hg_cpu_isa_name(99), "unknown");
    ck_assert_str_ne(hg_cpu_isa_name(hg_cpu_isa()), "unknown");
}
END_TEST

START_TEST(outermost_scopes_are_counted_by_kind)
{
    uint64_t steps[2];
    hg_scope_close(scope); /* the first recording one */
    static const hg_mode modes[] = {HG_EVAL, HG_TRAIN, HG_RECORD, HG_STOCHASTIC,
                                    HG_EVAL};
    for (int i = 0; i < 5; i++) {
        hg_scope *s = hg_scope_open(ctx, modes[i]);
        hg_scope_close(hg_scope_open(ctx, HG_TRAIN)); /* inner: not counted */
        hg_scope_close(s);
    }
    hg_context_steps(ctx, steps);
    ck_assert_uint_eq(steps[0], 3);
    ck_assert_uint_eq(steps[1], 3);
}
END_TEST

static hg_tensor *draw_at(uint64_t train, uint64_t eval, hg_mode mode)
{
    hg_scope_close(scope);
    hg_context_set_steps(ctx, (uint64_t[]){train, eval});
    scope = hg_scope_open(ctx, mode);
    return hg_rand(HG_SHAPE(4));
}

START_TEST(draws_depend_on_step_kind_and_order_only)
{
    hg_real a[4], b[4], c[4], d[4];
    expect_ok(hg_read(draw_at(7, 7, HG_TRAIN), a, 4));
    expect_ok(hg_read(hg_rand(HG_SHAPE(4)), b, 4));
    ck_assert(memcmp(a, b, sizeof a) != 0); /* the next stream */
    expect_ok(hg_read(draw_at(8, 7, HG_TRAIN), c, 4));
    ck_assert(memcmp(a, c, sizeof a) != 0); /* the next step */
    expect_ok(hg_read(draw_at(7, 7, HG_EVAL), c, 4));
    ck_assert(memcmp(a, c, sizeof a) != 0); /* the other kind */
    expect_ok(hg_read(draw_at(7, 9, HG_TRAIN), c, 4));
    expect_ok(hg_read(hg_rand(HG_SHAPE(4)), d, 4));
    ck_assert(!memcmp(a, c, sizeof a) && !memcmp(b, d, sizeof b));
}
END_TEST

/* ---- Random numbers ----------------------------------------------------- */

START_TEST(philox_gives_the_published_words)
{
    /* The known answers of Random123, philox4x32-10. */
    static const uint32_t answer[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6,
         0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t word[4];
        memcpy(word, answer[i], sizeof word);
        hg_philox_rounds(word, answer[i][4], answer[i][5]);
        ck_assert(!memcmp(word, answer[i] + 6, sizeof word));
    }
}
END_TEST

START_TEST(words_lie_where_curand_has_them)
{
    hg_philox p =
        hg_philox_make(0x1122334455667788u, HG_DOMAIN_EVAL, hg_sequence(3, 5));
    uint32_t word[4] = {2, 0, 5, 3};
    hg_philox_rounds(word, 0x55667788u, 0x11223344u ^ 0x85EBCA6Bu);
    for (uint64_t i = 0; i < 4; i++)
        ck_assert_uint_eq(hg_philox_word(&p, 8 + i), word[i]);
}
END_TEST

START_TEST(uniforms_lie_in_zero_to_below_one)
{
    ck_assert(hg_word_uniform(0) == 0);
    ck_assert(hg_word_uniform(~0u) < 1);
    ck_assert(hg_word_uniform(0x80000000u) == 0.5f);
}
END_TEST

START_TEST(normals_are_finite_for_every_extreme_word)
{
    static const uint32_t extreme[] = {0, 1, 0x7fffffff, 0x80000000, ~0u};
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            float z[2];
            hg_words_normal(extreme[i], extreme[j], z);
            ck_assert(isfinite(z[0]) && isfinite(z[1]));
        }
}
END_TEST

START_TEST(text_is_hashed_as_published)
{
    ck_assert(hg_hash_text("") == 0xcbf29ce484222325u);
    ck_assert(hg_hash_text("a") == 0xaf63dc4c8601ec8cu);
    ck_assert(hg_hash_text("foobar") == 0x85944171f73967e8u);
}
END_TEST

START_TEST(a_permutation_hits_every_place_once)
{
    static const int64_t sizes[] = {1, 2, 3, 16, 17, 1000};
    for (int k = 0; k < 6; k++) {
        char seen[1000] = {0};
        int moved = 0;
        for (int64_t i = 0; i < sizes[k]; i++) {
            int64_t to = hg_permuted(9, 4, sizes[k], i);
            ck_assert(to >= 0 && to < sizes[k] && !seen[to]);
            seen[to] = 1;
            moved += to != i;
        }
        ck_assert(sizes[k] < 100 || moved > sizes[k] * 9 / 10);
    }
    int same = 0;
    for (int64_t i = 0; i < 1000; i++)
        same += hg_permuted(9, 4, 1000, i) == hg_permuted(9, 5, 1000, i);
    ck_assert_int_lt(same, 20);
}
END_TEST

START_TEST(arrays_that_are_null_are_refused)
{
    hg_tensor *x = hg_zeros(HG_SHAPE(2)), *none = hg_zeros(HG_SHAPE(0));
    ck_assert(!hg_read(x, NULL, 2));
    expect_error(ARGUMENT, "array of 2 values is NULL");
    ck_assert(!hg_read_int(hg_int_of(x), NULL, 2));
    expect_error(ARGUMENT, "array of 2 values is NULL");
    ck_assert(!hg_write(x, NULL, 2));
    expect_error(ARGUMENT, "array of 2 values is NULL");
    ck_assert(hg_read(none, NULL, 0));
}
END_TEST

/* As hourglass doctor asks. Without a GPU there is a reason, and nothing to ask
 * about. */
START_TEST(devices_are_counted_and_say_what_they_are)
{
    char reason[256] = "";
    hg_device_facts facts;
    if (getenv("HOURGLASS_TEST_VALGRIND"))
        skip_test("loading cuBLAS takes half a minute there");
    int count = hg_device_count(reason, sizeof reason);
    ck_assert_str_ne(hg_device_version(), "");
    ck_assert_str_ne(hg_device_products(), "");
    ck_assert(count ? !reason[0] : reason[0] != 0);
    for (int i = 0; i < count; i++) {
        ck_assert(hg_device_ask(i, &facts));
        ck_assert_str_ne(facts.name, "");
        ck_assert_uint_ge(facts.memory, facts.free);
    }
    ck_assert(!hg_device_ask(count, &facts));
    ck_assert_uint_eq(facts.memory, 0);
}
END_TEST

START_TEST(a_device_that_is_not_there_is_refused_with_what_is)
{
    char reason[256], device[32];
    int count = hg_device_count(reason, sizeof reason);
    snprintf(device, sizeof device, "cuda:%d", count);
    ck_assert_ptr_null(hg_context_new(device, 1));
    expect_error(DEVICE, device, count ? "cuda:0" : "--device cpu");
}
END_TEST

TEST_MAIN("tensor", arrays_that_are_null_are_refused,
          shapes_are_written_in_brackets, shapes_count_and_compare,
          axes_are_counted_from_both_ends, dense_is_what_lies_row_by_row,
          arrays_of_every_type_are_copied_in, views_are_read_row_by_row_too,
          writing_through_a_view_changes_what_it_looks_at,
          every_write_is_a_new_version,
          int64_values_that_do_not_fit_are_refused,
          tensors_are_printed_with_long_axes_abbreviated,
          a_context_knows_its_settings,
          devices_are_counted_and_say_what_they_are,
          a_device_that_is_not_there_is_refused_with_what_is,
          outermost_scopes_are_counted_by_kind,
          draws_depend_on_step_kind_and_order_only,
          philox_gives_the_published_words, words_lie_where_curand_has_them,
          uniforms_lie_in_zero_to_below_one,
          normals_are_finite_for_every_extreme_word,
          text_is_hashed_as_published, a_permutation_hits_every_place_once)
