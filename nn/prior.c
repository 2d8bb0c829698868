/* prior.c - distributions that codes are matched to by samples alone. */
#include "nn/parts.h"

#include <string.h>

const char *const nn_prior_names[] = {"normal", "mixture", "swiss-roll",
                                      "uniform", NULL};

enum { PETALS = 10 };

static hg_tensor *pair(hg_tensor *x, hg_tensor *y, int64_t n, int64_t d)
{
    return hg_reshape(hg_stack(-1, x, y), HG_SHAPE(n, d));
}

/* Petal k points to the angle 2 pi k / 10. Along it the mean is 0.6 and the
 * deviation 0.2 of the spread, across it the deviation is 0.05 of it. */
static hg_tensor *mixture(int64_t n, int64_t d, double spread)
{
    hg_tensor *u = hg_uniform(HG_SHAPE(n, d / 2), 0, PETALS);
    hg_tensor *e = hg_randn(HG_SHAPE(n, d / 2, 2));
    hg_tensor *angle =
        hg_scale(hg_real_of(hg_int_of(u)), 6.283185307179586 / PETALS);
    hg_tensor *out =
        hg_scale(hg_shift(hg_scale(hg_select(e, -1, 0), 0.2), 0.6), spread);
    hg_tensor *side = hg_scale(hg_select(e, -1, 1), 0.05 * spread);
    hg_tensor *c = hg_cos(angle), *s = hg_sin(angle);
    return pair(hg_sub(hg_mul(out, c), hg_mul(side, s)),
                hg_add(hg_mul(out, s), hg_mul(side, c)), n, d);
}

/* Even in arc length: the angle, up to two turns, is the root of a uniform
 * variable; the radius is proportional to it. */
static hg_tensor *swiss_roll(int64_t n, int64_t d, double spread)
{
    hg_tensor *t = hg_sqrt(hg_rand(HG_SHAPE(n, d / 2)));
    hg_tensor *angle = hg_scale(t, 12.566370614359172);
    hg_tensor *radius = hg_scale(t, spread);
    return pair(hg_mul(radius, hg_cos(angle)), hg_mul(radius, hg_sin(angle)), n,
                d);
}

hg_tensor *nn_prior_draw(const char *name, int64_t n, int64_t d, double spread)
{
    bool in_planes = !strcmp(name, "mixture") || !strcmp(name, "swiss-roll");
    if (in_planes && d % 2) {
        hg_fail(HG_ERROR_ARGUMENT,
                "the prior %s lies in planes: a code of width %lld is odd; "
                "use 2, or another prior",
                name, (long long)d);
        return NULL;
    }
    if (!strcmp(name, "normal"))
        return hg_scale(hg_randn(HG_SHAPE(n, d)), spread);
    if (!strcmp(name, "uniform"))
        return hg_uniform(HG_SHAPE(n, d), -spread, spread);
    if (in_planes)
        return name[0] == 'm' ? mixture(n, d, spread)
                              : swiss_roll(n, d, spread);
    hg_fail(HG_ERROR_ARGUMENT, "there is no prior %s", name);
    return NULL;
}
