/* check_compare.c - one gradient against central differences and Taylor's
 * theorem.
 *
 * A function f of several inputs is made a number by weights: L = sum f v. Its
 * gradient by hg_grad is compared, element by element, with
 *
 *     (8 (L(x + h) - L(x - h)) - (L(x + 2h) - L(x - 2h))) / 12 h,
 *
 * wrong by O(h^4), and along one random direction d with Taylor's theorem:
 * L(x + hd) - L(x) - h grad.d falls as h^2, a slope of 2, if grad is right,
 * and as h, a slope of 1, if it is not. Second derivatives are the same with
 * L = sum of gradients times weights, and v as one more input. */
#include "autograd/check.h"
#include "tensor/random.h"

#include <math.h>
#include <string.h>

/* ---- The number L, its terms and its gradient --------------------------- */

hg_tensor *hg_check_output(hg_check *c)
{
    hg_context *context = c->context;
    context->draws = 0; /* the same random numbers each time */
    for (int i = 0; i < c->count; i++)
        if (!(c->leaf[i] = hg_check_leaf(c, &c->in[i])))
            return NULL;
    hg_tensor *y = c->function(c->user, c->leaf, c->count);
    if (!y && !hg_error())
        hg_fail(HG_ERROR_CHECK, "%s: the function returned NULL", c->what);
    return hg_error() ? NULL : y;
}

/* Term i of L: f itself, or the gradient of input i; NULL where it is zero or
 * with an error. */
static hg_tensor *term(const hg_check *c, hg_tensor *y, int i)
{
    if (c->order == 1)
        return y;
    if (c->in[i].fixed)
        return NULL;
    return hg_grad_or_none(y, c->leaf[i], c->leaf[c->count]);
}

static const hg_check_input *weights_of_term(const hg_check *c, int i)
{
    return &c->in[c->order == 1 ? c->count : i];
}

static bool add_weighted(hg_check *c, hg_tensor *t, const hg_real *w,
                         double *sum)
{
    int64_t n = hg_numel(t);
    hg_real *value = hg_region_take(&hg_scope_here()->owner.region,
                                    (size_t)n * sizeof *value);
    if (!value || !hg_read(t, value, n))
        return false;
    for (int64_t i = 0; i < n; i++) {
        *sum += (double)value[i] * (double)w[i];
        c->size += fabs((double)value[i] * (double)w[i]);
    }
    return true;
}

static const hg_real *term_weights(const hg_check *c, int i)
{
    const hg_check_input *in = weights_of_term(c, i);
    return c->order == 1 ? in->value : in->weight;
}

static int terms(const hg_check *c)
{
    return c->order == 1 ? 1 : c->count;
}

/* The output, with v as a leaf where gradients are the terms. */
static hg_tensor *begin(hg_check *c)
{
    hg_tensor *y = hg_check_output(c);
    if (y && c->order == 2 &&
        !(c->leaf[c->count] = hg_check_leaf(c, &c->in[c->count])))
        return NULL;
    return y;
}

static bool evaluate(hg_check *c, double *sum)
{
    *sum = c->size = 0;
    hg_scope *s = hg_scope_open(c->context, HG_TRAIN);
    hg_tensor *y = s ? begin(c) : NULL;
    bool ok = y;
    for (int i = 0; ok && i < terms(c); i++) {
        hg_tensor *t = term(c, y, i);
        ok = t ? add_weighted(c, t, term_weights(c, i), sum) : !hg_error();
    }
    if (s)
        hg_scope_close(s);
    if (ok && !isfinite(*sum))
        return hg_fail(HG_ERROR_CHECK,
                       "%s: the value at these inputs is not finite; choose "
                       "inputs inside the domain",
                       c->what);
    return ok;
}

/* Adds the gradient of term t, weighted, in input j. */
static bool add_gradient(hg_check *c, hg_tensor *t, int i, int j)
{
    hg_check_input *in = &c->in[j];
    hg_tensor *w = hg_tensor_new(&hg_scope_here()->owner, t->shape, HG_REAL);
    hg_real *value = hg_region_take(&hg_scope_here()->owner.region,
                                    (size_t)in->n * sizeof *value);
    if (!w || !value)
        return false;
    if (!hg_scatter_values(w, term_weights(c, i)))
        return false;
    hg_tensor *g = hg_grad_or_none(t, c->leaf[j], w);
    if (!g)
        return !hg_error();
    if (!hg_read(g, value, in->n))
        return false;
    for (int64_t k = 0; k < in->n; k++)
        in->gradient[k] += (double)value[k];
    return true;
}

/* Inputs in which L is differentiated. */
static int variables(const hg_check *c)
{
    return c->order == 1 ? c->count : c->count + 1;
}

static bool differentiate(hg_check *c)
{
    for (int j = 0; j < variables(c); j++)
        memset(c->in[j].gradient, 0,
               (size_t)c->in[j].n * sizeof c->in[j].gradient[0]);
    hg_scope *s = hg_scope_open(c->context, HG_TRAIN);
    hg_tensor *y = s ? begin(c) : NULL;
    bool ok = y;
    for (int i = 0; ok && i < terms(c); i++) {
        hg_tensor *t = term(c, y, i);
        ok = t || !hg_error();
        for (int j = 0; ok && t && j < variables(c); j++)
            ok = c->in[j].fixed || add_gradient(c, t, i, j);
    }
    if (s)
        hg_scope_close(s);
    return ok;
}

/* ---- Central differences ------------------------------------------------ */

static bool difference(hg_check *c, hg_check_input *in, int64_t k,
                       double *slope)
{
    static const double at[] = {1, -1, 2, -2};
    hg_real x = in->value[k];
    double step = c->o.step * fmax(1, fabs((double)x)), value[4];
    for (int i = 0; i < 4; i++) {
        in->value[k] = (hg_real)((double)x + at[i] * step);
        bool ok = evaluate(c, &value[i]);
        in->value[k] = x;
        if (!ok)
            return false;
    }
    double near = (value[0] - value[1]) / (2 * step);
    double far = (value[2] - value[3]) / (4 * step);
    *slope = (4 * near - far) / 3;
    c->noise = fmax(c->noise, fabs(near - far));
    return true;
}

static bool differences(hg_check *c, int j)
{
    hg_check_input *in = &c->in[j];
    hg_philox p = hg_philox_make(c->o.seed, HG_DOMAIN_DATA, (uint64_t)~j);
    for (int64_t k = 0; k < in->n; k++)
        in->numeric[k] = NAN;
    for (int64_t i = 0; i < in->n && i < c->o.samples; i++) {
        int64_t k =
            in->n <= c->o.samples ? i : hg_philox_word(&p, (uint64_t)i) % in->n;
        if (!difference(c, in, k, &in->numeric[k]))
            return false;
    }
    return true;
}

/* ---- Taylor's theorem --------------------------------------------------- */

static bool shifted(hg_check *c, hg_real *const *start, double h, double *value)
{
    for (int j = 0; j < variables(c); j++)
        for (int64_t k = 0; k < c->in[j].n; k++)
            c->in[j].value[k] =
                (hg_real)((double)start[j][k] + h * c->in[j].along[k]);
    bool ok = evaluate(c, value);
    for (int j = 0; j < variables(c); j++)
        memcpy(c->in[j].value, start[j], (size_t)c->in[j].n * sizeof *start[j]);
    return ok;
}

/* The actual step lies between floats: grad.d is taken along that one. */
static double predicted(const hg_check *c, double h)
{
    double sum = 0;
    for (int j = 0; j < variables(c); j++) {
        const hg_check_input *in = &c->in[j];
        for (int64_t k = 0; k < in->n; k++) {
            hg_real to = (hg_real)((double)in->value[k] + h * in->along[k]);
            sum += in->gradient[k] * ((double)to - (double)in->value[k]);
        }
    }
    return sum;
}

/* The slope of the remainder between the smallest steps whose remainder is not
 * rounding; the steeper of the last two, since one of them could mislead where
 * terms of different order cancel. */
static bool taylor(hg_check *c)
{
    hg_region *r = &hg_scope_here()->owner.region;
    hg_real **start = hg_region_take(r, (size_t)variables(c) * sizeof *start);
    for (int j = 0; start && j < variables(c); j++) {
        size_t bytes = (size_t)c->in[j].n * sizeof **start;
        if (!(start[j] = hg_region_take(r, bytes)))
            return false;
        memcpy(start[j], c->in[j].value, bytes);
    }
    double zero, value, before = 0, h = TAYLOR;
    if (!start || !evaluate(c, &zero))
        return false;
    double noise =
        200 * (EPSILON * (c->size + fabs(zero)) + hg_check_rounding(c));
    double last = 0;
    c->slope = 0;
    for (int i = 0; i < 4; i++, h /= 4) {
        if (!shifted(c, start, h, &value))
            return false;
        double rest = fabs(value - zero - predicted(c, h));
        if (rest < noise)
            return true;
        double slope = i ? log(before / rest) / log(4) : 0;
        c->slope = fmax(last, slope);
        last = slope;
        before = rest;
    }
    return true;
}

/* ---- Order 1 or 2, dense or strided ------------------------------------- */

static bool all_differences(hg_check *c)
{
    c->noise = 0;
    for (int j = 0; j < variables(c); j++)
        if (!c->in[j].fixed && !differences(c, j))
            return false;
    return true;
}

bool hg_check_compare(hg_check *c, int order, bool strided)
{
    c->order = order;
    c->strided = strided;
    if (!differentiate(c) || !all_differences(c) || !taylor(c))
        return false;
    for (int j = 0; j < variables(c); j++) {
        int64_t k = 0;
        if (c->in[j].fixed)
            continue;
        double error = hg_check_worst(c, &c->in[j], &k);
        if (error > c->o.tolerance)
            return hg_check_fail(c, j, k, error);
    }
    if (c->slope != 0 && c->slope < SLOPE)
        return hg_fail(HG_ERROR_CHECK,
                       "%s: the Taylor remainder of the %s falls with slope "
                       "%.2f along a random direction, not 2; an element that "
                       "was not tried by itself is wrong, or the function has "
                       "a kink near these inputs",
                       c->what, hg_check_kind(c), c->slope);
    return true;
}
