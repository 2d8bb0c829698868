/* test_pairs.c - images and their neighbours, and what makes the two of a pair
 * share a cluster. */
#include "models_fixture.h"

#include "models/internal.h"
#include "nn/parts.h"

/* ---- The loss ----------------------------------------------------------- */

/* Logits whose softmax is {0.5, 0.5}, {0.9, 0.1} and {0.8, 0.2}, {0.3, 0.7}. */
static hg_tensor *one_side(void)
{
    return hg_log(tensor((2, 2), 0.5, 0.5, 0.9, 0.1));
}

static hg_tensor *other_side(void)
{
    return hg_log(tensor((2, 2), 0.8, 0.2, 0.3, 0.7));
}

START_TEST(pairs_cost_how_surely_they_differ)
{
    double same[] = {0.5 * 0.8 + 0.5 * 0.2, 0.9 * 0.3 + 0.1 * 0.7};
    double apart = -(log(same[0]) + log(same[1])) / 2;
    ck_assert_double_eq_tol(apart, 0.885978, 1e-6);
    expect_values(nn_pair_loss(one_side(), other_side(), 0), apart);
}
END_TEST

START_TEST(evenly_used_classes_are_worth_their_entropy)
{
    double apart = -(log(0.5) + log(0.34)) / 2;
    double entropy = -0.625 * log(0.625) - 0.375 * log(0.375);
    expect_values(nn_pair_loss(one_side(), other_side(), 3),
                  apart - 3 * entropy);
}
END_TEST

START_TEST(a_pair_of_two_sure_classes_has_no_gradient)
{
    hg_tensor *one = hg_watch(tensor((1, 2), 60, 0));
    hg_tensor *loss = nn_pair_loss(one, tensor((1, 2), 0, 60), 0);
    expect_values(loss, -log(1e-6));
    expect_ok(hg_backward(loss));
    expect_values(one->grad, 0, 0);
}
END_TEST

static hg_tensor *loss_of(void *user, hg_tensor *const *in, int count)
{
    (void)user;
    (void)count;
    return nn_pair_loss(in[0], in[1], 4);
}

START_TEST(the_loss_of_pairs_has_the_gradient_of_its_value)
{
    static const hg_real one[] = {0.3, -0.8, 1.5, 0.1, 0.9, -0.4};
    static const hg_real other[] = {-0.2, 0.7, 0.6, 1.1, -1.3, 0.2};
    hg_scope_close(scope);
    expect_ok(hg_check_function(ctx, loss_of, NULL,
                                (const hg_real *const[]){one, other},
                                (hg_shape[]){HG_SHAPE(2, 3), HG_SHAPE(2, 3)}, 2,
                                (hg_check_options){0}));
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

/* ---- The pairs ---------------------------------------------------------- */

enum { K = 3, EACH = K + 1 };

static double square_between(const rig *r, int64_t i, int64_t j)
{
    double sum = 0;
    for (int p = 0; p < RIG_PIXELS; p++) {
        double d = r->image[i * RIG_PIXELS + p] - r->image[j * RIG_PIXELS + p];
        sum += d * d;
    }
    return sum;
}

START_TEST(neighbours_are_the_nearest_images)
{
    rig r = {0};
    hg_pairs pairs;
    expect_ok(rig_open(&r, hg_model_find("aae-cluster")));
    expect_ok(hg_pairs_find(&pairs, r.params, r.data, false, K));
    for (int64_t i = 0; i < RIG_ITEMS; i++) {
        const int32_t *near = pairs.near + i * EACH;
        double least = square_between(&r, i, near[K]);
        int nearer = 0;
        ck_assert_int_eq(near[0], i);
        for (int64_t j = 0; j < RIG_ITEMS; j++)
            nearer += j != i && square_between(&r, i, j) < least * (1 - 1e-6);
        ck_assert_int_lt(nearer, K);
    }
    rig_close(&r);
}
END_TEST

/* The set of a rig, each image moved anew in each epoch. */
static hg_data *moved(const rig *r)
{
    hg_data_options options = {.transform = "shift:9"};
    return hg_data_from(r->context, r->image, "u1",
                        HG_SHAPE(RIG_ITEMS, 1, 28, 28), r->label, options);
}

START_TEST(neighbours_are_those_of_images_as_they_are)
{
    rig r = {0};
    hg_pairs still, moving;
    expect_ok(rig_open(&r, hg_model_find("aae-cluster")));
    expect_ok(hg_pairs_find(&still, r.params, r.data, false, K));
    expect_ok(hg_pairs_find(&moving, r.params, moved(&r), false, K));
    ck_assert_mem_eq(still.near, moving.near,
                     RIG_ITEMS * EACH * sizeof *still.near);
    rig_close(&r);
}
END_TEST

/* Which of its neighbours an image comes with, 1 to K; 0: another image. */
static int which(const hg_pairs *pairs, int32_t image, int32_t other)
{
    for (int k = 1; k <= K; k++)
        if (pairs->near[image * EACH + k] == other)
            return k;
    return 0;
}

/* A bar of so many columns and grey, moved by `lean` of a column a row. */
static void draw_bar(uint8_t *image, double lean, int columns, uint8_t grey)
{
    for (int y = 4; y < 24; y++)
        for (int i = 0; i < columns; i++) {
            int x = (int)floor(14 + lean * (y - 13.5)) - columns / 2 + i;
            image[28 * y + x] = grey;
        }
}

START_TEST(upright_neighbours_differ_in_slant_alone)
{
    static uint8_t image[3 * RIG_PIXELS];
    hg_data_options borrow = {.borrow = true};
    draw_bar(image, 0, 2, 255);
    draw_bar(image + RIG_PIXELS, 0.5, 2, 255);
    draw_bar(image + 2 * RIG_PIXELS, 0.5, 6, 120);
    hg_data *data =
        hg_data_from(ctx, image, "u1", HG_SHAPE(3, 1, 28, 28), NULL, borrow);
    for (int upright = 0; upright < 2; upright++) {
        hg_pairs pairs;
        expect_ok(hg_pairs_find(&pairs, hg_params_new(ctx), data, upright, 1));
        ck_assert_int_eq(pairs.near[2], 1);
        ck_assert_int_eq(pairs.near[3], upright ? 0 : 2);
    }
}
END_TEST

START_TEST(a_black_image_stays_as_it_is_when_straightened)
{
    static uint8_t image[2 * RIG_PIXELS];
    hg_data_options borrow = {.borrow = true};
    hg_pairs pairs;
    image[RIG_PIXELS + 5] = 255; /* one pixel leans nowhere */
    hg_data *data =
        hg_data_from(ctx, image, "u1", HG_SHAPE(2, 1, 28, 28), NULL, borrow);
    expect_ok(hg_pairs_find(&pairs, hg_params_new(ctx), data, true, 1));
    ck_assert(pairs.near[0] == 0 && pairs.near[1] == 1);
    ck_assert(pairs.near[2] == 1 && pairs.near[3] == 0);
}
END_TEST

START_TEST(every_image_comes_once_an_epoch_with_one_of_its_neighbours)
{
    rig r = {0};
    hg_pairs pairs;
    int seen[RIG_ITEMS] = {0}, used[EACH] = {0};
    expect_ok(rig_open(&r, hg_model_find("aae-cluster")));
    expect_ok(hg_pairs_find(&pairs, r.params, r.data, false, K));
    for (int64_t step = 0; step < 4 * RIG_ITEMS / 5; step++) {
        hg_batch one, other;
        hg_scope *s = hg_scope_open(r.context, HG_TRAIN);
        expect_ok(hg_pairs_batch(&pairs, step, 5, &one, &other));
        for (int i = 0; i < 5; i++) {
            int32_t a = ((const int32_t *)host_values(one.index))[i];
            int32_t b = ((const int32_t *)host_values(other.index))[i];
            ck_assert_int_eq(seen[a]++, step / (RIG_ITEMS / 5));
            used[which(&pairs, a, b)]++;
        }
        hg_scope_close(s);
    }
    ck_assert(!used[0] && used[1] && used[2] && used[3]);
    rig_close(&r);
}
END_TEST

START_TEST(the_two_of_a_pair_are_moved_each_by_itself)
{
    rig r = {0};
    expect_ok(rig_open(&r, hg_model_find("aae-cluster")));
    hg_data *data = moved(&r);
    int32_t near[2 * RIG_ITEMS]; /* every image beside itself */
    for (int32_t i = 0; i < RIG_ITEMS; i++)
        near[2 * i] = near[2 * i + 1] = i;
    hg_pairs pairs = {data, near, 1};
    hg_batch one, other;
    hg_scope *s = hg_scope_open(r.context, HG_TRAIN);
    expect_ok(hg_pairs_batch(&pairs, 0, RIG_ITEMS, &one, &other));
    hg_tensor *apart = hg_abs(hg_sub(one.x, other.x));
    ck_assert(tensor_bits(one.index) == tensor_bits(other.index));
    ck_assert_double_gt((double)hg_item(hg_mean(apart, HG_ALL)), 0.01);
    hg_scope_close(s);
    rig_close(&r);
}
END_TEST

/* ---- The model ---------------------------------------------------------- */

/* A rig of aae-cluster, with so many neighbours. */
static bool opened(rig *r, const char *neighbours)
{
    snprintf(r->option[0], sizeof r->option[0], "neighbours");
    snprintf(r->option[1], sizeof r->option[1], "%s", neighbours);
    return rig_open(r, hg_model_find("aae-cluster"));
}

START_TEST(neighbours_have_an_update_of_their_own_where_they_are_asked_for)
{
    hg_real mean;
    uint64_t bits[2];
    for (int with = 0; with < 2; with++) {
        rig r = {0};
        expect_ok(opened(&r, with ? "3" : "0"));
        ck_assert_int_eq(r.optimizers.count, 4 + with);
        expect_ok(rig_train(&r, 1));
        bits[with] = tensor_bits(hg_params_find(r.params, "encoder.3.weight"));
        ck_assert(hg_report_mean(r.context, "neighbours", &mean) == with);
        hg_error_clear();
        rig_close(&r);
    }
    ck_assert(bits[0] != bits[1]);
}
END_TEST

START_TEST(what_the_label_does_not_need_the_neighbours_leave_alone)
{
    uint64_t decoder[2], style[2];
    for (int with = 0; with < 2; with++) {
        rig r = {0};
        expect_ok(opened(&r, with ? "3" : "0"));
        expect_ok(rig_train(&r, 1));
        decoder[with] =
            tensor_bits(hg_params_find(r.params, "decoder.0.weight"));
        style[with] =
            tensor_bits(hg_params_find(r.params, "encoder.style.weight"));
        rig_close(&r);
    }
    ck_assert(decoder[0] == decoder[1] && style[0] == style[1]);
}
END_TEST

START_TEST(more_neighbours_than_images_are_told)
{
    rig r = {0};
    ck_assert(!opened(&r, "15"));
    ck_assert_ptr_nonnull(strstr(hg_error(), "--neighbours 15"));
    hg_error_clear();
    rig_close(&r);
    ck_assert(!opened(&r, "-1"));
    ck_assert_ptr_nonnull(strstr(hg_error(), "neighbours"));
    hg_error_clear();
    rig_close(&r);
}
END_TEST

START_TEST(neighbours_that_were_not_looked_for_are_asked_for)
{
    rig r = {0};
    expect_ok(opened(&r, "3"));
    hg_config *c = hg_config_new(r.context, r.model, r.data);
    expect_ok(rig_set_small(&r, c));
    hg_params *p = hg_params_new(r.context);
    r.state = hg_model_build(r.model, p, c);
    expect_ok(hg_model_optimizers(r.model, r.state, p, c, &r.optimizers));
    ck_assert(!rig_step(&r));
    expect_error(STATE, "--neighbours", "hg_model_prepare");
    rig_close(&r);
}
END_TEST

TEST_MAIN("pairs", pairs_cost_how_surely_they_differ,
          evenly_used_classes_are_worth_their_entropy,
          a_pair_of_two_sure_classes_has_no_gradient,
          the_loss_of_pairs_has_the_gradient_of_its_value,
          neighbours_are_the_nearest_images,
          neighbours_are_those_of_images_as_they_are,
          upright_neighbours_differ_in_slant_alone,
          a_black_image_stays_as_it_is_when_straightened,
          every_image_comes_once_an_epoch_with_one_of_its_neighbours,
          the_two_of_a_pair_are_moved_each_by_itself,
          neighbours_have_an_update_of_their_own_where_they_are_asked_for,
          what_the_label_does_not_need_the_neighbours_leave_alone,
          more_neighbours_than_images_are_told,
          neighbours_that_were_not_looked_for_are_asked_for)
