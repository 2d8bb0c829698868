/* accumulate.c - one update from the gradients of several rounds. */
#include "nn/on_device.h"
#include "autograd/internal.h"

#include <math.h>
#include <string.h>

bool hg_optimizer_accumulate(hg_optimizer *o, int rounds)
{
    if (hg_error())
        return false;
    if (!o || rounds < 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_optimizer_accumulate: %d rounds; an optimiser and "
                       "at least one round are needed",
                       rounds);
    for (int64_t i = 0; rounds > 1 && i < o->count; i++) {
        hg_span *span = &o->spans[i];
        size_t size = (size_t)hg_numel(span->entry->tensor) * sizeof(hg_real);
        hg_real **sum = &span->state[HG_ACCUMULATED];
        if (!*sum && !(*sum = hg_region_take(&o->moments, size)))
            return false;
        if (!hg_zero_values(o->owner.context, *sum, size))
            return false;
    }
    for (int64_t i = 0; i < o->count; i++)
        o->spans[i].waiting = 0;
    o->state_name[HG_ACCUMULATED] = rounds > 1 ? "accumulated" : NULL;
    o->rounds = rounds;
    o->round = 0;
    return true;
}

typedef struct {
    const hg_real *g;
    hg_real *sum, scale;
} addition;

static void add_range(void *argument, int64_t from, int64_t to)
{
    const addition *a = argument;
    for (int64_t i = from; i < to; i++)
        a->sum[i] += a->scale * a->g[i];
}

static void add(hg_context *context, hg_span *span, hg_real scale)
{
    hg_tensor *t = span->entry->tensor;
    hg_real *sum = span->state[HG_ACCUMULATED];
    addition a = {hg_dense_gradient(t), sum, scale};
    if (context->gpu)
        hg_rework_each(context, &(hg_rework_row){sum, a.g, NULL, hg_numel(t)},
                       1, HG_REWORK_ADD, scale, (hg_real)INFINITY);
    else
        hg_parallel_for(context->threads, hg_numel(t), 1 << 15, add_range, &a);
}

/* The sum takes the place of the leaf's gradient and begins afresh. */
static void hand_over(hg_context *context, hg_span *span)
{
    hg_tensor *leaf = span->entry->tensor;
    hg_tensor *home = hg_block_of(leaf)->grad_home;
    size_t size = (size_t)hg_numel(leaf) * sizeof(hg_real);
    if (context->gpu)
        hg_device_copy(context, hg_data(home), span->state[HG_ACCUMULATED],
                       size);
    else
        memcpy(hg_data(home), span->state[HG_ACCUMULATED], size);
    hg_zero_values(context, span->state[HG_ACCUMULATED], size);
    home->storage->version++;
    hg_clear_gradient(leaf);
    leaf->grad = home;
    span->waiting = 0;
}

bool hg_optimizer_round(hg_optimizer *o)
{
    bool due = ++o->round >= o->rounds;
    for (int64_t i = 0; i < o->count; i++) {
        hg_span *span = &o->spans[i];
        hg_tensor *t = span->entry->tensor;
        if (t->wants_grad && t->grad) {
            add(o->owner.context, span, 1 / (hg_real)o->rounds);
            span->waiting = 1;
        }
        if (due && span->waiting)
            hand_over(o->owner.context, span);
        else if (!o->keep_gradients)
            hg_clear_gradient(t);
    }
    if (due)
        o->round = 0;
    return due;
}
