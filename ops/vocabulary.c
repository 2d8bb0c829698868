/* vocabulary.c - the gamma function's logarithm and its derivatives.
 *
 * psi(x) = d/dx log gamma(x) and psi'(x), psi''(x) by the recurrence up to
 * x >= 12, the asymptotic series there, and reflection for x <= 0
 * (Abramowitz and Stegun, 6.3 and 6.4). */
#define _DEFAULT_SOURCE /* lgamma_r: lgamma writes a global */
#include "ops/vocabulary.h"

#define PI       3.14159265358979323846
#define SERIES_X 12.0

double hg_log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* c[0] t + c[1] t^2 + ...: the series in t = 1 / x^2. */
static double series(const double *c, int count, double t)
{
    double sum = 0;
    for (int i = count - 1; i >= 0; i--)
        sum = (sum + c[i]) * t;
    return sum;
}

/* Poles at 0, -1, -2, ...: no value, as with PyTorch. */
static bool is_pole(double x)
{
    return x <= 0 && x == floor(x);
}

double hg_digamma_value(double x)
{
    static const double c[] = {-1.0 / 12,  1.0 / 120,     -1.0 / 252, 1.0 / 240,
                               -1.0 / 132, 691.0 / 32760, -1.0 / 12};
    if (x == 0)
        return copysign(INFINITY, -x);
    if (is_pole(x))
        return NAN;
    if (x < 0)
        return hg_digamma_value(1 - x) - PI / tan(PI * (x - floor(x)));
    double sum = 0;
    for (; x < SERIES_X; x++)
        sum -= 1 / x;
    return sum + log(x) - 0.5 / x + series(c, 7, 1 / (x * x));
}

double hg_trigamma_value(double x)
{
    static const double c[] = {1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
                               5.0 / 66, -691.0 / 2730, 7.0 / 6};
    if (is_pole(x))
        return isinf(x) ? NAN : INFINITY;
    if (x < 0) {
        double s = sin(PI * (x - floor(x)));
        return PI * PI / (s * s) - hg_trigamma_value(1 - x);
    }
    double sum = 0;
    for (; x < SERIES_X; x++)
        sum += 1 / (x * x);
    return sum + (1 + 0.5 / x + series(c, 7, 1 / (x * x))) / x;
}

double hg_tetragamma_value(double x)
{
    static const double c[] = {-1.0 / 2, 1.0 / 6,     -1.0 / 6, 3.0 / 10,
                               -5.0 / 6, 691.0 / 210, -35.0 / 2};
    if (is_pole(x))
        return NAN;
    if (x < 0) {
        double s = sin(PI * (x - floor(x))), t = tan(PI * (x - floor(x)));
        return hg_tetragamma_value(1 - x) - 2 * PI * PI * PI / (t * s * s);
    }
    double sum = 0;
    for (; x < SERIES_X; x++)
        sum -= 2 / (x * x * x);
    return sum + (series(c, 7, 1 / (x * x)) - 1 - 1 / x) / (x * x);
}
