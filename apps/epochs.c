/* epochs.c - what is measured, drawn, written and saved when an epoch ends, or
 * is cut off by --steps. */
#include "apps/train.h"

#include <math.h>
#include <string.h>

/* ---- What is written ---------------------------------------------------- */

/* The steps of the epoch that were timed: a run that goes on in its midst has
 * made the others before. */
static double timed_steps(const trainer *t)
{
    return (double)(t->epoch_steps - t->untimed_steps);
}

static void add_times(const trainer *t, json_t *line)
{
    double steps = timed_steps(t);
    double images = (double)(t->epoch_images - t->untimed_images);
    if (steps < 1 || t->epoch_seconds <= 0)
        return;
    json_object_set_new(line, "images_per_s",
                        json_real(images / t->epoch_seconds));
    json_object_set_new(line, "ms_per_step",
                        json_real(1e3 * t->epoch_seconds / steps));
}

static bool log_epoch(trainer *t, const hg_metrics *val)
{
    json_t *line = json_pack("{s:s, s:I, s:s, s:I}", "event", "epoch", "epoch",
                             (json_int_t)t->epoch, "split", "train", "step",
                             (json_int_t)t->step);
    add_times(t, line);
    add_terms(t, line);
    if (!log_json(t, METRICS, line))
        return false;
    if (!val)
        return true;
    line = metrics_json(val);
    json_object_set_new(line, "event", json_string("epoch"));
    json_object_set_new(line, "epoch", json_integer(t->epoch));
    json_object_set_new(line, "split", json_string("val"));
    return log_json(t, METRICS, line);
}

static void say_epoch(trainer *t, const hg_metrics *val, bool best)
{
    char terms[256] = "", checked[64] = "", times[64] = "";
    const char *name;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++) {
        size_t at = strlen(terms);
        if (isfinite(term_mean(t, name)))
            snprintf(terms + at, sizeof terms - at, "  %s %.5g", name,
                     term_mean(t, name));
    }
    if (val && !isnan(val->loss))
        snprintf(checked, sizeof checked, "  val %.5g%s", val->loss,
                 best ? " (best)" : "");
    if (timed_steps(t) >= 1)
        snprintf(times, sizeof times, "  %.2f s, %.3f ms a step",
                 t->epoch_seconds, 1e3 * t->epoch_seconds / timed_steps(t));
    log_line(t, "epoch %lld/%lld%s%s%s", (long long)t->epoch,
             (long long)t->s.epochs, terms, checked, times);
}

/* ---- What is measured --------------------------------------------------- */

bool measure(trainer *t, hg_data *data, hg_metrics *m)
{
    if (!hg_model_evaluate_with(t->s.model, t->w.state, data, 250,
                                measured_by(&t->w), m))
        return false;
    return isfinite(m->loss) || !t->s.model->loss ||
           hg_fail(HG_ERROR_NONFINITE,
                   "the loss on images that were not trained on is not finite "
                   "after epoch %lld; try a smaller --lr",
                   (long long)t->epoch);
}

/* Measures and draws; with the averaged weights where there are any. */
static bool look(trainer *t, hg_metrics *val, bool *checked)
{
    bool draws = t->s.sample_every && t->epoch % t->s.sample_every == 0;
    *checked = hg_data_size(t->w.val) > 0 && !t->s.training.overfit_batch;
    swap_average(t);
    bool ok = (!*checked || measure(t, t->w.val, val)) &&
              (!draws || pictures_of_epoch(t)) && warn_after_epoch(t) &&
              tensorboard_weights(t);
    swap_average(t);
    return ok;
}

/* ---- The end of an epoch ------------------------------------------------ */

/* With --overfit-batch the loader stands still. */
bool epoch_ended(const trainer *t)
{
    int64_t done = t->s.training.overfit_batch ? t->epoch_steps
                                               : hg_loader_position(t->loader);
    return t->epoch_steps && done % hg_loader_batches(t->loader) == 0;
}

bool finish_epoch(trainer *t)
{
    hg_metrics val;
    bool checked, best = false;
    if (!terms_are_finite(t))
        return false;
    t->epoch++;
    if (!look(t, &val, &checked))
        return false;
    if (checked) {
        best = val.loss < t->best;
        t->waited = best ? 0 : t->waited + 1;
        if (best)
            t->best = val.loss;
    }
    if (!log_epoch(t, checked ? &val : NULL))
        return false;
    say_epoch(t, checked ? &val : NULL, best);
    adjust_after_epoch(t, checked ? val.loss : term_mean(t, "loss"));
    return reset_terms(t) && checkpoint_save(t, best);
}

/* What it shows comes after the checkpoint: when the run goes on, the epoch
 * does too, and nothing of this has happened. So it is the best only as long as
 * there is no other. */
bool show_part(trainer *t)
{
    hg_metrics val;
    bool checked, first = !isfinite(t->best);
    if (t->saved_step != t->step && !checkpoint_save(t, false))
        return false;
    t->epoch++;
    if (!look(t, &val, &checked) || !log_epoch(t, checked ? &val : NULL))
        return false;
    say_epoch(t, checked ? &val : NULL, checked && first);
    return !checked || !first || checkpoint_is_best(t);
}
