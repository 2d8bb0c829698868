/* test_fuse_schedule.c - which parts of the queued work share a launch, and
 * that none passes another whose values it needs: parts that are made up. */
#include "support.h"
#include "tensor/fuse.h"
#include "tensor/random.h"

static hg_part parts[HG_FUSE_WINDOW];
static hg_place place[HG_FUSE_WINDOW];
static hg_fuse_room room;
static char memory_of_parts[1 << 12]; /* only its addresses count */

enum { N = 16, BYTES = N * sizeof(hg_real) };
typedef enum { EACH, ANY } how; /* value i only, or any value */

static void touch(int part, int from, how way, bool writes)
{
    hg_part_touches(&parts[part], memory_of_parts + from, BYTES, writes,
                    way == EACH);
}

/* Part number `i` with N values at `out`. */
static void make(int i, hg_role role, int out)
{
    parts[i] = (hg_part){.role = role, .n = N};
    touch(i, out, role == HG_ALONE ? ANY : EACH, true);
}

/* Part number i with an input more. */
static void with(int i, int in, how way)
{
    touch(i, in, way, false);
}

/* Buffers of N values. */
enum { A = 0, B = BYTES, C = 2 * BYTES, D = 3 * BYTES, E = 4 * BYTES };

static bool same_launch(int i, int j)
{
    return place[i].launch == place[j].launch;
}

static bool same_line(int i, int j)
{
    return same_launch(i, j) && place[i].line == place[j].line;
}

START_TEST(parts_that_do_not_touch_share_a_launch_side_by_side)
{
    make(0, HG_MAP, A);
    make(1, HG_MAKER, B);
    with(1, C, ANY);
    make(2, HG_MAP, D);
    with(2, C, EACH);
    ck_assert_int_eq(hg_fuse(&room, parts, 3, place), 1);
    ck_assert(!same_line(0, 1) && !same_line(1, 2) && !same_line(0, 2));
}
END_TEST

START_TEST(a_map_goes_on_with_the_same_values_in_one_line)
{
    make(0, HG_MAKER, B);
    with(0, A, ANY);
    make(1, HG_MAP, C);
    with(1, B, EACH);
    make(2, HG_MAP, B); /* in place */
    with(2, C, EACH);
    ck_assert_int_eq(hg_fuse(&room, parts, 3, place), 1);
    ck_assert(same_line(0, 1) && same_line(1, 2));
}
END_TEST

START_TEST(a_map_that_reads_other_values_waits)
{
    make(0, HG_MAP, B);
    make(1, HG_MAP, C);
    with(1, B, ANY); /* broadcast, transposed, a neighbour's */
    ck_assert_int_eq(hg_fuse(&room, parts, 2, place), 2);
}
END_TEST

START_TEST(a_map_that_overwrites_what_a_product_reads_waits)
{
    make(0, HG_MAKER, B);
    with(0, A, ANY);
    make(1, HG_MAP, A);
    with(1, B, EACH);
    ck_assert_int_eq(hg_fuse(&room, parts, 2, place), 2);
}
END_TEST

START_TEST(a_map_that_overwrites_a_product_waits_for_its_readers)
{
    make(0, HG_MAKER, B);
    make(1, HG_MAKER, C);
    with(1, D, ANY);
    make(2, HG_MAP, D);
    ck_assert_int_eq(hg_fuse(&room, parts, 3, place), 2);
    ck_assert(same_launch(0, 1) && !same_launch(1, 2));
}
END_TEST

START_TEST(values_that_begin_elsewhere_are_not_the_same_values)
{
    make(0, HG_MAP, A);
    make(1, HG_MAP, D);
    with(1, A + (int)sizeof(hg_real), EACH);
    ck_assert_int_eq(hg_parts_conflict(&parts[0], &parts[1]), HG_CLASHING);
    ck_assert_int_eq(hg_fuse(&room, parts, 2, place), 2);
}
END_TEST

START_TEST(values_of_another_count_are_not_the_same_values)
{
    make(0, HG_MAP, A);
    make(1, HG_MAP, D);
    with(1, A, EACH);
    ck_assert_int_eq(hg_parts_conflict(&parts[0], &parts[1]), HG_MEETING);
    parts[1].n = N / 2;
    ck_assert_int_eq(hg_parts_conflict(&parts[0], &parts[1]), HG_CLASHING);
}
END_TEST

START_TEST(two_makers_are_never_one_line)
{
    make(0, HG_MAKER, A);
    make(1, HG_MAKER, B);
    make(2, HG_MAP, C);
    with(2, A, EACH);
    with(2, B, EACH);
    ck_assert_int_eq(hg_fuse(&room, parts, 3, place), 2);
    ck_assert(same_launch(0, 1) && !same_line(0, 1));
}
END_TEST

START_TEST(lines_that_one_map_follows_become_one)
{
    make(0, HG_MAP, A);
    make(1, HG_MAKER, B);
    make(2, HG_MAP, D);
    make(3, HG_MAP, C);
    with(3, A, EACH);
    with(3, B, EACH);
    ck_assert_int_eq(hg_fuse(&room, parts, 4, place), 1);
    ck_assert(same_line(0, 1) && same_line(1, 3) && !same_line(2, 3));
}
END_TEST

START_TEST(a_maker_does_not_go_on_with_values)
{
    make(0, HG_MAP, A);
    make(1, HG_MAKER, B);
    with(1, A, EACH);
    ck_assert_int_eq(hg_fuse(&room, parts, 2, place), 2);
}
END_TEST

START_TEST(what_runs_alone_goes_ahead)
{
    make(0, HG_MAP, A);
    make(1, HG_ALONE, B);
    make(2, HG_MAP, C);
    with(2, A, EACH);
    ck_assert_int_eq(hg_fuse(&room, parts, 3, place), 2);
    ck_assert_int_eq(place[1].launch, 0);
    ck_assert_int_eq(place[1].line, -1);
    ck_assert(same_line(0, 2));
}
END_TEST

START_TEST(nothing_passes_a_part_of_which_nothing_is_known)
{
    make(0, HG_MAP, A);
    parts[1] = (hg_part){.open = true};
    make(2, HG_MAP, C);
    ck_assert_int_eq(hg_fuse(&room, parts, 3, place), 3);
    ck_assert_int_lt(place[0].launch, place[1].launch);
    ck_assert_int_lt(place[1].launch, place[2].launch);
}
END_TEST

START_TEST(a_part_with_too_many_ranges_is_passed_by_nothing)
{
    make(0, HG_MAP, A);
    for (int i = 0; i < HG_PART_RANGES; i++)
        with(0, B, EACH);
    ck_assert(parts[0].open);
}
END_TEST

/* Whatever the parts are: where one of two writes what the other touches, they
 * keep their order, or are one line and meet value by value. */
static void expect_order(int n, int launches)
{
    for (int j = 0; j < n; j++) {
        ck_assert_int_lt(place[j].launch, launches);
        for (int i = 0; i < j; i++) {
            hg_conflict c = hg_parts_conflict(&parts[i], &parts[j]);
            bool before = place[i].launch < place[j].launch;
            bool meets =
                c == HG_MEETING && same_line(i, j) && parts[j].role == HG_MAP;
            ck_assert_msg(c == HG_APART || before || meets,
                          "parts %d and %d of %d", i, j, n);
            ck_assert(!same_launch(i, j) ||
                      (parts[i].role != HG_ALONE && parts[j].role != HG_ALONE));
            ck_assert(!same_line(i, j) || parts[i].role == HG_MAP ||
                      parts[j].role == HG_MAP);
        }
    }
}

static int drawn(unsigned below)
{
    static uint64_t word;
    hg_philox p = hg_philox_make(3, HG_DOMAIN_DATA, 0);
    return (int)(hg_philox_word(&p, word++) % below);
}

START_TEST(no_schedule_changes_an_order_that_matters)
{
    for (int round = 0; round < 300; round++) {
        int n = 1 + drawn(60);
        for (int i = 0; i < n; i++) {
            hg_role role = (hg_role)drawn(3);
            make(i, role, drawn(12) * BYTES / 2);
            for (int left = drawn(3); left > 0; left--) {
                int in = drawn(12) * BYTES / 2;
                with(i, in, drawn(3) ? EACH : ANY);
            }
        }
        int launches = hg_fuse(&room, parts, n, place);
        expect_order(n, launches);
        ck_assert(n < 20 || launches < n);
    }
}
END_TEST

TEST_MAIN("fuse_schedule", parts_that_do_not_touch_share_a_launch_side_by_side,
          a_map_goes_on_with_the_same_values_in_one_line,
          a_map_that_reads_other_values_waits,
          a_map_that_overwrites_what_a_product_reads_waits,
          a_map_that_overwrites_a_product_waits_for_its_readers,
          values_that_begin_elsewhere_are_not_the_same_values,
          values_of_another_count_are_not_the_same_values,
          two_makers_are_never_one_line, lines_that_one_map_follows_become_one,
          a_maker_does_not_go_on_with_values, what_runs_alone_goes_ahead,
          nothing_passes_a_part_of_which_nothing_is_known,
          a_part_with_too_many_ranges_is_passed_by_nothing,
          no_schedule_changes_an_order_that_matters)
