/* test_transform.c - transforms on the way into a batch, and points in the
 * plane. */
#include "datasets_fixture.h"
#include "tensor/cpu.h"

enum { N = 400, SIDE = 20, FEATURES = SIDE * SIDE };

/* Pictures of one value, v / 255 for all pixels. */
static hg_data *flat(int v, const char *transform)
{
    static uint8_t pixels[N * FEATURES];
    memset(pixels, v, sizeof pixels);
    hg_data_options o = {.transform = transform};
    hg_data *data =
        hg_data_from(ctx, pixels, "u1", HG_SHAPE(N, 1, SIDE, SIDE), NULL, o);
    ck_assert_msg(data != NULL, "%s", hg_error());
    return data;
}

static hg_real x[N * FEATURES], target[N * FEATURES];

/* All items of a part in one batch of an epoch. */
static void fill(hg_data *data, const char *part, int64_t epoch, bool shuffle)
{
    hg_batch b;
    hg_data *p = hg_data_split(data, part, 0);
    hg_loader *l = hg_loader_new(p, N, shuffle);
    ck_assert(hg_loader_set_epoch(l, epoch));
    hg_scope *s = hg_next(l, HG_TRAIN, &b);
    ck_assert_msg(s != NULL, "%s", hg_error());
    int64_t n = hg_data_features(p);
    hg_real *values = malloc((size_t)(2 * b.size * n) * sizeof *values);
    int32_t index[N];
    ck_assert(hg_read_int(b.index, index, b.size));
    ck_assert(hg_read(b.x, values, b.size * n));
    ck_assert(hg_read(b.target, values + b.size * n, b.size * n));
    for (int64_t i = 0; i < b.size; i++) { /* in the set's own order */
        memcpy(x + index[i] * n, values + i * n, (size_t)n * sizeof *x);
        memcpy(target + index[i] * n, values + (b.size + i) * n,
               (size_t)n * sizeof *x);
    }
    free(values);
    hg_scope_close(s);
}

static double mean(const hg_real *v)
{
    double sum = 0;
    for (int64_t i = 0; i < N * FEATURES; i++)
        sum += (double)v[i];
    return sum / (N * FEATURES);
}

static double variance(const hg_real *v)
{
    double m = mean(v), sum = 0;
    for (int64_t i = 0; i < N * FEATURES; i++)
        sum += ((double)v[i] - m) * ((double)v[i] - m);
    return sum / (N * FEATURES);
}

START_TEST(binarized_pixels_are_zero_or_one_with_the_right_mean)
{
    fill(flat(51, "binarize"), "train", 0, false);
    for (int64_t i = 0; i < N * FEATURES; i++)
        ck_assert((x[i] == 0 || x[i] == 1) && target[i] == x[i]);
    ck_assert_double_eq_tol(mean(x), 0.2, 0.005);
    fill(flat(255, "binarize"), "train", 0, false);
    ck_assert(mean(x) == 1);
    fill(flat(0, "binarize"), "train", 0, false);
    ck_assert(mean(x) == 0);
}
END_TEST

START_TEST(dynamic_binarising_changes_from_epoch_to_epoch_static_does_not)
{
    static hg_real first[N * FEATURES];
    fill(flat(128, "binarize"), "train", 0, false);
    memcpy(first, x, sizeof first);
    fill(flat(128, "binarize"), "train", 1, false);
    ck_assert_mem_ne(first, x, sizeof first);
    fill(flat(128, "binarize-once"), "train", 0, false);
    memcpy(first, x, sizeof first);
    fill(flat(128, "binarize-once"), "train", 7, true);
    ck_assert_mem_eq(first, x, sizeof first);
}
END_TEST

START_TEST(dequantized_pixels_fill_their_step_evenly)
{
    fill(flat(100, "dequantize"), "train", 0, false);
    double low = 1, high = 0;
    for (int64_t i = 0; i < N * FEATURES; i++) {
        low = fmin(low, (double)x[i]);
        high = fmax(high, (double)x[i]);
    }
    ck_assert(low >= 100.0 / 256 - 1e-6 && low < 100.02 / 256);
    ck_assert(high <= 101.0 / 256 + 1e-6 && high > 100.98 / 256);
    ck_assert_double_eq_tol(mean(x), 100.5 / 256, 2e-5);
}
END_TEST

START_TEST(gaussian_noise_is_normal_and_spares_the_target)
{
    fill(flat(127, "gaussian:0.1"), "train", 0, false);
    double m = 127.0 / 255, beyond[3] = {0}, fourth = 0;
    ck_assert_double_eq_tol(mean(target), m, 1e-6);
    ck_assert_double_eq_tol(mean(x), m, 0.001);
    ck_assert_double_eq_tol(sqrt(variance(x)), 0.1, 0.0005);
    for (int64_t i = 0; i < N * FEATURES; i++) {
        double z = ((double)x[i] - m) / 0.1;
        fourth += z * z * z * z / (N * FEATURES);
        for (int k = 0; k < 3; k++)
            beyond[k] += (fabs(z) > k + 1) / (double)(N * FEATURES);
    }
    ck_assert_double_eq_tol(beyond[0], 0.3173, 0.005);
    ck_assert_double_eq_tol(beyond[1], 0.0455, 0.002);
    ck_assert_double_eq_tol(beyond[2], 0.0027, 0.0006);
    ck_assert_double_eq_tol(fourth, 3, 0.1); /* no draw beyond 3.9 */
    fill(flat(250, "gaussian:0.5"), "train", 0, false);
    for (int64_t i = 0; i < N * FEATURES; i++)
        ck_assert(x[i] >= 0 && x[i] <= 1);
}
END_TEST

START_TEST(masking_and_salt_and_pepper_hit_their_share)
{
    fill(flat(128, "mask:0.25"), "train", 0, false);
    double zero = 0, one = 0;
    for (int64_t i = 0; i < N * FEATURES; i++)
        zero += x[i] == 0;
    ck_assert_double_eq_tol(zero / (N * FEATURES), 0.25, 0.005);
    fill(flat(128, "salt-pepper:0.2"), "train", 0, false);
    zero = 0;
    for (int64_t i = 0; i < N * FEATURES; i++) {
        zero += x[i] == 0;
        one += x[i] == 1;
        ck_assert(target[i] == (hg_real)128 / 255);
    }
    ck_assert_double_eq_tol(zero / (N * FEATURES), 0.1, 0.004);
    ck_assert_double_eq_tol(one / (N * FEATURES), 0.1, 0.004);
}
END_TEST

/* One bright pixel in each picture. */
static hg_data *bright(const char *transform)
{
    static uint8_t pixels[N * FEATURES];
    memset(pixels, 0, sizeof pixels);
    for (int i = 0; i < N; i++)
        pixels[i * FEATURES + 7 * SIDE + 5] = 255;
    hg_data_options o = {.transform = transform};
    return hg_data_from(ctx, pixels, "u1", HG_SHAPE(N, 1, SIDE, SIDE), NULL, o);
}

START_TEST(flips_and_shifts_move_pixels_where_they_belong)
{
    int flipped = 0, seen[5][5] = {{0}};
    fill(bright("flip"), "train", 0, false);
    for (int i = 0; i < N; i++) {
        const hg_real *p = x + i * FEATURES + 7 * SIDE;
        ck_assert(p[5] + p[SIDE - 1 - 5] == 1);
        flipped += p[SIDE - 1 - 5] == 1;
    }
    ck_assert(flipped > N / 2 - 50 && flipped < N / 2 + 50);
    fill(bright("shift:2"), "train", 0, false);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < FEATURES; k++)
            if (x[i * FEATURES + k] == 1) {
                int dy = k / SIDE - 7 + 2, dx = k % SIDE - 5 + 2;
                ck_assert(dy >= 0 && dy < 5 && dx >= 0 && dx < 5);
                seen[dy][dx]++;
            }
    int all = 0;
    for (int i = 0; i < 25; i++) {
        ck_assert_int_gt(seen[i / 5][i % 5], 2);
        all += seen[i / 5][i % 5];
    }
    ck_assert_int_eq(all, N);
    fill(bright("shift:1000"), "train", 0, false);
    ck_assert(mean(x) < 0.001);
}
END_TEST

START_TEST(numbers_belong_to_the_item_whatever_order_batch_or_threads)
{
    static hg_real first[N * FEATURES];
    fill(flat(128, "shift:3,gaussian:0.2"), "train", 5, false);
    memcpy(first, x, sizeof first);
    hg_context_set_threads(ctx, 3);
    hg_data *train =
        hg_data_split(flat(128, "shift:3,gaussian:0.2"), "train", 0);
    hg_loader *l = hg_loader_new(train, 7, true);
    ck_assert(hg_loader_set_epoch(l, 5));
    ck_assert(hg_loader_set_position(l, 20)); /* as on resume */
    hg_batch b;
    hg_scope *s = hg_next(l, HG_TRAIN, &b);
    const int32_t *index = host_values(b.index);
    for (int64_t i = 0; i < b.size; i++)
        ck_assert_mem_eq((const hg_real *)host_values(b.x) + i * FEATURES,
                         first + index[i] * FEATURES, FEATURES * sizeof *first);
    hg_scope_close(s);
    s = hg_scope_open(ctx, HG_TRAIN); /* by number, as in that epoch, or 0 */
    ck_assert(hg_data_batch_in(train, 5, (int64_t[]){9}, 1, &b));
    ck_assert_mem_eq(host_values(b.x), first + 9 * FEATURES,
                     FEATURES * sizeof *first);
    ck_assert(hg_data_batch(train, (int64_t[]){9}, 1, &b));
    ck_assert_mem_ne(host_values(b.x), first + 9 * FEATURES,
                     FEATURES * sizeof *first);
    hg_scope_close(s);
}
END_TEST

START_TEST(noise_and_flips_are_for_training_what_defines_the_data_for_all)
{
    hg_data *data = hg_data_open(
        ctx, "synthetic:600",
        (hg_data_options){.transform = "shift:9,binarize,mask:0.9"});
    hg_data *test = hg_data_split(data, "test", 0.1);
    hg_real v[784];
    double on = 0;
    for (int i = 0; i < 50; i++) {
        value_of(test, i, v);
        for (int k = 0; k < 784; k++) {
            ck_assert(v[k] == 0 || v[k] == 1);
            on += (double)v[k] / (50 * 784);
        }
    }
    ck_assert(on > 0.08); /* not masked */
}
END_TEST

START_TEST(what_is_measured_on_is_as_it_is)
{
    hg_data *train = hg_data_split(flat(100, "binarize,mask:0.5"), "train", 0);
    hg_data *all = hg_data_spread(train, 0);
    ck_assert_ptr_ne(all, train);
    ck_assert_int_eq(hg_data_size(all), N);
    ck_assert_ptr_eq(hg_data_spread(train, 2 * N), all);
    hg_batch b;
    hg_scope *s = hg_scope_open(ctx, HG_EVAL);
    ck_assert(hg_data_batch(all, (int64_t[]){7}, 1, &b));
    ck_assert(hg_read(b.x, x, FEATURES) && hg_read(b.target, target, FEATURES));
    ck_assert_mem_eq(x, target, FEATURES * sizeof *x);
    ck_assert(x[0] == 0 || x[0] == 1);
    hg_scope_close(s);
    train = hg_data_split(flat(100, "binarize"), "train", 0);
    ck_assert_ptr_eq(hg_data_spread(train, 0), train);
}
END_TEST

START_TEST(wrong_transforms_are_named)
{
    static const char *const wrong[][2] = {
        {"blur", "transform blur is not known"},
        {"flip:2", "a number from 0 to 1"},
        {"mask:x", "a number from 0 to 1"},
        {"shift:", "a number from 0"},
        {"gaussian,flip", "comes before it"},
        {"flip,,flip", "is not known"},
        {"flip,flip,flip,flip,flip,flip,flip,flip,flip", "more than 8"}};
    float v[4] = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_ptr_null(
            hg_data_from(ctx, v, "f4", HG_SHAPE(2, 2), NULL,
                         (hg_data_options){.transform = wrong[i][0]}));
        expect_error(HG_ERROR_ARGUMENT, wrong[i][1]);
    }
}
END_TEST

/* ---- Points in the plane ------------------------------------------------ */

START_TEST(points_lie_on_their_shapes)
{
    static const char *const names[] = {"moons:600", "rings:600",
                                        "swiss-roll:600", "mixture:600"};
    static const int classes[] = {2, 3, 4, 8};
    for (int k = 0; k < 4; k++) {
        hg_data *data = hg_data_open(ctx, names[k], NONE);
        ck_assert_msg(data != NULL, "%s", hg_error());
        ck_assert_int_eq(hg_data_size(data), 600);
        ck_assert_int_eq(hg_data_features(data), 2);
        ck_assert_int_eq(hg_data_classes(data), classes[k]);
        ck_assert_int_eq(hg_data_size(hg_data_split(data, "test", 0)), 100);
        for (int64_t i = 0; i < 600; i++) {
            hg_real p[2];
            int label = hg_data_label(data, i);
            value_of(data, i, p);
            ck_assert(p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1);
            double dx = (double)p[0] - 0.5, dy = (double)p[1] - 0.5;
            if (k == 1)
                ck_assert_double_eq_tol(hypot(dx, dy), 0.13 * (label + 1),
                                        0.07);
            if (k == 3)
                ck_assert_double_lt(hypot(dx - 0.36 * cos(0.7853981 * label),
                                          dy - 0.36 * sin(0.7853981 * label)),
                                    0.16);
        }
    }
    hg_real a[2], b[2];
    value_of(hg_data_open(ctx, "moons:600", NONE), 3, a);
    value_of(hg_data_open(ctx, "moons", NONE), 3, b);
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_ptr_null(hg_data_open(ctx, "moons:x", NONE));
    expect_error(HG_ERROR_ARGUMENT, "a number of points");
    ck_assert_ptr_null(hg_data_open(ctx, "moonss", NONE));
    expect_error(HG_ERROR_DATA, "swiss-roll");
}
END_TEST

START_TEST(every_instruction_set_has_the_same_bits)
{
    static hg_real first[N * FEATURES];
    const char *list[] = {"gaussian:0.4", "mask", "salt-pepper", "binarize",
                          "dequantize"};
    for (int i = 0; i < 5; i++)
        for (int isa = HG_ISA_BASE; isa <= hg_cpu_isa(); isa++) {
            ctx->isa = isa;
            fill(flat(90, list[i]), "train", 2, true);
            if (isa == HG_ISA_BASE)
                memcpy(first, x, sizeof x);
            ck_assert_msg(!memcmp(first, x, sizeof x), "%s, %s", list[i],
                          hg_cpu_isa_name(isa));
        }
}
END_TEST

/* Two planes of every value, some of them twice. */
static void fill_from(hg_context *context, const char *transform)
{
    static uint8_t pixels[N * FEATURES];
    for (int i = 0; i < N * FEATURES; i++)
        pixels[i] = (uint8_t)(i * 7 + i / FEATURES);
    hg_data *data =
        hg_data_from(context, pixels, "u1", HG_SHAPE(N, 2, SIDE / 2, SIDE),
                     NULL, (hg_data_options){.transform = transform});
    ck_assert_msg(data != NULL, "%s", hg_error());
    fill(data, "train", 3, true);
}

START_TEST(both_devices_have_the_same_pixels)
{
    static hg_real first[2][N * FEATURES];
    const char *list[] = {"flip,shift:2,binarize,gaussian:0.3",
                          "binarize-once,shift:3,flip:0.7,mask", "shift:1000",
                          "dequantize,salt-pepper,gaussian:0.1"};
    hg_context *cpu = hg_context_new("cpu", ctx->control.seed);
    for (int i = 0; i < 4; i++) {
        fill_from(cpu, list[i]);
        memcpy(first[0], x, sizeof x);
        memcpy(first[1], target, sizeof target);
        fill_from(ctx, list[i]);
        for (int k = 0; k < N * FEATURES; k++) {
            ck_assert_double_eq_tol(x[k], first[0][k], 1e-6);
            ck_assert_double_eq_tol(target[k], first[1][k], 1e-6);
        }
    }
    hg_context_free(cpu);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("transform");
    tcase_add_test(c, both_devices_have_the_same_pixels);
    tcase_add_test(c, every_instruction_set_has_the_same_bits);
    tcase_add_test(c, binarized_pixels_are_zero_or_one_with_the_right_mean);
    tcase_add_test(
        c, dynamic_binarising_changes_from_epoch_to_epoch_static_does_not);
    tcase_add_test(c, dequantized_pixels_fill_their_step_evenly);
    tcase_add_test(c, gaussian_noise_is_normal_and_spares_the_target);
    tcase_add_test(c, masking_and_salt_and_pepper_hit_their_share);
    tcase_add_test(c, flips_and_shifts_move_pixels_where_they_belong);
    tcase_add_test(c,
                   numbers_belong_to_the_item_whatever_order_batch_or_threads);
    tcase_add_test(
        c, noise_and_flips_are_for_training_what_defines_the_data_for_all);
    tcase_add_test(c, what_is_measured_on_is_as_it_is);
    tcase_add_test(c, wrong_transforms_are_named);
    tcase_add_test(c, points_lie_on_their_shapes);
    return run_suite("transform", c);
}
