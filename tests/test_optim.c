/* test_optim.c - optimisers against PyTorch's numbers, clipping, bits. */
#include "tests/optim_fixture.h"

#ifdef HG_DOUBLE
#define GOLDEN 1e-12
#else
#define GOLDEN 2e-6
#endif

/* ---- PyTorch's numbers -------------------------------------------------- */

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
    if (!on_cpu())
        skip_test("its kernels have no threads of the CPU");
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
    a_step_gives_the_same_bits_for_any_number_of_threads,
    nan_in_a_gradient_reaches_the_weight)
