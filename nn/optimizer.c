/* optimizer.c - making optimisers: their sets, their state, their formulas'
 * numbers. The step itself is in step.c. */
#include "nn/optimizer.h"
#include "autograd/internal.h"

#include <math.h>
#include <string.h>

/* ---- Numbers of the formulas -------------------------------------------- */

static void adam_numbers(const hg_optimizer *o, double rate, int64_t n,
                         hg_update *u)
{
    double correct1 = 1 - pow(o->beta1, (double)n);
    double correct2 = 1 - pow(o->beta2, (double)n);
    u->decay = o->decoupled ? 0 : (hg_real)o->decay;
    u->shrink = o->decoupled ? (hg_real)(1 - rate * o->decay) : 1;
    u->rate = (hg_real)(rate / correct1);
    u->keep1 = (hg_real)o->beta1;
    u->add1 = (hg_real)(1 - o->beta1);
    u->keep2 = (hg_real)o->beta2;
    u->add2 = (hg_real)(1 - o->beta2);
    u->correct = (hg_real)(1 / sqrt(correct2));
    u->eps = (hg_real)o->eps;
}

/* The first step's gradient enters the momentum undampened. */
static void sgd_numbers(const hg_optimizer *o, double rate, int64_t n,
                        hg_update *u)
{
    u->decay = (hg_real)o->decay;
    u->rate = (hg_real)rate;
    u->keep1 = (hg_real)o->beta1;
    u->add1 = n == 1 ? 1 : (hg_real)(1 - o->dampening);
}

static void rmsprop_numbers(const hg_optimizer *o, double rate, int64_t n,
                            hg_update *u)
{
    (void)n;
    u->decay = (hg_real)o->decay;
    u->rate = (hg_real)rate;
    u->keep1 = (hg_real)o->beta1;
    u->keep2 = (hg_real)o->beta2;
    u->add2 = (hg_real)(1 - o->beta2);
    u->eps = (hg_real)o->eps;
}

/* ---- Making one --------------------------------------------------------- */

static void destroy(void *object)
{
    hg_optimizer *o = object;
    hg_context *context = o->owner.context;
    hg_region_free(&o->moments);
    hg_owner_free(&o->owner);
    hg_memory_release(context, o, sizeof *o);
}

static bool sets_are_legal(hg_params *const *sets, int n, const char *name)
{
    if (!name || !name[0])
        return hg_fail(HG_ERROR_ARGUMENT,
                       "an optimiser needs a name, under which its state is "
                       "saved");
    if (!sets || n < 1)
        return hg_fail(HG_ERROR_ARGUMENT, "%s: no set of parameters is given",
                       name);
    for (int i = 0; i < n; i++) {
        if (!hg_params_usable(sets[i], name))
            return false;
        if (hg_params_context(sets[i]) != hg_params_context(sets[0]))
            return hg_fail(HG_ERROR_ARGUMENT,
                           "%s: the sets belong to different contexts", name);
    }
    return true;
}

/* Parameters below any of the sets; each counted once. */
static int64_t each_parameter(hg_optimizer *o, hg_span *spans)
{
    uint64_t mark = ++o->owner.context->serial;
    int64_t count = 0;
    for (int s = 0; s < o->set_count; s++) {
        hg_entries e = hg_entries_below(o->sets[s]);
        for (int64_t i = e.from; i < e.to; i++) {
            hg_entry *entry = o->sets[s]->store->sorted[i];
            if (entry->buffer || entry->mark == mark)
                continue;
            entry->mark = mark;
            if (spans)
                spans[count].entry = entry;
            count++;
        }
    }
    return count;
}

static bool take_state(hg_optimizer *o, hg_span *span)
{
    size_t size = (size_t)hg_numel(span->entry->tensor) * sizeof(hg_real);
    for (int i = 0; i < HG_MOST_STATES; i++) {
        if (!o->state_name[i])
            continue;
        span->state[i] = hg_region_take(&o->moments, size);
        if (!span->state[i] ||
            !hg_zero_values(o->owner.context, span->state[i], size))
            return false;
    }
    return true;
}

static bool take_sets(hg_optimizer *o, hg_params *const *sets, int n)
{
    hg_region *r = &o->owner.region;
    o->sets = hg_region_take(r, (size_t)n * sizeof *o->sets);
    o->seen = hg_region_take(r, (size_t)n * sizeof *o->seen);
    if (!o->sets || !o->seen)
        return false;
    o->set_count = n;
    for (int i = 0; i < n; i++) {
        o->sets[i] = sets[i];
        o->seen[i] = sets[i]->store->count;
    }
    return true;
}

static bool take_spans(hg_optimizer *o)
{
    hg_region *r = &o->owner.region;
    o->count = each_parameter(o, NULL);
    if (!o->count)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: there is no parameter below \"%s\"; make the "
                       "layers before the optimiser",
                       o->name, o->sets[0]->prefix);
    o->spans = hg_region_take_zeroed(r, (size_t)o->count * sizeof *o->spans);
    o->active = hg_region_take(r, (size_t)o->count * sizeof *o->active);
    if (!o->spans || !o->active)
        return false;
    each_parameter(o, o->spans);
    for (int64_t i = 0; i < o->count; i++)
        if (!take_state(o, &o->spans[i]))
            return false;
    return true;
}

static bool build(hg_optimizer *o, hg_params *const *sets, int n,
                  const char *name, double rate)
{
    o->name = hg_region_text(&o->owner.region, name);
    o->rate = hg_tensor_new(&o->owner, HG_SCALAR, HG_REAL);
    o->norm = hg_tensor_new(&o->owner, HG_SCALAR, HG_REAL);
    if (!o->name || !o->rate || !o->norm || !take_sets(o, sets, n) ||
        !take_spans(o))
        return false;
    o->rate->name = o->name;
    hg_set(o->rate, (hg_real)rate);
    return hg_context_own(o->owner.context, o, destroy);
}

/* Copies the draft's settings into an optimiser of the context. */
static hg_optimizer *make(const hg_optimizer *draft, hg_params *const *sets,
                          int n, const char *name, double rate)
{
    if (hg_error() || !sets_are_legal(sets, n, name))
        return NULL;
    if (!(rate >= 0 && draft->beta1 < 1 && draft->beta2 < 1)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "%s: rate %g must not be negative, momentum %g and decay of "
                "the squares %g must be below 1",
                name, rate, draft->beta1, draft->beta2);
        return NULL;
    }
    hg_context *context = hg_params_context(sets[0]);
    hg_optimizer *o = hg_memory_allocate(context, sizeof *o);
    if (!o)
        return NULL;
    *o = *draft;
    hg_owner_init(&o->owner, context, NULL);
    o->moments.context = context;
    o->moments.there = context->gpu != NULL;
    if (build(o, sets, n, name, rate))
        return o;
    destroy(o);
    return NULL;
}

/* 0 asks for the default, a negative number for 0. */
static double or_default(double x, double standard)
{
    return x == 0 ? standard : x < 0 ? 0 : x;
}

static hg_optimizer *adam(hg_params *const *sets, int n, const char *name,
                          hg_adam_options a, bool decoupled)
{
    hg_optimizer draft = {
        .numbers = adam_numbers,
        .kernel = HG_UPDATE_ADAM,
        .state_name = {"exp_avg", "exp_avg_sq"},
        .beta1 = or_default(a.beta1, 0.9),
        .beta2 = or_default(a.beta2, 0.999),
        .eps = or_default(a.eps, 1e-8),
        .decay = or_default(a.weight_decay, decoupled ? 0.01 : 0),
        .decoupled = decoupled,
        .keep_gradients = a.keep_gradients,
    };
    return make(&draft, sets, n, name, or_default(a.rate, 1e-3));
}

hg_optimizer *hg_adam_n(hg_params *const *sets, int n, const char *name,
                        hg_adam_options a)
{
    return adam(sets, n, name, a, false);
}

hg_optimizer *hg_adamw_n(hg_params *const *sets, int n, const char *name,
                         hg_adam_options a)
{
    return adam(sets, n, name, a, true);
}

hg_optimizer *hg_sgd_n(hg_params *const *sets, int n, const char *name,
                       hg_sgd_options a)
{
    double momentum = or_default(a.momentum, 0);
    hg_optimizer draft = {
        .numbers = sgd_numbers,
        .kernel = a.nesterov      ? HG_UPDATE_SGD_NESTEROV
                  : momentum != 0 ? HG_UPDATE_SGD_MOMENTUM
                                  : HG_UPDATE_SGD,
        .state_name = {momentum != 0 ? "momentum_buffer" : NULL},
        .beta1 = momentum,
        .decay = or_default(a.weight_decay, 0),
        .dampening = or_default(a.dampening, 0),
        .keep_gradients = a.keep_gradients,
    };
    if (a.nesterov && (momentum == 0 || draft.dampening != 0)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "%s: Nesterov needs a momentum and no dampening",
                name ? name : "hg_sgd");
        return NULL;
    }
    return make(&draft, sets, n, name, or_default(a.rate, 1e-2));
}

hg_optimizer *hg_rmsprop_n(hg_params *const *sets, int n, const char *name,
                           hg_rmsprop_options a)
{
    bool momentum = or_default(a.momentum, 0) != 0;
    hg_optimizer draft = {
        .numbers = rmsprop_numbers,
        .kernel = HG_UPDATE_RMSPROP + momentum + 2 * a.centered,
        .state_name = {"square_avg", momentum ? "momentum_buffer" : NULL,
                       a.centered ? "grad_avg" : NULL},
        .beta1 = or_default(a.momentum, 0),
        .beta2 = or_default(a.alpha, 0.99),
        .eps = or_default(a.eps, 1e-8),
        .decay = or_default(a.weight_decay, 0),
        .keep_gradients = a.keep_gradients,
    };
    return make(&draft, sets, n, name, or_default(a.rate, 1e-2));
}

hg_optimizer *hg_adadelta_n(hg_params *const *sets, int n, const char *name,
                            hg_adadelta_options a)
{
    hg_optimizer draft = {
        .numbers = rmsprop_numbers,
        .kernel = HG_UPDATE_ADADELTA,
        .state_name = {"square_avg", "acc_delta"},
        .beta2 = or_default(a.rho, 0.9),
        .eps = or_default(a.eps, 1e-6),
        .decay = or_default(a.weight_decay, 0),
        .keep_gradients = a.keep_gradients,
    };
    return make(&draft, sets, n, name, or_default(a.rate, 1));
}

hg_optimizer *hg_adam(hg_params *p, const char *name, hg_adam_options a)
{
    return hg_adam_n(&p, 1, name, a);
}

hg_optimizer *hg_adamw(hg_params *p, const char *name, hg_adam_options a)
{
    return hg_adamw_n(&p, 1, name, a);
}

hg_optimizer *hg_sgd(hg_params *p, const char *name, hg_sgd_options a)
{
    return hg_sgd_n(&p, 1, name, a);
}

hg_optimizer *hg_rmsprop(hg_params *p, const char *name, hg_rmsprop_options a)
{
    return hg_rmsprop_n(&p, 1, name, a);
}

hg_optimizer *hg_adadelta(hg_params *p, const char *name, hg_adadelta_options a)
{
    return hg_adadelta_n(&p, 1, name, a);
}
