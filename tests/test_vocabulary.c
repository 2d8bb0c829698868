/* test_vocabulary.c - the vector vocabulary against libm in double over the
 * whole range of float, every instruction set's kernels against the reference
 * ones, and the gamma family. */
#include "pointwise_rows.h"
#include "ops/vocabulary.h"

#include <float.h>

/* ---- The gamma family --------------------------------------------------- */

#define EULER 0.57721566490153286
#define PI2   9.86960440108935862 /* pi squared */
#define ZETA3 1.20205690315959429

static bool near(double value, double expected)
{
    return fabs(value - expected) <= 2e-14 * fmax(1, fabs(expected));
}

START_TEST(the_gamma_family_has_its_textbook_values)
{
    ck_assert(near(hg_log_gamma(0.5), log(PI2) / 4));
    ck_assert(near(hg_log_gamma(-0.5), log(2) + log(PI2) / 4));
    ck_assert(near(hg_digamma_value(1), -EULER));
    ck_assert(near(hg_digamma_value(0.5), -EULER - 2 * log(2)));
    ck_assert(near(hg_digamma_value(-0.5), 2 - EULER - 2 * log(2)));
    ck_assert(near(hg_trigamma_value(1), PI2 / 6));
    ck_assert(near(hg_trigamma_value(0.5), PI2 / 2));
    ck_assert(near(hg_trigamma_value(-0.5), PI2 / 2 + 4));
    ck_assert(near(hg_tetragamma_value(1), -2 * ZETA3));
    ck_assert(near(hg_tetragamma_value(0.5), -14 * ZETA3));
    ck_assert(near(hg_tetragamma_value(-0.5), -14 * ZETA3 + 16));
}
END_TEST

START_TEST(each_of_the_gamma_family_is_the_derivative_of_the_one_before)
{
    static double (*const f[])(double) = {
        hg_log_gamma, hg_digamma_value, hg_trigamma_value, hg_tetragamma_value};
    static const double at[] = {-2.3, -0.4, 0.05, 0.7, 3, 11.9, 12.1, 250};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
            double x = at[i], h = 1e-5 * fmax(0.05, fabs(x));
            double slope = (f[k](x + h) - f[k](x - h)) / (2 * h);
            double right = f[k + 1](x);
            ck_assert_msg(fabs(slope - right) <= 1e-6 * fmax(1, fabs(right)),
                          "function %d at %g", k + 1, x);
        }
}
END_TEST

START_TEST(poles_and_infinities_of_the_gamma_family_are_right)
{
    ck_assert(hg_log_gamma(0) == INFINITY && hg_log_gamma(-1) == INFINITY);
    ck_assert(hg_digamma_value(0.0) == -INFINITY);
    ck_assert(hg_digamma_value(-0.0) == INFINITY);
    ck_assert(isnan(hg_digamma_value(-3)) && isnan(hg_digamma_value(NAN)));
    ck_assert(hg_digamma_value(INFINITY) == INFINITY);
    ck_assert(hg_trigamma_value(0) == INFINITY);
    ck_assert(hg_trigamma_value(INFINITY) == 0);
    ck_assert(isnan(hg_trigamma_value(NAN)));
    ck_assert(isnan(hg_trigamma_value(-INFINITY)));
    ck_assert(isnan(hg_tetragamma_value(0)));
    ck_assert(hg_tetragamma_value(INFINITY) == 0);
    ck_assert(isnan(hg_tetragamma_value(NAN)));
}
END_TEST

#ifndef HG_DOUBLE

/* ---- Accuracy over the whole range -------------------------------------- */

static hg_pointwise_run *const *table_of(int isa)
{
#ifdef __x86_64__
    if (isa == HG_ISA_V4)
        return hg_pointwise_v4;
    if (isa == HG_ISA_V3)
        return hg_pointwise_v3;
#endif
    (void)isa;
    return hg_pointwise_base;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double softplus(double x)
{
    return (x < 0 ? 0 : x) + log1p(exp(-fabs(x)));
}

static const struct {
    const char *name;
    int kernel;
    double (*right)(double);
    double ulp; /* what vocabulary_vector.h promises */
} functions[] = {
    {"exp", HG_POINTWISE_exp, exp, 2},
    {"expm1", HG_POINTWISE_expm1, expm1, 2},
    {"log", HG_POINTWISE_log, log, 2},
    {"log1p", HG_POINTWISE_log1p, log1p, 2},
    {"tanh", HG_POINTWISE_tanh, tanh, 4},
    {"erf", HG_POINTWISE_erf, erf, 4},
    {"sigmoid", HG_POINTWISE_sigmoid, sigmoid, 4},
    {"softplus", HG_POINTWISE_softplus, softplus, 4},
};

/* The distance in units in the last place of the right value; results below
 * the smallest normal number may be flushed. */
static double distance(float value, double right)
{
    int exponent;
    float rounded = (float)right;
    if (isnan(right) || isnan(value) || isinf(rounded) || isinf(value))
        return same_value((double)value, (double)rounded, 0) ? 0 : INFINITY;
    if (fabs(right) < (double)FLT_MIN)
        return fabsf(value) <= FLT_MIN ? 0 : INFINITY;
    frexp(right, &exponent);
    return fabs((double)value - right) / ldexp(1, exponent - 24);
}

#define CHUNK  1024
#define STRIDE 5003 /* of the bit patterns tried, a prime */

static void compare(size_t f, int isa, uint64_t from)
{
    float x[CHUNK], y[CHUNK];
    for (uint32_t i = 0; i < CHUNK; i++) {
        uint32_t bits = (uint32_t)(from + (uint64_t)i * STRIDE);
        memcpy(&x[i], &bits, sizeof bits);
    }
    const float *in[] = {x};
    table_of(isa)[functions[f].kernel](y, in, CHUNK, 0, 0);
    for (int i = 0; i < CHUNK; i++) {
        if (fabsf(x[i]) > 0 && fabsf(x[i]) < FLT_MIN)
            continue;
        double error = distance(y[i], functions[f].right((double)x[i]));
        if (error > functions[f].ulp) /* ck_assert is slow */
            ck_abort_msg("%s(%.9g) = %.9g: %.2f ulp", functions[f].name,
                         (double)x[i], (double)y[i], error);
    }
}

START_TEST(vector_functions_keep_their_error_bounds_over_all_floats)
{
    for (int isa = 0; isa <= hg_cpu_isa(); isa++)
        for (size_t f = 0; f < sizeof functions / sizeof *functions; f++)
            for (uint64_t from = 0; from < (uint64_t)1 << 32;
                 from += CHUNK * STRIDE)
                compare(f, isa, from);
}
END_TEST

START_TEST(special_values_of_vector_functions_are_exact)
{
    static const float at[] = {0.0f,  -0.0f, INFINITY, -INFINITY, NAN,
                               -1.0f, 1.0f,  88.8f,    -104.0f};
    for (int isa = 0; isa <= hg_cpu_isa(); isa++)
        for (size_t f = 0; f < sizeof functions / sizeof *functions; f++)
            for (int i = 0; i < 9; i++) {
                float y[1];
                const float *in[] = {&at[i]};
                table_of(isa)[functions[f].kernel](y, in, 1, 0, 0);
                double right = functions[f].right((double)at[i]);
                ck_assert_msg(distance(y[0], right) <= functions[f].ulp,
                              "%s(%g) = %g", functions[f].name, (double)at[i],
                              (double)y[0]);
                bool zero = right == 0 && at[i] >= -1;
                ck_assert_msg(!zero || !signbit(right) == !signbit(y[0]),
                              "%s(%g) = %g", functions[f].name, (double)at[i],
                              (double)y[0]);
            }
}
END_TEST

/* ---- Every kernel against the reference --------------------------------- */

#define MANY 333

static void fill_operands(hg_real in[HG_POINTWISE_INPUTS][MANY], int special)
{
    static const hg_real value[] = {NAN, INFINITY, -INFINITY, 0, -0.0f};
    for (int k = 0; k < HG_POINTWISE_INPUTS; k++)
        for (int i = 0; i < MANY; i++)
            in[k][i] = (hg_real)(3 * noise((uint64_t)(i + MANY * k)));
    for (int i = 0; special >= 0 && i < MANY; i += 3)
        in[special][i] = value[i / 3 % 5];
}

static void expect_kernel_close(int kernel, int isa, int special)
{
    hg_real in[HG_POINTWISE_INPUTS][MANY], fast[MANY], right[MANY];
    const hg_real *p[] = {in[0], in[1], in[2], in[3]};
    hg_real a = (hg_real)PARAMETER_A, b = (hg_real)PARAMETER_B;
    fill_operands(in, special);
    table_of(isa)[kernel](fast, p, MANY, a, b);
    hg_pointwise_reference[kernel](right, p, MANY, a, b);
    for (int i = 0; i < MANY; i++)
        if (!same_value((double)fast[i], (double)right[i], 2e-6))
            ck_abort_msg("kernel %d: %.9g, not %.9g, at %g %g %g %g", kernel,
                         (double)fast[i], (double)right[i], (double)in[0][i],
                         (double)in[1][i], (double)in[2][i], (double)in[3][i]);
}

START_TEST(fast_kernels_agree_with_the_reference_ones_also_at_nan_and_infinity)
{
    for (int isa = 0; isa <= hg_cpu_isa(); isa++)
        for (int kernel = 0; kernel < HG_POINTWISE_COUNT; kernel++)
            for (int special = -1; special < HG_POINTWISE_INPUTS; special++)
                expect_kernel_close(kernel, isa, special);
}
END_TEST

START_TEST(the_context_chooses_the_kernels)
{
    hg_tensor *x = hg_randn(HG_SHAPE(3000)), *y[HG_ISA_COUNT + 1];
    for (int isa = 0; isa <= hg_cpu_isa(); isa++) {
        ctx->isa = isa;
        y[isa] = hg_tanh(x);
        hg_real right[3000];
        const hg_real *in[] = {hg_data(x)};
        for (int i = 0; i < 3000; i += 500)
            table_of(isa)[HG_POINTWISE_tanh](
                right + i, (const hg_real *[]){in[0] + i}, 500, 0, 0);
        ck_assert_mem_eq(hg_data(y[isa]), right, sizeof right);
    }
    hg_context_set_reference(ctx, true);
    float right[1];
    hg_tensor *z = vector((hg_real)0.3);
    const hg_real *in[] = {hg_data(z)};
    hg_pointwise_reference[HG_POINTWISE_tanh](right, in, 1, 0, 0);
    ck_assert(hg_item(hg_tanh(z)) == right[0]);
}
END_TEST

#endif

#ifdef HG_DOUBLE
TEST_MAIN("vocabulary", the_gamma_family_has_its_textbook_values,
          each_of_the_gamma_family_is_the_derivative_of_the_one_before,
          poles_and_infinities_of_the_gamma_family_are_right)
#else
TEST_MAIN("vocabulary", the_gamma_family_has_its_textbook_values,
          each_of_the_gamma_family_is_the_derivative_of_the_one_before,
          poles_and_infinities_of_the_gamma_family_are_right,
          vector_functions_keep_their_error_bounds_over_all_floats,
          special_values_of_vector_functions_are_exact,
          fast_kernels_agree_with_the_reference_ones_also_at_nan_and_infinity,
          the_context_chooses_the_kernels)
#endif
