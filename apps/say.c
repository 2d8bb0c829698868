/* say.c - what a run says of itself when it begins and ends. */
#include "apps/train.h"
#include "tensor/device.h"

#include <math.h>
#include <string.h>

void say_start(trainer *t, bool found)
{
    int64_t images = hg_data_size(t->w.train);
    int64_t parameters = hg_params_count(t->w.params);
    int threads = hg_context_threads(t->w.context);
    if (t->lost[0])
        log_line(t,
                 "warning: %s/checkpoints/last names %s, which is gone or not "
                 "whole; going on at the newest that is whole, step %lld",
                 t->folder, t->lost, (long long)t->step);
    if (t->changed.text[0])
        log_line(t,
                 "warning: %s has changed since this run began; as it was then "
                 "it stands in %s",
                 t->changed.text, t->folder);
    if (found)
        log_line(t, "resuming at epoch %lld, step %lld",
                 (long long)t->epoch + 1, (long long)t->step);
    else
        log_line(t,
                 "%s on %s: %lld image%s, %lld parameter%s, device %s, %d "
                 "thread%s, seed %llu",
                 t->s.model->name, hg_data_name(t->w.all), (long long)images,
                 plural(images), (long long)parameters, plural(parameters),
                 hg_context_device(t->w.context), threads, plural(threads),
                 (unsigned long long)t->s.seed);
}

/* What `auto` chose, and why. */
void say_device(trainer *t)
{
    char reason[256];
    if (strcmp(t->s.device, "auto"))
        return;
    if (hg_device_count(reason, sizeof reason))
        log_line(t, "device auto: %s, the first GPU",
                 hg_context_device(t->w.context));
    else
        log_line(t, "device auto: cpu, since there is no GPU: %s", reason);
}

void say_test(trainer *t, const hg_metrics *m)
{
    const struct {
        const char *name;
        double value;
        int digits;
    } figures[] = {
        {"loss", m->loss, 5},
        {"recon_mse", m->recon_mse, 5},
        {"recon_sse", m->recon_sse, 4},
        {"kl", m->kl, 4},
        {"recon_bce", isnan(m->kl) ? m->recon_bce : NAN, 4},
    };
    char line[256] = "";
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        size_t at = strlen(line);
        if (!isnan(figures[i].value))
            snprintf(line + at, sizeof line - at, "%s%s %.*g",
                     at ? "  " : "test: ", figures[i].name, figures[i].digits,
                     figures[i].value);
    }
    if (line[0])
        log_line(t, "%s", line);
}

void say_end(trainer *t)
{
    char text[640];
    const char *path = t->s.dry_run ? "" : t->folder;
    explain_text(&t->explained, t->w.context, text, sizeof text);
    if (t->s.explain)
        log_line(t, "%s", text);
    if (!t->s.json)
        return;
    json_t *end = json_pack(
        "{s:s, s:I, s:I, s:b, s:o*, s:o*}", "run", path, "epoch",
        (json_int_t)t->epoch, "step", (json_int_t)t->step, "finished",
        t->finished, "test", json_incref(t->final), "explain",
        t->s.explain ? explain_json(&t->explained, t->w.context) : NULL);
    print_json(end);
    json_decref(end);
}
