/* test_network.c - a network of layers in training: memory, failing
 * allocations, bits. */
#include "tests/support.h"
#include "nn/nn.h"

typedef struct {
    hg_params *p;
    nn_layer *net;
    hg_optimizer *adam;
    hg_ema *ema;
} machine;

/* NULL members on failure; the error says why. */
static machine build_machine(hg_context *context)
{
    machine m = {.p = hg_params_new(context)};
    if (m.p)
        m.net = nn_chain(m.p, nn_linear(m.p, "0", 20, 30), nn_relu(m.p),
                         nn_batch_norm(m.p, "bn", 30, (nn_norm_options){0}),
                         nn_dropout(m.p, 0.25), nn_linear(m.p, "2", 30, 20));
    if (m.net)
        m.adam = hg_adam(m.p, "adam", (hg_adam_options){0});
    if (m.adam) {
        hg_optimizer_clip_norm(m.adam, 1);
        m.ema = hg_ema_new(m.p, (hg_real)0.99);
    }
    return m;
}

/* One step; the loss, or NaN. */
static double train_once(hg_context *context, machine *m)
{
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    if (!s)
        return NAN;
    hg_tensor *x = hg_rand(HG_SHAPE(8, 20));
    hg_tensor *y = nn_forward(m->net, x);
    hg_tensor *loss = hg_mean(hg_square(hg_sub(y, x)), HG_ALL);
    bool ok = hg_minimize(loss, m->adam) && hg_ema_update(m->ema);
    double value = ok ? (double)hg_item(loss) : NAN;
    hg_scope_close(s);
    return value;
}

START_TEST(training_lowers_the_loss)
{
    hg_scope_close(scope);
    machine m = build_machine(ctx);
    double first = train_once(ctx, &m), last = first;
    for (int i = 0; i < (on_cpu() ? 300 : 60); i++)
        last = train_once(ctx, &m);
    expect_no_error();
    ck_assert_double_lt(last, 0.7 * first);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

/* An emulated device is slow: forty there. */
START_TEST(a_thousand_steps_allocate_nothing)
{
    hg_scope_close(scope);
    machine m = build_machine(ctx);
    for (int i = 0; i < 5; i++)
        train_once(ctx, &m);
    long before = memory.calls;
    for (int i = 0; i < (on_cpu() ? 1000 : 40); i++)
        train_once(ctx, &m);
    expect_no_error();
    ck_assert_int_eq(memory.calls, before);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

/* Each allocation of building fails in turn: a sentence, nothing leaked. */
START_TEST(every_failing_allocation_of_building_is_a_sentence)
{
    long n = 0;
    for (bool failed = true; failed;) {
        test_memory m = {.fail_at = ++n};
        hg_context *c =
            hg_context_new_with(test_device(), 1, test_allocator(&m));
        machine built = {0};
        if (c)
            built = build_machine(c);
        failed = m.calls >= m.fail_at;
        if (failed) {
            ck_assert_ptr_null(built.ema);
            expect_error(MEMORY, "could not be allocated");
        } else
            ck_assert_ptr_nonnull(built.ema);
        hg_context_free(c);
        ck_assert_int_eq(m.live, 0);
    }
    ck_assert_int_gt(n, 5);
}
END_TEST

static uint64_t hash_of(const hg_params *p)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (int64_t i = 0; hg_params_entry(p, i); i++) {
        const hg_tensor *t = hg_params_entry(p, i);
        const unsigned char *bytes = host_values(t);
        for (size_t k = 0;
             !hg_is_buffer(t) && k < (size_t)hg_numel(t) * sizeof(hg_real); k++)
            h = (h ^ bytes[k]) * 0x100000001B3u;
    }
    return h;
}

/* Each allocation of the first step fails in turn: the weights stay as they
 * are, and training goes on. */
START_TEST(every_failing_allocation_of_a_step_leaves_the_weights)
{
    if (!on_cpu())
        skip_test("a queue that cannot be remembered is no error");
    long n = 0;
    hg_scope_close(scope);
    for (bool failed = true; failed;) {
        test_memory m = {0};
        hg_context *c =
            hg_context_new_with(test_device(), 1, test_allocator(&m));
        machine built = build_machine(c);
        uint64_t before = hash_of(built.p);
        m.fail_at = m.calls + ++n;
        double loss = train_once(c, &built);
        failed = m.calls >= m.fail_at;
        if (failed) {
            ck_assert(isnan(loss));
            ck_assert_uint_eq(hash_of(built.p), before);
            expect_error(MEMORY, "could not be allocated");
        }
        ck_assert_msg(!isnan(train_once(c, &built)), "after %ld: %s", n,
                      hg_error() ? hg_error() : "NaN");
        expect_no_error();
        ck_assert_uint_ne(hash_of(built.p), before);
        hg_context_free(c);
        ck_assert_int_eq(m.live, 0);
    }
    ck_assert_int_gt(n, 2);
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

START_TEST(a_network_trained_twice_has_the_same_bits)
{
    uint64_t hash[3];
    for (int i = 0; i < 3; i++) {
        hg_context *c;
        hg_scope_close(scope);
        c = hg_context_new(test_device(), 5);
        hg_context_set_threads(c, 1 + i);
        machine m = build_machine(c);
        for (int k = 0; k < 20; k++)
            train_once(c, &m);
        hash[i] = hash_of(m.p);
        hg_context_free(c);
        scope = hg_scope_open(ctx, HG_TRAIN);
    }
    expect_no_error();
    ck_assert_uint_eq(hash[0], hash[1]);
    ck_assert_uint_eq(hash[0], hash[2]);
}
END_TEST

TEST_MAIN("network", training_lowers_the_loss,
          a_thousand_steps_allocate_nothing,
          every_failing_allocation_of_building_is_a_sentence,
          every_failing_allocation_of_a_step_leaves_the_weights,
          a_network_trained_twice_has_the_same_bits)
