/* test_fuse.c - work that shares launches makes the same values, bit by bit, as
 * work that does not. */
#include "models_fixture.h"
#include "pointwise_rows.h"

/* ---- The same work, with and without ------------------------------------ */

enum { MOST_RESULTS = 8 };

typedef struct {
    uint64_t bits, launches;
} outcome;

/* In place of the fixture's, whose scope is closed. */
static hg_context *another_context(void)
{
    if (scope)
        hg_scope_close(scope);
    scope = NULL;
    forget_fetched();
    hg_context *context = hg_context_new(test_device(), 42);
    ck_assert_ptr_nonnull(context);
    return context;
}

/* What `work` makes of nothing but draws, on a context of its own. */
static outcome run(void (*work)(hg_tensor **out), bool fuse)
{
    hg_tensor *out[MOST_RESULTS] = {0};
    outcome o = {1, 0};
    hg_context *context = another_context();
    context->fuse = fuse;
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    work(out);
    expect_no_error();
    for (int i = 0; i < MOST_RESULTS && out[i]; i++)
        o.bits = o.bits * 31 + tensor_bits(out[i]);
    o.launches = context->launches;
    hg_scope_close(s);
    hg_context_free(context);
    expect_no_error();
    return o;
}

/* The number of launches with shared ones; 0 on the CPU. */
static uint64_t launches_of(const char *name, void (*work)(hg_tensor **))
{
    if (on_cpu())
        return 0;
    outcome with_it = run(work, true), without = run(work, false);
    ck_assert_msg(with_it.bits == without.bits, "%s: the bits differ", name);
    ck_assert_msg(with_it.launches < without.launches,
                  "%s: %d launches, %d without", name, (int)with_it.launches,
                  (int)without.launches);
    return with_it.launches;
}

#define expect_launches(work, most)                                            \
    ck_assert_int_le(launches_of(#work, work), most)

static void chain(hg_tensor **out)
{
    hg_tensor *x = hg_randn(HG_SHAPE(5, 33));
    out[0] = hg_mul(hg_square(x), hg_sigmoid(hg_scale(x, 3)));
    out[1] = hg_relu(hg_sub(out[0], x));
}

START_TEST(a_chain_of_pointwise_operations_is_one_launch)
{
    expect_launches(chain, 1);
}
END_TEST

static void neighbours(hg_tensor **out)
{
    hg_tensor *x = hg_randn(HG_SHAPE(1, 40));
    hg_tensor *y = hg_square(x);
    hg_tensor *left = hg_slice(y, 1, 0, 39, 1),
              *right = hg_slice(y, 1, 1, 40, 1);
    out[0] = hg_sub(left, right); /* every value and the next */
    out[1] = hg_exp(out[0]);
}

static void transposes(hg_tensor **out)
{
    hg_tensor *x = hg_randn(HG_SHAPE(7, 7));
    hg_tensor *y = hg_tanh(x);
    out[0] = hg_add(y, hg_transpose(y));
    out[1] = hg_mul(out[0], hg_transpose(out[0]));
}

static void broadcasts(hg_tensor **out)
{
    hg_tensor *row = hg_exp(hg_randn(HG_SHAPE(9)));
    hg_tensor *column = hg_tanh(hg_randn(HG_SHAPE(6, 1)));
    hg_tensor *one = hg_scale(hg_randn(HG_SCALAR), 2);
    out[0] = hg_add(hg_mul(row, column), one);
    out[1] = hg_div(out[0], row);
}

START_TEST(values_read_through_views_are_complete)
{
    expect_launches(neighbours, 2);
    expect_launches(transposes, 3);
    expect_launches(broadcasts, 2);
}
END_TEST

static void layer(hg_tensor **out)
{
    hg_tensor *x = hg_watch(hg_randn(HG_SHAPE(12, 40)));
    hg_tensor *w = hg_watch(hg_randn(HG_SHAPE(20, 40)));
    hg_tensor *b = hg_watch(hg_randn(HG_SHAPE(20)));
    out[0] = hg_sigmoid(hg_linear(x, w, b));
    hg_tensor *loss = hg_mean(hg_square(out[0]), HG_ALL);
    out[1] = loss;
    out[2] = hg_grad(loss, x, NULL);
    out[3] = hg_grad(loss, w, NULL);
    out[4] = hg_grad(loss, b, NULL);
}

START_TEST(a_layer_goes_on_with_its_activation_and_shares_its_gradients)
{
    expect_launches(layer, 6);
}
END_TEST

/* A long sum, whose k is cut into parts; a product for the library, whose bias
 * is a map; a batch of products. */
static void products(hg_tensor **out)
{
    hg_tensor *x = hg_randn(HG_SHAPE(8, 3000)),
              *w = hg_randn(HG_SHAPE(5, 3000));
    out[0] = hg_relu(hg_linear(x, w, hg_randn(HG_SHAPE(5))));
    hg_tensor *a = hg_randn(HG_SHAPE(400, 250)),
              *b = hg_randn(HG_SHAPE(400, 250));
    out[1] = hg_tanh(hg_linear(a, b, hg_randn(HG_SHAPE(400))));
    hg_tensor *many = hg_randn(HG_SHAPE(3, 2, 17, 18));
    out[2] = hg_exp(hg_matmul(many, hg_randn(HG_SHAPE(2, 18, 5))));
}

START_TEST(products_of_all_kinds_have_the_same_bits)
{
    launches_of("products", products);
}
END_TEST

/* Sums that are cut into chunks, of rows, of columns. */
static void sums(hg_tensor **out)
{
    hg_tensor *x = hg_randn(HG_SHAPE(300, 257));
    out[0] = hg_scale(hg_sum(hg_square(x), HG_ALL), 0.5);
    out[1] = hg_sqrt(hg_sum(hg_square(x), HG_FROM(1)));
    out[2] = hg_neg(hg_sum(x, HG_OVER(0)));
    out[3] = hg_mean(hg_add(x, out[2]), HG_ALL);
}

START_TEST(sums_of_all_kinds_have_the_same_bits)
{
    launches_of("sums", sums);
}
END_TEST

static void draws(hg_tensor **out)
{
    hg_shape odd = HG_SHAPE(3, 7);
    hg_tensor *u = hg_rand(odd);
    hg_tensor *x = hg_watch(hg_uniform(odd, -2, 3));
    out[0] = hg_add(u, hg_randn(odd));
    out[1] = hg_bernoulli(u);
    hg_tensor *kept = hg_dropout(hg_square(x), 0.4);
    out[2] = hg_grad(kept, x, NULL);
    out[3] = kept;
    out[4] = hg_bernoulli(hg_sigmoid(out[0]));
}

START_TEST(draws_and_dropout_have_the_same_bits)
{
    expect_launches(draws, 2);
}
END_TEST

static void normalised(hg_tensor **out)
{
    hg_tensor *x = hg_watch(hg_randn(HG_SHAPE(4, 6, 3, 3)));
    hg_tensor *w = hg_watch(hg_randn(HG_SHAPE(6)));
    hg_tensor *b = hg_watch(hg_randn(HG_SHAPE(6)));
    out[0] = hg_relu(hg_batch_norm(x, w, b, NULL, NULL, 0.1, 1e-5));
    hg_tensor *loss = hg_mean(hg_square(out[0]), HG_ALL);
    out[1] = hg_grad(loss, x, NULL);
    out[2] = hg_grad(loss, w, NULL);
    out[3] = hg_grad(loss, b, NULL);
}

static void convolved(hg_tensor **out)
{
    hg_conv_options two = {.stride = 2, .padding = 1};
    hg_tensor *x = hg_watch(hg_randn(HG_SHAPE(3, 5, 9, 9)));
    hg_tensor *w = hg_watch(hg_randn(HG_SHAPE(18, 5, 3, 3)));
    hg_tensor *b = hg_watch(hg_randn(HG_SHAPE(18)));
    out[0] = hg_relu(hg_conv2d(x, w, b, two));
    hg_tensor *back = hg_tanh(hg_conv_transpose2d(out[0], w, NULL, two));
    hg_tensor *loss = hg_sum(hg_square(back), HG_ALL);
    out[1] = back;
    out[2] = hg_grad(loss, x, NULL);
    out[3] = hg_grad(loss, w, NULL);
    out[4] = hg_grad(loss, b, NULL);
}

/* So many taps that the sum is cut into parts, in phases of which some have
 * fewer pixels than others. */
static void cut_phases(hg_tensor **out)
{
    hg_conv_options two = {.stride = 2, .padding = 1};
    hg_tensor *y = hg_randn(HG_SHAPE(2, 512, 4, 4));
    hg_tensor *w = hg_randn(HG_SHAPE(512, 8, 3, 3));
    out[0] = hg_tanh(hg_conv_transpose2d(y, w, NULL, two));
    out[1] = hg_square(y);
}

static void parted(hg_tensor **out)
{
    hg_tensor *x = hg_watch(hg_randn(HG_SHAPE(6, 5, 4)));
    hg_tensor *a = hg_slice(x, 1, 0, 2, 1), *b = hg_slice(x, 1, 1, 5, 2);
    hg_tensor *loss = hg_sum(hg_mul(hg_exp(a), hg_square(b)), HG_ALL);
    out[0] = hg_grad(loss, x, NULL);
}

START_TEST(normalisation_windows_and_slices_have_the_same_bits)
{
    launches_of("normalised", normalised);
    launches_of("convolved", convolved);
    launches_of("cut_phases", cut_phases);
    launches_of("parted", parted);
}
END_TEST

/* Every row of pointwise.def and its gradients, each in a chain with another.
 */
static const row *the_row;

static void one_row(hg_tensor **out)
{
    hg_tensor *in[2];
    for (int i = 0; i < 2; i++)
        in[i] = hg_watch(hg_uniform(HG_SHAPE(3, 11), 0.1, 0.9));
    hg_tensor *y = the_row->call(NULL, in, the_row->inputs);
    out[0] = hg_scale(y, 2);
    for (int i = 0; i < the_row->inputs; i++) {
        hg_tensor *g = hg_grad_or_none(out[0], in[i], NULL);
        if (g)
            out[1 + i] = hg_neg(g);
        else
            break;
    }
}

START_TEST(every_pointwise_row_has_the_same_bits)
{
    for (int i = 0; i < ROWS; i++) {
        the_row = &rows[i];
        launches_of(rows[i].name, one_row);
    }
}
END_TEST

/* More values than a launch has threads, and more parts than a window has. */
static void long_queue(hg_tensor **out)
{
    hg_tensor *x = hg_randn(HG_SHAPE(3)), *y = hg_randn(HG_SHAPE(1200, 1100));
    for (int i = 0; i < 700; i++)
        x = hg_tanh(hg_scale(x, 1.1));
    out[0] = x;
    out[1] = hg_square(hg_scale(y, 0.5));
}

START_TEST(long_queues_and_large_tensors_have_the_same_bits)
{
    launches_of("long_queue", long_queue);
}
END_TEST

START_TEST(the_room_between_parts_stops_growing)
{
    int64_t bytes[6];
    if (on_cpu())
        skip_test("no launches are shared there");
    hg_context *context = another_context();
    context->replay = false;
    for (int i = 0; i < 6; i++) {
        hg_scope *s = hg_scope_open(context, HG_TRAIN);
        hg_tensor *x = hg_randn(HG_SHAPE(32, 4000)), *last = NULL;
        for (int n = 0; n < 5; n++) /* each is cut into parts */
            last = hg_relu(hg_linear(x, hg_randn(HG_SHAPE(64, 4000)), NULL));
        host_values(last);
        hg_scope_close(s);
        bytes[i] = (int64_t)context->device_bytes;
    }
    hg_context_free(context);
    ck_assert_int_eq(bytes[5], bytes[2]);
}
END_TEST

/* ---- Whole models ------------------------------------------------------- */

static uint64_t trained(const hg_model *m, bool fuse, bool replay,
                        uint64_t *launches)
{
    rig r = {0};
    expect_ok(rig_open(&r, m));
    r.context->fuse = fuse;
    r.context->replay = replay;
    uint64_t before = r.context->launches;
    expect_ok(rig_train(&r, 5));
    *launches = r.context->launches - before;
    uint64_t bits = rig_bits(&r);
    rig_close(&r);
    return bits;
}

START_TEST(models_train_to_the_same_bits)
{
    static const char *const names[] = {"ae", "vae", "aae", "conv-vae"};
    if (on_cpu())
        skip_test("no launches are shared there");
    for (int i = 0; i < 4; i++) {
        const hg_model *m = hg_model_find(names[i]);
        uint64_t many, few;
        uint64_t expected = trained(m, false, false, &many);
        for (int replay = 0; replay < 2; replay++) {
            ck_assert_msg(trained(m, true, replay, &few) == expected,
                          "%s%s: the bits differ", names[i],
                          replay ? ", replayed" : "");
            ck_assert_uint_lt(few, many / 2);
        }
    }
}
END_TEST

/* What stands for itself runs by itself: one operation, one launch. */
static uint64_t alone(bool eager, bool anomaly)
{
    hg_context *context = another_context();
    context->eager = eager;
    hg_context_set_anomaly(context, anomaly);
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    hg_tensor *out[MOST_RESULTS] = {0};
    chain(out);
    uint64_t launches = context->launches;
    hg_scope_close(s);
    hg_context_free(context);
    expect_no_error();
    return launches;
}

START_TEST(eager_contexts_and_the_hunt_for_nan_share_no_launches)
{
    if (on_cpu())
        skip_test("no launches are shared there");
    ck_assert_uint_ge(alone(true, false), 7);
    ck_assert_uint_ge(alone(false, true), 7);
    ck_assert_uint_eq(alone(false, false), 0); /* it waits */
}
END_TEST

START_TEST(the_environment_switches_it_off)
{
    setenv("HOURGLASS_FUSE", "0", 1);
    hg_context *context = hg_context_new("cpu", 1);
    ck_assert(!context->fuse);
    hg_context_free(context);
    unsetenv("HOURGLASS_FUSE");
    context = hg_context_new("cpu", 1);
    ck_assert(context->fuse);
    hg_context_free(context);
}
END_TEST

TEST_MAIN("fuse", a_chain_of_pointwise_operations_is_one_launch,
          values_read_through_views_are_complete,
          a_layer_goes_on_with_its_activation_and_shares_its_gradients,
          products_of_all_kinds_have_the_same_bits,
          sums_of_all_kinds_have_the_same_bits,
          draws_and_dropout_have_the_same_bits,
          normalisation_windows_and_slices_have_the_same_bits,
          every_pointwise_row_has_the_same_bits,
          long_queues_and_large_tensors_have_the_same_bits,
          the_room_between_parts_stops_growing, models_train_to_the_same_bits,
          eager_contexts_and_the_hunt_for_nan_share_no_launches,
          the_environment_switches_it_off)
