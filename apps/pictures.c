/* pictures.c - what a run shows: reconstructions, samples, curves, the map. */
#include "apps/train.h"
#include "apps/page.h"
#include "apps/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EPOCHS = 10000 };

/* Draws are the same each time, and change none of the training's. */
static bool with_fixed_draws(trainer *t, bool (*work)(trainer *, void *),
                             void *argument)
{
    uint64_t steps[2], fixed[2];
    hg_context_steps(t->w.context, steps);
    fixed[0] = steps[0];
    fixed[1] = (uint64_t)1 << 31;
    hg_context_set_steps(t->w.context, fixed);
    bool ok = work(t, argument);
    hg_context_set_steps(t->w.context, steps);
    return ok;
}

typedef struct {
    bool (*work)(trainer *, void *);
    void *argument;
} scoped;

static bool open_scope(trainer *t, void *argument)
{
    const scoped *c = argument;
    hg_scope *s = hg_scope_open(t->w.context, HG_EVAL);
    bool ok = s && c->work(t, c->argument);
    if (s)
        hg_scope_close(s);
    return ok;
}

bool in_fixed_scope(trainer *t, bool (*work)(trainer *, void *), void *argument)
{
    scoped c = {work, argument};
    return with_fixed_draws(t, open_scope, &c);
}

/* Without the library for a picture the run goes on, and says what it lacks. */
static bool or_without(trainer *t, bool drawn)
{
    if (drawn || hg_error_kind() != HG_ERROR_STATE)
        return drawn;
    log_line(t, "note: %s", hg_error());
    hg_error_clear();
    return true;
}

static path_text epoch_path(const trainer *t, const char *folder)
{
    char name[64];
    snprintf(name, sizeof name, "%s/epoch_%04lld.png", folder,
             (long long)t->epoch);
    return path_join(t->folder, name);
}

static bool draw_epoch(trainer *t)
{
    const hg_model *m = t->s.model;
    path_text recon = epoch_path(t, "recon");
    path_text samples = epoch_path(t, "samples");
    if (hg_model_reconstructs(m) &&
        !(with_fixed_draws(t, reconstruction_picture, recon.text) &&
          tensorboard_image(t, "reconstructions", recon.text)))
        return false;
    if (hg_model_has_prior(m) && m->decode &&
        !(with_fixed_draws(t, sample_picture, samples.text) &&
          tensorboard_image(t, "samples", samples.text)))
        return false;
    return filters_picture(t, epoch_path(t, "filters").text) &&
           (!hg_model_has_code(m) ||
            with_fixed_draws(t, marginals_picture,
                             epoch_path(t, "marginals").text));
}

/* ---- Loss curves, from metrics.jsonl ------------------------------------ */

typedef struct {
    char name[64];
    double x[MOST_EPOCHS], y[MOST_EPOCHS];
    int count;
} series;

enum { MOST_SERIES = 32 };

static void add_point(series *all, int *count, const char *name, double x,
                      double y)
{
    int i = 0;
    while (i < *count && strcmp(all[i].name, name))
        i++;
    if (i == MOST_SERIES || (i < *count && all[i].count == MOST_EPOCHS))
        return;
    if (i == *count) {
        snprintf(all[i].name, sizeof all[i].name, "%s", name);
        all[i].count = 0;
        ++*count;
    }
    all[i].x[all[i].count] = x;
    all[i].y[all[i].count++] = y;
}

static bool is_drawn(const char *split, const char *key)
{
    static const char *const not_drawn[] = {"epoch", "step", "images_per_s",
                                            "ms_per_step", "images"};
    for (size_t i = 0; i < sizeof not_drawn / sizeof not_drawn[0]; i++)
        if (!strcmp(key, not_drawn[i]))
            return false;
    return !strcmp(split, "train") || !strcmp(key, "loss");
}

static void add_line(series *all, int *count, json_t *line)
{
    json_t *value;
    const char *split = json_string_value(json_object_get(line, "split"));
    const char *event = json_string_value(json_object_get(line, "event"));
    double epoch = json_number_value(json_object_get(line, "epoch"));
    const char *key;
    if (split && event && !strcmp(event, "epoch"))
        json_object_foreach(line, key, value)
        {
            char name[64];
            snprintf(name, sizeof name, "%s %s", split, key);
            if (json_is_number(value) && is_drawn(split, key))
                add_point(all, count, name, epoch, json_number_value(value));
        }
}

static bool loss_curves(trainer *t)
{
    char title[128];
    size_t at;
    json_t *line, *lines = run_lines(t->folder, log_names[METRICS]);
    series *all = malloc(MOST_SERIES * sizeof *all);
    curve curves[MOST_SERIES];
    int count = 0;
    json_array_foreach(lines, at, line)
    {
        if (all)
            add_line(all, &count, line);
    }
    bool positive = true; /* or a logarithmic axis would hide something */
    for (int i = 0; i < count; i++) {
        curves[i] = (curve){all[i].name, all[i].x, all[i].y, all[i].count};
        for (int j = 0; j < all[i].count; j++)
            positive &= all[i].y[j] > 0;
    }
    json_decref(lines);
    snprintf(title, sizeof title, "%s: training", t->s.model->name);
    bool ok = all &&
              figure_curves(path_join(t->folder, "loss.png").text, title,
                            "epoch", "mean per image", curves, count, positive);
    free(all);
    return ok || hg_fail(HG_ERROR_IO, "the loss curves cannot be drawn");
}

bool pictures_of_epoch(trainer *t)
{
    return or_without(t, draw_epoch(t));
}

bool pictures_at_end(trainer *t)
{
    return pictures_of_epoch(t) && or_without(t, latent_pictures(t)) &&
           or_without(t, loss_curves(t));
}
