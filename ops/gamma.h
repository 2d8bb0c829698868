/* gamma.h - the derivatives of the gamma function's logarithm, for the host and
 * for a GPU.
 *
 * psi(x) = d/dx log gamma(x) and psi'(x), psi''(x) by the recurrence up to
 * x >= 12, the asymptotic series there, and reflection for x <= 0
 * (Abramowitz and Stegun, 6.3 and 6.4). */
#ifndef HG_GAMMA_H
#define HG_GAMMA_H

#include <math.h>
#include <stdbool.h>

#define HG_PI       3.14159265358979323846
#define HG_SERIES_X 12.0

/* c[0] t + c[1] t^2 + ...: the series in t = 1 / x^2. */
HG_INLINE double hg_series(const double *c, int count, double t)
{
    double sum = 0;
    for (int i = count - 1; i >= 0; i--)
        sum = (sum + c[i]) * t;
    return sum;
}

/* Poles at 0, -1, -2, ...: no value, as with PyTorch. */
HG_INLINE bool hg_is_pole(double x)
{
    return x <= 0 && x == floor(x);
}

HG_INLINE double hg_digamma_value(double x)
{
    const double c[] = {-1.0 / 12,  1.0 / 120,     -1.0 / 252, 1.0 / 240,
                        -1.0 / 132, 691.0 / 32760, -1.0 / 12};
    if (x == 0)
        return copysign(INFINITY, -x);
    if (hg_is_pole(x))
        return NAN;
    if (x < 0)
        return hg_digamma_value(1 - x) - HG_PI / tan(HG_PI * (x - floor(x)));
    double sum = 0;
    for (; x < HG_SERIES_X; x++)
        sum -= 1 / x;
    return sum + log(x) - 0.5 / x + hg_series(c, 7, 1 / (x * x));
}

HG_INLINE double hg_trigamma_value(double x)
{
    const double c[] = {1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
                        5.0 / 66, -691.0 / 2730, 7.0 / 6};
    if (hg_is_pole(x))
        return isinf(x) ? NAN : INFINITY;
    if (x < 0) {
        double s = sin(HG_PI * (x - floor(x)));
        return HG_PI * HG_PI / (s * s) - hg_trigamma_value(1 - x);
    }
    double sum = 0;
    for (; x < HG_SERIES_X; x++)
        sum += 1 / (x * x);
    return sum + (1 + 0.5 / x + hg_series(c, 7, 1 / (x * x))) / x;
}

HG_INLINE double hg_tetragamma_value(double x)
{
    const double c[] = {-1.0 / 2, 1.0 / 6,     -1.0 / 6, 3.0 / 10,
                        -5.0 / 6, 691.0 / 210, -35.0 / 2};
    if (hg_is_pole(x))
        return NAN;
    if (x < 0) {
        double s = sin(HG_PI * (x - floor(x))), t = tan(HG_PI * (x - floor(x)));
        return hg_tetragamma_value(1 - x) -
               2 * HG_PI * HG_PI * HG_PI / (t * s * s);
    }
    double sum = 0;
    for (; x < HG_SERIES_X; x++)
        sum -= 2 / (x * x * x);
    return sum + (hg_series(c, 7, 1 / (x * x)) - 1 - 1 / x) / (x * x);
}

#endif
