/* test_memory.c - who owns what, for how long, and when there is no more. */
#include "tests/support.h"
#include "tensor/device.h"

/* ---- A small network of raw operations ---------------------------------- */

typedef struct {
    hg_tensor *w1, *b1, *w2, *b2;
} network;

static bool network_new(hg_context *context, network *n)
{
    hg_owner *o = test_owner(context);
    n->w1 = test_parameter(o, "0.weight", HG_SHAPE(12, 8), -1);
    n->b1 = test_parameter(o, "0.bias", HG_SHAPE(12), 0);
    n->w2 = test_parameter(o, "2.weight", HG_SHAPE(8, 12), -1);
    n->b2 = test_parameter(o, "2.bias", HG_SHAPE(8), 0);
    return n->w1 && n->b1 && n->w2 && n->b2;
}

static hg_tensor *reconstruct(const network *n, hg_tensor *x)
{
    return hg_linear(hg_tanh(hg_linear(x, n->w1, n->b1)), n->w2, n->b2);
}

static bool network_step(hg_context *context, const network *n)
{
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    if (!s)
        return false;
    hg_tensor *x = hg_randn(HG_SHAPE(16, 8));
    hg_tensor *error = hg_sub(reconstruct(n, x), x);
    hg_tensor *loss = hg_mean(hg_square(error), HG_ALL);
    bool ok = hg_backward(loss);
    hg_report("loss", loss);
    hg_scope_close(s);
    return ok && !hg_error() && test_descend(n->w1, 0.1) &&
           test_descend(n->b1, 0.1) && test_descend(n->w2, 0.1) &&
           test_descend(n->b2, 0.1);
}

/* An emulated device is slow: a hundred there. */
START_TEST(a_thousand_steps_allocate_nothing_after_the_first)
{
    network n;
    hg_scope_close(scope);
    expect_ok(network_new(ctx, &n));
    for (int i = 0; i < 3; i++)
        expect_ok(network_step(ctx, &n));
    long calls = memory.calls;
    size_t bytes = hg_context_bytes(ctx);
    for (int i = 0; i < (on_cpu() ? 1000 : 100); i++)
        expect_ok(network_step(ctx, &n));
    ck_assert_int_eq(memory.calls, calls);
    ck_assert_uint_eq(hg_context_bytes(ctx), bytes);
}
END_TEST

/* ---- Every allocation fails in turn ------------------------------------- */

/* Runs with the n-th allocation failing: did one fail? */
static bool run_failing_at(long fail_at)
{
    test_memory m = {.fail_at = fail_at};
    hg_context *own = hg_context_new_with(test_device(), 3, test_allocator(&m));
    network n;
    bool ok = own && network_new(own, &n) && network_step(own, &n) &&
              network_step(own, &n);
    bool failed = m.calls >= fail_at;
    ck_assert_msg(ok == !failed, "allocation %ld: %s", fail_at,
                  hg_error() ? hg_error() : "no error");
    if (failed)
        expect_error(MEMORY, "could not be allocated");
    hg_context_free(own);
    ck_assert_int_eq(m.live, 0);
    return failed;
}

START_TEST(any_allocation_may_fail_with_a_sentence_and_no_leak)
{
    if (!on_cpu())
        skip_test("a queue that cannot be remembered is no error");
    hg_scope_close(scope);
    long n = 1;
    while (run_failing_at(n))
        n++;
    ck_assert_int_gt(n, 5);
}
END_TEST

/* The weights after a step, as one number. */
static double sum_of_weights(const network *n)
{
    hg_real w[96];
    expect_ok(hg_read(n->w1, w, 96));
    double sum = 0;
    for (int i = 0; i < 96; i++)
        sum += (double)w[i];
    return sum;
}

START_TEST(work_goes_on_after_a_failed_allocation_is_cleared)
{
    hg_scope_close(scope);
    for (long n = 1; n < 100; n++) {
        test_memory m = {0};
        hg_context *own =
            hg_context_new_with(test_device(), 3, test_allocator(&m));
        network net;
        expect_ok(network_new(own, &net));
        double before = sum_of_weights(&net);
        m.fail_at = m.calls + n;
        bool ok = network_step(own, &net);
        if (!ok) {
            expect_error(MEMORY, "could not be allocated", "smaller batch");
            ck_assert(sum_of_weights(&net) == before);
        }
        m.fail_at = 0;
        expect_ok(network_step(own, &net));
        ck_assert(sum_of_weights(&net) != before);
        hg_context_free(own);
        ck_assert_int_eq(m.live, 0);
        if (ok)
            return;
    }
    ck_abort_msg("the step never got through");
}
END_TEST

START_TEST(a_check_of_gradients_survives_any_failed_allocation)
{
    if (!on_cpu())
        skip_test("an operation of the test's own has no kernel there");
    hg_shape shapes[] = {HG_SHAPE(300, 300), HG_SHAPE(300, 300)};
    hg_scope_close(scope);
    for (long n = 1; n < 1000; n++) {
        test_memory m = {.fail_at = n};
        hg_context *own =
            hg_context_new_with(test_device(), 3, test_allocator(&m));
        bool ok = own && hg_check_op_in(own, &product_op, NULL, shapes, 2,
                                        (hg_check_options){.samples = 1});
        if (!ok)
            expect_error(MEMORY, "could not be allocated");
        hg_context_free(own);
        ck_assert_int_eq(m.live, 0);
        if (ok)
            return;
    }
    ck_abort_msg("the check never got through");
}
END_TEST

/* ---- Regions ------------------------------------------------------------ */

START_TEST(buffers_are_aligned_for_vectors)
{
    for (size_t size = 0; size < 300; size += 7)
        ck_assert_uint_eq(
            (uintptr_t)hg_region_take(&ctx->region, size) % HG_ALIGN, 0);
    void *large = hg_region_take(&ctx->region, (size_t)5 << 20);
    ck_assert_uint_eq((uintptr_t)large % HG_ALIGN, 0);
}
END_TEST

START_TEST(a_buffer_given_back_is_taken_again)
{
    void *p = hg_region_take(&ctx->region, 1000);
    hg_region_give(&ctx->region, p, 1000);
    ck_assert_ptr_eq(hg_region_take(&ctx->region, 1000), p);
    void *large = hg_region_take(&ctx->region, (size_t)3 << 20);
    hg_region_give(&ctx->region, large, (size_t)3 << 20);
    ck_assert_ptr_eq(hg_region_take(&ctx->region, (size_t)3 << 20), large);
}
END_TEST

START_TEST(large_and_small_buffers_do_not_overlap)
{
    char *p[40];
    for (int i = 0; i < 40; i++) {
        size_t size = i % 3 ? 200000 : (size_t)2 << 20;
        p[i] = hg_region_take(&ctx->region, size);
        memset(p[i], i, size);
    }
    for (int i = 0; i < 40; i++) {
        size_t size = i % 3 ? 200000 : (size_t)2 << 20;
        ck_assert(p[i][0] == i && p[i][size - 1] == i);
    }
}
END_TEST

START_TEST(sizes_that_cannot_be_addressed_are_refused)
{
    ck_assert_ptr_null(hg_region_take(&ctx->region, SIZE_MAX - 10));
    expect_error(MEMORY, "more than can be addressed");
    ck_assert_ptr_null(hg_region_take(&ctx->region, SIZE_MAX - 100));
    expect_error(MEMORY, "more than can be addressed");
    ck_assert_ptr_null(hg_zeros(HG_SHAPE(1 << 30, 1 << 30, 1 << 30)));
    expect_error(SHAPE, "full", "more elements than can be addressed");
}
END_TEST

/* ---- Scopes ------------------------------------------------------------- */

START_TEST(a_closed_scope_gives_its_memory_to_the_next)
{
    if (!on_cpu())
        skip_test("a queue is remembered the second time");
    long calls = 0;
    for (int i = 0; i < 50; i++) {
        hg_scope *s = hg_scope_open(ctx, HG_EVAL);
        ck_assert_ptr_nonnull(hg_zeros(HG_SHAPE(1000, 1000)));
        ck_assert_ptr_nonnull(hg_zeros(HG_SHAPE(10)));
        hg_scope_close(s);
        if (!i)
            calls = memory.calls;
    }
    ck_assert_int_eq(memory.calls, calls);
}
END_TEST

/* Keeps less than MOST bytes. */
enum { MOST = 64 << 20 };
static size_t held;

static void *allocate_few(void *user, size_t size)
{
    (void)user;
    if (held + size > MOST)
        return NULL;
    held += size;
    return malloc(size);
}

static void release_few(void *user, void *p, size_t size)
{
    (void)user;
    held -= size;
    free(p);
}

START_TEST(chunks_that_are_too_small_make_room_for_larger_ones)
{
    if (!on_cpu())
        skip_test("an allocator is asked for the host's memory only");
    held = 0;
    hg_scope_close(scope);
    hg_context *own = hg_context_new_with(
        "cpu", 1, (hg_allocator){allocate_few, release_few, NULL});
    for (int64_t mib = 1; mib < 60; mib += 4) {
        hg_scope *s = hg_scope_open(own, HG_EVAL);
        int64_t n = mib * (1 << 20) / (int64_t)sizeof(hg_real);
        expect_ok(hg_zeros(HG_SHAPE(n)) != NULL);
        hg_scope_close(s);
    }
    hg_context_free(own);
    ck_assert_uint_eq(held, 0);
}
END_TEST

START_TEST(a_tensor_of_a_closed_scope_is_noticed_throughout_the_next)
{
    hg_scope *one = hg_scope_open(ctx, HG_EVAL);
    hg_tensor *kept = vector(7, 7);
    hg_scope_close(one);
    hg_scope *two = hg_scope_open(ctx, HG_EVAL);
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_ne(vector(1, 2), kept);
    ck_assert_ptr_null(hg_neg(kept));
    expect_error(STATE, "scope that is closed");
    hg_real value[2];
    ck_assert(!hg_read(kept, value, 2));
    expect_error(STATE, "scope that is closed");
    hg_scope_close(two);
}
END_TEST

START_TEST(closing_a_scope_closes_those_inside)
{
    hg_scope *outer = hg_scope_open(ctx, HG_EVAL);
    hg_scope *inner = hg_scope_open(ctx, HG_EVAL);
    hg_tensor *t = scalar(1);
    hg_scope_close(outer);
    ck_assert_int_eq(hg_block_of(t)->alive, 0);
    ck_assert_ptr_eq(hg_ambient_here()->scope, scope);
    hg_scope_close(inner);
    expect_error(STATE, "hg_scope_close", "not open here");
}
END_TEST

START_TEST(the_context_counts_bytes_and_remembers_the_peak)
{
    size_t before = hg_context_bytes(ctx);
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert_ptr_nonnull(hg_zeros(HG_SHAPE(1 << 20)));
    size_t bytes = sizeof(hg_real) << 20;
    ck_assert_uint_ge(hg_context_bytes(ctx), before + bytes);
    ck_assert_uint_ge(hg_context_peak_bytes(ctx), hg_context_bytes(ctx));
    hg_scope_close(s);
    hg_chunks_release(ctx);
    ck_assert_uint_lt(hg_context_bytes(ctx), before + bytes);
    ck_assert_uint_ge(hg_context_peak_bytes(ctx), before + bytes);
}
END_TEST

/* ---- The device's memory ------------------------------------------------ */

static int begun; /* how often the work began */

static void run_hungry(const hg_kernel *k)
{
    begun++;
    hg_device_scratch(k->context, (size_t)1 << 60);
}

START_TEST(work_under_way_does_not_begin_again_to_make_room)
{
    static const hg_op hungry = {.name = "hungry",
                                 .arity = 1,
                                 .shape = first_shape,
                                 .cpu = run_hungry,
                                 .cuda = run_hungry};
    if (on_cpu())
        skip_test("there is no queue");
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert_ptr_nonnull(hg_zeros(HG_SHAPE(1 << 20)));
    hg_scope_close(s); /* leaves spare memory */
    begun = 0;
    ck_assert(is_refused(hg_apply(&hungry, NULL, scalar(1))));
    expect_error(MEMORY, "could not be allocated on device",
                 "(1048576 in the tensors of open scopes, 0 in data sets, ");
    ck_assert_int_eq(begun, 1);
    ck_assert_ptr_null(ctx->free_chunks[1]); /* there is more the next time */
}
END_TEST

START_TEST(a_full_device_does_not_count_the_scopes_of_another_context)
{
    if (on_cpu())
        skip_test("counted on the host");
    hg_context *own = hg_context_new(test_device(), 1);
    ck_assert_ptr_nonnull(hg_zeros(HG_SHAPE(1 << 10)));
    ck_assert_ptr_null(hg_device_allocate(own, (size_t)1 << 60));
    expect_error(MEMORY, "(0 in the tensors of open scopes, ");
    hg_context_free(own);
}
END_TEST

/* ---- What a context owns ------------------------------------------------ */

static char order[8];

static void note(void *object)
{
    strncat(order, object, 1);
}

START_TEST(a_context_destroys_what_it_owns_newest_first)
{
    hg_context *own = hg_context_new(test_device(), 1);
    static char a[] = "a", b[] = "b", c[] = "c";
    order[0] = 0;
    ck_assert(hg_context_own(own, a, note));
    ck_assert(hg_context_own(own, b, note));
    ck_assert(hg_context_own(own, c, note));
    hg_context_free(own);
    ck_assert_str_eq(order, "cba");
    hg_context_free(NULL);
}
END_TEST

START_TEST(temporaries_of_a_backward_leave_no_trace_in_the_scope)
{
    hg_tensor *x = hg_watch(hg_ones(HG_SHAPE(64)));
    hg_tensor *loss = total(hg_tanh(hg_exp(hg_square(x))));
    expect_ok(hg_backward(loss));
    /* After the loss only the gradient is there. */
    int made = 0;
    for (hg_block *b = scope->owner.newest; b != hg_block_of(loss);
         b = b->older)
        made++;
    ck_assert_int_eq(made, 1);
}
END_TEST

TEST_MAIN("memory", a_thousand_steps_allocate_nothing_after_the_first,
          any_allocation_may_fail_with_a_sentence_and_no_leak,
          work_goes_on_after_a_failed_allocation_is_cleared,
          a_check_of_gradients_survives_any_failed_allocation,
          buffers_are_aligned_for_vectors, a_buffer_given_back_is_taken_again,
          large_and_small_buffers_do_not_overlap,
          sizes_that_cannot_be_addressed_are_refused,
          a_closed_scope_gives_its_memory_to_the_next,
          chunks_that_are_too_small_make_room_for_larger_ones,
          a_tensor_of_a_closed_scope_is_noticed_throughout_the_next,
          closing_a_scope_closes_those_inside,
          the_context_counts_bytes_and_remembers_the_peak,
          work_under_way_does_not_begin_again_to_make_room,
          a_full_device_does_not_count_the_scopes_of_another_context,
          a_context_destroys_what_it_owns_newest_first,
          temporaries_of_a_backward_leave_no_trace_in_the_scope)
