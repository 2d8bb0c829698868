/* vocabulary_vector.h - the vocabulary in single precision as branch-free
 * polynomials, which gcc and clang turn into SIMD code by themselves.
 *
 * Every function is right at 0, -0, overflow, the infinities and NaN; results
 * below the smallest normal number are flushed to zero, as all of the
 * engine's loops do. Errors over the whole range of float, in units in the
 * last place, measured by tests/test_pointwise.c: at most 2 for EXP, LOG, LOG1P
 * and EXPM1, 4 for the others. Coefficients are minimax fits (least squares
 * with Lawson's reweighting) of the relative error.
 *
 * SIN, COS, POW and the gamma functions stay with libm: reducing a huge angle
 * exactly takes a table of 2/pi, and no autoencoder spends its time there.
 */
#ifndef HG_VOCABULARY_VECTOR_H
#define HG_VOCABULARY_VECTOR_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline int32_t hg_bits(float x)
{
    int32_t i;
    memcpy(&i, &x, sizeof i);
    return i;
}

static inline float hg_of_bits(int32_t i)
{
    float x;
    memcpy(&x, &i, sizeof x);
    return x;
}

/* The magnitude of x with the sign of s. */
static inline float hg_with_sign(float x, float s)
{
    return hg_of_bits((hg_bits(x) & INT32_MAX) | (hg_bits(s) & INT32_MIN));
}

/* Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits;
 * good for |x| < 2^22. */
#define HG_ROUNDER 12582912.0f

/* n = the integer nearest x / ln 2, and r = x - n ln 2 in two steps: the
 * first product is exact. Bits of the sum x / ln 2 + HG_ROUNDER hold n. */
static inline float hg_reduce_exp(float x, float *n)
{
    float t = x * 1.44269504f + HG_ROUNDER;
    *n = t;
    t -= HG_ROUNDER;
    return (x - t * 0x1.62ep-1f) - t * 0x1.0bfbe8p-15f;
}

/* e^r - 1 for |r| <= ln 2 / 2. */
static inline float hg_expm1_small(float r)
{
    float p = 0.00138824596f;
    p = p * r + 0.00836684648f;
    p = p * r + 0.0416672118f;
    p = p * r + 0.166665405f;
    p = p * r + 0.49999997f;
    return p * (r * r) + r;
}

/* 2^n is applied in two halves, each a normal number. */
static inline float hg_vector_exp(float x)
{
    float n, bounded = x > 90.0f ? 90.0f : x;
    bounded = bounded < -110.0f ? -110.0f : bounded;
    float p = hg_expm1_small(hg_reduce_exp(bounded, &n)) + 1.0f;
    int32_t power = hg_bits(n) - hg_bits(HG_ROUNDER), half = power >> 1;
    return p * hg_of_bits((int32_t)((uint32_t)(half + 127) << 23)) *
           hg_of_bits((int32_t)((uint32_t)(power - half + 127) << 23));
}

/* The same for x <= 0, at half the price: from e^-88 on the power's bits are
 * those of 0. */
static inline float hg_vector_decay(float x)
{
    float n, bounded = x < -88.0f ? -88.0f : x;
    float p = hg_expm1_small(hg_reduce_exp(bounded, &n)) + 1.0f;
    uint32_t power = (uint32_t)hg_bits(n) - (uint32_t)hg_bits(HG_ROUNDER);
    return p * hg_of_bits((int32_t)((power + 127) << 23));
}

/* 2 (2^(n-1) (e^r - 1) + 2^(n-1) - 1/2): no overflow before its time. */
static inline float hg_vector_expm1(float x)
{
    float n, bounded = x > 90.0f ? 90.0f : x;
    bounded = bounded < -20.0f ? -20.0f : bounded;
    float q = hg_expm1_small(hg_reduce_exp(bounded, &n));
    int32_t power = hg_bits(n) - hg_bits(HG_ROUNDER);
    float s = hg_of_bits((int32_t)((uint32_t)(power + 126) << 23));
    float y = 2.0f * (s * q + (s - 0.5f));
    y = x > 89.0f ? (float)INFINITY : y;
    return x == 0.0f ? x : y;
}

/* log(2^k (1 + f)) for sqrt(1/2) <= 1 + f <= sqrt(2). */
static inline float hg_log_of(float k, float f)
{
    float p = -0.0769309029f;
    p = p * f + 0.128501177f;
    p = p * f - 0.13180238f;
    p = p * f + 0.141911522f;
    p = p * f - 0.166203365f;
    p = p * f + 0.200015739f;
    p = p * f - 0.25000909f;
    p = p * f + 0.333333284f;
    float square = f * f;
    float tail = p * f * square + k * 0x1.0bfbe8p-15f;
    return k * 0x1.62ep-1f + (f + (tail - 0.5f * square));
}

/* x = 2^k m with m around 1: the exponent is read from the bits. */
static inline int32_t hg_exponent(float x)
{
    uint32_t above = (uint32_t)hg_bits(x) - (uint32_t)hg_bits(0.70710678f);
    return (int32_t)above >> 23;
}

static inline float hg_mantissa(float x, int32_t k)
{
    return hg_of_bits((int32_t)((uint32_t)hg_bits(x) - ((uint32_t)k << 23)));
}

static inline float hg_log_special(float x, float y)
{
    y = x < FLT_MIN ? -(float)INFINITY : y;
    y = x < 0.0f ? (float)NAN : y;
    return x < (float)INFINITY ? y : x;
}

static inline float hg_vector_log(float x)
{
    int32_t k = hg_exponent(x);
    return hg_log_special(x, hg_log_of((float)k, hg_mantissa(x, k) - 1.0f));
}

/* What rounding 1 + x lost is added to f: exact where x is small. */
static inline float hg_vector_log1p(float x)
{
    float u = 1.0f + x, lost = x - (u - 1.0f);
    int32_t k = hg_exponent(u);
    lost *= hg_of_bits((int32_t)((uint32_t)(127 - k) << 23)); /* 2^-k */
    float f = (hg_mantissa(u, k) - 1.0f) + (u < 0x1p25f ? lost : 0.0f);
    float y = hg_log_special(u, hg_log_of((float)k, f));
    return x == 0.0f ? x : y;
}

static inline float hg_vector_sigmoid(float x)
{
    float e = hg_vector_decay(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* log(1 + e) for e = e^-|x| in [0, 1]: 1 + e or (1 + e) / 2 is near 1. */
static inline float hg_vector_softplus(float x)
{
    float e = hg_vector_decay(-fabsf(x));
    float k = e > 0.41421356f ? 1.0f : 0.0f;
    float f = e > 0.41421356f ? 0.5f * (e - 1.0f) : e;
    return (x < 0.0f ? 0.0f : x) + hg_log_of(k, f);
}

static inline float hg_vector_tanh(float x)
{
    float t = hg_vector_expm1(-2.0f * fabsf(x));
    return hg_with_sign(t / (t + 2.0f), x);
}

/* Up to 1 a polynomial in x^2, from there 1 - e^q(|x|). */
static inline float hg_vector_erf(float x)
{
    float t = fabsf(x), s = t * t, p = 7.89869518e-05f;
    p = p * s - 0.000802481896f;
    p = p * s + 0.00519016245f;
    p = p * s - 0.0268549155f;
    p = p * s + 0.112836175f;
    p = p * s - 0.376126289f;
    float near = p * (s * t) + 1.12837917f * t, far = 0.000198219728f;
    t = t > 4.0f ? 4.0f : t;
    far = far * t - 0.00306549086f;
    far = far * t + 0.0223152153f;
    far = far * t - 0.104113683f;
    far = far * t - 0.636976063f;
    far = far * t - 1.12779725f;
    far = far * t - 0.000166447164f;
    far = 1.0f - hg_vector_decay(far);
    return hg_with_sign(s > 1.0f ? far : near, x);
}

/* Sine and cosine of an angle in [0, 2 pi], for normal draws. */
static inline void hg_sincos_turn(float angle, float *sine, float *cosine)
{
    float n = angle * 0.636619772f + HG_ROUNDER;
    int32_t quadrant = hg_bits(n);
    n -= HG_ROUNDER;
    float r =
        ((angle - n * 0x1.92p0f) - n * 0x1.fb4p-12f) - n * 0x1.4442d2p-24f;
    float s = r * r, p = 2.71774502e-06f, q = -2.72022021e-07f;
    p = p * s - 0.000198392721f;
    p = p * s + 0.00833332911f;
    p = p * s - 0.166666672f;
    p = p * (s * r) + r;
    q = q * s + 2.47994176e-05f;
    q = q * s - 0.00138888834f;
    q = q * s + 0.0416666679f;
    q = q * (s * s) + (1.0f - 0.5f * s);
    float a = quadrant & 1 ? q : p, b = quadrant & 1 ? p : q;
    *sine = quadrant & 2 ? -a : a;
    *cosine = (quadrant + 1) & 2 ? -b : b;
}

#define EXP(x)      hg_vector_exp(x)
#define EXPM1(x)    hg_vector_expm1(x)
#define LOG(x)      hg_vector_log(x)
#define LOG1P(x)    hg_vector_log1p(x)
#define TANH(x)     hg_vector_tanh(x)
#define ERF(x)      hg_vector_erf(x)
#define SIGMOID(x)  hg_vector_sigmoid(x)
#define SOFTPLUS(x) hg_vector_softplus(x)
#define DECAY(x)    hg_vector_decay(x)

#endif
