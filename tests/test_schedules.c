/* test_schedules.c - learning rates over time, and averages of weights. */
#include "tests/optim_fixture.h"

START_TEST(a_plateau_lowers_the_rate_as_in_pytorch)
{
    hg_schedule s = {.kind = HG_SCHEDULE_PLATEAU,
                     .first = 1,
                     .gamma = (hg_real)0.5,
                     .patience = 2};
    hg_plateau state = {0};
    int count = (int)(sizeof golden_plateau / sizeof golden_plateau[0]);
    for (int i = 0; i < count; i++) {
        hg_real before = s.first;
        bool lowered =
            hg_schedule_observe(&s, &state, (hg_real)golden_plateau[i][0]);
        ck_assert_double_eq((double)hg_schedule_at(&s, i),
                            golden_plateau[i][1]);
        ck_assert_int_eq(lowered, s.first != before);
    }
}
END_TEST

START_TEST(a_cosine_goes_down_as_in_pytorch)
{
    hg_schedule s = {.kind = HG_SCHEDULE_COSINE,
                     .first = 1,
                     .last = (hg_real)0.1,
                     .steps = 8};
    for (int i = 0; i < 9; i++)
        ck_assert_double_eq_tol((double)hg_schedule_at(&s, i),
                                golden_cosine[i][1], 1e-6);
    ck_assert_double_eq_tol((double)hg_schedule_at(&s, 100), 0.1, 1e-6);
}
END_TEST

START_TEST(warm_up_is_linear_and_steps_and_cosines_begin_after_it)
{
    hg_schedule s = {.first = 2, .warmup = 4};
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq((double)hg_schedule_at(&s, i), i < 4 ? i * 0.5 : 2);
    s.kind = HG_SCHEDULE_STEP;
    s.every = 3;
    s.gamma = (hg_real)0.5;
    ck_assert_double_eq((double)hg_schedule_at(&s, 6), 2);
    ck_assert_double_eq((double)hg_schedule_at(&s, 7), 1);
    ck_assert_double_eq((double)hg_schedule_at(&s, 10), 0.5);
    s.kind = HG_SCHEDULE_COSINE;
    s.steps = 12;
    ck_assert_double_eq((double)hg_schedule_at(&s, 4), 2);
    ck_assert_double_eq_tol((double)hg_schedule_at(&s, 8), 1, 1e-6);
    ck_assert_double_eq_tol((double)hg_schedule_at(&s, 12), 0, 1e-6);
}
END_TEST

START_TEST(an_average_follows_the_weights_and_can_be_swapped_in)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1, 10);
    hg_ema *ema = hg_ema_new(p, (hg_real)0.75);
    ck_assert_ptr_nonnull(ema);
    expect_ok(hg_write(w, (const hg_real[]){5, 50}, 2));
    expect_ok(hg_ema_update(ema)); /* 2, 20 */
    expect_ok(hg_write(w, (const hg_real[]){6, 60}, 2));
    expect_ok(hg_ema_update(ema)); /* 3, 30 */
    uint64_t version = hg_version(w);
    hg_ema_swap(ema);
    expect_values(w, 3, 30);
    ck_assert_uint_gt(hg_version(w), version);
    ck_assert(!hg_ema_update(ema));
    expect_error(STATE, "hg_ema_swap again");
    hg_ema_swap(ema);
    expect_values(w, 6, 60);
    parameter(p, "late", 1);
    ck_assert(!hg_ema_update(ema));
    expect_error(STATE, "after hg_ema_new");
    ck_assert_ptr_null(hg_ema_new(p, 2));
    expect_error(ARGUMENT, "between 0 and 1");
    ck_assert_ptr_null(hg_ema_new(NULL, (hg_real)0.5));
    expect_error(ARGUMENT, "hg_ema_new: the store is NULL");
    hg_ema_swap(NULL);
    expect_error(ARGUMENT, "hg_ema_swap: the average is NULL");
}
END_TEST

/* An evaluation that fails leaves the weights in their own place. */
START_TEST(an_average_can_be_swapped_while_an_error_is_pending)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1, 10);
    hg_ema *ema = hg_ema_new(p, (hg_real)0.5);
    expect_ok(hg_write(w, (const hg_real[]){5, 50}, 2));
    hg_ema_swap(ema);
    expect_values(w, 1, 10);
    hg_fail(HG_ERROR_DATA, "the evaluation failed");
    hg_ema_swap(ema);
    expect_error(DATA, "the evaluation failed");
    expect_values(w, 5, 50);
    expect_ok(hg_ema_update(ema)); /* 3, 30 */
    hg_fail(HG_ERROR_DATA, "the evaluation failed");
    hg_ema_swap(ema);
    expect_error(DATA, "the evaluation failed");
    expect_values(w, 3, 30);
}
END_TEST

TEST_MAIN("schedules", a_plateau_lowers_the_rate_as_in_pytorch,
          a_cosine_goes_down_as_in_pytorch,
          warm_up_is_linear_and_steps_and_cosines_begin_after_it,
          an_average_follows_the_weights_and_can_be_swapped_in,
          an_average_can_be_swapped_while_an_error_is_pending)
