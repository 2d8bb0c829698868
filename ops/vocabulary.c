/* vocabulary.c - the gamma function's logarithm without a global: lgamma
 * writes one. */
#define _DEFAULT_SOURCE /* lgamma_r */
#include "ops/vocabulary.h"

double hg_log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}
