/* on_device.c - optimisers, clipping and averaging of a context with a GPU:
 * rows of a table that one launch works through. The host neither reads
 * gradients nor waits. */
#include "nn/on_device.h"

#include <math.h>

static bool (*const update)(hg_context *, const hg_update_there *,
                            int) = HG_CUDA(hg_update_on_device);
static bool (*const norm_into)(hg_context *, const hg_update_there *, int,
                               hg_real most,
                               hg_real *out) = HG_CUDA(hg_norm_on_device);
static bool (*const rework)(hg_context *, const hg_update_there *, int,
                            hg_rework_kind,
                            hg_real a) = HG_CUDA(hg_rework_on_device);

/* A table is queued whenever it is full. */
typedef struct {
    hg_context *context;
    int count;
    int64_t blocks;
    hg_update_there row[HG_MOST_ROWS];
} table;

static hg_update_there *add(table *t, hg_real *w, const hg_real *g, int64_t n)
{
    hg_update_there *row = &t->row[t->count++];
    *row = (hg_update_there){.w = w, .g = g, .n = n, .first_block = t->blocks};
    row->update.bound = (hg_real)INFINITY;
    row->update.scale = 1;
    t->blocks += (n + HG_UPDATE_PER_BLOCK - 1) / HG_UPDATE_PER_BLOCK;
    return row;
}

static void clear(table *t)
{
    t->count = 0;
    t->blocks = 0;
}

static bool is_full(const table *t)
{
    return t->count == HG_MOST_ROWS;
}

/* ---- Optimisers --------------------------------------------------------- */

static void add_span(table *t, const hg_optimizer *o, const hg_span *span,
                     const hg_real *norm)
{
    hg_tensor *p = span->entry->tensor;
    hg_update_there *row = add(t, hg_data(p), span->g, hg_numel(p));
    for (int i = 0; i < HG_MOST_STATES; i++)
        row->state[i] = span->state[i];
    row->kernel = o->kernel;
    row->rate = hg_data(o->rate);
    row->norm = norm;
    row->update = span->update;
    row->update.bound = o->clip_value > 0 ? o->clip_value : (hg_real)INFINITY;
    row->update.scale = 1;
    row->shrink = o->decoupled ? (hg_real)o->decay : 0;
}

/* More parameters than a table holds are no reason to clip them apart. */
static bool norm_of(table *t, hg_optimizer *o, const hg_real **norm)
{
    *norm = NULL;
    if (o->clip_norm <= 0 || !o->active_count)
        return true;
    if (o->active_count > HG_MOST_ROWS)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: the joint norm of %lld parameters cannot be "
                       "clipped on a GPU, %d at most",
                       o->name, (long long)o->active_count, HG_MOST_ROWS);
    clear(t);
    for (int64_t i = 0; i < o->active_count; i++)
        add_span(t, o, o->active[i], NULL);
    *norm = hg_data(o->norm);
    return norm_into(t->context, t->row, t->count, o->clip_norm,
                     hg_data(o->norm));
}

bool hg_optimizers_update_on_device(hg_optimizer *const *list, int n)
{
    table t = {.context = list[0]->owner.context};
    const hg_real *norm[HG_MOST_OPTIMIZERS];
    for (int i = 0; i < n; i++)
        if (!norm_of(&t, list[i], &norm[i]))
            return false;
    clear(&t);
    for (int i = 0; i < n; i++)
        for (int64_t j = 0; j < list[i]->active_count; j++) {
            if (is_full(&t)) {
                if (!update(t.context, t.row, t.count))
                    return false;
                clear(&t);
            }
            add_span(&t, list[i], list[i]->active[j], norm[i]);
        }
    return !t.count || update(t.context, t.row, t.count);
}

/* ---- Other work on sets ------------------------------------------------- */

bool hg_rework_each(hg_context *context, const hg_rework_row *rows, int64_t n,
                    hg_rework_kind kind, hg_real a, hg_real bound)
{
    table t = {.context = context};
    for (int64_t i = 0; i < n; i++) {
        hg_update_there *row = add(&t, rows[i].w, rows[i].g, rows[i].n);
        row->state[0] = rows[i].average;
        row->update.bound = bound;
        row->update.scale = a;
        if (i < n - 1 && !is_full(&t))
            continue;
        if (!rework(context, t.row, t.count, kind, a))
            return false;
        clear(&t);
    }
    return true;
}

double hg_squares_on_device(hg_context *context, const hg_real *g, int64_t n,
                            hg_real most)
{
    table t = {.context = context};
    hg_real norm = 0;
    add(&t, NULL, g, n)->update.bound = most;
    hg_region r = {.context = context, .there = true};
    hg_real *there = hg_region_take(&r, sizeof norm);
    bool ok = there && norm_into(context, t.row, 1, 0, there) &&
              hg_device_download(context, &norm, there, sizeof norm);
    hg_region_free(&r);
    return ok ? (double)norm * (double)norm : 0;
}
