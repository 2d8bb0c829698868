/* latent.c - what each dimension of a code does, over a data set. */
#include "models/evaluation.h"
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { AT_ONCE = 250, PRIOR_DRAWS = 10000 };

/* Moments of the prior, [d] each: (0, 1) unless the model has its own. */
static bool prior_moments(const hg_model *model, void *state,
                          hg_context *context, int64_t d, double *mean,
                          double *std)
{
    for (int64_t j = 0; j < d; j++) {
        mean[j] = 0;
        std[j] = 1;
    }
    if (!model->log_prior || !model->prior)
        return true;
    hg_scope *s = hg_scope_open(context, HG_EVAL);
    hg_tensor *z = s ? model->prior(state, PRIOR_DRAWS) : NULL;
    hg_tensor *first = hg_mean(z, HG_OVER(0));
    hg_tensor *second = hg_sqrt(hg_var(z, HG_OVER(0), 0));
    bool ok = hg_doubles_of(first, d, mean) && hg_doubles_of(second, d, std);
    if (s)
        hg_scope_close(s);
    return ok;
}

/* KL(N(mu, std^2) || N(m, s^2)) */
static double normal_kl(double mu, double std, double m, double s)
{
    double ratio = std / s, off = (mu - m) / s;
    return 0.5 * (ratio * ratio + off * off - 1) - log(ratio);
}

typedef struct {
    const hg_model *model;
    void *state;
    double *mean, *std; /* of the prior */
    hg_latent *out;
} survey;

static bool take(survey *s, hg_context *context, int64_t d)
{
    hg_latent *o = s->out;
    double *v =
        hg_region_take_zeroed(&context->region, (size_t)(5 * d) * sizeof *v);
    if (!v)
        return false;
    o->width = d;
    o->kl = v;
    o->mean = v + d;
    o->variance = v + 2 * d;
    s->mean = v + 3 * d;
    s->std = v + 4 * d;
    return prior_moments(s->model, s->state, context, d, s->mean, s->std);
}

static bool add_batch(survey *s, hg_context *context, const hg_batch *b)
{
    hg_tensor *x = hg_model_input(s->model, s->state, b), *std = NULL;
    hg_tensor *code =
        s->model->posterior ? s->model->posterior(s->state, x, &std) : NULL;
    if (!code || s->model->encode)
        code = hg_model_encode(s->model, s->state, x);
    const hg_real *m = hg_fetch_values(code);
    const hg_real *spread = hg_fetch_values(std);
    if (!m || (std && !spread) ||
        (!s->out->kl && !take(s, context, code->shape.dim[1])))
        return false;
    int64_t d = s->out->width, free = std ? std->shape.dim[1] : d;
    s->out->given = d - free;
    for (int64_t i = 0; i < b->size * d; i++) {
        double at = (double)m[i];
        int64_t j = i % d;
        s->out->mean[j] += at;
        s->out->variance[j] += at * at;
        if (spread && j < free)
            s->out->kl[j] += normal_kl(at, (double)spread[i / d * free + j],
                                       s->mean[j], s->std[j]);
    }
    s->out->images += b->size;
    return true;
}

/* Sums become means; a dimension is active if its mean varies by more than
 * 0.01 (Burda et al., 2016). */
static void finish(const hg_model *model, hg_latent *o)
{
    double n = (double)o->images;
    for (int64_t j = 0; j < o->width; j++) {
        o->mean[j] /= n;
        o->variance[j] = o->variance[j] / n - o->mean[j] * o->mean[j];
        o->kl[j] = model->posterior ? o->kl[j] / n : NAN;
        o->active += j < o->width - o->given && o->variance[j] > 0.01;
    }
}

bool hg_model_latent(const hg_model *model, void *state, hg_data *data,
                     hg_latent *o)
{
    hg_batch b;
    memset(o, 0, sizeof *o);
    if (hg_error())
        return false;
    if (!hg_model_has_code(model))
        return hg_fail(HG_ERROR_ARGUMENT, "%s has no encoder", model->name);
    hg_loader *loader = hg_loader_new(data, AT_ONCE, false);
    survey survey = {.model = model, .state = state, .out = o};
    for (hg_scope *s; loader && (s = hg_next(loader, HG_EVAL, &b));
         hg_scope_close(s))
        if (!add_batch(&survey, s->owner.context, &b))
            hg_fail(HG_ERROR_STATE, "%s: the codes cannot be read",
                    model->name);
    hg_loader_free(loader);
    if (!hg_error())
        finish(model, o);
    return !hg_error();
}
