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

static bool same_launch(int i, int j)
{
    return place[i].launch == place[j].launch;
}

static bool same_line(int i, int j)
{
    return same_launch(i, j) && place[i].line == place[j].line;
}

/* ---- What shares a launch, and a line ----------------------------------- */

/* A word a part: m a map, p a product (a maker), x what runs alone, ? one of
 * which nothing is known; the buffer that it writes; those that it reads, of
 * capitals any value. Of the places, launches lie between bars and their lines
 * between spaces. */
static const struct {
    const char *says, *parts, *places;
} schedules[] = {
    {"parts that do not touch go side by side", "ma pbC mdc", "0 1 2"},
    {"a map goes on with the same values, in place too", "pbA mcb mbc", "012"},
    {"a map that reads other values waits", "mb mcB", "0|1"},
    {"a map that overwrites what a product reads waits", "pbA mab", "0|1"},
    {"what is read is not overwritten in the same launch", "pb pcD md",
     "0 1|2"},
    {"two makers are never one line", "pa pb mcab", "0 1|2"},
    {"lines that one map follows become one", "ma pb md mcab", "013 2"},
    {"a maker does not go on with values", "ma pba", "0|1"},
    {"what runs alone goes ahead", "ma xb mca", "1|02"},
    {"nothing passes what is not known", "ma ? mc", "0|1|2"},
};

/* Where the buffer with this letter begins. */
static int buffer(char letter)
{
    return (letter | 32) % 32 * BYTES;
}

/* Makes the parts; how many. */
static int make_all(const char *word)
{
    int count = 0;
    for (; *word; count++) {
        hg_role role = *word == 'x'   ? HG_ALONE
                       : *word == 'p' ? HG_MAKER
                                      : HG_MAP;
        make(count, role, *word == '?' ? 0 : buffer(word[1]));
        if (*word == '?')
            parts[count] = (hg_part){.open = true};
        for (word += *word == '?' ? 1 : 2; *word && *word != ' '; word++)
            with(count, buffer(*word), *word < 'a' ? ANY : EACH);
        word += *word == ' ';
    }
    return count;
}

static bool begins_line(int i)
{
    for (int j = 0; j < i; j++)
        if (same_line(i, j))
            return false;
    return true;
}

static const char *places_of(int count, int launches)
{
    static char text[64];
    char *at = text;
    for (int launch = 0; launch < launches; launch++) {
        char *begin = at;
        for (int i = 0; i < count; i++) {
            if (place[i].launch != launch || !begins_line(i))
                continue;
            char before = at == begin ? '|' : ' ';
            if (at > text)
                *at++ = before;
            for (int j = i; j < count; j++)
                if (same_line(i, j))
                    *at++ = (char)('0' + j);
        }
    }
    *at = 0;
    return text;
}

START_TEST(parts_share_launches_and_lines_where_nothing_forbids_it)
{
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        int count = make_all(schedules[i].parts);
        const char *places =
            places_of(count, hg_fuse(&room, parts, count, place));
        ck_assert_msg(!strcmp(places, schedules[i].places), "%s: %s, not %s",
                      schedules[i].says, places, schedules[i].places);
    }
}
END_TEST

START_TEST(values_that_begin_elsewhere_are_not_the_same_values)
{
    make(0, HG_MAP, 0);
    make(1, HG_MAP, BYTES * 2);
    with(1, (int)sizeof(hg_real), EACH);
    ck_assert_int_eq(hg_parts_conflict(&parts[0], &parts[1]), HG_CLASHING);
    ck_assert_int_eq(hg_fuse(&room, parts, 2, place), 2);
}
END_TEST

START_TEST(values_of_another_count_are_not_the_same_values)
{
    make_all("ma mda");
    ck_assert_int_eq(hg_parts_conflict(&parts[0], &parts[1]), HG_MEETING);
    parts[1].n = N / 2;
    ck_assert_int_eq(hg_parts_conflict(&parts[0], &parts[1]), HG_CLASHING);
}
END_TEST

START_TEST(a_part_with_too_many_ranges_is_passed_by_nothing)
{
    make(0, HG_MAP, 0);
    for (int i = 0; i < HG_PART_RANGES; i++)
        with(0, BYTES, EACH);
    ck_assert(parts[0].open);
}
END_TEST

/* ---- Any parts ---------------------------------------------------------- */

/* Whatever the parts are: where one of two writes what the other touches, they
 * keep their order, or are one line and meet value by value. */
static void expect_order(int n, int launches)
{
    for (int j = 0; j < n; j++) {
        ck_assert_int_lt(place[j].launch, launches);
        ck_assert((parts[j].role == HG_ALONE) == (place[j].line < 0));
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

TEST_MAIN("fuse_schedule",
          parts_share_launches_and_lines_where_nothing_forbids_it,
          values_that_begin_elsewhere_are_not_the_same_values,
          values_of_another_count_are_not_the_same_values,
          a_part_with_too_many_ranges_is_passed_by_nothing,
          no_schedule_changes_an_order_that_matters)
