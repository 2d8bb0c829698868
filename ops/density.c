/* density.c - logarithms of densities, composed of operations. They have the
 * data's shape and are never reduced. */
#include "ops/internal.h"

#define HALF_LOG_2PI 0.91893853320467274178
#define LOG_PI       1.14472988584940017414

/* (x - mu) / scale */
static hg_tensor *standardised(hg_tensor *x, hg_tensor *mu, hg_tensor *scale)
{
    return hg_div(hg_sub(x, mu), scale);
}

/* -((x - mu) / std)^2 / 2 - log std - log(2 pi) / 2 */
hg_tensor *hg_normal_logpdf(hg_tensor *x, hg_tensor *mu, hg_tensor *std)
{
    hg_tensor *square = hg_square(standardised(x, mu, std));
    return hg_shift(hg_sub(hg_scale(square, -0.5), hg_log(std)), -HALF_LOG_2PI);
}

/* x log p + (1 - x) log(1 - p), p = sigmoid(logits) */
hg_tensor *hg_bernoulli_logpmf(hg_tensor *x, hg_tensor *logits)
{
    return hg_neg(hg_bce_with_logits(logits, x));
}

/* log softmax(logits)[label] */
hg_tensor *hg_categorical_logpmf(hg_tensor *label, hg_tensor *logits)
{
    if (!hg_usable(label, "hg_categorical_logpmf: the label") ||
        !hg_usable(logits, "hg_categorical_logpmf: logits"))
        return NULL;
    hg_tensor *index = hg_unsqueeze(label, -1);
    return hg_squeeze(hg_take_along(hg_log_softmax(logits, -1), -1, index),
                      HG_OVER(-1));
}

/* -|x - mu| / scale - log(2 scale) */
hg_tensor *hg_laplace_logpdf(hg_tensor *x, hg_tensor *mu, hg_tensor *scale)
{
    hg_tensor *distance = hg_abs(standardised(x, mu, scale));
    return hg_sub(hg_neg(distance), hg_log(hg_scale(scale, 2)));
}

/* -t - 2 log(1 + e^-t) - log scale, t = (x - mu) / scale; the first two are
 * the logarithms of sigmoid(t) and of sigmoid(-t). */
hg_tensor *hg_logistic_logpdf(hg_tensor *x, hg_tensor *mu, hg_tensor *scale)
{
    hg_tensor *t = standardised(x, mu, scale);
    hg_tensor *both = hg_add(hg_logsigmoid(t), hg_logsigmoid(hg_neg(t)));
    return hg_sub(both, hg_log(scale));
}

/* log gamma((nu + 1) / 2) - log gamma(nu / 2) - log(pi nu) / 2 - log std
 * - (nu + 1) / 2 log(1 + t^2 / nu), t = (x - mu) / std */
hg_tensor *hg_student_t_logpdf(hg_tensor *x, hg_tensor *nu, hg_tensor *mu,
                               hg_tensor *std)
{
    hg_tensor *half = hg_scale(nu, 0.5), *more = hg_shift(half, 0.5);
    hg_tensor *square = hg_square(standardised(x, mu, std));
    hg_tensor *tail = hg_mul(more, hg_log1p(hg_div(square, nu)));
    hg_tensor *gammas = hg_sub(hg_lgamma(more), hg_lgamma(half));
    hg_tensor *scale = hg_scale(hg_shift(hg_log(nu), LOG_PI), -0.5);
    return hg_sub(hg_sub(hg_add(gammas, scale), hg_log(std)), tail);
}

/* log sum_k e^(log weight_k + log density_k) */
hg_tensor *hg_mixture_logpdf(hg_tensor *log_weight, hg_tensor *log_density,
                             int axis)
{
    return hg_logsumexp(hg_add(log_weight, log_density), HG_OVER(axis));
}

/* (mu^2 + std^2 - 1) / 2 - log std */
hg_tensor *hg_normal_kl(hg_tensor *mu, hg_tensor *std)
{
    hg_tensor *squares = hg_add(hg_square(mu), hg_square(std));
    return hg_sub(hg_scale(hg_shift(squares, -1), 0.5), hg_log(std));
}

/* The divergence does not change if both are shifted and scaled so that the
 * second one is N(0, 1). */
hg_tensor *hg_normal_kl_between(hg_tensor *mu, hg_tensor *std, hg_tensor *mu2,
                                hg_tensor *std2)
{
    return hg_normal_kl(standardised(mu, mu2, std2), hg_div(std, std2));
}
