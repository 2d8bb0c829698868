/* test_random.c - Philox against its published answers, the distributions of
 * the draws, and what they may depend on: seed, stream, step and nothing else.
 */
#include "support.h"
#include "tensor/cpu.h"
#include "tensor/random.h"

/* ---- Philox ------------------------------------------------------------- */

/* From Random123's kat_vectors, philox4x32-10: counter, key, result. */
START_TEST(philox_gives_the_published_answers)
{
    static const uint32_t known[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
         0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (int i = 0; i < 3; i++) {
        uint32_t c[4];
        memcpy(c, known[i], sizeof c);
        hg_philox_rounds(c, known[i][4], known[i][5]);
        ck_assert_mem_eq(c, known[i] + 6, sizeof c);
    }
}
END_TEST

START_TEST(a_permutation_meets_every_index_once)
{
    static const int64_t sizes[] = {1, 2, 3, 4, 5, 16, 17, 64, 65, 1000, 4097};
    for (int k = 0; k < 11; k++)
        for (uint64_t stream = 0; stream < 5; stream++) {
            bool met[4097] = {false};
            for (int64_t i = 0; i < sizes[k]; i++) {
                int64_t j = hg_permuted(9, stream, sizes[k], i);
                ck_assert(j >= 0 && j < sizes[k] && !met[j]);
                met[j] = true;
            }
        }
}
END_TEST

START_TEST(permutations_of_two_epochs_differ)
{
    int same = 0;
    for (int64_t i = 0; i < 1000; i++)
        same += hg_permuted(9, 0, 1000, i) == hg_permuted(9, 1, 1000, i);
    ck_assert_int_lt(same, 10);
}
END_TEST

/* ---- Which words a draw takes ------------------------------------------- */

#define N 4099

static hg_real *values_of(hg_tensor *t)
{
    static hg_real value[2][1 << 17];
    static int turn;
    turn = !turn;
    ck_assert_msg(t != NULL, "NULL: %s", hg_error() ? hg_error() : "");
    expect_ok(hg_read(t, value[turn], hg_numel(t)));
    return value[turn];
}

static void expect_uniforms(hg_tensor *t, uint64_t domain, uint64_t stream,
                            uint64_t step)
{
    hg_philox p = hg_philox_make(42, domain, hg_sequence(stream, step));
    hg_real *u = values_of(t);
    for (int64_t i = 0; i < hg_numel(t); i++)
        if (u[i] != (hg_real)hg_word_uniform(hg_philox_word(&p, (uint64_t)i)))
            ck_abort_msg("element %lld is %g", (long long)i, (double)u[i]);
}

START_TEST(uniforms_are_the_words_of_seed_stream_step_and_element)
{
    for (int isa = 0; isa <= hg_cpu_isa(); isa++) {
        ctx->isa = isa;
        expect_uniforms(hg_rand(HG_SHAPE(N)), HG_DOMAIN_TRAIN, (uint64_t)isa,
                        0);
    }
}
END_TEST

START_TEST(every_outermost_scope_is_a_new_step_of_its_kind)
{
    hg_scope *inner = hg_scope_open(ctx, HG_EVAL);
    expect_uniforms(hg_rand(HG_SHAPE(5)), HG_DOMAIN_TRAIN, 0, 0);
    hg_scope_close(inner);
    expect_uniforms(hg_rand(HG_SHAPE(5)), HG_DOMAIN_TRAIN, 1, 0);
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_EVAL);
    expect_uniforms(hg_rand(HG_SHAPE(5)), HG_DOMAIN_EVAL, 0, 0);
    hg_scope_close(scope);
    scope = hg_scope_open(ctx, HG_RECORD);
    expect_uniforms(hg_rand(HG_SHAPE(5)), HG_DOMAIN_TRAIN, 0, 1);
    hg_scope_close(scope);
    hg_context_set_steps(ctx, (const uint64_t[]){0, 0});
    scope = hg_scope_open(ctx, HG_TRAIN);
    expect_uniforms(hg_rand(HG_SHAPE(5)), HG_DOMAIN_TRAIN, 0, 0);
}
END_TEST

/* A GPU has logarithms and sines of its own, good to two units in the last
 * place, and multiplies and adds in one rounding: of normals up to 6 that is a
 * few times 5e-7. The CPU's kernels differ from the reference by one unit. */
START_TEST(normals_are_those_of_the_words_to_rounding)
{
    double most = on_cpu() ? 1e-6 : 4e-6;
    for (int isa = 0; isa <= hg_cpu_isa(); isa++) {
        ctx->isa = isa;
        hg_philox p =
            hg_philox_make(42, HG_DOMAIN_TRAIN, hg_sequence(ctx->draws, 0));
        hg_real *x = values_of(hg_randn(HG_SHAPE(N)));
        for (int i = 0; i + 1 < N; i += 2) {
            float pair[2];
            hg_words_normal(hg_philox_word(&p, (uint64_t)i),
                            hg_philox_word(&p, (uint64_t)i + 1), pair);
            for (int j = 0; j < 2; j++)
                if (fabs((double)x[i + j] - (double)pair[j]) > most)
                    ck_abort_msg("element %d is %.9g, not %.9g", i + j,
                                 (double)x[i + j], (double)pair[j]);
        }
    }
}
END_TEST

static hg_tensor *uniforms(void)
{
    return hg_uniform(HG_SHAPE(60007), -1, 3);
}

static hg_tensor *normals(void)
{
    return hg_randn(HG_SHAPE(60007));
}

static hg_tensor *gumbels(void)
{
    return hg_gumbel(HG_SHAPE(60007));
}

static hg_tensor *bits(void)
{
    return hg_bernoulli(hg_full(HG_SHAPE(60007), (hg_real)0.3));
}

static hg_tensor *dropped(void)
{
    return hg_dropout(hg_ones(HG_SHAPE(60007)), 0.4);
}

START_TEST(draws_do_not_depend_on_the_number_of_threads)
{
    hg_tensor *(*const draws[])(void) = {uniforms, normals, gumbels, bits,
                                         dropped};
    for (int k = 0; k < 5; k++) {
        hg_tensor *first = NULL;
        for (int threads = 1; threads <= 3; threads++) {
            hg_context_set_threads(ctx, threads);
            ctx->draws = 5;
            hg_tensor *t = draws[k]();
            expect_ok(t && (!first || same_bits(first, t)));
            first = t;
        }
    }
}
END_TEST

START_TEST(a_longer_draw_begins_like_a_shorter_one)
{
    hg_tensor *all = hg_randn(HG_SHAPE(5000));
    for (int64_t n = 1; n < 300; n += 7) {
        ctx->draws = 0;
        hg_tensor *some = hg_randn(HG_SHAPE(n));
        ck_assert_mem_eq(host_values(some), host_values(all),
                         (size_t)n * sizeof(hg_real));
    }
}
END_TEST

/* ---- Distributions ------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
    hg_real x = *(const hg_real *)a, y = *(const hg_real *)b;
    return (x > y) - (x < y);
}

static double normal_cdf(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

static double gumbel_cdf(double x)
{
    return exp(-exp(-x));
}

static double wide_uniform_cdf(double x)
{
    return (x + 1) / 4;
}

/* Kolmogorov and Smirnov: sqrt(n) times the largest distance between the
 * distribution functions exceeds 1.95 once in a thousand. */
static void expect_distribution(hg_tensor *t, double (*cdf)(double))
{
    int64_t n = hg_numel(t);
    hg_real *x = values_of(t);
    double worst = 0;
    qsort(x, (size_t)n, sizeof *x, ascending);
    for (int64_t i = 0; i < n; i++) {
        double p = cdf((double)x[i]);
        worst = fmax(worst, fmax(p - (double)i / (double)n,
                                 (double)(i + 1) / (double)n - p));
    }
    ck_assert_msg(worst * sqrt((double)n) < 1.95, "distance %g",
                  worst * sqrt((double)n));
}

START_TEST(draws_follow_their_distributions)
{
    expect_distribution(uniforms(), wide_uniform_cdf);
    expect_distribution(normals(), normal_cdf);
    expect_distribution(gumbels(), gumbel_cdf);
}
END_TEST

START_TEST(normals_have_the_right_moments_and_no_correlation)
{
    hg_real *x = values_of(hg_randn(HG_SHAPE(100000)));
    double sum[5] = {0}, neighbours = 0;
    for (int i = 0; i < 100000; i++) {
        for (int k = 1; k < 5; k++)
            sum[k] += pow((double)x[i], k) / 100000;
        neighbours += i ? (double)(x[i] * x[i - 1]) / 100000 : 0;
    }
    ck_assert(fabs(sum[1]) < 0.013 && fabs(sum[2] - 1) < 0.018);
    ck_assert(fabs(sum[3]) < 0.05 && fabs(sum[4] - 3) < 0.13);
    ck_assert(fabs(neighbours) < 0.013);
}
END_TEST

START_TEST(uniforms_fill_equal_bins_equally)
{
    int count[256] = {0};
    hg_real *x = values_of(hg_rand(HG_SHAPE(102400)));
    double chi2 = 0;
    for (int i = 0; i < 102400; i++)
        count[(int)(x[i] * 256)]++;
    for (int i = 0; i < 256; i++)
        chi2 += (count[i] - 400.0) * (count[i] - 400.0) / 400;
    /* 255 degrees of freedom: mean 255, standard deviation 22.6. */
    ck_assert_msg(chi2 > 180 && chi2 < 335, "chi^2 = %g", chi2);
}
END_TEST

START_TEST(bernoulli_draws_one_with_probability_p)
{
    hg_tensor *p = hg_expand(vector(0, (hg_real)0.25, 1, NAN), //
                             HG_SHAPE(20000, 4));
    hg_real *x = values_of(hg_bernoulli(p));
    double ones = 0;
    for (int i = 0; i < 20000; i++) {
        ck_assert(x[4 * i] == 0 && x[4 * i + 2] == 1 &&
                  isnan((double)x[4 * i + 3]));
        ones += (double)x[4 * i + 1];
    }
    ck_assert(fabs(ones / 20000 - 0.25) < 0.0123);
}
END_TEST

START_TEST(bernoulli_draws_one_where_the_uniform_is_below_p)
{
    hg_real *u = values_of(hg_rand(HG_SHAPE(N)));
    hg_tensor *p = hg_rand(HG_SHAPE(N)), *twice = hg_scale(p, 2);
    ctx->draws = 0;
    hg_tensor *z = hg_bernoulli(hg_minimum(twice, scalar(1)));
    const hg_real *q = host_values(hg_minimum(twice, scalar(1)));
    const hg_real *drawn = host_values(z);
    for (int i = 0; i < N; i++)
        ck_assert(drawn[i] == (u[i] < q[i]));
}
END_TEST

START_TEST(a_draw_of_nothing_is_legal_and_a_negative_size_is_not)
{
    expect_shape(hg_randn(HG_SHAPE(0, 3)), 0, 3);
    ck_assert_ptr_null(hg_rand(HG_SHAPE(2, -3)));
    expect_error(SHAPE, "rand", "-3");
    hg_scope_close(scope);
    ck_assert_ptr_null(hg_rand(HG_SHAPE(2)));
    expect_error(STATE, "scope");
    scope = hg_scope_open(ctx, HG_TRAIN);
}
END_TEST

/* ---- Reparameterisation and dropout ------------------------------------- */

START_TEST(a_normal_sample_passes_gradients_to_mean_and_deviation)
{
    hg_tensor *mu = hg_watch(tensor((2, 1), 3, -1));
    hg_tensor *std = hg_watch(tensor((2), 2, (hg_real)0.5));
    hg_tensor *z = hg_normal_sample(mu, std);
    ctx->draws = 0;
    hg_real *e = values_of(hg_randn(HG_SHAPE(2, 2)));
    expect_values(z, 3 + 2 * (double)e[0], 3 + 0.5 * (double)e[1],
                  -1 + 2 * (double)e[2], -1 + 0.5 * (double)e[3]);
    expect_values(hg_grad(z, mu, NULL), 2, 2);
    expect_values(hg_grad(z, std, NULL), (double)e[0] + (double)e[2],
                  (double)e[1] + (double)e[3]);
}
END_TEST

START_TEST(dropout_keeps_and_scales_where_the_uniform_is_at_least_p)
{
    hg_real *u = values_of(hg_rand(HG_SHAPE(1000)));
    ctx->draws = 0;
    hg_tensor *x = hg_watch(hg_full(HG_SHAPE(1000), 2));
    hg_tensor *y = hg_dropout(x, 0.25);
    hg_real *v = values_of(y), scale = (hg_real)(1 / 0.75);
    for (int i = 0; i < 1000; i++)
        ck_assert(v[i] == (u[i] >= (hg_real)0.25 ? 2 * scale : 0));
    /* Backward draws the same mask. */
    hg_tensor *dx = hg_grad(y, x, hg_full(HG_SHAPE(1000), 2));
    ck_assert(same_bits(dx, y));
}
END_TEST

START_TEST(dropout_is_the_identity_outside_stochastic_scopes)
{
    hg_tensor *x = vector(1, 2);
    hg_mode was = hg_set_mode(HG_RECORD);
    ck_assert_ptr_eq(hg_dropout(x, 0.5), x);
    hg_set_mode(HG_EVAL);
    ck_assert_ptr_eq(hg_dropout(x, 0.5), x);
    ck_assert_uint_eq(ctx->draws, 0);
    hg_set_mode(was);
}
END_TEST

START_TEST(dropout_of_none_of_all_and_of_nan)
{
    expect_values(hg_dropout(vector(1, -2, NAN), 0), 1, -2, NAN);
    expect_values(hg_dropout(vector(1, -2, NAN), 1), 0, 0, NAN);
    ck_assert_ptr_null(hg_dropout(vector(1), 1.5));
    expect_error(ARGUMENT, "hg_dropout", "1.5", "between 0 and 1");
    ck_assert_ptr_null(hg_dropout(NULL, 0.5));
    expect_error(ARGUMENT, "dropout", "input 0");
    hg_mode was = hg_set_mode(HG_EVAL);
    ck_assert_ptr_null(hg_dropout(NULL, 0.5));
    expect_error(ARGUMENT, "hg_dropout: the input is NULL");
    hg_set_mode(was);
}
END_TEST

TEST_MAIN("random", philox_gives_the_published_answers,
          a_permutation_meets_every_index_once,
          permutations_of_two_epochs_differ,
          uniforms_are_the_words_of_seed_stream_step_and_element,
          every_outermost_scope_is_a_new_step_of_its_kind,
          normals_are_those_of_the_words_to_rounding,
          draws_do_not_depend_on_the_number_of_threads,
          a_longer_draw_begins_like_a_shorter_one,
          draws_follow_their_distributions,
          normals_have_the_right_moments_and_no_correlation,
          uniforms_fill_equal_bins_equally,
          bernoulli_draws_one_with_probability_p,
          bernoulli_draws_one_where_the_uniform_is_below_p,
          a_draw_of_nothing_is_legal_and_a_negative_size_is_not,
          a_normal_sample_passes_gradients_to_mean_and_deviation,
          dropout_keeps_and_scales_where_the_uniform_is_at_least_p,
          dropout_is_the_identity_outside_stochastic_scopes,
          dropout_of_none_of_all_and_of_nan)
