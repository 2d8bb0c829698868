/* checkpoint.c - all that the next step depends on, saved whole or not at all.
 *
 * RUN/checkpoints/step_00012000/ holds model.safetensors, optim.safetensors,
 * state.json and, with --ema, ema.safetensors; it is written under a temporary
 * name and renamed when it is complete. The small files `last` and `best` name
 * a checkpoint. */
#include "apps/train.h"

#include <dirent.h>
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
    const char *name;
    double sum;
    int64_t count;
    for (int i = 0; (name = hg_report_name(t->w.context, i)); i++)
        if (hg_report_sum(t->w.context, name, &sum, &count))
            json_object_set_new(object, name,
                                json_pack("[f, I]", sum, (json_int_t)count));
    return object;
}

static json_t *lengths_json(const trainer *t)
{
    json_t *object = json_object();
    for (int i = 0; i < LOGS; i++)
        if (t->file[i])
            json_object_set_new(object, log_names[i],
                                json_integer(ftell(t->file[i])));
    return object;
}

static json_t *state_json(const trainer *t)
{
    uint64_t steps[2];
    hg_context_steps(t->w.context, steps);
    json_t *best = isfinite(t->best) ? json_real(t->best) : json_null();
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:b, s:o, s:o, "
        "s:o}",
        "epoch", (json_int_t)t->epoch, "step", (json_int_t)t->step,
        "loader_epoch", (json_int_t)hg_loader_epoch(t->loader), "position",
        (json_int_t)hg_loader_position(t->loader), "recording_steps",
        (json_int_t)steps[0], "other_steps", (json_int_t)steps[1],
        "epoch_steps", (json_int_t)t->epoch_steps, "epoch_images",
        (json_int_t)t->epoch_images, "best", best, "waited",
        (json_int_t)t->waited, "stopped", t->stopped, "adjust", adjust_json(t),
        "terms", terms_json(t), "lengths", lengths_json(t));
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

/* What has a state.json, the last to be written, is whole. */
static bool is_whole(const trainer *t, const char *name)
{
    struct stat s;
    path_text path = path_join(in_checkpoints(t, name).text, "state.json");
    return !stat(path.text, &s);
}

/* Ends what was cut off between moving a checkpoint aside and putting another
 * of the same step in its place. */
static void end_replacement(const trainer *t, const char *name)
{
    char partial[80];
    struct stat s;
    snprintf(partial, sizeof partial, "%s.tmp", name);
    path_text from = in_checkpoints(t, partial), to = in_checkpoints(t, name);
    if (stat(to.text, &s) && is_whole(t, partial))
        rename(from.text, to.text);
}

static bool write_average(trainer *t, const char *folder)
{
    if (!t->ema)
        return true;
    swap_average(t);
    bool ok =
        hg_params_save(t->w.params, path_join(folder, "ema.safetensors").text);
    swap_average(t);
    return ok;
}

bool checkpoint_write(trainer *t, const char *folder)
{
    hg_optimizers *o = &t->w.optimizers;
    if (!make_folder(folder) ||
        !hg_params_save(t->w.params,
                        path_join(folder, "model.safetensors").text) ||
        (o->count && /* pca has none */
         !hg_optimizers_save(o->list, o->count,
                             path_join(folder, "optim.safetensors").text)) ||
        !write_average(t, folder))
        return false;
    json_t *state = state_json(t);
    bool ok = write_json(path_join(folder, "state.json").text, state) &&
              sync_folder(folder);
    json_decref(state);
    return ok;
}

/* Of step_00000012, and of longer ones. */
static long long step_of(const char *name)
{
    return strtoll(name + strlen("step_"), NULL, 10);
}

/* The newest first. */
static int by_step(const void *a, const void *b)
{
    long long x = step_of(*(char *const *)a), y = step_of(*(char *const *)b);
    return (x < y) - (x > y);
}

/* Keeps the newest ones and the best; temporary ones go too. */
static void remove_older(const trainer *t)
{
    char best[64], last[64];
    struct dirent **list;
    read_pointer(t, "best", best, sizeof best);
    read_pointer(t, "last", last, sizeof last);
    int n =
        scandir(path_join(t->folder, "checkpoints").text, &list, NULL, NULL);
    char **names = calloc((size_t)(n > 0 ? n : 1), sizeof *names);
    int64_t count = 0, kept = 0;
    for (int i = 0; names && i < n; i++)
        if (!strncmp(list[i]->d_name, "step_", 5))
            names[count++] = list[i]->d_name;
    if (names)
        qsort(names, (size_t)count, sizeof *names, by_step);
    for (int64_t i = 0; i < count; i++) {
        bool partial = strstr(names[i], ".tmp") != NULL;
        bool named = !strcmp(names[i], best) || !strcmp(names[i], last);
        bool newest = !partial && (!t->s.keep || kept < t->s.keep);
        kept += newest;
        if (!named && !newest)
            remove_folder(in_checkpoints(t, names[i]).text);
    }
    free(names);
    for (int i = 0; i < n; i++)
        free(list[i]);
    if (n >= 0)
        free(list);
}

/* What a checkpoint says of the logs must be on the disk before it. */
static bool sync_logs(trainer *t)
{
    for (int i = 0; i < LOGS; i++)
        if (t->file[i] && (fflush(t->file[i]) || ferror(t->file[i]) ||
                           fsync(fileno(t->file[i]))))
            return hg_fail(HG_ERROR_IO,
                           "%s/%s cannot be written: %s; make room, then "
                           "`hourglass resume %s`",
                           t->folder, log_names[i], strerror(errno), t->folder);
    return true;
}

static void name_of_step(int64_t step, char *name, size_t size)
{
    snprintf(name, size, "step_%08lld", (long long)step);
}

bool checkpoint_is_best(const trainer *t)
{
    char name[64];
    name_of_step(t->saved_step, name, sizeof name);
    return write_pointer(t, "best", name) &&
           sync_folder(path_join(t->folder, "checkpoints").text);
}

bool checkpoint_save(trainer *t, bool best)
{
    char name[64], partial[80], aside[80];
    if (!terms_are_finite(t) || !settle_folder(t) || !sync_logs(t))
        return false;
    name_of_step(t->step, name, sizeof name);
    snprintf(partial, sizeof partial, "%s.tmp", name);
    snprintf(aside, sizeof aside, "%s.old.tmp", name);
    path_text from = in_checkpoints(t, partial), to = in_checkpoints(t, name);
    path_text old = in_checkpoints(t, aside); /* goes with the older ones */
    remove_folder(from.text);
    remove_folder(old.text);
    if (!checkpoint_write(t, from.text)) {
        remove_folder(from.text);
        return false;
    }
    rename(to.text, old.text); /* whole or not there, at every moment */
    if (rename(from.text, to.text))
        return fail_to_write(to.text, errno);
    if ((best && !write_pointer(t, "best", name)) ||
        !write_pointer(t, "last", name) ||
        !sync_folder(path_join(t->folder, "checkpoints").text))
        return false;
    t->saved_step = t->step;
    remove_older(t);
    return true;
}

/* ---- Resuming ----------------------------------------------------------- */

static bool restore_terms(trainer *t, json_t *terms)
{
    const char *name;
    json_t *value;
    double sum;
    json_int_t count;
    json_object_foreach(terms, name, value)
    {
        if (json_unpack(value, "[F, I]", &sum, &count))
            return hg_fail(HG_ERROR_FORMAT, "state.json: bad term %s", name);
        if (!hg_report_set(t->w.context, name, sum, count))
            return false;
    }
    return true;
}

/* Runs of before counted an epoch that --steps had cut off: the loader, in its
 * midst, knows better. */
static int64_t epoch_at(const trainer *t, int64_t epoch, int64_t loader_epoch,
                        int64_t position)
{
    bool within = position > 0 && position < hg_loader_batches(t->loader);
    return within && !t->s.training.overfit_batch ? loader_epoch : epoch;
}

static bool restore_state(trainer *t, json_t *state)
{
    json_int_t epoch, step, loader_epoch, position, recording, other;
    json_int_t epoch_steps, images, waited;
    json_t *terms, *adjust, *lengths, *best;
    int stopped;
    if (json_unpack(
            state,
            "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:b, s:o, s:o, "
            "s:o}",
            "epoch", &epoch, "step", &step, "loader_epoch", &loader_epoch,
            "position", &position, "recording_steps", &recording, "other_steps",
            &other, "epoch_steps", &epoch_steps, "epoch_images", &images,
            "best", &best, "waited", &waited, "stopped", &stopped, "adjust",
            &adjust, "terms", &terms, "lengths", &lengths) ||
        !adjust_restore(t, adjust))
        return hg_fail(HG_ERROR_FORMAT, "state.json lacks an entry");
    uint64_t steps[2] = {(uint64_t)recording, (uint64_t)other};
    hg_context_set_steps(t->w.context, steps);
    for (int i = 0; i < LOGS; i++) {
        const json_t *length = json_object_get(lengths, log_names[i]);
        t->written[i] = length ? json_integer_value(length) : -1;
    }
    t->epoch = epoch_at(t, epoch, loader_epoch, position);
    t->step = t->saved_step = step;
    t->epoch_steps = t->untimed_steps = epoch_steps;
    t->epoch_images = t->untimed_images = images;
    t->waited = waited;
    t->stopped = stopped != 0;
    t->best = json_is_number(best) ? json_number_value(best) : INFINITY;
    return restore_terms(t, terms) &&
           hg_loader_set_epoch(t->loader, loader_epoch) &&
           hg_loader_set_position(t->loader, position);
}

/* The average begins at the weights: those of its own file. */
static bool read_average(trainer *t, const char *folder)
{
    return t->s.training.ema <= 0 ||
           (hg_params_load(t->w.params,
                           path_join(folder, "ema.safetensors").text) &&
            begin_average(t));
}

bool checkpoint_read(trainer *t, const char *folder)
{
    json_error_t why;
    hg_optimizers *o = &t->w.optimizers;
    json_t *state = json_load_file(path_join(folder, "state.json").text,
                                   JSON_REJECT_DUPLICATES, &why);
    if (!state)
        return hg_fail(HG_ERROR_FORMAT, "%s/state.json: %s", folder, why.text);
    bool ok = read_average(t, folder) &&
              hg_params_load(t->w.params,
                             path_join(folder, "model.safetensors").text) &&
              (!o->count || hg_optimizers_load(
                                o->list, o->count,
                                path_join(folder, "optim.safetensors").text)) &&
              restore_state(t, state) && begin_average(t);
    json_decref(state);
    return ok;
}

/* The newest that is whole, in the place of a name whose checkpoint is gone. */
static bool take_newest(trainer *t, char *name, size_t size)
{
    struct dirent **list;
    snprintf(t->lost, sizeof t->lost, "%s", name);
    name[0] = 0;
    int n =
        scandir(path_join(t->folder, "checkpoints").text, &list, NULL, NULL);
    for (int i = 0; i < n; i++) {
        const char *entry = list[i]->d_name;
        if (!strncmp(entry, "step_", 5) && !strstr(entry, ".tmp") &&
            is_whole(t, entry) && (!name[0] || step_of(entry) > step_of(name)))
            snprintf(name, size, "%.63s", entry);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return name[0] ||
           hg_fail(HG_ERROR_FORMAT,
                   "%s/checkpoints/last names %s, which is gone or not whole, "
                   "and there is no other checkpoint; put it back, or `train` "
                   "anew with --overwrite",
                   t->folder, t->lost);
}

bool checkpoint_resume(trainer *t, bool *found)
{
    char name[64];
    read_pointer(t, "last", name, sizeof name);
    *found = name[0] != 0;
    if (!*found)
        return true;
    end_replacement(t, name);
    if (!is_whole(t, name) && !take_newest(t, name, sizeof name))
        return false;
    return checkpoint_read(t, in_checkpoints(t, name).text);
}
