/* check.c - gradient checks: their inputs, and the public functions. */
#include "autograd/check.h"
#include "tensor/random.h"

#include <math.h>
#include <string.h>

/* ---- Inputs ------------------------------------------------------------- */

/* A value in [-1.5, -0.5] or [0.5, 1.5]: no weight is so small that it hides a
 * mistake. */
static double weight_at(const hg_check *c, int stream, int64_t i)
{
    hg_philox p = hg_philox_make(c->o.seed, HG_DOMAIN_DATA, (uint64_t)stream);
    double u = hg_word_uniform(hg_philox_word(&p, (uint64_t)i));
    return u < 0.5 ? -0.5 - 2 * u : 2 * u - 0.5;
}

static hg_real *random_weights(const hg_check *c, int stream, int64_t n)
{
    hg_real *w = hg_region_take(c->region, (size_t)n * sizeof *w);
    for (int64_t i = 0; w && i < n; i++)
        w[i] = (hg_real)weight_at(c, stream, i);
    return w;
}

static bool prepare(hg_check *c, int i, hg_shape shape, const hg_real *values)
{
    hg_check_input *in = &c->in[i];
    in->shape = shape;
    in->n = hg_shape_numel(shape);
    size_t bytes = (size_t)in->n * sizeof(double);
    in->gradient = hg_region_take(c->region, bytes);
    in->numeric = hg_region_take(c->region, bytes);
    in->along = hg_region_take(c->region, bytes);
    in->weight = random_weights(c, 2 * i, in->n);
    in->value = random_weights(c, 2 * c->count, in->n);
    if (!in->gradient || !in->numeric || !in->along || !in->weight ||
        !in->value)
        return false;
    if (values)
        memcpy(in->value, values, (size_t)in->n * sizeof *values);
    for (int64_t j = 0; j < in->n; j++)
        in->along[j] = in->fixed ? 0 : weight_at(c, 2 * i + 1, j);
    return true;
}

/* Every second element of a storage in column order, between NaN. */
static hg_tensor *scattered(hg_owner *owner, const hg_check_input *in)
{
    hg_tensor *t = hg_tensor_new(owner, HG_SHAPE(2 * in->n + 1), HG_REAL);
    if (!t)
        return NULL;
    hg_set(t, (hg_real)NAN);
    t->shape = in->shape;
    t->offset = 1;
    int64_t step = 2;
    for (int d = 0; d < in->shape.rank; d++) {
        t->stride[d] = step;
        step *= in->shape.dim[d];
    }
    return t;
}

static hg_tensor *integers(hg_owner *owner, const hg_check_input *in)
{
    hg_tensor *t = hg_tensor_new(owner, in->shape, HG_INT32);
    size_t bytes = (size_t)in->n * sizeof(int32_t);
    int32_t *values = t ? hg_region_take(&owner->region, bytes) : NULL;
    for (int64_t i = 0; values && i < in->n; i++)
        values[i] = (int32_t)in->value[i];
    return values && hg_scatter_values(t, values) ? t : NULL;
}

hg_tensor *hg_check_leaf(const hg_check *c, const hg_check_input *in)
{
    hg_owner *owner = &hg_scope_here()->owner;
    if (in->fixed)
        return integers(owner, in);
    hg_tensor *t = c->strided ? scattered(owner, in)
                              : hg_tensor_new(owner, in->shape, HG_REAL);
    return t && hg_scatter_values(t, in->value) ? hg_watch(t) : NULL;
}

/* ---- A check of a function ---------------------------------------------- */

/* The shape of the result is known only when the function has run once. */
static bool find_output(hg_check *c)
{
    hg_scope *s = hg_scope_open(c->context, HG_TRAIN);
    hg_tensor *y = s ? hg_check_output(c) : NULL;
    bool ok = y;
    if (ok && y->dtype != HG_REAL)
        ok = hg_fail(HG_ERROR_CHECK,
                     "%s: the result is int32, which has no "
                     "gradient",
                     c->what);
    if (ok)
        c->out = y->shape;
    if (s)
        hg_scope_close(s);
    return ok && prepare(c, c->count, c->out, NULL);
}

static bool run(hg_check *c, const hg_real *const *values,
                const hg_shape *shapes, bool views)
{
    for (int i = 0; i < c->count; i++)
        if (!prepare(c, i, shapes[i], values ? values[i] : NULL))
            return false;
    if (!find_output(c))
        return false;
    int orders = c->o.second ? 2 : 1;
    for (int layout = 0; layout <= views; layout++)
        for (int order = 1; order <= orders; order++)
            if (!hg_check_compare(c, order, layout))
                return false;
    return true;
}

static bool allocate(hg_check *c)
{
    size_t n = (size_t)c->count + 1;
    c->in = hg_region_take_zeroed(c->region, n * sizeof *c->in);
    c->leaf = hg_region_take_zeroed(c->region, n * sizeof(hg_tensor *));
    return c->in && c->leaf;
}

static void fill_options(hg_check_options *o)
{
    if (o->tolerance <= 0)
        o->tolerance = TOLERANCE;
    if (o->step <= 0)
        o->step = STEP;
    if (o->samples <= 0)
        o->samples = 200;
    if (o->low >= o->high) {
        o->low = 0.5;
        o->high = 1.5;
    }
}

/* What a check leaves as it was: the counters that random draws depend on. */
typedef struct {
    uint64_t steps[2], draws;
    hg_control control;
} counters;

static counters counters_of(const hg_context *context)
{
    counters k = {.draws = context->draws, .control = context->control};
    hg_context_steps(context, k.steps);
    return k;
}

static void restore(hg_context *context, counters k)
{
    hg_context_set_steps(context, k.steps);
    context->draws = k.draws;
    context->control = k.control;
}

bool hg_check_function(hg_context *context, hg_function function, void *user,
                       const hg_real *const *values, const hg_shape *shapes,
                       int count, hg_check_options options)
{
    if (!hg_context_usable(context, "hg_check_function"))
        return false;
    if (!function || count < 1 || !shapes || !values)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_check_function: needs a function, and values and "
                       "shapes of at least one input");
    counters before = counters_of(context);
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    if (!s)
        return false;
    hg_check c = {.context = context,
                  .region = &s->owner.region,
                  .function = function,
                  .user = user,
                  .what = "hg_check_function",
                  .count = count,
                  .o = options};
    fill_options(&c.o);
    bool ok = allocate(&c) && run(&c, values, shapes, false);
    hg_scope_close(s);
    restore(context, before);
    return ok;
}

/* ---- A check of one operation at random inputs -------------------------- */

typedef struct {
    const hg_op *op;
    const void *attr;
} application;

static hg_tensor *apply_op(void *user, hg_tensor *const *in, int count)
{
    const application *a = user;
    return hg_apply_n(a->op, a->attr, in, count);
}

/* Random values in [low, high); 0 or 1 for int32 inputs. */
static const hg_real *random_values(const hg_check *c, int i, hg_shape shape)
{
    int64_t n = hg_shape_numel(shape);
    hg_real *x = hg_region_take(c->region, (size_t)n * sizeof *x);
    hg_philox p =
        hg_philox_make(c->o.seed, HG_DOMAIN_DATA, hg_sequence((uint64_t)i, 1));
    for (int64_t k = 0; x && k < n; k++) {
        double u = hg_word_uniform(hg_philox_word(&p, (uint64_t)k));
        x[k] =
            (hg_real)(c->in[i].fixed ? (u < 0.5 ? 0 : 1)
                                     : c->o.low + (c->o.high - c->o.low) * u);
    }
    return x;
}

static bool check_op(hg_check *c, const hg_op *op, const hg_shape *shapes)
{
    const hg_real *values[HG_MAX_INPUTS];
    if (!allocate(c))
        return false;
    for (int i = 0; i < c->count; i++) {
        c->in[i].fixed = op->int_inputs >> (16 + i) & 1;
        if (!(values[i] = random_values(c, i, shapes[i])))
            return false;
    }
    return run(c, values, shapes, true);
}

bool hg_check_op_in(hg_context *context, const hg_op *op, const void *attr,
                    const hg_shape *shapes, int count, hg_check_options options)
{
    if (!hg_context_usable(context, "hg_check_op"))
        return false;
    if (!op || !shapes || count < 1 || count > HG_MAX_INPUTS)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_check_op: needs an operation and the shapes of 1 "
                       "to %d inputs",
                       HG_MAX_INPUTS);
    application a = {op, attr};
    counters before = counters_of(context);
    hg_scope *s = hg_scope_open(context, HG_TRAIN);
    if (!s)
        return false;
    hg_check c = {.context = context,
                  .region = &s->owner.region,
                  .function = apply_op,
                  .user = &a,
                  .what = op->name,
                  .count = count,
                  .o = options};
    fill_options(&c.o);
    bool ok = check_op(&c, op, shapes);
    hg_scope_close(s);
    restore(context, before);
    return ok;
}

bool hg_check_op(hg_context *context, const hg_op *op, const void *attr,
                 const hg_shape *shapes, int count)
{
    return hg_check_op_in(context, op, attr, shapes, count,
                          (hg_check_options){.second = true});
}
