/* say.c - what a run says of itself when it begins. */
#include "apps/train.h"
#include "tensor/device.h"

#include <string.h>

void say_start(trainer *t, bool found)
{
    if (found)
        log_line(t, "resuming at epoch %lld, step %lld",
                 (long long)t->epoch + 1, (long long)t->step);
    else
        log_line(t,
                 "%s on %s: %lld images, %lld parameters, device %s, %d "
                 "threads, seed %llu",
                 t->s.model->name, hg_data_name(t->w.all),
                 (long long)hg_data_size(t->w.train),
                 (long long)hg_params_count(t->w.params),
                 hg_context_device(t->w.context),
                 hg_context_threads(t->w.context),
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
