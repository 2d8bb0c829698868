/* ema.c - an exponential moving average of weights (Polyak and Juditsky,
 * 1992): average = decay * average + (1 - decay) * weight. */
#include "nn/on_device.h"
#include "tensor/device.h"

#include <math.h>

struct hg_ema {
    hg_params *set;
    hg_real decay;
    bool swapped;
    int64_t count;
    struct {
        hg_tensor *weight;
        hg_tensor *average;
    } list[];
};

static int64_t weights_below(const hg_params *p)
{
    int64_t count = 0;
    hg_entries e = hg_entries_below(p);
    for (int64_t i = e.from; i < e.to; i++)
        count += !p->store->sorted[i]->buffer;
    return count;
}

static bool take_average(hg_ema *ema, hg_store *store, hg_tensor *weight)
{
    hg_tensor *average = hg_tensor_new(&store->owner, weight->shape, HG_REAL);
    if (!average || !hg_copy_values(average, weight))
        return false;
    ema->list[ema->count].weight = weight;
    ema->list[ema->count++].average = average;
    return true;
}

hg_ema *hg_ema_new(hg_params *p, hg_real decay)
{
    if (!hg_params_usable(p, "hg_ema_new"))
        return NULL;
    if (!(decay >= 0 && decay <= 1)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_ema_new: the decay %g is not between 0 and 1",
                (double)decay);
        return NULL;
    }
    hg_entries e = hg_entries_below(p);
    size_t row = sizeof((hg_ema *)NULL)->list[0];
    hg_ema *ema =
        hg_params_alloc(p, sizeof *ema + (size_t)weights_below(p) * row);
    if (!ema)
        return NULL;
    ema->set = p;
    ema->decay = decay;
    for (int64_t i = e.from; i < e.to; i++)
        if (!p->store->sorted[i]->buffer &&
            !take_average(ema, p->store, p->store->sorted[i]->tensor))
            return NULL;
    return ema;
}

typedef struct {
    const hg_real *weight;
    hg_real *average;
    hg_real decay;
} average_job;

static void average_range(void *argument, int64_t from, int64_t to)
{
    const average_job *j = argument;
    for (int64_t i = from; i < to; i++)
        j->average[i] += (1 - j->decay) * (j->weight[i] - j->average[i]);
}

static bool ema_usable(const hg_ema *ema, const char *who)
{
    if (hg_error())
        return false;
    return ema || hg_fail(HG_ERROR_ARGUMENT, "%s: the average is NULL", who);
}

static hg_rework_row row_of(const hg_ema *ema, int64_t i)
{
    hg_tensor *weight = ema->list[i].weight;
    return (hg_rework_row){hg_data(weight), NULL, hg_data(ema->list[i].average),
                           hg_numel(weight)};
}

bool hg_ema_update(hg_ema *ema)
{
    if (!ema_usable(ema, "hg_ema_update"))
        return false;
    if (ema->swapped)
        return hg_fail(HG_ERROR_STATE,
                       "hg_ema_update: the averages are in the weights' "
                       "place; call hg_ema_swap again first");
    if (ema->count != weights_below(ema->set))
        return hg_fail(HG_ERROR_STATE,
                       "hg_ema_update: parameters were added below \"%s\" "
                       "after hg_ema_new; call it after the last layer",
                       ema->set->prefix);
    hg_context *context = hg_params_context(ema->set);
    for (int64_t i = 0; i < ema->count; i++) {
        average_job job = {hg_data(ema->list[i].weight),
                           hg_data(ema->list[i].average), ema->decay};
        if (context->gpu) {
            hg_rework_row row = row_of(ema, i);
            if (!hg_rework_each(context, &row, 1, HG_REWORK_AVERAGE,
                                1 - ema->decay, (hg_real)INFINITY))
                return false;
            continue;
        }
        hg_parallel_for(context->threads, hg_numel(ema->list[i].weight),
                        1 << 15, average_range, &job);
    }
    return true;
}

/* Works while an error is pending: an evaluation that failed must not leave the
 * averages where the weights belong. */
void hg_ema_swap(hg_ema *ema)
{
    if (!ema) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_ema_swap: the average is NULL");
        return;
    }
    /* Where work queued earlier fails, what comes after it is lost. */
    (void)hg_flush(hg_params_context(ema->set));
    ema->swapped = !ema->swapped;
    for (int64_t i = 0; i < ema->count; i++) {
        hg_tensor *t = ema->list[i].weight;
        hg_context *context = t->storage->context;
        hg_real *w = hg_data(t), *average = hg_data(ema->list[i].average);
        hg_rework_row row = row_of(ema, i);
        if (context->gpu)
            hg_rework_each(context, &row, 1, HG_REWORK_SWAP, 0,
                           (hg_real)INFINITY);
        for (int64_t k = 0, n = hg_numel(t); !context->gpu && k < n; k++) {
            hg_real held = w[k];
            w[k] = average[k];
            average[k] = held;
        }
        t->storage->version++;
    }
}
