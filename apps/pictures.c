/* pictures.c - what a run shows: reconstructions, samples, curves, the map. */
#include "apps/train.h"
#include "apps/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 20, MOST_EPOCHS = 10000 };

static int64_t rows_shown(const trainer *t, int64_t *rows, int64_t most)
{
    int64_t n = hg_data_size(shown_data(&t->w));
    n = n < most ? n : most;
    for (int64_t i = 0; i < n; i++)
        rows[i] = i;
    return n;
}

/* Rows of `wide` originals above their reconstructions; n is a multiple. */
static bool interleave(hg_real *out, const hg_real *x, const hg_real *y,
                       int64_t n, int64_t wide, int64_t features)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i / wide * 2 * wide + i % wide;
        size_t size = (size_t)features * sizeof *out;
        memcpy(out + at * features, x + i * features, size);
        memcpy(out + (at + wide) * features, y + i * features, size);
    }
    return true;
}

static bool reconstruction_picture(trainer *t, void *argument)
{
    const char *path = argument;
    int64_t rows[SHOWN], n = rows_shown(t, rows, SHOWN);
    int64_t wide = n < 10 ? n : 10; /* an incomplete row is left out */
    n = wide ? n / wide * wide : 0;
    int64_t features = hg_data_features(t->w.all), count = n * features;
    hg_batch b;
    if (!n)
        return true;
    if (!hg_data_batch(shown_data(&t->w), rows, n, &b))
        return false;
    hg_tensor *x = hg_model_input(t->s.model, t->w.state, &b);
    hg_tensor *y =
        t->s.model->decode(t->w.state, t->s.model->encode(t->w.state, x));
    hg_real *values = malloc((size_t)count * 4 * sizeof *values);
    bool ok = values && hg_read(b.x, values, count) &&
              hg_read(y, values + count, count) &&
              interleave(values + 2 * count, values, values + count, n, wide,
                         features) &&
              picture_grid(path, values + 2 * count, hg_data_shape(t->w.all),
                           2 * n, wide, 2);
    free(values);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}

static bool sample_picture(trainer *t, void *argument)
{
    const char *path = argument;
    int64_t features = hg_data_features(t->w.all), n = 100;
    hg_tensor *y =
        t->s.model->decode(t->w.state, t->s.model->prior(t->w.state, n));
    hg_real *values = malloc((size_t)(n * features) * sizeof *values);
    bool ok = values && hg_read(y, values, n * features) &&
              picture_grid(path, values, hg_data_shape(t->w.all), n, 10, 2);
    free(values);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}

bool in_fixed_scope(trainer *t, bool (*work)(trainer *, void *), void *argument)
{
    uint64_t steps[2], fixed[2];
    hg_context_steps(t->w.context, steps);
    fixed[0] = steps[0];
    fixed[1] = (uint64_t)1 << 31;
    hg_context_set_steps(t->w.context, fixed);
    hg_scope *s = hg_scope_open(t->w.context, HG_EVAL);
    bool ok = s && work(t, argument);
    if (s)
        hg_scope_close(s);
    hg_context_set_steps(t->w.context, steps);
    return ok;
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

static bool draw_epoch(trainer *t)
{
    char name[64];
    const hg_model *m = t->s.model;
    snprintf(name, sizeof name, "recon/epoch_%04lld.png", (long long)t->epoch);
    path_text recon = path_join(t->folder, name);
    snprintf(name, sizeof name, "samples/epoch_%04lld.png",
             (long long)t->epoch);
    path_text samples = path_join(t->folder, name);
    if (m->encode && m->decode &&
        !in_fixed_scope(t, reconstruction_picture, recon.text))
        return false;
    return !m->prior || !m->decode ||
           in_fixed_scope(t, sample_picture, samples.text);
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

static void add_line(series *all, int *count, const char *text)
{
    json_t *line = json_loads(text, 0, NULL), *value;
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
    json_decref(line);
}

static bool loss_curves(trainer *t)
{
    char line[4096];
    series *all = malloc(MOST_SERIES * sizeof *all);
    curve curves[MOST_SERIES];
    int count = 0;
    FILE *f = fopen(path_join(t->folder, "metrics.jsonl").text, "r");
    while (all && f && fgets(line, sizeof line, f))
        add_line(all, &count, line);
    for (int i = 0; i < count; i++)
        curves[i] = (curve){all[i].name, all[i].x, all[i].y, all[i].count};
    if (f)
        fclose(f);
    bool ok =
        all && figure_curves(path_join(t->folder, "loss.png").text, "Training",
                             "epoch", "mean per image", curves, count, true);
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
