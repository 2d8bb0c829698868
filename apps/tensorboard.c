/* tensorboard.c - what --tensorboard writes beside the run's own files. */
#include "apps/events.h"
#include "apps/train.h"

#include <stdlib.h>
#include <string.h>

bool tensorboard_begin(trainer *t)
{
    FILE *f = t->file[EVENTS];
    return !f || ftell(f) > 0 || event_version(f);
}

/* "train/loss"; what only times goes to "time/". */
static void tag_of(char *tag, size_t size, const char *split, const char *key)
{
    bool timing = !strcmp(key, "images_per_s") || !strcmp(key, "ms_per_step");
    snprintf(tag, size, "%s/%s", timing ? "time" : split, key);
}

bool tensorboard_scalars(trainer *t, json_t *line)
{
    char tag[128];
    const char *key;
    json_t *value;
    const char *split = json_string_value(json_object_get(line, "split"));
    if (!t->file[EVENTS] || !split)
        return true;
    json_object_foreach(line, key, value)
    {
        if (!json_is_number(value) || !strcmp(key, "step") ||
            !strcmp(key, "epoch"))
            continue;
        tag_of(tag, sizeof tag, split, key);
        if (!event_scalar(t->file[EVENTS], t->step, tag,
                          json_number_value(value)))
            return false;
    }
    return true;
}

bool tensorboard_image(trainer *t, const char *tag, const char *path)
{
    return !t->file[EVENTS] || event_image(t->file[EVENTS], t->step, tag, path);
}

static bool histogram_of(trainer *t, const hg_tensor *p)
{
    char tag[256];
    int64_t n = hg_numel(p);
    hg_real *values = malloc((size_t)n * sizeof *values + 1);
    snprintf(tag, sizeof tag, "weights/%s", p->name);
    bool ok = values && hg_read(p, values, n) &&
              event_histogram(t->file[EVENTS], t->step, tag, values, n);
    free(values);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for a histogram");
}

bool tensorboard_weights(trainer *t)
{
    const hg_tensor *p;
    for (int64_t i = 0;
         t->file[EVENTS] && (p = hg_params_entry(t->w.params, i)); i++)
        if (!hg_is_buffer(p) && !histogram_of(t, p))
            return false;
    return true;
}
