/* spoil.c - noise to be taken away again, and how much of it is left. */
#include "models/evaluation.h"
#include "models/internal.h"

hg_tensor *hg_add_noise(hg_tensor *x, double mean, double std)
{
    if (!x)
        return NULL;
    hg_tensor *noise = hg_scale(hg_randn(x->shape), std);
    return hg_clamp(hg_add(x, mean ? hg_shift(noise, mean) : noise), 0, 1);
}

hg_tensor *hg_mask_noise(hg_tensor *x, double share)
{
    if (!x)
        return NULL;
    return hg_mul(x, hg_bernoulli(hg_full(x->shape, (hg_real)(1 - share))));
}

hg_noise hg_noise_of(const hg_config *c)
{
    return (hg_noise){.masking = hg_config_is(c, "noise", "masking"),
                      .rate = hg_config_number(c, "rate"),
                      .std = hg_config_number(c, "std")};
}

hg_tensor *hg_spoil(hg_noise noise, hg_tensor *x)
{
    return noise.masking ? hg_mask_noise(x, noise.rate)
                         : hg_add_noise(x, noise.mean, noise.std);
}

double hg_mean_square(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return n ? sum / (double)n : 0;
}
