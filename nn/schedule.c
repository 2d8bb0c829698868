/* schedule.c - a number that changes with the step. */
#include "nn/nn.h"

#include <math.h>

static double or_default(double x, double standard)
{
    return x == 0 ? standard : x;
}

static double cosine(const hg_schedule *s, int64_t step)
{
    int64_t length = s->steps - s->warmup;
    double at = length > 0 && step < length ? (double)step / (double)length : 1;
    double high = (double)s->first, low = (double)s->last;
    return low + (high - low) * (1 + cos(at * 3.14159265358979323846)) / 2;
}

hg_real hg_schedule_at(const hg_schedule *s, int64_t step)
{
    double first = (double)s->first;
    if (step < s->warmup)
        return (hg_real)(first * (double)step / (double)s->warmup);
    step -= s->warmup;
    if (s->kind == HG_SCHEDULE_COSINE)
        return (hg_real)cosine(s, step);
    if (s->kind == HG_SCHEDULE_STEP && s->every > 0)
        first *=
            pow(or_default((double)s->gamma, 0.1), (double)(step / s->every));
    return (hg_real)first;
}

/* An improvement by less than a ten thousandth does not count. */
bool hg_schedule_observe(hg_schedule *s, hg_plateau *p, hg_real loss)
{
    int patience = s->patience ? s->patience : 10;
    double best = (double)p->best;
    if (!p->started || (double)loss < best - 1e-4 * fabs(best)) {
        p->started |= !isnan(loss);
        p->best = loss;
        p->bad = 0;
        return false;
    }
    if (++p->bad <= patience)
        return false;
    p->bad = 0;
    s->first *= (hg_real)or_default((double)s->gamma, 0.1);
    return true;
}
