/* accumulate.c - one update from the gradients of several rounds. */
#include "nn/optimizer.h"
#include "autograd/internal.h"

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
        size_t n = (size_t)hg_numel(span->entry->tensor);
        if (!span->state[HG_ACCUMULATED])
            span->state[HG_ACCUMULATED] =
                hg_region_take_zeroed(&o->moments, n * sizeof(hg_real));
        if (!span->state[HG_ACCUMULATED])
            return false;
    }
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

/* The sum takes the place of the leaf's gradient and begins afresh. */
static void hand_over(hg_span *span)
{
    hg_tensor *leaf = span->entry->tensor;
    hg_tensor *home = hg_block_of(leaf)->grad_home;
    size_t size = (size_t)hg_numel(leaf) * sizeof(hg_real);
    memcpy(hg_data(home), span->state[HG_ACCUMULATED], size);
    memset(span->state[HG_ACCUMULATED], 0, size);
    home->storage->version++;
    hg_clear_gradient(leaf);
    leaf->grad = home;
    span->waiting = false;
}

bool hg_optimizer_round(hg_optimizer *o)
{
    bool due = ++o->round >= o->rounds;
    for (int64_t i = 0; i < o->count; i++) {
        hg_span *span = &o->spans[i];
        hg_tensor *t = span->entry->tensor;
        if (t->wants_grad && t->grad) {
            addition a = {hg_dense_gradient(t), span->state[HG_ACCUMULATED],
                          1 / (hg_real)o->rounds};
            hg_parallel_for(o->owner.context->threads, hg_numel(t), 1 << 15,
                            add_range, &a);
            span->waiting = true;
        }
        if (due && span->waiting)
            hand_over(span);
        else if (!o->keep_gradients)
            hg_clear_gradient(t);
    }
    if (due)
        o->round = 0;
    return due;
}
