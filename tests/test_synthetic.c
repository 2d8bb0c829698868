/* test_synthetic.c - digits drawn by a pen. */
#include "datasets_fixture.h"

/* ---- Synthetic digits --------------------------------------------------- */

static uint64_t hash_of(hg_context *context, const hg_data *data)
{
    uint64_t hash = 0xCBF29CE484222325u;
    int64_t features = hg_data_features(data);
    for (int64_t row = 0; row < hg_data_size(data); row++) {
        hg_batch b;
        hg_scope *s = hg_scope_open(context, HG_EVAL);
        ck_assert(hg_data_batch(data, &row, 1, &b));
        const hg_real *x = host_values(b.x);
        for (int64_t i = 0; i < features; i++) {
            uint64_t byte = (uint64_t)(x[i] * 255 + (hg_real)0.5);
            hash = (hash ^ byte) * 0x100000001B3u;
        }
        hg_scope_close(s);
    }
    return hash;
}

static uint64_t synthetic_hash(uint64_t seed, int threads, const char *part)
{
    hg_context *context = hg_context_new(test_device(), seed);
    hg_context_set_threads(context, threads);
    hg_data *all = hg_data_open(context, "synthetic:600", NONE);
    ck_assert_ptr_nonnull(all);
    uint64_t hash = hash_of(context, hg_data_split(all, part, 0));
    hg_context_free(context);
    return hash;
}

START_TEST(synthetic_digits_are_the_same_for_any_thread_count)
{
    uint64_t one = synthetic_hash(1, 1, "train");
    ck_assert_uint_eq(one, synthetic_hash(1, 2, "train"));
    ck_assert_uint_eq(one, synthetic_hash(1, 5, "train"));
    ck_assert_uint_ne(one, synthetic_hash(2, 1, "train"));
    ck_assert_uint_ne(synthetic_hash(1, 1, "test"),
                      synthetic_hash(2, 1, "test"));
}
END_TEST

/* Golden values of other tests rest on these digits. */
START_TEST(synthetic_digits_are_the_same_on_every_machine)
{
    ck_assert_uint_eq(synthetic_hash(1, 2, "train"), 16259216448307161969u);
    ck_assert_uint_eq(synthetic_hash(1, 2, "test"), 4039502877953942507u);
}
END_TEST

START_TEST(a_larger_synthetic_set_begins_with_the_smaller_one)
{
    hg_data *small = hg_data_open(ctx, "synthetic:20", NONE);
    hg_data *large = hg_data_open(ctx, "synthetic:200", NONE);
    hg_real a[784], b[784];
    for (int64_t row = 0; row < 20; row++) {
        value_of(small, row, a);
        value_of(large, row, b);
        ck_assert_mem_eq(a, b, sizeof a);
    }
}
END_TEST

START_TEST(synthetic_counts_are_what_was_asked_for)
{
    hg_data *data = hg_data_open(ctx, "synthetic", NONE);
    ck_assert_int_eq(hg_data_size(data), 12000);
    ck_assert_int_eq(hg_data_size(hg_data_split(data, "test", 0)), 2000);
    ck_assert_int_eq(hg_data_classes(data), 10);
    int64_t count[10];
    count_classes(data, count);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(count[i], 1200);
    data = hg_data_open(ctx, "synthetic:1", NONE);
    ck_assert_int_eq(hg_data_size(data), 1);
    ck_assert_int_eq(hg_data_size(hg_data_split(data, "test", 0)), 1);
    const char *const bad[] = {"synthetic:",    "synthetic:0",
                               "synthetic:-5",  "synthetic:12x",
                               "synthetic:1e3", "synthetic:1000001",
                               "synthetic: 5",  "synthetic:99999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_ptr_null(hg_data_open(ctx, bad[i], NONE));
        expect_error(HG_ERROR_ARGUMENT, "for example synthetic:5000");
    }
}
END_TEST

/* The class whose mean image is nearest. */
static int nearest(const double mean[10][784], const hg_real *x)
{
    int best = 0;
    double least = INFINITY;
    for (int k = 0; k < 10; k++) {
        double distance = 0;
        for (int i = 0; i < 784; i++)
            distance +=
                (mean[k][i] - (double)x[i]) * (mean[k][i] - (double)x[i]);
        if (distance < least) {
            least = distance;
            best = k;
        }
    }
    return best;
}

START_TEST(synthetic_digits_can_be_told_apart_but_vary)
{
    hg_data *data = hg_data_open(ctx, "synthetic:3000", NONE);
    hg_data *test = hg_data_split(data, "test", 0);
    static double mean[10][784];
    memset(mean, 0, sizeof mean);
    hg_real x[784];
    for (int64_t row = 0; row < 3000; row++) {
        value_of(data, row, x);
        for (int i = 0; i < 784; i++)
            mean[row % 10][i] += (double)x[i] / 300;
    }
    int right = 0;
    double spread = 0;
    for (int64_t row = 0; row < 500; row++) {
        value_of(test, row, x);
        int label = hg_data_label(test, row);
        right += nearest((const double(*)[784])mean, x) == label;
        for (int i = 0; i < 784; i++)
            spread += fabs(mean[label][i] - (double)x[i]) / (500 * 784);
    }
    /* As with handwriting (82 %), means tell most digits, but not all. */
    ck_assert_int_gt(right, 390);
    ck_assert_int_lt(right, 490);
    ck_assert_double_gt(spread, 0.03);
}
END_TEST

/* What a style shows in one picture: how thick the line is (its ink beside its
 * edge), how far it leans, and which share of its dark pixels is as dark as the
 * darkest (without noise nearly all inside of the line). */
enum { THICK, LEAN, EVEN, TRAITS };

static void traits_of(const hg_real *pixel, double trait[TRAITS])
{
    double n = 0, x = 0, y = 0, xy = 0, yy = 0, edge = 0;
    double most = 0, dark = 0, darkest = 0;
    for (int i = 28; i < 784; i++) {
        double ink = (double)pixel[i], c = i % 28, r = i / 28;
        n += ink, x += ink * c, y += ink * r;
        xy += ink * c * r, yy += ink * r * r;
        edge += fabs(ink - (double)pixel[i - 1]);
        edge += fabs(ink - (double)pixel[i - 28]);
        most = fmax(most, ink);
    }
    for (int i = 0; i < 784; i++) {
        dark += (double)pixel[i] > 0.8 * most;
        darkest += (double)pixel[i] > 0.99 * most;
    }
    trait[THICK] = n / edge;
    trait[LEAN] = (x * y / n - xy) / (yy - y * y / n);
    trait[EVEN] = darkest / dark;
}

/* Each bound lies between the least spread of a class and the most that is left
 * when all digits have the same pen, slant or darkness. */
START_TEST(synthetic_digits_have_many_styles_in_every_class)
{
    static const double least[TRAITS] = {0.12, 0.15, 0.13};
    hg_data *data = hg_data_open(ctx, "synthetic:2000", NONE);
    for (int class = 0; class < 10; class ++) {
        double sum[TRAITS] = {0}, squares[TRAITS] = {0};
        for (int64_t row = class; row < 2000; row += 10) {
            hg_real x[784];
            double trait[TRAITS];
            value_of(data, row, x);
            traits_of(x, trait);
            for (int k = 0; k < TRAITS; k++) {
                sum[k] += trait[k] / 200;
                squares[k] += trait[k] * trait[k] / 200;
            }
        }
        for (int k = 0; k < TRAITS; k++) {
            double spread = sqrt(squares[k] - sum[k] * sum[k]);
            ck_assert_msg(spread > least[k], "class %d, trait %d: %g", class, k,
                          spread);
        }
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("synthetic");
    tcase_add_test(c, synthetic_digits_are_the_same_for_any_thread_count);
    tcase_add_test(c, synthetic_digits_are_the_same_on_every_machine);
    tcase_add_test(c, a_larger_synthetic_set_begins_with_the_smaller_one);
    tcase_add_test(c, synthetic_counts_are_what_was_asked_for);
    tcase_add_test(c, synthetic_digits_can_be_told_apart_but_vary);
    tcase_add_test(c, synthetic_digits_have_many_styles_in_every_class);
    return run_suite("synthetic", c);
}
