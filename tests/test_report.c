/* test_report.c - named terms of the log: means, sums, and notes of them that
 * nobody waits for. */
#include "tests/support.h"

START_TEST(a_report_is_the_mean_over_all_elements_since_the_last_one)
{
    hg_real mean = 0;
    hg_report("kl", vector(1, 2, 3));
    hg_report("kl", vector(10));
    hg_report("loss", scalar(5));
    expect_ok(hg_report_mean(ctx, "kl", &mean));
    ck_assert(mean == 4);
    ck_assert(!hg_report_mean(ctx, "kl", &mean));
    hg_report("kl", hg_transpose(tensor((2, 2), 1, 2, 3, 6)));
    expect_ok(hg_report_mean(ctx, "kl", &mean));
    ck_assert(mean == 3);
    expect_no_error();
}
END_TEST

START_TEST(a_report_in_the_making_can_be_saved_and_put_back)
{
    double sum = 0;
    int64_t count = 0;
    hg_real mean = 0;
    ck_assert(!hg_report_sum(ctx, "kl", &sum, &count));
    hg_report("kl", vector(1, 2, 3));
    expect_ok(hg_report_sum(ctx, "kl", &sum, &count));
    ck_assert(sum == 6 && count == 3);
    hg_report("kl", scalar(10));
    expect_ok(hg_report_set(ctx, "kl", sum, count));
    expect_ok(hg_report_set(ctx, "new", 8, 2));
    hg_report("new", scalar(1));
    expect_ok(hg_report_mean(ctx, "kl", &mean));
    ck_assert(mean == 2);
    expect_ok(hg_report_mean(ctx, "new", &mean));
    ck_assert(mean == 3);
    expect_no_error();
}
END_TEST

START_TEST(reports_keep_their_names_in_order)
{
    char name[] = "first";
    hg_report(name, scalar(1));
    hg_report("second", scalar(1));
    name[0] = 'F'; /* the name was copied */
    ck_assert_str_eq(hg_report_name(ctx, 0), "first");
    ck_assert_str_eq(hg_report_name(ctx, 1), "second");
    ck_assert_ptr_null(hg_report_name(ctx, 2));
    ck_assert_ptr_null(hg_report_name(ctx, -1));
    hg_real mean;
    ck_assert(!hg_report_mean(ctx, "third", &mean));
    expect_no_error();
}
END_TEST

START_TEST(reports_refuse_wrong_uses_and_stay_quiet_after_an_error)
{
    hg_report("kl", NULL);
    expect_error(ARGUMENT, "hg_report", "NULL");
    hg_report(NULL, scalar(1));
    expect_error(ARGUMENT, "hg_report", "name");
    hg_fail(HG_ERROR_STATE, "first");
    hg_report("kl", NULL);
    expect_error(STATE, "first");
    ck_assert_ptr_null(hg_report_name(ctx, 0));
}
END_TEST

START_TEST(a_muted_context_takes_no_reports)
{
    hg_real mean;
    ctx->mute = true;
    hg_report("loss", scalar(5));
    ctx->mute = false;
    ck_assert(!hg_report_mean(ctx, "loss", &mean));
    expect_no_error();
}
END_TEST

START_TEST(reports_allocate_nothing_in_the_steady_state)
{
    if (!on_cpu())
        skip_test("queues are remembered at first");
    long calls = 0;
    for (int step = 0; step < 100; step++) {
        hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
        hg_report("kl", hg_transpose(hg_ones(HG_SHAPE(30, 40))));
        hg_scope_close(s);
        if (step == 2)
            calls = memory.calls;
    }
    ck_assert_int_eq(memory.calls, calls);
}
END_TEST

/* ---- Notes -------------------------------------------------------------- */

static double noted(const char *name)
{
    double sum = NAN;
    int64_t count = 0;
    return hg_report_noted(ctx, name, &sum, &count) ? sum / (double)count : NAN;
}

START_TEST(a_note_has_the_sums_of_its_moment)
{
    int64_t tag = 0;
    double sum;
    int64_t count;
    hg_report("kl", vector(1, 2, 3));
    expect_ok(hg_report_note(ctx, 7));
    hg_report("kl", scalar(10));
    hg_report("later", scalar(1));
    expect_ok(hg_report_take(ctx, true, &tag));
    ck_assert_int_eq(tag, 7);
    ck_assert(noted("kl") == 2);
    ck_assert(isnan(noted("later")) && isnan(noted("never")));
    expect_ok(hg_report_sum(ctx, "kl", &sum, &count));
    ck_assert(sum == 16 && count == 4);
    ck_assert(noted("kl") == 2); /* until the next is taken */
    expect_ok(hg_report_note(ctx, 8));
    hg_report("kl", scalar(100));
    expect_ok(hg_report_take(ctx, true, &tag));
    ck_assert(noted("kl") == 4 && noted("later") == 1 && tag == 8);
    expect_no_error();
}
END_TEST

START_TEST(notes_are_taken_in_order_and_their_number_is_bounded)
{
    int64_t tag = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < HG_REPORT_NOTES; i++) {
            hg_report("loss", scalar(1));
            expect_ok(hg_report_note(ctx, i));
        }
        ck_assert(!hg_report_note(ctx, 99));
        expect_error(STATE, "hg_report_note", "take the oldest");
        for (int i = 0; i < HG_REPORT_NOTES; i++) {
            expect_ok(hg_report_take(ctx, true, &tag));
            ck_assert_int_eq(tag, i);
            double sum = 0;
            int64_t count = 0;
            expect_ok(hg_report_noted(ctx, "loss", &sum, &count));
            ck_assert_int_eq(count, round * HG_REPORT_NOTES + i + 1);
            ck_assert(sum == (double)count);
        }
        ck_assert(!hg_report_take(ctx, true, &tag));
    }
    expect_no_error();
}
END_TEST

START_TEST(a_context_without_reports_has_nothing_to_note)
{
    int64_t tag = 3;
    ck_assert(!hg_report_take(ctx, true, &tag));
    expect_ok(hg_report_note(ctx, 5));
    expect_ok(hg_report_take(ctx, true, &tag));
    ck_assert_int_eq(tag, 5);
    ck_assert(isnan(noted("loss")));
    ck_assert(!hg_report_note(NULL, 0));
    expect_error(ARGUMENT, "hg_report_note");
}
END_TEST

START_TEST(more_terms_than_there_is_room_for_are_refused)
{
    char name[24];
    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof name, "term %d", i);
        hg_report(name, scalar(i));
    }
    expect_no_error();
    hg_report("term 63", scalar(1));
    expect_no_error();
    hg_report("one more", scalar(1));
    expect_error(ARGUMENT, "one more", "number 65", "room for 64");
    hg_real mean;
    expect_ok(hg_report_mean(ctx, "term 63", &mean));
    ck_assert(mean == 32);
}
END_TEST

TEST_MAIN("report", a_report_is_the_mean_over_all_elements_since_the_last_one,
          a_report_in_the_making_can_be_saved_and_put_back,
          reports_keep_their_names_in_order,
          reports_refuse_wrong_uses_and_stay_quiet_after_an_error,
          a_muted_context_takes_no_reports,
          reports_allocate_nothing_in_the_steady_state,
          a_note_has_the_sums_of_its_moment,
          notes_are_taken_in_order_and_their_number_is_bounded,
          a_context_without_reports_has_nothing_to_note,
          more_terms_than_there_is_room_for_are_refused)
