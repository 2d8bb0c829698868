/* explain.c - --explain: steps by what became of them, and kernels a step. */
#include "apps/explain.h"
#include "tensor/device.h"

#include <string.h>

/* What was queued before belongs to no step. */
void explain_begin(explanation *e, hg_context *context)
{
    (void)hg_flush(context);
    e->launches_before = context->launches;
    memcpy(e->ran_before, context->ran, sizeof e->ran_before);
}

/* A step is one queue, unless someone reads a value before it is complete. */
static step_kind kind_of(const explanation *e, const hg_context *context,
                         bool usual_batch)
{
    uint64_t ran[HG_RAN_KINDS], queues = 0;
    if (!context->gpu)
        return ON_CPU;
    for (int i = 0; i < HG_RAN_KINDS; i++) {
        ran[i] = context->ran[i] - e->ran_before[i];
        queues += ran[i];
    }
    if (ran[HG_RAN_NEW])
        return usual_batch ? FIRST_SIGHT : OTHER_BATCH;
    if (ran[HG_RAN_CAPTURED])
        return CAPTURED;
    if (!ran[HG_RAN_REPLAYED])
        return RUN_AT_ONCE;
    return queues == 1 ? ONE_GRAPH : IN_PIECES;
}

void explain_step(explanation *e, const hg_context *context, bool usual_batch)
{
    e->steps++;
    e->launches += context->launches - e->launches_before;
    e->of[kind_of(e, context, usual_batch)]++;
}

static double launches_a_step(const explanation *e)
{
    return e->steps ? (double)e->launches / (double)e->steps : 0;
}

static void add_others(const explanation *e, char *text, size_t size)
{
    static const char *const words[] = {
#define EXPLAIN(name, key, text_) text_,
#include "apps/explain.def"
#undef EXPLAIN
    };
    const char *before = "; the others: ";
    for (int i = 0; i < STEP_KINDS; i++) {
        size_t at = strlen(text);
        if (i == ONE_GRAPH || !e->of[i])
            continue;
        snprintf(text + at, size - at, "%s%llu %s", before,
                 (unsigned long long)e->of[i], words[i]);
        before = ", ";
    }
}

void explain_text(const explanation *e, const hg_context *context, char *text,
                  size_t size)
{
    if (!context->gpu) {
        snprintf(text, size,
                 "replay: a CPU runs each operation at once, %.4g a step; "
                 "graphs are for GPUs",
                 launches_a_step(e));
        return;
    }
    snprintf(text, size,
             "replay: %llu of %llu steps were one graph, %.4g kernels a step",
             (unsigned long long)e->of[ONE_GRAPH], (unsigned long long)e->steps,
             launches_a_step(e));
    add_others(e, text, size);
}

json_t *explain_json(const explanation *e, const hg_context *context)
{
    static const char *const keys[] = {
#define EXPLAIN(name, key, text) key,
#include "apps/explain.def"
#undef EXPLAIN
    };
    json_t *object = json_pack(
        "{s:s, s:I, s:f}", "device", hg_context_device(context), "steps",
        (json_int_t)e->steps, "launches_per_step", launches_a_step(e));
    for (int i = 0; i < STEP_KINDS; i++)
        json_object_set_new(object, keys[i],
                            json_integer((json_int_t)e->of[i]));
    return object;
}
