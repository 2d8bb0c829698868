/* select.c - chosen items of a set as a set of their own, without a copy. */
#include "datasets/internal.h"

#include <stdio.h>
#include <string.h>

hg_data *hg_data_select(hg_data *of, const int64_t *rows, int64_t count)
{
    if (hg_error())
        return NULL;
    if (!of || (!rows && count) || count < 0) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_data_select: the %s missing",
                of ? "rows are" : "data set is");
        return NULL;
    }
    hg_data *data = hg_data_new(of->context, of->name);
    if (!data)
        return NULL;
    hg_data_share(data, of);
    int32_t *order =
        hg_region_take(&data->region, (size_t)count * sizeof *order + 1);
    for (int64_t i = 0; order && i < count; i++) {
        int64_t at = hg_data_source_row(of, rows[i]);
        if (at < 0)
            hg_fail(HG_ERROR_ARGUMENT,
                    "hg_data_select: row %lld; %s has %lld items",
                    (long long)rows[i], of->name, (long long)of->size);
        order[i] = (int32_t)at;
    }
    data->order = order;
    data->hash = NULL;
    data->first = 0;
    data->size = count;
    data->permuted = false;
    data->is_split = true;
    return hg_error() ? NULL : data;
}

static bool is_usable(const hg_data *of, const char *who)
{
    if (hg_error())
        return false;
    return of || hg_fail(HG_ERROR_ARGUMENT, "%s: the data set is NULL", who);
}

/* Not every n-th: sets have periods (MNIST's labels begin 5 0 4 1 9 2 1 3 ...:
 * every second one counts up, and other things repeat with it). */
static hg_data *choose_evenly(hg_data *of, int64_t count)
{
    hg_philox random = hg_philox_make(0, HG_DOMAIN_DATA, HG_SPREAD_STREAM);
    int64_t n = hg_data_size(of);
    size_t size = (size_t)count * sizeof(int64_t) + 1;
    int64_t *rows = hg_memory_allocate(of->context, size);
    for (int64_t i = 0; rows && i < count; i++) {
        int64_t low = i * n / count, high = (i + 1) * n / count;
        uint32_t word = hg_philox_word(&random, (uint64_t)i);
        rows[i] = low + (int64_t)word % (high - low);
    }
    hg_data *data = rows ? hg_data_select(of, rows, count) : NULL;
    if (rows)
        hg_memory_release(of->context, rows, size);
    return data;
}

hg_data *hg_data_spread(hg_data *of, int64_t count)
{
    char name[sizeof of->name];
    int64_t n = hg_data_size(of);
    if (!is_usable(of, "hg_data_spread"))
        return NULL;
    bool all = count < 1 || count >= n;
    if (all && !hg_transforms_augment(&of->transforms))
        return of;
    count = all ? n : count;
    snprintf(name, sizeof name, "%.30s/%lld spread", of->name,
             (long long)count);
    for (hg_data *s = of->splits; s; s = s->next)
        if (!strcmp(s->name, name))
            return s;
    hg_data *data = choose_evenly(of, count);
    if (!data)
        return NULL;
    memcpy(data->name, name, sizeof name);
    hg_transforms_keep_defining(&data->transforms);
    data->next = of->splits;
    of->splits = data;
    return data;
}

hg_data *hg_data_class(hg_data *of, int32_t label, bool others)
{
    int64_t n = hg_data_size(of), count = 0;
    if (!is_usable(of, "hg_data_class"))
        return NULL;
    size_t size = (size_t)n * sizeof(int64_t) + 1;
    int64_t *rows = hg_memory_allocate(of->context, size);
    for (int64_t i = 0; rows && i < n; i++)
        if ((hg_data_label(of, i) == label) != others)
            rows[count++] = i;
    hg_data *data = rows ? hg_data_select(of, rows, count) : NULL;
    if (rows)
        hg_memory_release(of->context, rows, size);
    return data;
}
