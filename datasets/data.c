/* data.c - what a data set is: arrays, splits, accessors. The readers are in
 * idx.c and mnist.c, the checks in check.c, the batches in loader.c. */
#include "datasets/named.h"
#include "datasets/on_device.h"
#include "tensor/random.h"

#include <math.h>
#include <string.h>

/* ---- Memory ------------------------------------------------------------- */

size_t hg_value_size(hg_data_kind kind)
{
    static const size_t size[] = {1, sizeof(float), sizeof(double)};
    return size[kind];
}

void hg_data_clear(hg_data *data)
{
    hg_data_leave_device(data->context, data->values);
    hg_data_leave_device(data->context, data->labels);
    hg_data_leave_device(data->context, data->order);
    hg_data_leave_device(data->context, data->transforms.quantile);
    hg_pack_close(data);
    hg_memory_release(data->context, data->own_values, data->value_bytes);
    hg_memory_release(data->context, data->own_labels, data->label_bytes);
    data->own_values = data->own_labels = NULL;
    data->values = NULL;
    data->labels = NULL;
    hg_region_free(&data->region);
    data->hash = NULL;
    data->order = NULL;
    data->names = data->class_names = NULL;
    data->named_classes = 0;
}

static void destroy(void *object)
{
    hg_data *data = object;
    hg_data_clear(data);
    hg_memory_release(data->context, data, sizeof *data);
}

hg_data *hg_data_new(hg_context *context, const char *name)
{
    hg_data *data = hg_memory_allocate(context, sizeof *data);
    if (!data)
        return NULL;
    memset(data, 0, sizeof *data);
    data->context = context;
    data->region.context = context;
    snprintf(data->name, sizeof data->name, "%s", name);
    if (!hg_context_own(context, data, destroy)) {
        hg_memory_release(context, data, sizeof *data);
        return NULL;
    }
    return data;
}

void hg_data_set_shape(hg_data *data, hg_shape item, int64_t rows,
                       hg_data_kind kind)
{
    data->item = item;
    data->features = hg_shape_numel(item);
    data->rows = data->size = rows;
    data->kind = kind;
}

void *hg_data_room(hg_data *data, hg_shape item, int64_t rows,
                   hg_data_kind kind)
{
    hg_data_set_shape(data, item, rows, kind);
    size_t bytes = (size_t)(rows * data->features) * hg_value_size(kind);
    if (!bytes)
        bytes = 1; /* an empty set has an array too */
    data->own_values = hg_memory_allocate(data->context, bytes);
    data->values = data->own_values;
    data->value_bytes = bytes;
    return data->own_values;
}

int32_t *hg_data_label_room(hg_data *data)
{
    size_t bytes = (size_t)(data->rows + !data->rows) * sizeof(int32_t);
    data->own_labels = hg_memory_allocate(data->context, bytes);
    data->labels = data->own_labels;
    data->label_bytes = bytes;
    return data->own_labels;
}

void hg_data_share(hg_data *data, const hg_data *of)
{
    char name[sizeof data->name];
    memcpy(name, data->name, sizeof name);
    *data = *of;
    memcpy(data->name, name, sizeof name);
    data->own_values = data->own_labels = NULL;
    data->mapping = NULL;
    data->region = (hg_region){.context = of->context};
    data->test = data->splits = data->next = NULL;
}

/* ---- Opening by name ---------------------------------------------------- */

static hg_data *finished(hg_data *data, hg_data_options options)
{
    if (!data)
        return NULL;
    if (hg_data_finish(data, options) &&
        hg_transforms_parse(&data->transforms, &data->region,
                            options.transform)) {
        if (data->test)
            data->test->transforms = data->transforms;
        return data;
    }
    hg_data_clear(data);
    if (data->test)
        hg_data_clear(data->test);
    return NULL;
}

hg_data *hg_data_open(hg_context *context, const char *name,
                      hg_data_options options)
{
    if (!hg_context_usable(context, "hg_data_open"))
        return NULL;
    if (!name || !name[0]) {
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_data_open: no name was given; use mnist, synthetic or a "
                "path such as ./folder");
        return NULL;
    }
    hg_data *data = NULL;
    if (strchr(name, '/'))
        data = hg_data_open_path(context, name, &options);
    else if (hg_named_find(name))
        data = hg_named_open(context, hg_named_find(name), &options);
    else if (!strcmp(name, "synthetic") || !strncmp(name, "synthetic:", 10))
        data = hg_data_open_synthetic(context, name);
    else if (hg_data_is_points(name))
        data = hg_data_open_points(context, name);
    else
        hg_fail(HG_ERROR_DATA,
                "data set %s is not known; names are mnist, fashion-mnist, "
                "binarized-mnist, cifar10, synthetic[:N], moons, "
                "rings, swiss-roll and mixture, and a path has a "
                "slash in it: ./%s",
                name, name);
    return finished(data, options);
}

/* ---- Arrays of the user's ----------------------------------------------- */

static bool parse_kind(const char *dtype, hg_data_kind *kind)
{
    static const char *const known[] = {"u1", "f4", "f8"};
    for (int i = 0; dtype && i < 3; i++)
        if (!strcmp(dtype, known[i])) {
            *kind = (hg_data_kind)i;
            return true;
        }
    return hg_fail(HG_ERROR_ARGUMENT,
                   "hg_data_from: dtype %s is not known; use u1, f4 or f8",
                   dtype ? dtype : "NULL");
}

/* [n, f], [n, h, w] or [n, c, h, w] into the item's [c, h, w]. */
static bool parse_shape(hg_shape shape, hg_shape *item)
{
    *item = (hg_shape){3, {1, 1, 1}};
    bool good = shape.rank >= 2 && shape.rank <= 4 && shape.dim[0] >= 0 &&
                shape.dim[0] <= INT32_MAX;
    int64_t features = 1;
    for (int i = 1; good && i < shape.rank; i++) {
        int64_t n = shape.dim[i];
        good = n > 0 && n <= INT32_MAX / features;
        features *= good ? n : 1;
        item->dim[3 - shape.rank + i] = n;
    }
    if (good && shape.dim[0] <= PTRDIFF_MAX / 8 / features)
        return true;
    if (shape.rank < 0 || shape.rank > HG_MAX_RANK)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_data_from: rank %d; use [n, features], [n, h, w] "
                       "or [n, c, h, w]",
                       shape.rank);
    return hg_fail(HG_ERROR_SHAPE,
                   "hg_data_from: %s is no data set; use [n, features], "
                   "[n, h, w] or [n, c, h, w], with n and the features of an "
                   "item at most %d, and all of it in the address space",
                   HG_SHAPE_TEXT(shape), INT32_MAX);
}

static bool copy_arrays(hg_data *data, const void *x, const int32_t *labels)
{
    if (!hg_data_room(data, data->item, data->rows, data->kind))
        return false;
    data->labels = NULL;
    if (labels && !hg_data_label_room(data))
        return false;
    if (!data->rows)
        return true;
    memcpy(data->own_values, x, data->value_bytes);
    if (labels)
        memcpy(data->own_labels, labels, data->label_bytes);
    return true;
}

hg_data *hg_data_from(hg_context *context, const void *x, const char *dtype,
                      hg_shape shape, const int32_t *labels,
                      hg_data_options options)
{
    hg_data_kind kind = HG_BYTES;
    hg_shape item;
    if (!hg_context_usable(context, "hg_data_from") ||
        !parse_kind(dtype, &kind) || !parse_shape(shape, &item))
        return NULL;
    if (!x && shape.dim[0]) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_data_from: the array is NULL");
        return NULL;
    }
    hg_data *data = hg_data_new(context, "array");
    if (!data)
        return NULL;
    hg_data_set_shape(data, item, shape.dim[0], kind);
    data->values = x;
    data->labels = labels;
    if (!options.borrow && !copy_arrays(data, x, labels)) {
        hg_data_clear(data);
        return NULL;
    }
    return finished(data, options);
}

/* ---- Splits ------------------------------------------------------------- */

/* A second set over the same arrays; they live as long as the context. Asked
 * for again it is the same one. */
static hg_data *window(hg_data *of, const char *part, int64_t first,
                       int64_t size, bool permuted)
{
    char name[sizeof of->name];
    snprintf(name, sizeof name, "%.50s/%s", of->name, part);
    for (hg_data *s = of->splits; s; s = s->next)
        if (!strcmp(s->name, name) && s->first == first && s->size == size &&
            s->permuted == permuted)
            return s;
    hg_data *data = hg_data_new(of->context, of->name);
    if (!data)
        return NULL;
    hg_data_share(data, of);
    memcpy(data->name, name, sizeof name);
    data->first = first;
    data->size = size;
    data->permuted = permuted;
    if (permuted)
        data->split = hg_permutation_of(of->context->control.seed,
                                        HG_SPLIT_STREAM, of->rows);
    data->is_split = true;
    if (strcmp(part, "train"))
        hg_transforms_keep_defining(&data->transforms);
    data->next = of->splits;
    of->splits = data;
    return data;
}

static hg_data *test_part(hg_data *data)
{
    if (!data->test)
        hg_fail(HG_ERROR_DATA,
                "%s has no test part; use its val part, or open the test "
                "items as a set of their own",
                data->name);
    hg_data *test = data->test;
    return test ? window(test, "test", test->first, test->size, false) : NULL;
}

static bool can_split(const hg_data *data, const char *part, double fraction)
{
    if (hg_error())
        return false;
    if (!data || !part)
        return hg_fail(HG_ERROR_ARGUMENT, "hg_data_split: the %s is NULL",
                       data ? "part" : "data set");
    if (data->is_split)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_data_split: %s is a split already; split the set "
                       "that was opened",
                       data->name);
    if (!(fraction >= 0 && fraction < 1))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_data_split: the val fraction is %g; it must be at "
                       "least 0 and below 1",
                       fraction);
    return true;
}

hg_data *hg_data_split(hg_data *data, const char *part, double val_fraction)
{
    if (!can_split(data, part, val_fraction))
        return NULL;
    int64_t held = data->held, count = data->rows - held;
    bool hashed = data->order != NULL;
    int64_t val = hashed ? hg_data_hashed_val(data, val_fraction)
                         : (int64_t)floor((double)count * val_fraction + 0.5);
    if (!strcmp(part, "train"))
        return window(data, part, held + val, count - val, !hashed && val > 0);
    if (!strcmp(part, "val"))
        return window(data, part, held, val, !hashed);
    if (!strcmp(part, "test"))
        return test_part(data);
    hg_fail(HG_ERROR_ARGUMENT,
            "hg_data_split: part %s is not known; use train, val or test",
            part);
    return NULL;
}

/* ---- Looking at a set --------------------------------------------------- */

hg_context *hg_data_context(const hg_data *data)
{
    return data ? data->context : NULL;
}

int64_t hg_data_size(const hg_data *data)
{
    return data ? data->size : 0;
}

hg_shape hg_data_shape(const hg_data *data)
{
    return data ? data->item : (hg_shape){3, {0}};
}

int64_t hg_data_features(const hg_data *data)
{
    return data ? data->features : 0;
}

int hg_data_classes(const hg_data *data)
{
    return data ? data->classes : 0;
}

const char *hg_data_name(const hg_data *data)
{
    return data ? data->name : "";
}

int64_t hg_data_source_row(const hg_data *data, int64_t row)
{
    if (!data || row < 0 || row >= data->size)
        return -1;
    if (data->order)
        return data->order[data->first + row];
    if (!data->permuted)
        return data->first + row;
    return hg_permutation_at(&data->split, data->first + row);
}

int32_t hg_data_label(const hg_data *data, int64_t row)
{
    int64_t at = hg_data_source_row(data, row);
    return at < 0 || !data->labels ? -1 : data->labels[at];
}

const char *hg_data_item_name(const hg_data *data, int64_t row)
{
    int64_t at = hg_data_source_row(data, row);
    return at < 0 || !data->names ? NULL : data->names[at];
}

const char *hg_data_class_name(const hg_data *data, int32_t label)
{
    bool named = data && label >= 0 && label < data->named_classes;
    return named ? data->class_names[label] : NULL;
}

void hg_data_range(const hg_data *data, double range[2])
{
    range[0] = data ? data->range[0] : 0;
    range[1] = data ? data->range[1] : 0;
}
