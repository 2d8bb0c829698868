/* bundle.c - what --anomaly leaves behind: RUN/nan-step holds all that the step
 * depends on which made the first NaN, so that it can be made again.
 *
 * The failing step has left its traces in weights and optimisers. So the run is
 * opened afresh at its last checkpoint and led up to that step: it comes by
 * there bit for bit. */
#include "apps/train.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside RUN/anomaly, which has the images that `hourglass anomaly` ranks. */
#define KEPT "nan-step"

/* As t began, with nothing that belongs to its context. */
static trainer afresh(const trainer *t)
{
    trainer u = {.s = t->s, .options = t->options};
    memcpy(u.folder, t->folder, sizeof u.folder);
    u.s.anomaly = false;
    u.s.quiet = true;
    return u;
}

/* A run that --steps stopped at an epoch's end was saved there: the step is one
 * of the next epoch. */
static bool begin_epoch(trainer *u)
{
    hg_batch b;
    bool ended = !u->epoch_steps &&
                 hg_loader_position(u->loader) == hg_loader_batches(u->loader);
    return !ended || !hg_next(u->loader, HG_TRAIN, &b);
}

static hg_scope *batch_of_step(trainer *u, hg_batch *b)
{
    hg_scope *s = next_batch(u, b);
    if (!s)
        hg_fail(HG_ERROR_STATE, "the epoch ended before the step");
    return s;
}

static bool lead_to(trainer *u, int64_t step)
{
    bool found = false;
    hg_batch b;
    if (!checkpoint_resume(u, &found) || !begin_average(u) || !begin_epoch(u))
        return false;
    while (u->step < step) {
        hg_scope *s = batch_of_step(u, &b);
        if (!s)
            return false;
        bool ok = train_step(u, &b);
        hg_scope_close(s);
        if (!ok)
            return false;
    }
    return true;
}

/* The images of the step, for other programs; the loader is put back. */
static bool write_batch(trainer *u, const char *folder)
{
    int64_t position = hg_loader_position(u->loader);
    uint64_t steps[2];
    hg_batch b;
    hg_context_steps(u->w.context, steps);
    hg_scope *s = batch_of_step(u, &b);
    int64_t n = s ? hg_numel(b.x) : 0;
    hg_params *store = hg_params_new(u->w.context);
    hg_tensor *x = s ? hg_buffer(store, "x", b.x->shape, 0) : NULL;
    hg_real *values = malloc((size_t)n * sizeof *values + 1);
    bool ok =
        x && values && hg_read(b.x, values, n) && hg_write(x, values, n) &&
        hg_params_save(store, path_join(folder, "batch.safetensors").text);
    free(values);
    if (s)
        hg_scope_close(s);
    hg_context_set_steps(u->w.context, steps);
    return ok && hg_loader_set_position(u->loader, position);
}

static bool write_report(const trainer *u, const char *folder, const char *why)
{
    char text[8192];
    snprintf(text, sizeof text,
             "step %lld (epoch %lld) of %s:\n%s\n\n"
             "This folder holds the state before that step, as a checkpoint, "
             "and its images (batch.safetensors). Once more:\n"
             "    hourglass resume %s --replay\n",
             (long long)u->step + 1, (long long)u->epoch + 1, u->folder, why,
             u->folder);
    return write_file(path_join(folder, "report.txt").text, text, strlen(text));
}

static bool write_all(trainer *u, int64_t step, const char *why)
{
    path_text folder = path_join(u->folder, KEPT);
    remove_folder(folder.text);
    return trainer_open(u) && lead_to(u, step) && make_folder(folder.text) &&
           write_batch(u, folder.text) && checkpoint_write(u, folder.text) &&
           write_report(u, folder.text, why);
}

void bundle_write(trainer *t)
{
    char why[2048];
    trainer u = afresh(t);
    snprintf(why, sizeof why, "%s", hg_error());
    workbench_close(&t->w);
    hg_error_clear();
    bool ok = write_all(&u, t->step, why);
    char failed[512];
    snprintf(failed, sizeof failed, "%s", ok ? "" : hg_error());
    hg_error_clear();
    workbench_close(&u.w);
    if (ok)
        hg_fail(HG_ERROR_NONFINITE,
                "%s; %s/" KEPT " has all that step %lld depends on: `hourglass "
                "resume %s --replay`",
                why, t->folder, (long long)t->step + 1, t->folder);
    else
        hg_fail(HG_ERROR_NONFINITE, "%s (%s/" KEPT " could not be written: %s)",
                why, t->folder, failed);
}

/* ---- Once more ---------------------------------------------------------- */

static bool replay(trainer *t)
{
    hg_batch b;
    path_text folder = path_join(t->folder, KEPT);
    if (access(folder.text, F_OK))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s keeps no step to make again; `hourglass resume %s "
                       "--anomaly` keeps one where it comes to a NaN",
                       t->folder, t->folder);
    if (!trainer_open(t) || !checkpoint_read(t, folder.text))
        return false;
    hg_scope *s = batch_of_step(t, &b);
    bool ok = s && train_step(t, &b);
    if (s)
        hg_scope_close(s);
    return ok;
}

int replay_bundle(trainer *t)
{
    path_text folder = path_join(t->s.out, t->s.name);
    snprintf(t->folder, sizeof t->folder, "%s", folder.text);
    t->s.anomaly = true;
    bool ok = replay(t);
    int code = ok ? EXIT_DONE : report_error();
    if (ok)
        printf("step %lld makes no NaN and no infinity now\n",
               (long long)t->step);
    workbench_close(&t->w);
    return code;
}
