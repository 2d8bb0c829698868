/* test_optim.c - optimisers, schedules and averages: the numbers of PyTorch
 * (golden/optim.py), who is updated and who is not, and what is said. */
#include "tests/support.h"
#include "tests/golden/optim.h"
#include "nn/nn.h"

#ifdef HG_DOUBLE
#define GOLDEN 1e-12
#else
#define GOLDEN 2e-6
#endif

static char said[1024];
static int said_count;

static void listen(void *user, const char *text)
{
    (void)user;
    said_count++;
    snprintf(said, sizeof said, "%s", text);
}

/* A parameter that begins at these values. */
#define parameter(p, name, ...)                                                \
    parameter_n(p, name, (const hg_real[]){__VA_ARGS__},                       \
                HG_COUNT(hg_real, __VA_ARGS__))
static hg_tensor *parameter_n(hg_params *p, const char *name,
                              const hg_real *values, int64_t n)
{
    hg_tensor *t = hg_param(p, name, HG_SHAPE(n), HG_INIT(HG_INIT_ZEROS));
    ck_assert_ptr_nonnull(t);
    expect_ok(hg_write(t, values, n));
    return t;
}

static void next_scope(void)
{
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_TRAIN);
}

/* ---- PyTorch's numbers -------------------------------------------------- */

typedef struct {
    hg_params *p;
    hg_tensor *w, *u;
} problem;

static problem golden_problem(void)
{
    hg_params *p = hg_params_new(ctx);
    return (problem){
        p,
        parameter(p, "w", 0.5, -1.25, 2, 0, -0.375),
        parameter(p, "u", 1.5, -0.75),
    };
}

/* sum(c w) + sum(w^2) / 8 + sum(d u), see golden/optim.py. */
static hg_tensor *golden_loss(const problem *q, int t)
{
    hg_real c[5], d[2];
    for (int i = 0; i < 5; i++)
        c[i] = (hg_real)((7 * t + 3 * i) % 11 - 5) / 8;
    for (int i = 0; i < 2; i++)
        d[i] = (hg_real)((5 * t + 2 * i) % 7 - 3) / 4;
    hg_tensor *a = total(hg_mul(hg_from(c, REALS, HG_SHAPE(5)), q->w));
    hg_tensor *b = hg_scale(total(hg_square(q->w)), 0.125);
    hg_tensor *e = total(hg_mul(hg_from(d, REALS, HG_SHAPE(2)), q->u));
    return hg_add(hg_add(a, b), e);
}

static void follow(const problem *q, hg_optimizer *o, const double (*golden)[7])
{
    ck_assert_msg(o != NULL, "%s", hg_error());
    for (int t = 0; t < 5; t++) {
        expect_ok(hg_minimize(golden_loss(q, t), o));
        expect_values_n(q->w, golden[t], 5, GOLDEN);
        expect_values_n(q->u, golden[t] + 5, 2, GOLDEN);
        next_scope();
    }
    ck_assert_int_eq(hg_optimizer_steps(o), 5);
}

#define FOLLOWS(test, make, options, golden)                                   \
    START_TEST(test)                                                           \
    {                                                                          \
        problem q = golden_problem();                                          \
        follow(&q, make(q.p, "o", options), golden);                           \
    }                                                                          \
    END_TEST

#define SGD(...)  ((hg_sgd_options){.rate = 0.1, __VA_ARGS__})
#define ADAM(...) ((hg_adam_options){.rate = 0.02, __VA_ARGS__})
#define RMS(...)  ((hg_rmsprop_options){.rate = 0.005, __VA_ARGS__})

FOLLOWS(sgd_follows_pytorch, hg_sgd, SGD(.momentum = 0), golden_sgd)
FOLLOWS(sgd_with_decay_follows_pytorch, hg_sgd, SGD(.weight_decay = 0.3),
        golden_sgd_decay)
FOLLOWS(sgd_with_momentum_follows_pytorch, hg_sgd, SGD(.momentum = 0.9),
        golden_sgd_momentum)
FOLLOWS(sgd_with_dampening_follows_pytorch, hg_sgd,
        SGD(.momentum = 0.8, .dampening = 0.25), golden_sgd_dampened)
#define NESTEROV                                                               \
    ((hg_sgd_options){.rate = 0.05, .momentum = 0.9, .nesterov = true})
FOLLOWS(nesterov_follows_pytorch, hg_sgd, NESTEROV, golden_sgd_nesterov)
#define SGD_ALL                                                                \
    ((hg_sgd_options){                                                         \
        .rate = 0.05, .momentum = 0.7, .nesterov = true, .weight_decay = 0.1})
FOLLOWS(nesterov_with_decay_follows_pytorch, hg_sgd, SGD_ALL, golden_sgd_all)
FOLLOWS(adam_with_defaults_follows_pytorch, hg_adam, (hg_adam_options){0},
        golden_adam)
FOLLOWS(adam_with_all_options_follows_pytorch, hg_adam,
        ADAM(.beta1 = 0.5, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.2),
        golden_adam_all)
FOLLOWS(adamw_with_defaults_follows_pytorch, hg_adamw, (hg_adam_options){0},
        golden_adamw)
FOLLOWS(adamw_with_all_options_follows_pytorch, hg_adamw,
        ADAM(.beta1 = 0.8, .beta2 = 0.99, .eps = 1e-4, .weight_decay = 0.5),
        golden_adamw_all)
FOLLOWS(rmsprop_with_defaults_follows_pytorch, hg_rmsprop,
        (hg_rmsprop_options){0}, golden_rmsprop)
#define RMS_DECAY                                                              \
    ((hg_rmsprop_options){                                                     \
        .rate = 0.02, .alpha = 0.9, .eps = 1e-3, .weight_decay = 0.2})
FOLLOWS(rmsprop_with_decay_follows_pytorch, hg_rmsprop, RMS_DECAY,
        golden_rmsprop_decay)
FOLLOWS(rmsprop_with_momentum_follows_pytorch, hg_rmsprop, RMS(.momentum = 0.9),
        golden_rmsprop_momentum)
FOLLOWS(centered_rmsprop_follows_pytorch, hg_rmsprop,
        RMS(.alpha = 0.8, .centered = true), golden_rmsprop_centered)
FOLLOWS(rmsprop_with_all_options_follows_pytorch, hg_rmsprop,
        RMS(.alpha = 0.8, .eps = 1e-4, .momentum = 0.5, .centered = true,
            .weight_decay = 0.1),
        golden_rmsprop_all)

FOLLOWS(adadelta_with_defaults_follows_pytorch, hg_adadelta,
        (hg_adadelta_options){0}, golden_adadelta)
#define DELTA_ALL                                                              \
    ((hg_adadelta_options){                                                    \
        .rate = 0.5, .rho = 0.95, .eps = 1e-3, .weight_decay = 0.1})
FOLLOWS(adadelta_with_all_options_follows_pytorch, hg_adadelta, DELTA_ALL,
        golden_adadelta_all)

START_TEST(clipping_the_joint_norm_follows_pytorch)
{
    problem q = golden_problem();
    hg_optimizer *o = hg_sgd(q.p, "o", SGD(.momentum = 0));
    hg_optimizer_clip_norm(o, (hg_real)0.75);
    follow(&q, o, golden_clip_norm);
}
END_TEST

START_TEST(clipping_values_follows_pytorch)
{
    problem q = golden_problem();
    hg_optimizer *o = hg_sgd(q.p, "o", SGD(.momentum = 0));
    hg_optimizer_clip_value(o, (hg_real)0.3);
    follow(&q, o, golden_clip_value);
}
END_TEST

/* The same by the functions that change gradients in place. */
START_TEST(gradients_can_be_clipped_between_backward_and_step)
{
    problem q = golden_problem();
    hg_optimizer *o = hg_sgd(q.p, "o", SGD(.momentum = 0));
    for (int t = 0; t < 5; t++) {
        expect_ok(hg_backward(golden_loss(&q, t)));
        hg_real before = hg_clip_grad_norm(q.p, (hg_real)0.75);
        hg_real after = hg_clip_grad_norm(q.p, 1000);
        ck_assert_msg(
            same_value(fmin((double)before, 0.75), (double)after, 2e-6),
            "%g, then %g", (double)before, (double)after);
        expect_ok(hg_optimizer_step(o));
        expect_values_n(q.w, golden_clip_norm[t], 5, GOLDEN);
        next_scope();
    }
}
END_TEST

START_TEST(clipping_by_value_cuts_both_sides_and_passes_nan)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 0, 0, 0, 0);
    expect_ok(hg_backward(total(hg_mul(w, vector(5, -5, 0.25, NAN)))));
    hg_clip_grad_value(p, 1);
    expect_values(w->grad, 1, -1, 0.25, NAN);
    hg_clip_grad_value(p, 0);
    expect_error(ARGUMENT, "hg_clip_grad_value", "not positive");
    hg_clip_grad_norm(p, -1);
    expect_error(ARGUMENT, "hg_clip_grad_norm", "not positive");
}
END_TEST

/* Two leaves may share one gradient buffer: each is scaled once. */
START_TEST(clipping_scales_shared_gradients_once)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *a = parameter(p, "a", 1, 2), *b = parameter(p, "b", 1, 2);
    expect_ok(hg_backward(total(hg_mul(hg_add(a, b), vector(3, 4)))));
    hg_real norm = hg_clip_grad_norm(p, 1);
    ck_assert_double_eq_tol((double)norm, sqrt(50), 1e-5);
    expect_values_n(a->grad, (const double[]){3 / sqrt(50), 4 / sqrt(50)}, 2,
                    1e-5);
    expect_values_n(b->grad, (const double[]){3 / sqrt(50), 4 / sqrt(50)}, 2,
                    1e-5);
}
END_TEST

/* ---- Who is updated ----------------------------------------------------- */

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
    expect_error(STATE, "reaches no parameter of the given sets");
    ck_assert(!hg_backward_to(NULL, p));
    expect_error(ARGUMENT, "hg_backward_to: the loss is NULL");
    ck_assert(!hg_backward_to(total(a), (hg_params *)NULL));
    expect_error(ARGUMENT, "hg_backward_to: the store is NULL");
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
    hg_context *other = hg_context_new(test_device(), 1);
    hg_params *const sets[] = {p, hg_params_new(other)};
    ck_assert_ptr_null(hg_sgd_n(sets, 2, "sgd", (hg_sgd_options){0}));
    expect_error(ARGUMENT, "different contexts");
    hg_context_free(other);
}
END_TEST

/* ---- Bits --------------------------------------------------------------- */

static uint64_t hash_of(const hg_params *p)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (int64_t i = 0; hg_params_entry(p, i); i++) {
        const hg_tensor *t = hg_params_entry(p, i);
        const unsigned char *bytes = host_values(t);
        for (size_t k = 0; k < (size_t)hg_numel(t) * sizeof(hg_real); k++)
            h = (h ^ bytes[k]) * 0x100000001B3u;
    }
    return h;
}

/* Odd sizes, so that lines and ends fall everywhere. */
static uint64_t train_with(int threads, bool reference)
{
    hg_context *c = hg_context_new(test_device(), 7);
    hg_context_set_threads(c, threads);
    hg_context_set_reference(c, reference);
    hg_params *p = hg_params_new(c);
    static const int64_t size[] = {100003, 1, 63, 64, 65, 40001};
    hg_tensor *w[6];
    for (int i = 0; i < 6; i++)
        w[i] = hg_param(p, (const char[]){(char)('a' + i), 0},
                        HG_SHAPE(size[i]), HG_NORMAL);
    hg_optimizer *o = hg_adam(p, "o", (hg_adam_options){0});
    hg_optimizer_clip_norm(o, 1);
    for (int step = 0; step < 3; step++) {
        hg_scope *s = hg_scope_open(c, HG_TRAIN);
        hg_tensor *loss = hg_zeros(HG_SCALAR);
        for (int i = 0; i < 6; i++)
            loss = hg_add(loss, total(hg_square(w[i])));
        expect_ok(hg_minimize(loss, o));
        hg_scope_close(s);
    }
    uint64_t h = hash_of(p);
    hg_context_free(c);
    return h;
}

START_TEST(a_step_gives_the_same_bits_for_any_number_of_threads)
{
    hg_scope_close(scope);
    for (int reference = 0; reference < 2; reference++) {
        uint64_t one = train_with(1, reference);
        ck_assert_uint_eq(train_with(2, reference), one);
        ck_assert_uint_eq(train_with(3, reference), one);
        ck_assert_uint_eq(train_with(7, reference), one);
    }
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(nan_in_a_gradient_reaches_the_weight)
{
    hg_params *p = hg_params_new(ctx);
    hg_tensor *w = parameter(p, "w", 1, 1);
    hg_optimizer *o = hg_adam(p, "o", (hg_adam_options){0});
    hg_optimizer_clip_value(o, 1);
    expect_ok(hg_minimize(total(hg_mul(w, vector(NAN, 0))), o));
    expect_values(w, NAN, 1);
}
END_TEST

/* ---- Schedules and averages --------------------------------------------- */

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

TEST_MAIN(
    "optim", sgd_follows_pytorch, sgd_with_decay_follows_pytorch,
    sgd_with_momentum_follows_pytorch, sgd_with_dampening_follows_pytorch,
    nesterov_follows_pytorch, nesterov_with_decay_follows_pytorch,
    adam_with_defaults_follows_pytorch, adam_with_all_options_follows_pytorch,
    adamw_with_defaults_follows_pytorch, adamw_with_all_options_follows_pytorch,
    rmsprop_with_defaults_follows_pytorch, rmsprop_with_decay_follows_pytorch,
    rmsprop_with_momentum_follows_pytorch, centered_rmsprop_follows_pytorch,
    rmsprop_with_all_options_follows_pytorch,
    adadelta_with_defaults_follows_pytorch,
    adadelta_with_all_options_follows_pytorch,
    clipping_the_joint_norm_follows_pytorch, clipping_values_follows_pytorch,
    gradients_can_be_clipped_between_backward_and_step,
    clipping_by_value_cuts_both_sides_and_passes_nan,
    clipping_scales_shared_gradients_once,
    a_step_consumes_gradients_and_makes_a_new_version,
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
    frozen_parameters_are_left_alone_and_not_reported,
    a_parameter_without_a_gradient_is_left_alone_and_reported_once,
    parameters_that_come_after_the_optimiser_are_named,
    with_an_error_pending_a_step_does_nothing,
    the_rate_is_a_tensor_that_can_be_set, a_negative_option_means_zero,
    wrong_uses_get_sentences,
    a_step_gives_the_same_bits_for_any_number_of_threads,
    nan_in_a_gradient_reaches_the_weight,
    a_plateau_lowers_the_rate_as_in_pytorch, a_cosine_goes_down_as_in_pytorch,
    warm_up_is_linear_and_steps_and_cosines_begin_after_it,
    an_average_follows_the_weights_and_can_be_swapped_in)
