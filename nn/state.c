/* state.c - stores and optimisers as the entries of a safetensors file. */
#include "nn/optimizer.h"
#include "nn/safetensors.h"
#include "tensor/device.h"

#include <math.h>
#include <string.h>

/* ---- Values on a device ------------------------------------------------- */

static size_t bytes_of(const hg_record *r)
{
    return (size_t)hg_shape_numel(r->shape) * sizeof(hg_real);
}

/* Files are written from, and read into, copies on the host. */
static bool fetch(hg_region *r, hg_record *list, int64_t n)
{
    for (int64_t i = 0; r->context->gpu && i < n; i++) {
        if (list[i].kind == HG_RECORD_COUNT)
            continue;
        list[i].there = list[i].data;
        list[i].data = hg_region_take(r, bytes_of(&list[i]));
        if (!list[i].data ||
            !hg_device_download(r->context, list[i].data, list[i].there,
                                bytes_of(&list[i])))
            return false;
    }
    return true;
}

static bool send_back(hg_context *context, const hg_record *list, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (list[i].there &&
            !hg_device_upload(context, list[i].there, list[i].data,
                              bytes_of(&list[i])))
            return false;
    return true;
}

/* ---- Stores ------------------------------------------------------------- */

static hg_record *records_of(hg_region *r, const hg_params *p, int64_t *n)
{
    hg_entries e = hg_entries_below(p);
    *n = e.to - e.from;
    hg_record *list = hg_region_take(r, (size_t)*n * sizeof *list);
    for (int64_t i = 0; list && i < *n; i++) {
        const hg_entry *entry = p->store->sorted[e.from + i];
        list[i] = (hg_record){.name = entry->path + p->length,
                              .shape = entry->tensor->shape,
                              .kind = entry->tensor->dtype == HG_INT32
                                          ? HG_RECORD_COUNTER
                                          : HG_RECORD_REAL,
                              .data = hg_data(entry->tensor),
                              .tensor = entry->tensor};
    }
    return list;
}

static bool given(const void *object, const char *file, const char *who)
{
    return (object && file && file[0]) ||
           hg_fail(HG_ERROR_ARGUMENT, "%s: the %s is NULL", who,
                   object ? "file's name" : "first argument");
}

/* Saving works while an error is pending. */
bool hg_params_save_with(const hg_params *p, const char *file,
                         const char *const *metadata)
{
    if (!given(p, file, "hg_params_save"))
        return false;
    hg_region r = {.context = p->store->owner.context};
    int64_t n;
    hg_record *list = records_of(&r, p, &n);
    bool ok = list && fetch(&r, list, n) &&
              hg_records_save(r.context, list, n, file, metadata);
    hg_region_free(&r);
    return ok;
}

bool hg_params_save(const hg_params *p, const char *file)
{
    return hg_params_save_with(p, file, NULL);
}

static int64_t load(hg_params *p, const char *file, bool matching)
{
    if (!hg_params_usable(p, "hg_params_load") ||
        !given(p, file, "hg_params_load"))
        return -1;
    hg_region r = {.context = p->store->owner.context};
    int64_t n;
    hg_record *list = records_of(&r, p, &n);
    int64_t read = list && fetch(&r, list, n)
                       ? hg_records_load(r.context, list, n, file, matching)
                       : -1;
    if (read > 0 && !send_back(r.context, list, n))
        read = -1;
    hg_region_free(&r);
    return read;
}

bool hg_params_load(hg_params *p, const char *file)
{
    return load(p, file, false) >= 0;
}

int64_t hg_params_load_matching(hg_params *p, const char *file)
{
    return load(p, file, true);
}

/* ---- Optimisers --------------------------------------------------------- */

/* "optimiser/path.state" */
static const char *state_name(hg_region *r, const hg_optimizer *o,
                              const char *path, const char *state)
{
    const char *dot = path[0] ? "." : "";
    size_t size = strlen(o->name) + strlen(path) + strlen(state) + 3;
    char *text = hg_region_take(r, size);
    if (text)
        snprintf(text, size, "%s/%s%s%s", o->name, path, dot, state);
    return text;
}

/* All records of one optimiser: its rate, its count of steps, and for every
 * parameter the count and the moments. */
static bool add_records(hg_region *r, hg_optimizer *o, hg_record *list,
                        int64_t *n)
{
    list[(*n)++] = (hg_record){.name = state_name(r, o, "", "rate"),
                               .data = hg_data(o->rate),
                               .tensor = o->rate};
    list[(*n)++] = (hg_record){.name = state_name(r, o, "", "steps"),
                               .kind = HG_RECORD_COUNT,
                               .data = &o->steps};
    if (o->rounds > 1)
        list[(*n)++] = (hg_record){.name = state_name(r, o, "", "round"),
                                   .kind = HG_RECORD_COUNT,
                                   .data = &o->round};
    for (int64_t i = 0; i < o->count; i++) {
        hg_span *span = &o->spans[i];
        const char *path = span->entry->path;
        list[(*n)++] = (hg_record){.name = state_name(r, o, path, "step"),
                                   .kind = HG_RECORD_COUNT,
                                   .data = &span->steps};
        if (o->rounds > 1)
            list[(*n)++] =
                (hg_record){.name = state_name(r, o, path, "waiting"),
                            .kind = HG_RECORD_COUNT,
                            .data = &span->waiting,
                            .optional = true};
        for (int s = 0; s < HG_MOST_STATES; s++)
            if (o->state_name[s])
                list[(*n)++] = (hg_record){
                    .name = state_name(r, o, path, o->state_name[s]),
                    .shape = span->entry->tensor->shape,
                    .data = span->state[s]};
    }
    for (int64_t i = 0; i < *n; i++)
        if (!list[i].name)
            return false;
    return true;
}

static bool optimizers_usable(hg_optimizer *const *list, int n, const char *who)
{
    for (int i = 0; i < n; i++) {
        if (!list[i])
            return hg_fail(HG_ERROR_ARGUMENT, "%s: optimiser %d is NULL", who,
                           i);
        if (list[i]->owner.context != list[0]->owner.context)
            return hg_fail(HG_ERROR_ARGUMENT,
                           "%s: %s belongs to another context than %s; take "
                           "one file a context",
                           who, list[i]->name, list[0]->name);
        for (int k = 0; k < i; k++)
            if (!strcmp(list[i]->name, list[k]->name))
                return hg_fail(HG_ERROR_ARGUMENT,
                               "%s: two optimisers are called \"%s\"; the "
                               "name tells their states apart",
                               who, list[i]->name);
    }
    return n > 0 ||
           hg_fail(HG_ERROR_ARGUMENT, "%s: no optimiser is given", who);
}

static hg_record *optimizer_records(hg_region *r, hg_optimizer *const *list,
                                    int n, int64_t *count)
{
    int64_t most = 0;
    for (int i = 0; i < n; i++)
        most += 3 + list[i]->count * (2 + HG_MOST_STATES);
    hg_record *records = hg_region_take(r, (size_t)most * sizeof *records);
    *count = 0;
    for (int i = 0; records && i < n; i++)
        if (!add_records(r, list[i], records, count))
            return NULL;
    return records;
}

bool hg_optimizers_save(hg_optimizer *const *list, int n, const char *file)
{
    if (!given(list, file, "hg_optimizers_save") ||
        !optimizers_usable(list, n, "hg_optimizers_save"))
        return false;
    hg_region r = {.context = list[0]->owner.context};
    int64_t count;
    hg_record *records = optimizer_records(&r, list, n, &count);
    bool ok = records && fetch(&r, records, count) &&
              hg_records_save(r.context, records, count, file, NULL);
    hg_region_free(&r);
    return ok;
}

/* Files of before it was saved do not say whose sums wait for an update; those
 * that are not 0 do. */
static bool settle_waiting(hg_optimizer *o)
{
    for (int64_t i = 0; i < o->count; i++) {
        hg_span *span = &o->spans[i];
        if (span->waiting >= 0)
            continue;
        span->waiting =
            hg_sum_of_squares(o->owner.context, span->state[HG_ACCUMULATED],
                              hg_numel(span->entry->tensor),
                              (hg_real)INFINITY) != 0;
    }
    return !hg_error();
}

bool hg_optimizers_load(hg_optimizer *const *list, int n, const char *file)
{
    if (hg_error() || !given(list, file, "hg_optimizers_load") ||
        !optimizers_usable(list, n, "hg_optimizers_load"))
        return false;
    hg_region r = {.context = list[0]->owner.context};
    int64_t count;
    hg_record *records = optimizer_records(&r, list, n, &count);
    bool ok = records && fetch(&r, records, count) &&
              hg_records_load(r.context, records, count, file, false) >= 0 &&
              send_back(r.context, records, count);
    for (int i = 0; ok && i < n; i++)
        ok = settle_waiting(list[i]);
    hg_region_free(&r);
    return ok;
}
