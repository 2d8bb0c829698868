/* check_cause.c - which element of a gradient is wrong, and most likely why:
 * the mistakes that people make in backward rules leave typical marks. */
#include "autograd/check.h"

#include <math.h>

/* The factor between all tried pairs, or 0 if there is none. */
static double common_factor(const hg_check_input *in)
{
    double top = 0, bottom = 0, off = 0;
    for (int64_t k = 0; k < in->n; k++)
        if (!isnan(in->numeric[k])) {
            top += in->gradient[k] * in->numeric[k];
            bottom += in->numeric[k] * in->numeric[k];
        }
    double factor = bottom > 0 ? top / bottom : 0;
    for (int64_t k = 0; k < in->n; k++)
        if (!isnan(in->numeric[k]))
            off += fabs(in->gradient[k] - factor * in->numeric[k]);
    return off < 1e-3 * fabs(factor) * sqrt(bottom) ? factor : 0;
}

static bool is_transposed(const hg_check_input *in)
{
    int rank = in->shape.rank;
    if (rank < 2 || in->shape.dim[rank - 1] != in->shape.dim[rank - 2])
        return false;
    int64_t n = in->shape.dim[rank - 1], tried = 0;
    for (int64_t k = 0; k < in->n; k++) {
        int64_t row = k / n % n, column = k % n;
        int64_t mirror = k - k % (n * n) + column * n + row;
        double a = in->gradient[mirror], b = in->numeric[k];
        if (isnan(b))
            continue;
        tried++;
        if (fabs(a - b) > 1e-2 * (fabs(a) + fabs(b)))
            return false;
    }
    return tried > 0;
}

/* Was the input broadcast on its way to the output? */
static bool is_broadcast(const hg_check *c, const hg_check_input *in)
{
    int skip = c->out.rank - in->shape.rank;
    if (skip > 0)
        return hg_shape_numel(c->out) > in->n;
    for (int d = 0; skip == 0 && d < in->shape.rank; d++)
        if (in->shape.dim[d] == 1 && c->out.dim[d] > 1)
            return true;
    return false;
}

static const char *likely_cause(const hg_check *c, const hg_check_input *in,
                                double a)
{
    double factor = common_factor(in);
    if (a == 0 && factor == 0)
        return "the rule gives no gradient here";
    if (fabs(factor + 1) < 1e-2)
        return "the sign is flipped";
    if (fabs(factor - 2) < 1e-2 || fabs(factor - 0.5) < 1e-2)
        return "a factor of 2";
    if (is_transposed(in))
        return "the gradient is transposed";
    if (is_broadcast(c, in))
        return "a sum over a broadcast axis is missing";
    if (factor != 0)
        return "a constant factor";
    return "the rule computes something else, or the inputs lie at a kink";
}

/* Differences over one step and over two agree where L is smooth, however small
 * it is; rounding keeps them apart. */
double hg_check_rounding(const hg_check *c)
{
    return fmin(EPSILON, c->noise * c->o.step);
}

/* The element of input j with the largest relative error. Differences of
 * size `floor` are rounding. */
double hg_check_worst(const hg_check *c, const hg_check_input *in,
                      int64_t *where)
{
    double scale = 0, most = 0;
    for (int64_t k = 0; k < in->n; k++)
        if (!isnan(in->numeric[k]))
            scale =
                fmax(scale, fmax(fabs(in->gradient[k]), fabs(in->numeric[k])));
    double rounding = EPSILON * c->size + hg_check_rounding(c);
    double floor =
        1e-3 * scale + 4 * rounding / c->o.step / c->o.tolerance + 1e-300;
    for (int64_t k = 0; k < in->n; k++) {
        double a = in->gradient[k], b = in->numeric[k];
        if (isnan(b))
            continue;
        double error = fabs(a - b) / fmax(fmax(fabs(a), fabs(b)), floor);
        if (isnan(error) || error > most) {
            most = isnan(error) ? INFINITY : error;
            *where = k;
        }
    }
    return most;
}

static hg_shape place_of(hg_shape shape, int64_t k)
{
    hg_shape place = {.rank = shape.rank};
    for (int d = shape.rank - 1; d >= 0; d--) {
        place.dim[d] = k % shape.dim[d];
        k /= shape.dim[d];
    }
    return place;
}

const char *hg_check_kind(const hg_check *c)
{
    return c->order == 1 ? "gradient" : "second derivative";
}

bool hg_check_fail(const hg_check *c, int j, int64_t k, double error)
{
    const hg_check_input *in = &c->in[j];
    char name[32] = "the output gradient";
    if (j < c->count)
        snprintf(name, sizeof name, "input %d", j);
    char slope[80] = ""; /* float's rounding may hide it: then unsaid */
    if (c->slope < 1.5)
        snprintf(slope, sizeof slope,
                 ", slope of the Taylor remainder %.2f (2 is right, 1 wrong)",
                 c->slope);
    return hg_fail(
        HG_ERROR_CHECK,
        "%s: the %s in %s %s%s is wrong at %s: analytic %.9g, numeric %.9g, "
        "relative error %.2g (at most %.2g)%s; likely cause: %s",
        c->what, hg_check_kind(c), name, HG_SHAPE_TEXT(in->shape),
        c->strided ? ", a strided view," : "",
        HG_SHAPE_TEXT(place_of(in->shape, k)), in->gradient[k], in->numeric[k],
        error, c->o.tolerance, slope, likely_cause(c, in, in->gradient[k]));
}
