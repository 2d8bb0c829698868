/* adjust.c - what the trainer changes from step to step, with any model: rates,
 * the weight of the KL, its capacity, the moving average of the weights. */
#include "apps/train.h"

#include <math.h>
#include <string.h>

/* ---- Before the first step ---------------------------------------------- */

static int64_t last_step(const trainer *t)
{
    int64_t all = t->s.epochs * hg_loader_batches(t->loader);
    return t->s.steps && t->s.steps < all ? t->s.steps : all;
}

/* --lr is the first optimiser's rate; the others keep their proportion. */
static void open_rates(trainer *t)
{
    const hg_optimizers *o = &t->w.optimizers;
    const training *how = &t->s.training;
    if (!o->count) /* pca has none */
        return;
    double first = (double)hg_item(hg_optimizer_rate(o->list[0]));
    double scale = how->lr > 0 ? how->lr / first : 1;
    for (int i = 0; i < o->count; i++) {
        hg_tensor *rate = hg_optimizer_rate(o->list[i]);
        t->base_rate[i] = (double)hg_item(rate) * scale;
        if (how->lr > 0)
            hg_set(rate, (hg_real)t->base_rate[i]);
    }
    t->rate = (hg_schedule){.kind = how->plateau > 0    ? HG_SCHEDULE_PLATEAU
                                    : how->lr_final > 0 ? HG_SCHEDULE_COSINE
                                                        : HG_SCHEDULE_CONSTANT,
                            .first = 1,
                            .last = (hg_real)how->lr_final,
                            .steps = last_step(t),
                            .gamma = (hg_real)how->plateau_factor,
                            .patience = (int)how->plateau,
                            .warmup = (int64_t)how->lr_warmup};
}

static bool open_optimizers(trainer *t)
{
    const training *how = &t->s.training;
    for (int i = 0; i < t->w.optimizers.count; i++) {
        hg_optimizer *o = t->w.optimizers.list[i];
        if (how->clip_norm > 0)
            hg_optimizer_clip_norm(o, (hg_real)how->clip_norm);
        if (how->clip_value > 0)
            hg_optimizer_clip_value(o, (hg_real)how->clip_value);
        if (how->accumulate > 1 &&
            !hg_optimizer_accumulate(o, (int)how->accumulate))
            return false;
    }
    return !hg_error();
}

static bool wants_kl(const training *how)
{
    return how->kl_warmup > 0 || how->free_bits > 0 || how->capacity > 0;
}

static bool open_objective(trainer *t)
{
    const training *how = &t->s.training;
    hg_objective *o = &t->objective;
    *o = t->w.objective;
    o->free_bits = how->free_bits;
    o->capacity_weight = how->capacity_weight;
    t->schedule = hg_params_new(t->w.context);
    if (how->kl_warmup > 0)
        o->kl_weight = hg_buffer(t->schedule, "kl_weight", HG_SCALAR, 0);
    if (o->log_std)
        t->spread_version = hg_version(o->log_std);
    if (how->capacity > 0)
        o->capacity = hg_buffer(t->schedule, "capacity", HG_SCALAR,
                                (hg_real)how->capacity);
    return !hg_error();
}

bool adjust_open(trainer *t)
{
    open_rates(t);
    return open_optimizers(t) && open_objective(t);
}

/* ---- Each step ---------------------------------------------------------- */

void adjust_before_step(trainer *t, hg_batch *b)
{
    const training *how = &t->s.training;
    hg_objective *o = &t->objective;
    if (how->lr_warmup > 0 || how->plateau > 0 || how->lr_final > 0)
        for (int i = 0; i < t->w.optimizers.count; i++)
            hg_set(hg_optimizer_rate(t->w.optimizers.list[i]),
                   (hg_real)(t->base_rate[i] *
                             (double)hg_schedule_at(&t->rate, t->step + 1)));
    double step = (double)t->step;
    if (o->kl_weight)
        hg_set(o->kl_weight, (hg_real)fmin(1, step / how->kl_warmup));
    if (o->capacity && how->capacity_steps > 0)
        hg_set(o->capacity,
               (hg_real)(how->capacity * fmin(1, step / how->capacity_steps)));
    if (wants_kl(how) || o->spread != HG_SPREAD_RECIPE)
        b->objective = o;
}

/* Is the learned spread among what the optimisers update? */
static bool spread_moves(const trainer *t)
{
    const hg_tensor *log_std = t->objective.log_std;
    return !log_std || !hg_optimizer_steps(t->w.optimizers.list[0]) ||
           hg_version(log_std) != t->spread_version ||
           hg_fail(HG_ERROR_ARGUMENT,
                   "--decoder-std learned: no optimiser of %s updates it; use "
                   "optimal, or a number",
                   t->s.model->name);
}

static bool was_taken(const trainer *t)
{
    const hg_objective *o = &t->objective;
    const char *model = t->s.model->name;
    if (wants_kl(&t->s.training) && !o->weighed_kl)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--kl-warmup, --free-bits and --capacity: %s has no KL "
                       "that the trainer could weigh (hg_kl_cost)",
                       model);
    if (o->spread != HG_SPREAD_RECIPE && !o->took_variance)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--decoder-std: %s has no Gaussian decoder whose "
                       "spread could be set (hg_gaussian_cost)",
                       model);
    return spread_moves(t);
}

bool adjust_after_step(trainer *t)
{
    int64_t updates = hg_optimizer_steps(t->w.optimizers.list[0]);
    bool updated = updates != t->updates;
    t->updates = updates;
    return was_taken(t) && (!t->ema || !updated || hg_ema_update(t->ema));
}

bool begin_average(trainer *t)
{
    t->updates = hg_optimizer_steps(t->w.optimizers.list[0]);
    if (t->s.training.ema > 0 && !t->ema)
        t->ema = hg_ema_new(t->w.params, (hg_real)t->s.training.ema);
    return !hg_error();
}

void swap_average(trainer *t)
{
    if (t->ema)
        hg_ema_swap(t->ema);
}

/* ---- Each epoch --------------------------------------------------------- */

void adjust_after_epoch(trainer *t, double loss)
{
    const training *how = &t->s.training;
    if (how->plateau > 0 &&
        hg_schedule_observe(&t->rate, &t->plateau, (hg_real)loss))
        log_line(t, "the loss stalls: rates are times %g from now on",
                 (double)t->rate.first);
    if (how->patience > 0 && (double)t->waited >= how->patience) {
        t->stopped = true;
        log_line(t,
                 "stopping early: val has not improved for %lld epoch%s; the "
                 "best is in checkpoints/best",
                 (long long)t->waited, plural(t->waited));
    }
}

/* ---- In a checkpoint ---------------------------------------------------- */

json_t *adjust_json(const trainer *t)
{
    return json_pack("{s:f, s:f, s:i, s:b}", "factor", (double)t->rate.first,
                     "best", (double)t->plateau.best, "bad", t->plateau.bad,
                     "started", t->plateau.started);
}

bool adjust_restore(trainer *t, const json_t *object)
{
    double factor, best;
    int bad, started;
    if (json_unpack((json_t *)(uintptr_t)object, "{s:F, s:F, s:i, s:b}",
                    "factor", &factor, "best", &best, "bad", &bad, "started",
                    &started))
        return false;
    t->rate.first = (hg_real)factor;
    t->plateau = (hg_plateau){(hg_real)best, bad, started != 0};
    return true;
}
