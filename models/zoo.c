/* zoo.c - the list of models, and what is done with any of them: a training
 * step and an evaluation. */
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

static const hg_model *const zoo[] = {
#define MODEL(symbol) &symbol,
#include "models/models.def"
#undef MODEL
    NULL,
};

const hg_model *hg_model_at(int i)
{
    int count = (int)(sizeof zoo / sizeof zoo[0]) - 1;
    return i >= 0 && i < count ? zoo[i] : NULL;
}

const hg_model *hg_model_find(const char *name)
{
    for (int i = 0; zoo[i] && name; i++)
        if (!strcmp(zoo[i]->name, name))
            return zoo[i];
    return NULL;
}

/* ---- What the losses share ---------------------------------------------- */

hg_tensor *hg_bce_nats(hg_tensor *logits, const hg_batch *b)
{
    return hg_sum(hg_bce_with_logits(logits, b->target), HG_FROM(1));
}

hg_tensor *hg_each_class(int64_t n, int64_t k)
{
    hg_tensor *i = hg_real_of(hg_arange(n));
    hg_tensor *turn = hg_scale(hg_shift(i, 0.5), 1.0 / (double)k);
    hg_tensor *start = hg_scale(hg_real_of(hg_int_of(turn)), (double)k);
    return hg_one_hot(hg_int_of(hg_sub(i, start)), k);
}

/* ---- Training ----------------------------------------------------------- */

void *hg_model_build(const hg_model *model, hg_params *p, const hg_config *c)
{
    if (!hg_error() && (!model || !c))
        hg_fail(HG_ERROR_ARGUMENT, "hg_model_build: %s",
                model ? "the options are NULL; make them with hg_config_new"
                      : "the model is NULL");
    if (!hg_error() && !model->size)
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_model_build: %s has no .size; say .size = sizeof(struct "
                "...), whatever its build function fills",
                model->name);
    void *state = hg_error() ? NULL : hg_params_alloc(p, model->size);
    if (state)
        model->build(state, p, c);
    return hg_error() ? NULL : state;
}

bool hg_optimizers_add(hg_optimizers *o, hg_optimizer *one)
{
    int most = (int)(sizeof o->list / sizeof *o->list);
    if (one && o->count == most)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_optimizers_add: a model has at most %d optimisers",
                       most);
    if (one)
        o->list[o->count++] = one;
    return one != NULL;
}

static bool is_faithful(const hg_model *model, const hg_config *c)
{
    for (const hg_option *o = model->options; o && o->name; o++)
        if (!strcmp(o->name, "recipe"))
            return hg_config_is(c, "recipe", "faithful");
    return false;
}

/* Of a publication that is followed; NULL where that is Adam too. */
static hg_optimizer *published_optimizer(const hg_model *model, hg_params *p,
                                         const hg_config *c)
{
    const hg_published *it = model->published;
    if (!it || !is_faithful(model, c))
        return NULL;
    return it->sgd.rate != 0        ? hg_sgd(p, "sgd", it->sgd)
           : it->rmsprop.rate != 0  ? hg_rmsprop(p, "rmsprop", it->rmsprop)
           : it->adadelta.rate != 0 ? hg_adadelta(p, "adadelta", it->adadelta)
                                    : NULL;
}

bool hg_model_optimizers(const hg_model *model, void *state, hg_params *p,
                         const hg_config *c, hg_optimizers *o)
{
    memset(o, 0, sizeof *o);
    if (hg_error())
        return false;
    if (!hg_params_count(p))
        return true; /* nothing to train */
    if (model->optimizers)
        return model->optimizers(state, p, o);
    hg_optimizer *own = published_optimizer(model, p, c);
    return hg_optimizers_add(o, own ? own : hg_adam(p, "adam", model->adam));
}

bool hg_model_prepare(const hg_model *model, void *state, hg_data *train)
{
    return !hg_error() && (!model->prepare || model->prepare(state, train));
}

hg_tensor *hg_model_input(const hg_model *model, void *state, const hg_batch *b)
{
    if (!model->condition)
        return b->x;
    return hg_concat(1, b->x, model->condition(state, b));
}

/* Sums over images are divided by how many there are. */
hg_tensor *hg_model_loss(const hg_model *model, void *state, const hg_batch *b)
{
    if (!model->loss) {
        hg_fail(HG_ERROR_ARGUMENT, "%s has no loss, only steps", model->name);
        return NULL;
    }
    hg_tensor *loss = model->loss(state, b);
    if (!loss || (loss->shape.rank == 1 && loss->shape.dim[0] == b->size))
        return loss;
    hg_fail(HG_ERROR_SHAPE,
            "%s: the loss is %s, one number an image %s is needed; sum over "
            "HG_FROM(1), the trainer takes the mean over the images",
            model->name, HG_SHAPE_TEXT(loss->shape),
            HG_SHAPE_TEXT(HG_SHAPE(b->size)));
    return NULL;
}

bool hg_model_step(const hg_model *model, void *state, const hg_batch *b,
                   const hg_optimizers *o)
{
    if (model->step)
        return model->step(state, b, o);
    hg_tensor *loss = hg_model_loss(model, state, b);
    hg_report("loss", loss);
    if (!o->count)
        return loss != NULL;
    return hg_minimize_n(hg_mean(loss, HG_ALL), o->list, o->count);
}

bool hg_model_epoch(const hg_model *model, void *state, const hg_optimizers *o,
                    hg_loader *loader)
{
    hg_batch b;
    for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b)); hg_scope_close(s))
        if (!hg_model_step(model, state, &b, o))
            hg_fail(HG_ERROR_STATE, "%s: the step failed", model->name);
    return !hg_error();
}

void *hg_model_fit(hg_context *context, const hg_model *model, hg_data *data,
                   int64_t epochs, hg_params **store,
                   void (*after)(void *, int64_t, double), void *user)
{
    hg_optimizers o;
    hg_real loss = NAN;
    hg_data *train = hg_data_split(data, "train", 0);
    hg_config *c = hg_config_new(context, model, data);
    hg_params *p = hg_params_new(context);
    void *state = c && p ? hg_model_build(model, p, c) : NULL;
    int64_t size = model && model->batch_size ? model->batch_size : 128;
    hg_loader *loader = hg_loader_new(train, size, true);
    *store = NULL;
    if (!state || !loader || !hg_model_optimizers(model, state, p, c, &o) ||
        !hg_model_prepare(model, state, train))
        return NULL;
    for (int64_t epoch = 1; epoch <= epochs; epoch++) {
        if (!hg_model_epoch(model, state, &o, loader))
            return NULL;
        if (hg_report_mean(context, "loss", &loss) && after)
            after(user, epoch, (double)loss);
    }
    *store = p;
    return state;
}

/* ---- Evaluation --------------------------------------------------------- */

/* Adds the sum of t, [batch] or [batch, features], to a mean in the making. */
static void add_sum(double *sum, hg_tensor *t)
{
    *sum += (double)hg_item(hg_sum(t, HG_ALL));
}

static hg_tensor *squared_error(hg_tensor *y, const hg_batch *b)
{
    return hg_square(hg_sub(y, b->target));
}

static hg_tensor *cross_entropy(hg_tensor *y, const hg_batch *b)
{
    return nn_bce_loss(y, b->target, HG_NONE);
}

static void add_reconstruction(const hg_model *model, void *state,
                               const hg_batch *b, hg_metrics *m)
{
    hg_tensor *x = hg_model_input(model, state, b);
    hg_tensor *y = model->decode(state, hg_model_encode(model, state, x));
    add_sum(&m->recon_sse, squared_error(y, b));
    add_sum(&m->recon_bce, cross_entropy(y, b));
}

/* Minus the expected log likelihood under q(z|x), by one draw. */
static void add_distortion(const hg_model *model, void *state,
                           const hg_batch *b, hg_metrics *m)
{
    hg_tensor *x = hg_model_input(model, state, b);
    hg_tensor *z = hg_model_sample(model, state, x);
    if (model->log_likelihood) {
        add_sum(&m->elbo, hg_neg(model->log_likelihood(state, b->target, z)));
        return;
    }
    hg_tensor *y = model->decode(state, z);
    bool bernoulli = model->likelihood == HG_LIKELIHOOD_BERNOULLI;
    add_sum(&m->elbo, bernoulli ? cross_entropy(y, b) : hg_gaussian_cost(b, y));
}

static bool has_distortion(const hg_model *model)
{
    return hg_model_has_draws(model) && model->decode;
}

static void add_batch(const hg_model *model, void *state, const hg_batch *b,
                      hg_metrics *m)
{
    if (model->loss)
        add_sum(&m->loss, hg_model_loss(model, state, b));
    if (hg_model_reconstructs(model))
        add_reconstruction(model, state, b, m);
    if (has_distortion(model))
        add_distortion(model, state, b, m);
    if (hg_model_has_kl(model))
        add_sum(&m->kl,
                hg_model_kl(model, state, hg_model_input(model, state, b)));
    m->images += b->size;
}

/* Sums become means; what the model cannot do becomes NaN. */
static void finish(const hg_model *model, int64_t features, hg_metrics *m)
{
    double n = (double)m->images;
    bool decodes = hg_model_reconstructs(model);
    m->loss = model->loss ? m->loss / n : NAN;
    m->recon_sse = decodes ? m->recon_sse / n : NAN;
    m->recon_bce = decodes ? m->recon_bce / n : NAN;
    m->recon_mse = m->recon_sse / (double)features;
    m->kl = hg_model_has_kl(model) ? m->kl / n : NAN;
    m->elbo = has_distortion(model) && hg_model_has_kl(model)
                  ? -m->elbo / n - m->kl
                  : NAN;
}

bool hg_model_evaluate(const hg_model *model, void *state, hg_data *data,
                       int64_t batch_size, hg_metrics *m)
{
    return hg_model_evaluate_with(model, state, data, batch_size, NULL, m);
}

bool hg_model_evaluate_with(const hg_model *model, void *state, hg_data *data,
                            int64_t batch_size, hg_objective *objective,
                            hg_metrics *m)
{
    memset(m, 0, sizeof *m);
    hg_loader *loader = hg_loader_new(data, batch_size, false);
    hg_batch b;
    for (hg_scope *s; loader && (s = hg_next(loader, HG_EVAL, &b));
         hg_scope_close(s)) {
        s->owner.context->mute = true; /* the log is about the training */
        b.objective = objective;
        add_batch(model, state, &b, m);
        s->owner.context->mute = false;
    }
    hg_loader_free(loader);
    finish(model, hg_data_features(data), m);
    return !hg_error();
}
