/* metrics.c - metrics.jsonl, train.log and what the progress line shows. */
#include "apps/progress.h"
#include "apps/train.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool log_json(trainer *t, int file, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    bool told = file != METRICS || tensorboard_scalars(t, object);
    json_decref(object);
    bool ok = told && text && fprintf(t->file[file], "%s\n", text) > 0 &&
              !fflush(t->file[file]);
    free(text);
    return ok ||
           hg_fail(HG_ERROR_IO,
                   "%s/%s cannot be written: %s; make room, then "
                   "`hourglass resume %s`",
                   t->folder, log_names[file], strerror(errno), t->folder);
}

void log_line(trainer *t, const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    clear_progress();
    if (!t->s.quiet)
        fprintf(stderr, "%s\n", line);
    if (t->file[LOG]) {
        fprintf(t->file[LOG], "%s\n", line);
        fflush(t->file[LOG]);
    }
}

/* ---- Terms -------------------------------------------------------------- */

double term_mean(const trainer *t, const char *name)
{
    double sum;
    int64_t count;
    if (!hg_report_sum(t->w.context, name, &sum, &count) || !count)
        return NAN;
    return sum / (double)count;
}

bool terms_are_finite(const trainer *t)
{
    const char *name;
    double sum;
    int64_t count;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++)
        if (hg_report_sum(t->w.context, name, &sum, &count) && !isfinite(sum))
            return hg_fail(HG_ERROR_NONFINITE,
                           "%s is not finite in epoch %lld; try a smaller "
                           "--lr, or `hourglass resume %s --anomaly` to see "
                           "where it begins",
                           name, (long long)t->epoch + 1, t->folder);
    return !hg_error();
}

/* Keys of the lines that the trainer writes. */
static bool is_key(const char *name)
{
    static const char *const keys[] = {"event", "epoch",        "step",
                                       "split", "images_per_s", "ms_per_step"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(name, keys[i]))
            return true;
    return false;
}

bool terms_are_named(const trainer *t, const hg_batch *b)
{
    const hg_model *m = t->s.model;
    const char *name;
    double sum;
    int64_t count;
    if (t->step)
        return true;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++)
        if (is_key(name))
            return hg_fail(HG_ERROR_ARGUMENT,
                           "%s reports %s, which is a key of the log already; "
                           "give the term another name",
                           m->name, name);
    if (!m->step && hg_report_sum(t->w.context, "loss", &sum, &count) &&
        count != b->size)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s reports loss itself, which is what its slot loss "
                       "returns; give the term another name",
                       m->name);
    return !hg_error();
}

bool reset_terms(trainer *t)
{
    const char *name;
    t->epoch_seconds = 0;
    t->noted_loss = NAN;
    t->epoch_steps = t->epoch_images = 0;
    t->untimed_steps = t->untimed_images = 0;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++)
        if (!hg_report_set(t->w.context, name, 0, 0))
            return false;
    return true;
}

void add_terms(const trainer *t, json_t *object)
{
    const char *name;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++) {
        double mean = term_mean(t, name);
        if (isfinite(mean))
            json_object_set_new(object, name, json_real(mean));
    }
}

/* ---- Lines between epochs ----------------------------------------------- */

enum { FOR_PROGRESS = -1 }; /* the tag of other notes is the step's number */

static double noted_mean(const trainer *t, const char *name)
{
    double sum;
    int64_t count;
    if (!hg_report_noted(t->w.context, name, &sum, &count) || !count)
        return NAN;
    return sum / (double)count;
}

static bool write_note(trainer *t, int64_t step)
{
    const char *name;
    json_t *line = json_pack("{s:s, s:I, s:I, s:s}", "event", "step", "epoch",
                             (json_int_t)t->epoch + 1, "step", (json_int_t)step,
                             "split", "train");
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++)
        if (isfinite(noted_mean(t, name)))
            json_object_set_new(line, name, json_real(noted_mean(t, name)));
    return log_json(t, METRICS, line);
}

bool take_notes(trainer *t, bool wait)
{
    int64_t tag;
    while (t->notes && hg_report_take(t->w.context, wait, &tag)) {
        t->notes--;
        t->noted_loss = noted_mean(t, "loss");
        if (tag != FOR_PROGRESS && !write_note(t, tag))
            return false;
    }
    return !hg_error();
}

/* With no room for another note the device is waited for. */
static bool make_note(trainer *t, int64_t tag)
{
    if (!take_notes(t, t->notes == HG_REPORT_NOTES) ||
        !hg_report_note(t->w.context, tag))
        return false;
    t->notes++;
    return take_notes(t, false);
}

bool log_step(trainer *t)
{
    return make_note(t, t->step);
}

/* ---- Progress ----------------------------------------------------------- */

void show_progress(trainer *t, double started)
{
    char what[64];
    if (t->s.quiet || !progress_due() || t->epoch_steps == t->untimed_steps)
        return;
    if (!make_note(t, FOR_PROGRESS) || !take_notes(t, !wants_colour(2)))
        return;
    snprintf(what, sizeof what, "epoch %lld/%lld", (long long)t->epoch + 1,
             (long long)t->s.epochs);
    progress p = {.what = what,
                  .steps = t->epoch_steps,
                  .all = hg_loader_batches(t->loader),
                  .timed = t->epoch_steps - t->untimed_steps,
                  .seconds = seconds_now() - started,
                  .batch = t->s.batch_size,
                  .loss = t->noted_loss};
    progress_draw(&p);
}
