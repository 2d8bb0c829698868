/* step.c - one step of an optimiser, and hg_minimize around it. */
#include "nn/on_device.h"
#include "autograd/internal.h"

#include <math.h>
#include <string.h>

static bool optimizer_usable(const hg_optimizer *o, const char *who)
{
    if (hg_error())
        return false;
    return o || hg_fail(HG_ERROR_ARGUMENT,
                        "%s: the optimiser is NULL; see hg_error where it "
                        "was made",
                        who);
}

/* ---- Who takes part? ---------------------------------------------------- */

void hg_add_name(char *text, size_t size, const char *name, int count)
{
    size_t at = strlen(text);
    if (count < 8)
        snprintf(text + at, size - at, "%s%s", count ? ", " : "", name);
    else if (count == 8)
        snprintf(text + at, size - at, ", ...");
}

/* A parameter that came after the optimiser has no state in it. */
static bool fail_late(const hg_optimizer *o, uint64_t mark)
{
    char names[600] = "";
    int count = 0;
    for (int s = 0; s < o->set_count; s++) {
        hg_entries e = hg_entries_below(o->sets[s]);
        for (int64_t i = e.from; i < e.to; i++) {
            hg_entry *entry = o->sets[s]->store->sorted[i];
            if (entry->buffer || entry->mark == mark)
                continue;
            entry->mark = mark;
            hg_add_name(names, sizeof names, entry->path, count++);
        }
    }
    return !count ||
           hg_fail(HG_ERROR_STATE,
                   "%s: %s joined the set after this optimiser was made; "
                   "make optimisers after the last layer",
                   o->name, names);
}

static bool none_is_late(hg_optimizer *o)
{
    bool same = true;
    for (int s = 0; s < o->set_count; s++)
        same &= o->seen[s] == o->sets[s]->store->count;
    if (same)
        return true;
    uint64_t mark = ++o->owner.context->serial;
    for (int64_t i = 0; i < o->count; i++)
        o->spans[i].entry->mark = mark;
    if (!fail_late(o, mark))
        return false;
    for (int s = 0; s < o->set_count; s++)
        o->seen[s] = o->sets[s]->store->count;
    return true;
}

static void report_missing(hg_optimizer *o)
{
    char names[600] = "";
    int count = 0;
    for (int64_t i = 0; i < o->count; i++) {
        hg_span *span = &o->spans[i];
        const hg_tensor *t = span->entry->tensor;
        if (!t->wants_grad || t->grad || span->reported)
            continue;
        span->reported = true;
        hg_add_name(names, sizeof names, span->entry->path, count++);
    }
    if (count)
        hg_message(o->owner.context,
                   "%s: no gradient reached %s; left alone (is it used in the "
                   "loss? frozen parameters are not reported)",
                   o->name, names);
}

/* Work is counted in lines of 64 elements of one parameter, so that where it
 * is cut does not change which elements a vector loop does at a time. */
#define LINE  64
#define GRAIN 512

static int64_t gather(hg_optimizer *o)
{
    /* On a GPU the rate is multiplied in there. */
    bool here = !o->owner.context->gpu;
    double rate = here ? (double)*(const hg_real *)hg_data(o->rate) : 1;
    int64_t lines = 0;
    o->active_count = 0;
    for (int64_t i = 0; i < o->count; i++) {
        hg_span *span = &o->spans[i];
        hg_tensor *t = span->entry->tensor;
        if (!t->wants_grad || !t->grad)
            continue;
        span->g = hg_dense_gradient(t);
        span->first_line = lines;
        span->update = (hg_update){0};
        o->numbers(o, rate, ++span->steps, &span->update);
        lines += (hg_numel(t) + LINE - 1) / LINE;
        o->active[o->active_count++] = span;
    }
    return lines;
}

/* ---- The update --------------------------------------------------------- */

static void clip(hg_optimizer *o)
{
    hg_real bound = o->clip_value > 0 ? o->clip_value : (hg_real)INFINITY;
    hg_real scale = 1;
    if (o->clip_norm > 0) {
        double sum = 0;
        for (int64_t i = 0; i < o->active_count; i++)
            sum +=
                hg_sum_of_squares(o->owner.context, o->active[i]->g,
                                  hg_numel(o->active[i]->entry->tensor), bound);
        scale = hg_clip_factor((hg_real)sqrt(sum), o->clip_norm);
    }
    for (int64_t i = 0; i < o->active_count; i++) {
        o->active[i]->update.bound = bound;
        o->active[i]->update.scale = scale;
    }
}

/* Lines from ... to - 1 of one parameter. */
static void update_lines(const hg_optimizer *o, const hg_span *span,
                         int64_t from, int64_t to)
{
    const hg_tensor *t = span->entry->tensor;
    int64_t at = from * LINE, n = hg_numel(t);
    int64_t end = to * LINE < n ? to * LINE : n;
    hg_real *w = hg_data(t), *state[HG_MOST_STATES];
    for (int i = 0; i < HG_MOST_STATES; i++)
        state[i] = span->state[i] ? span->state[i] + at : NULL;
    hg_update_kernels(o->owner.context)
        ->update[o->kernel](w + at, span->g + at, state, end - at,
                            &span->update);
}

static void update_range(void *argument, int64_t from, int64_t to)
{
    const hg_optimizer *o = argument;
    int64_t low = 0, high = o->active_count; /* the last that begins by from */
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (o->active[middle]->first_line <= from)
            low = middle;
        else
            high = middle;
    }
    for (; from < to; low++) {
        const hg_span *span = o->active[low];
        int64_t n = hg_numel(span->entry->tensor), first = span->first_line;
        int64_t end = first + (n + LINE - 1) / LINE;
        end = end < to ? end : to;
        update_lines(o, span, from - first, end - first);
        from = end;
    }
}

static void update_here(hg_optimizer *o, int64_t lines)
{
    clip(o);
    hg_parallel_for(o->owner.context->threads, lines, GRAIN, update_range, o);
}

static void finish(hg_optimizer *o)
{
    for (int64_t i = 0; i < o->active_count; i++) {
        hg_tensor *t = o->active[i]->entry->tensor;
        t->storage->version++;
        if (!o->keep_gradients)
            hg_clear_gradient(t);
    }
    o->steps++;
}

/* On a GPU the parameters of all optimisers are updated in one launch. */
static bool step_all(hg_optimizer *const *list, int n)
{
    hg_optimizer *due[HG_MOST_OPTIMIZERS];
    int count = 0;
    for (int i = 0; i < n; i++) {
        report_missing(list[i]);
        if (list[i]->rounds > 1 && !hg_optimizer_round(list[i]))
            continue;
        int64_t lines = gather(list[i]);
        if (!list[i]->owner.context->gpu)
            update_here(list[i], lines);
        due[count++] = list[i];
    }
    bool there = count && due[0]->owner.context->gpu;
    if (there && !hg_optimizers_update_on_device(due, count))
        return false;
    for (int i = 0; i < count; i++)
        finish(due[i]);
    hg_undo_forget(list[0]->owner.context);
    return true;
}

bool hg_optimizer_step(hg_optimizer *o)
{
    return optimizer_usable(o, "hg_optimizer_step") && none_is_late(o) &&
           step_all(&o, 1);
}

/* ---- The one line of ordinary training ---------------------------------- */

/* The first step would consume the gradient that the second one needs. */
static bool mark_once(const hg_optimizer *o, uint64_t mark)
{
    for (int64_t i = 0; i < o->count; i++) {
        hg_entry *entry = o->spans[i].entry;
        if (entry->mark == mark)
            return hg_fail(HG_ERROR_ARGUMENT,
                           "hg_minimize: %s belongs to two of the optimisers, "
                           "the second is %s; give each a loss of its own",
                           entry->path, o->name);
        entry->mark = mark;
    }
    return true;
}

static bool optimizer_is_of(const hg_optimizer *o, const hg_tensor *loss)
{
    return o->owner.context == loss->storage->context ||
           hg_fail(HG_ERROR_ARGUMENT,
                   "hg_minimize: %s belongs to another context than the loss",
                   o->name);
}

bool hg_minimize_n(hg_tensor *loss, hg_optimizer *const *list, int n)
{
    if (!hg_usable(loss, "hg_minimize: the loss"))
        return false;
    if (n < 1 || n > HG_MOST_OPTIMIZERS)
        return hg_fail(HG_ERROR_ARGUMENT,
                       n < 1 ? "hg_minimize: no optimiser is given"
                             : "hg_minimize: %d optimisers are given; %d at "
                               "most go together",
                       n, HG_MOST_OPTIMIZERS);
    for (int i = 0; i < n; i++)
        if (!optimizer_usable(list[i], "hg_minimize") ||
            !none_is_late(list[i]) || !optimizer_is_of(list[i], loss))
            return false;
    uint64_t mark = ++list[0]->owner.context->serial;
    for (int i = 0; i < n; i++)
        if (!mark_once(list[i], mark))
            return false;
    char who[200] = "hg_minimize: ";
    for (int i = 0; i < n; i++) {
        hg_optimizer_zero_grad(list[i]);
        hg_add_name(who, sizeof who, list[i]->name, i);
    }
    return hg_backward_among(loss, &(hg_leaves){hg_is_marked, &mark, who}) &&
           step_all(list, n);
}

/* ---- Settings ----------------------------------------------------------- */

hg_tensor *hg_optimizer_rate(hg_optimizer *o)
{
    return optimizer_usable(o, "hg_optimizer_rate") ? o->rate : NULL;
}

const char *hg_optimizer_name(const hg_optimizer *o)
{
    return o ? o->name : NULL;
}

int64_t hg_optimizer_steps(const hg_optimizer *o)
{
    return o ? o->steps : 0;
}

void hg_optimizer_zero_grad(hg_optimizer *o)
{
    for (int64_t i = 0; o && i < o->count; i++)
        hg_clear_gradient(o->spans[i].entry->tensor);
}

void hg_optimizer_clip_norm(hg_optimizer *o, hg_real most)
{
    if (optimizer_usable(o, "hg_optimizer_clip_norm"))
        o->clip_norm = most;
}

void hg_optimizer_clip_value(hg_optimizer *o, hg_real most)
{
    if (optimizer_usable(o, "hg_optimizer_clip_value"))
        o->clip_value = most;
}
