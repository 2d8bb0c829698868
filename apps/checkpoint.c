/* checkpoint.c - all that the next step depends on, saved whole or not at all.
 *
 * RUN/checkpoints/step_00012000/ holds model.safetensors, optim.safetensors
 * and state.json; it is written under a temporary name and renamed when it is
 * complete. The small files `last` and `best` name a checkpoint. */
#include "apps/train.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static path_text in_checkpoints(const trainer *t, const char *name)
{
    return path_join(path_join(t->folder, "checkpoints").text, name);
}

/* ---- state.json --------------------------------------------------------- */

static json_t *terms_json(const trainer *t)
{
    json_t *object = json_object();
    for (int i = 0; i < t->terms.count; i++)
        json_object_set_new(object, t->terms.name[i],
                            json_real(t->terms.sum[i]));
    return object;
}

static json_t *state_json(const trainer *t)
{
    uint64_t steps[2];
    hg_context_steps(t->w.context, steps);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:o, s:I, s:I}", "epoch",
        (json_int_t)t->epoch, "step", (json_int_t)t->step, "loader_epoch",
        (json_int_t)hg_loader_epoch(t->loader), "position",
        (json_int_t)hg_loader_position(t->loader), "recording_steps",
        (json_int_t)steps[0], "other_steps", (json_int_t)steps[1],
        "epoch_steps", (json_int_t)t->epoch_steps, "best",
        isfinite(t->best) ? t->best : -1.0, "images",
        (json_int_t)t->terms.images, "terms", terms_json(t), "metrics_bytes",
        (json_int_t)ftell(t->metrics), "log_bytes", (json_int_t)ftell(t->log));
}

/* ---- Saving ------------------------------------------------------------- */

static bool write_pointer(const trainer *t, const char *name,
                          const char *target)
{
    return write_file(in_checkpoints(t, name).text, target, strlen(target));
}

static void read_pointer(const trainer *t, const char *name, char *target,
                         size_t size)
{
    FILE *f = fopen(in_checkpoints(t, name).text, "r");
    target[0] = 0;
    if (f && !fgets(target, (int)size, f))
        target[0] = 0;
    if (f)
        fclose(f);
    target[strcspn(target, "\n/")] = 0;
}

static const char *const parts[] = {"model.safetensors", "optim.safetensors",
                                    "state.json"};

static void remove_checkpoint(const char *folder)
{
    for (int i = 0; i < 3; i++)
        unlink(path_join(folder, parts[i]).text);
    rmdir(folder);
}

static bool is_complete(const char *folder)
{
    struct stat s;
    for (int i = 0; i < 3; i++)
        if (stat(path_join(folder, parts[i]).text, &s))
            return false;
    return true;
}

/* Ends what was cut off between removing a checkpoint and putting a complete
 * one of the same step in its place. */
static void end_replacement(const trainer *t, const char *name)
{
    char partial[80];
    snprintf(partial, sizeof partial, "%s.tmp", name);
    path_text from = in_checkpoints(t, partial), to = in_checkpoints(t, name);
    if (is_complete(to.text) || !is_complete(from.text))
        return;
    remove_checkpoint(to.text);
    rename(from.text, to.text);
}

static bool write_parts(trainer *t, const char *folder)
{
    hg_optimizers *o = &t->w.optimizers;
    if (!make_folder(folder) ||
        !hg_params_save(t->w.params,
                        path_join(folder, "model.safetensors").text) ||
        !hg_optimizers_save(o->list, o->count,
                            path_join(folder, "optim.safetensors").text))
        return false;
    json_t *state = state_json(t);
    bool ok = write_json(path_join(folder, "state.json").text, state);
    json_decref(state);
    return ok;
}

/* Keeps the one just written and the best. */
static void remove_older(const trainer *t, const char *last, const char *former)
{
    char best[64];
    read_pointer(t, "best", best, sizeof best);
    if (former[0] && strcmp(former, best) && strcmp(former, last))
        remove_checkpoint(in_checkpoints(t, former).text);
}

bool checkpoint_save(trainer *t, bool best)
{
    char name[64], partial[80], former[64], former_best[64];
    if (!collect_terms(t))
        return false;
    read_pointer(t, "last", former, sizeof former);
    read_pointer(t, "best", former_best, sizeof former_best);
    snprintf(name, sizeof name, "step_%08lld", (long long)t->step);
    snprintf(partial, sizeof partial, "%s.tmp", name);
    path_text from = in_checkpoints(t, partial), to = in_checkpoints(t, name);
    remove_checkpoint(from.text);
    if (!write_parts(t, from.text)) {
        remove_checkpoint(from.text);
        return false;
    }
    remove_checkpoint(to.text);
    if (rename(from.text, to.text))
        return hg_fail(HG_ERROR_IO, "%s cannot be written: %s", to.text,
                       strerror(errno));
    if (!write_pointer(t, "last", name) ||
        (best && !write_pointer(t, "best", name)))
        return false;
    remove_older(t, name, former);
    if (best)
        remove_older(t, name, former_best);
    return true;
}

/* ---- Resuming ----------------------------------------------------------- */

static bool restore_terms(trainer *t, json_t *sums)
{
    const char *name;
    json_t *value;
    reset_terms(t);
    json_object_foreach(sums, name, value)
    {
        if (t->terms.count == MOST_TERMS)
            break;
        /* The name must outlive the JSON: keep it with the store. */
        char *copy = hg_params_alloc(t->w.params, strlen(name) + 1);
        if (!copy)
            return false;
        memcpy(copy, name, strlen(name) + 1);
        t->terms.name[t->terms.count] = copy;
        t->terms.sum[t->terms.count++] = json_number_value(value);
    }
    return true;
}

static bool restore_state(trainer *t, json_t *state)
{
    json_int_t epoch, step, loader_epoch, position, recording, other;
    json_int_t epoch_steps, images, metrics, log;
    json_t *sums = NULL;
    if (json_unpack(
            state,
            "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:F, s:I, s:o, s:I, s:I}",
            "epoch", &epoch, "step", &step, "loader_epoch", &loader_epoch,
            "position", &position, "recording_steps", &recording, "other_steps",
            &other, "epoch_steps", &epoch_steps, "best", &t->best, "images",
            &images, "terms", &sums, "metrics_bytes", &metrics, "log_bytes",
            &log))
        return hg_fail(HG_ERROR_FORMAT, "state.json lacks an entry");
    uint64_t steps[2] = {(uint64_t)recording, (uint64_t)other};
    hg_context_set_steps(t->w.context, steps);
    if (!restore_terms(t, sums))
        return false;
    t->epoch = epoch;
    t->step = step;
    t->epoch_steps = epoch_steps;
    t->terms.images = images;
    t->metrics_bytes = metrics;
    t->log_bytes = log;
    if (t->best < 0)
        t->best = INFINITY;
    return hg_loader_set_epoch(t->loader, loader_epoch) &&
           hg_loader_set_position(t->loader, position);
}

bool checkpoint_resume(trainer *t, bool *found)
{
    char name[64];
    json_error_t why;
    read_pointer(t, "last", name, sizeof name);
    *found = name[0] != 0;
    if (!*found)
        return true;
    end_replacement(t, name);
    path_text folder = in_checkpoints(t, name);
    hg_optimizers *o = &t->w.optimizers;
    json_t *state = json_load_file(path_join(folder.text, "state.json").text,
                                   JSON_REJECT_DUPLICATES, &why);
    if (!state)
        return hg_fail(HG_ERROR_FORMAT, "%s/state.json: %s", folder.text,
                       why.text);
    bool ok =
        hg_params_load(t->w.params,
                       path_join(folder.text, "model.safetensors").text) &&
        hg_optimizers_load(o->list, o->count,
                           path_join(folder.text, "optim.safetensors").text) &&
        restore_state(t, state);
    json_decref(state);
    return ok;
}

static bool cut(FILE *f, json_int_t bytes, const char *what)
{
    if (!fflush(f) && !ftruncate(fileno(f), bytes) &&
        !fseek(f, (long)bytes, SEEK_SET))
        return true;
    return hg_fail(HG_ERROR_IO, "%s cannot be cut back: %s", what,
                   strerror(errno));
}

bool checkpoint_cut_logs(trainer *t)
{
    return cut(t->metrics, t->metrics_bytes, "metrics.jsonl") &&
           cut(t->log, t->log_bytes, "train.log");
}
