/* test_optim_sets.c - whose parameters an optimiser updates, from which
 * gradients. */
#include "tests/optim_fixture.h"

START_TEST(a_step_consumes_gradients_and_makes_a_new_version)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1, 2);
    hg_optimizer *o = hg_sgd(p, "o", (hg_sgd_options){.rate = 0.5});
    uint64_t version = hg_version(w);
    expect_ok(hg_backward(total(hg_square(w))));
    expect_ok(hg_optimizer_step(o));
    expect_values(w, 0, 0);
    ck_assert_ptr_null(w->grad);
    ck_assert_uint_eq(hg_version(w), version + 1);
}
END_TEST

START_TEST(gradients_are_kept_when_the_optimiser_is_told_to)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1, 2);
    hg_optimizer *o =
        hg_sgd(p, "o", (hg_sgd_options){.rate = 0.5, .keep_gradients = true});
    expect_ok(hg_backward(total(hg_square(w))));
    expect_ok(hg_optimizer_step(o));
    expect_values(w->grad, 2, 4);
    hg_optimizer_zero_grad(o);
    ck_assert_ptr_null(w->grad);
}
END_TEST

START_TEST(a_gradient_that_is_a_view_is_used_like_any_other)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1, 2, 3);
    hg_optimizer *o = hg_sgd(p, "o", (hg_sgd_options){.rate = 1});
    expect_ok(hg_backward(total(w))); /* one value, expanded */
    expect_ok(hg_optimizer_step(o));
    expect_values(w, 0, 1, 2);
}
END_TEST

START_TEST(gradients_add_up_over_scopes_until_the_step)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1, 2);
    hg_optimizer *o = hg_sgd(p, "o", (hg_sgd_options){.rate = 1});
    for (int i = 1; i <= 3; i++) {
        expect_ok(hg_backward(total(hg_mul(w, vector(i, 10 * i)))));
        next_scope();
    }
    expect_values(w->grad, 6, 60);
    hg_scope_close(scope);
    expect_ok(hg_optimizer_step(o)); /* needs no scope */
    scope = hg_scope_open(ctx, HG_TRAIN);
    expect_values(w, -5, -58);
}
END_TEST

START_TEST(overlapping_sets_of_one_optimiser_count_once)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *a = parameter(hg_params_at(p, "in"), "a", 1);
    hg_tensor *b = parameter(p, "b", 1);
    hg_params *const sets[] = {p, hg_params_at(p, "in"), p};
    hg_optimizer *o = hg_sgd_n(sets, 3, "o", (hg_sgd_options){.rate = 1});
    expect_ok(hg_minimize(total(hg_add(a, b)), o));
    expect_values(a, 0);
    expect_values(b, 0);
}
END_TEST

START_TEST(one_optimiser_may_take_sets_of_several_stores)
{
    hg_params *p = hg_params_new(ctx), *q = hg_params_new(ctx);
    hg_tensor *a = parameter(p, "a", 1), *b = parameter(q, "a", 1);
    hg_params *const sets[] = {p, q};
    hg_optimizer *o = hg_sgd_n(sets, 2, "o", (hg_sgd_options){.rate = 1});
    expect_ok(hg_minimize(total(hg_add(a, hg_scale(b, 3))), o));
    expect_values(a, 0);
    expect_values(b, -2);
}
END_TEST

START_TEST(several_optimisers_over_subsets_step_from_one_loss)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *e = parameter(hg_params_at(p, "encoder"), "w", 1);
    hg_tensor *d = parameter(hg_params_at(p, "decoder"), "w", 1);
    hg_tensor *c = parameter(hg_params_at(p, "critic"), "w", 1);
    hg_optimizer *oe =
        hg_sgd(hg_params_at(p, "encoder"), "e", (hg_sgd_options){.rate = 0.25});
    hg_optimizer *od =
        hg_sgd(hg_params_at(p, "decoder"), "d", (hg_sgd_options){.rate = 0.5});
    expect_ok(hg_minimize(total(hg_mul(hg_mul(e, d), c)), oe, od));
    expect_values(e, 0.75);
    expect_values(d, 0.5);
    expect_values(c, 1);
    ck_assert_ptr_null(c->grad);
}
END_TEST

/* The adversarial pattern: the critic is in the generator's loss, but what the
 * generator's phase leaves must not be in the critic's next step. */
START_TEST(two_optimisers_of_one_step_share_no_parameter)
{
    problem q = golden_problem();
    hg_optimizer *a = hg_sgd(q.p, "first", (hg_sgd_options){0});
    hg_optimizer *b = hg_sgd(q.p, "second", (hg_sgd_options){0});
    ck_assert(!hg_minimize(golden_loss(&q, 0), a, b));
    expect_error(ARGUMENT, "hg_minimize", "u belongs to two", "second");
    expect_values(q.u, 1.5, -0.75);
    ck_assert_ptr_null(hg_sgd(q.p, "c", (hg_sgd_options){.rate = NAN}));
    expect_error(ARGUMENT, "rate nan");
}
END_TEST

START_TEST(the_critic_gets_nothing_from_the_generators_phase)
{
    hg_params *p = hg_params_new(ctx);
    hg_params *gen = hg_params_at(p, "generator");
    hg_params *dis = hg_params_at(p, "critic");
    hg_tensor *g = parameter(gen, "w", 2), *c = parameter(dis, "w", 3);
    hg_optimizer *og = hg_sgd(gen, "g", (hg_sgd_options){.rate = 1});
    hg_optimizer *oc = hg_sgd(dis, "c", (hg_sgd_options){.rate = 1});
    expect_ok(hg_minimize(total(hg_mul(g, c)), og));
    expect_values(g, -1);
    ck_assert_ptr_null(c->grad);
    expect_ok(hg_minimize(total(hg_scale(c, 2)), oc));
    expect_values(c, 1);
    expect_values(g, -1);
    ck_assert_ptr_null(g->grad);
}
END_TEST

START_TEST(minimize_forgets_gradients_that_were_there_before)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1);
    hg_optimizer *o = hg_sgd(p, "o", (hg_sgd_options){.rate = 1});
    expect_ok(hg_backward(total(hg_scale(w, 100))));
    expect_ok(hg_minimize(total(w), o));
    expect_values(w, 0);
}
END_TEST

START_TEST(backward_to_sets_leaves_other_gradients_alone)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *a = parameter(hg_params_at(p, "a"), "w", 2);
    hg_tensor *b = parameter(hg_params_at(p, "b"), "w", 3);
    hg_tensor *loss = total(hg_mul(a, b));
    expect_ok(hg_backward_to(loss, hg_params_at(p, "a")));
    expect_values(a->grad, 3);
    ck_assert_ptr_null(b->grad);
    hg_zero_grad(p);
    ck_assert_ptr_null(a->grad);
    ck_assert(!hg_backward_to(total(a), hg_params_at(p, "b")));
    expect_error(STATE, "hg_backward_to: b: ", "none of these");
    ck_assert(!hg_backward_to(NULL, p));
    expect_error(ARGUMENT, "hg_backward_to: the loss is NULL");
    ck_assert(!hg_backward_to(total(a), (hg_params *)NULL));
    expect_error(ARGUMENT, "hg_backward_to: the store is NULL");
}
END_TEST

START_TEST(a_backward_into_no_set_is_an_error)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = hg_param(p, "w", HG_SCALAR, HG_NORMAL);
    ck_assert(!hg_backward_to_n(hg_square(w), &p, 0));
    expect_error(ARGUMENT, "hg_backward_to", "no set");
    ck_assert(!hg_minimize_n(hg_square(w), NULL, 0));
    expect_error(ARGUMENT, "hg_minimize", "no optimiser");
}
END_TEST

/* Its marks are counted by itself and may be this context's too. */
START_TEST(sets_of_another_context_get_no_gradients)
{
    hg_context *other = hg_context_new(test_device(), 1);
    hg_params *p = hg_params_new(ctx), *q = hg_params_new(other);
    hg_tensor *w = parameter(p, "w", 2);
    parameter(q, "w", 3);
    for (int i = 0; i < 4; i++) {
        ck_assert(!hg_backward_to(hg_square(w), p, q));
        expect_error(ARGUMENT, "hg_backward_to: set 1", "another context");
        ck_assert(!hg_backward_to(total(hg_square(w)), q));
        expect_error(ARGUMENT, "hg_backward_to: set 0", "another context");
        ck_assert_ptr_null(w->grad);
    }
    hg_optimizer *o = hg_sgd(q, "theirs", (hg_sgd_options){0});
    ck_assert(!hg_minimize(total(hg_square(w)), o));
    expect_error(ARGUMENT, "hg_minimize: theirs", "another context");
    ck_assert_ptr_null(w->grad);
    hg_context_free(other);
}
END_TEST

START_TEST(frozen_parameters_are_left_alone_and_not_reported)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *a = parameter(hg_params_at(p, "a"), "w", 2);
    hg_tensor *b = parameter(hg_params_at(p, "b"), "w", 3);
    hg_context_on_message(ctx, listen, NULL);
    said_count = 0;
    hg_optimizer *o = hg_sgd(p, "o", (hg_sgd_options){.rate = 1});
    hg_params_freeze(hg_params_at(p, "a"), true);
    expect_ok(hg_minimize(total(hg_mul(a, b)), o));
    expect_values(a, 2);
    expect_values(b, 1);
    ck_assert_int_eq(said_count, 0);
    hg_params_freeze(p, false);
    next_scope();
    expect_ok(hg_minimize(total(hg_mul(a, b)), o));
    expect_values(a, 1);
    expect_values(b, -1);
}
END_TEST

START_TEST(a_parameter_without_a_gradient_is_left_alone_and_reported_once)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *a = parameter(p, "a", 2), *b = parameter(p, "lost.b", 3);
    hg_context_on_message(ctx, listen, NULL);
    said_count = 0;
    hg_optimizer *o = hg_adamw(p, "generator", (hg_adam_options){.rate = 0.5});
    for (int i = 0; i < 3; i++)
        expect_ok(hg_minimize(total(a), o));
    ck_assert_int_eq(said_count, 1);
    ck_assert_msg(strstr(said, "lost.b") && strstr(said, "generator"), "%s",
                  said);
    expect_values(b, 3);
}
END_TEST

START_TEST(parameters_that_come_after_the_optimiser_are_named)
{
    hg_params *p = hg_params_new(ctx), *at = hg_params_at(p, "in");
    hg_tensor *a = parameter(at, "a", 2);
    hg_optimizer *o = hg_sgd(at, "o", (hg_sgd_options){.rate = 1});
    parameter(p, "elsewhere", 1);
    hg_buffer(at, "buffer", HG_SCALAR, 0);
    expect_ok(hg_minimize(total(a), o));
    hg_tensor *late = parameter(at, "late", 1);
    ck_assert(!hg_minimize(total(hg_add(a, late)), o));
    expect_error(STATE, "in.late", "o:", "after the last layer");
    expect_values(a, 1);
}
END_TEST

START_TEST(with_an_error_pending_a_step_does_nothing)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1);
    hg_optimizer *o = hg_sgd(p, "o", (hg_sgd_options){.rate = 1});
    expect_ok(hg_backward(total(w)));
    hg_fail(HG_ERROR_DATA, "something else");
    ck_assert(!hg_optimizer_step(o));
    ck_assert(!hg_minimize(NULL, o));
    expect_error(DATA, "something else");
    expect_values(w, 1);
    ck_assert_int_eq(hg_optimizer_steps(o), 0);
    expect_ok(hg_optimizer_step(o));
    expect_values(w, 0);
}
END_TEST

START_TEST(the_rate_is_a_tensor_that_can_be_set)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1);
    hg_optimizer *o = hg_sgd(p, "o", (hg_sgd_options){.rate = 1});
    hg_set(hg_optimizer_rate(o), (hg_real)0.25);
    expect_ok(hg_minimize(total(w), o));
    expect_values(w, 0.75);
    ck_assert_str_eq(hg_optimizer_name(o), "o");
}
END_TEST

START_TEST(a_negative_option_means_zero)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1);
    hg_optimizer *o =
        hg_adamw(p, "o",
                 (hg_adam_options){
                     .rate = 0.5, .beta1 = -1, .weight_decay = -1, .eps = -1});
    expect_ok(hg_minimize(total(hg_scale(w, 7)), o));
    expect_values(w, 0.5);
}
END_TEST

/* What two steps on w^2 make of 1 and -3. */
static hg_tensor *stepped(hg_params *p, hg_optimizer *o)
{
    hg_tensor *w = hg_params_find(p, "w");
    hg_real values[2] = {1, -3};
    expect_ok(hg_write(w, values, 2));
    for (int i = 0; i < 2; i++)
        expect_ok(hg_minimize(total(hg_square(w)), o));
    expect_ok(hg_read(w, values, 2));
    return hg_from(values, REALS, HG_SHAPE(2));
}

START_TEST(a_negative_option_means_zero_for_every_optimiser)
{
    hg_params *p = hg_params_new(ctx);
    parameter(p, "w", 0, 0);
    hg_sgd_options s = {.rate = 0.1};
    hg_rmsprop_options r = {.eps = -1};
    hg_adadelta_options a = {0};
    hg_tensor *plain[] = {stepped(p, hg_sgd(p, "sgd", s)),
                          stepped(p, hg_rmsprop(p, "rmsprop", r)),
                          stepped(p, hg_adadelta(p, "adadelta", a))};
    s.momentum = s.weight_decay = -1;
    r.momentum = r.weight_decay = a.weight_decay = -1;
    ck_assert(same_bits(plain[0], stepped(p, hg_sgd(p, "s", s))));
    ck_assert(same_bits(plain[1], stepped(p, hg_rmsprop(p, "r", r))));
    ck_assert(same_bits(plain[2], stepped(p, hg_adadelta(p, "a", a))));
    s = (hg_sgd_options){.rate = 0.1, .momentum = 0.5, .nesterov = true};
    hg_tensor *undampened = stepped(p, hg_sgd(p, "undampened", s));
    s.dampening = -1;
    ck_assert(same_bits(undampened, stepped(p, hg_sgd(p, "negative", s))));
}
END_TEST

START_TEST(wrong_uses_get_sentences)
{
    hg_params *p = hg_params_new(ctx);
    ck_assert_ptr_null(hg_adam(p, "adam", (hg_adam_options){0}));
    expect_error(ARGUMENT, "adam: there is no parameter");
    hg_tensor *w = parameter(p, "w", 1);
    ck_assert_ptr_null(hg_adam(p, NULL, (hg_adam_options){0}));
    expect_error(ARGUMENT, "needs a name");
    ck_assert_ptr_null(hg_adam(NULL, "adam", (hg_adam_options){0}));
    expect_error(ARGUMENT, "adam: the store is NULL");
    ck_assert_ptr_null(hg_adam_n(&p, 0, "adam", (hg_adam_options){0}));
    expect_error(ARGUMENT, "adam: no set");
    ck_assert_ptr_null(hg_adam(p, "adam", (hg_adam_options){.beta1 = 1}));
    expect_error(ARGUMENT, "adam:", "below 1");
    ck_assert_ptr_null(hg_sgd(p, "sgd", (hg_sgd_options){.nesterov = true}));
    expect_error(ARGUMENT, "sgd: Nesterov needs a momentum");
    ck_assert(!hg_optimizer_step(NULL));
    expect_error(ARGUMENT, "hg_optimizer_step: the optimiser is NULL");
    hg_optimizer *o = hg_adam(p, "adam", (hg_adam_options){0});
    ck_assert(!hg_minimize(hg_square(w), o, (hg_optimizer *)NULL));
    expect_error(ARGUMENT, "hg_minimize: the optimiser is NULL");
    ck_assert(!hg_minimize(NULL, o));
    expect_error(ARGUMENT, "hg_minimize: the loss is NULL");
    ck_assert(!hg_minimize(hg_concat(0, w, w), o));
    expect_error(SHAPE, "must be a scalar");
    ck_assert(!hg_minimize(total(hg_ones(HG_SHAPE(2))), o));
    expect_error(STATE, "reaches no parameter");
    hg_tensor *v = parameter(hg_params_at(p, "other"), "v", 1);
    hg_optimizer *of_v =
        hg_sgd(hg_params_at(p, "other"), "sgd of other", (hg_sgd_options){0});
    ck_assert(!hg_minimize(total(hg_mul(w, hg_detach(v))), of_v));
    expect_error(STATE, "hg_minimize: sgd of other: ", "path is cut at detach");
    hg_context *other = hg_context_new(test_device(), 1);
    hg_params *const sets[] = {p, hg_params_new(other)};
    ck_assert_ptr_null(hg_sgd_n(sets, 2, "sgd", (hg_sgd_options){0}));
    expect_error(ARGUMENT, "different contexts");
    hg_context_free(other);
}
END_TEST

TEST_MAIN("optim_sets", a_step_consumes_gradients_and_makes_a_new_version,
          gradients_are_kept_when_the_optimiser_is_told_to,
          a_gradient_that_is_a_view_is_used_like_any_other,
          gradients_add_up_over_scopes_until_the_step,
          overlapping_sets_of_one_optimiser_count_once,
          one_optimiser_may_take_sets_of_several_stores,
          several_optimisers_over_subsets_step_from_one_loss,
          two_optimisers_of_one_step_share_no_parameter,
          the_critic_gets_nothing_from_the_generators_phase,
          minimize_forgets_gradients_that_were_there_before,
          backward_to_sets_leaves_other_gradients_alone,
          a_backward_into_no_set_is_an_error,
          sets_of_another_context_get_no_gradients,
          frozen_parameters_are_left_alone_and_not_reported,
          a_parameter_without_a_gradient_is_left_alone_and_reported_once,
          parameters_that_come_after_the_optimiser_are_named,
          with_an_error_pending_a_step_does_nothing,
          the_rate_is_a_tensor_that_can_be_set, a_negative_option_means_zero,
          a_negative_option_means_zero_for_every_optimiser,
          wrong_uses_get_sentences)
