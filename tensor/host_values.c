/* host_values.c - values into tensors and out of them, wherever they are. */
#include "tensor/device.h"

#include <math.h>
#include <string.h>

static size_t bytes_of(const hg_tensor *t)
{
    return (size_t)hg_numel(t) * hg_dtype_size(t->dtype);
}

/* Walks all elements of strided values row by row. */
static void copy_strided(const hg_tensor *t, char *base, char *dense, bool out)
{
    size_t size = hg_dtype_size(t->dtype);
    int64_t n = hg_numel(t), at[HG_MAX_RANK] = {0};
    int last = t->shape.rank - 1;
    for (int64_t i = 0; i < n; i++) {
        int64_t offset = 0;
        for (int d = 0; d <= last; d++)
            offset += at[d] * t->stride[d];
        char *here = base + offset * (int64_t)size;
        memcpy(out ? dense : here, out ? here : dense, size);
        dense += size;
        for (int d = last; d >= 0 && ++at[d] == t->shape.dim[d]; d--)
            at[d] = 0;
    }
}

/* Lined up on the device first, then fetched. */
static bool gather_there(const hg_tensor *t, void *dense)
{
    hg_context *context = t->storage->context;
    const void *from = hg_data(t);
    if (!hg_is_contiguous(t)) {
        void *line = hg_device_scratch(context, bytes_of(t));
        if (!line ||
            !hg_device_copy_strided(context, line, from, t->shape, t->stride,
                                    hg_dtype_size(t->dtype)))
            return false;
        from = line;
    }
    return hg_device_download(context, dense, from, bytes_of(t));
}

bool hg_gather_values(const hg_tensor *t, void *dense)
{
    if (!hg_numel(t))
        return true; /* the array may be NULL */
    if (t->storage->context->gpu)
        return gather_there(t, dense);
    if (hg_is_contiguous(t))
        memcpy(dense, hg_data(t), bytes_of(t));
    else
        copy_strided(t, hg_data(t), dense, true);
    return true;
}

/* The first and last element that a strided tensor reaches, from its own
 * first one on. */
static void reach(const hg_tensor *t, int64_t *low, int64_t *high)
{
    *low = *high = 0;
    for (int d = 0; d < t->shape.rank; d++) {
        int64_t way = (t->shape.dim[d] - 1) * t->stride[d];
        *(way < 0 ? low : high) += way;
    }
}

/* Between the elements lie others: all are fetched, and put back. */
static bool scatter_there(hg_tensor *t, const void *dense)
{
    hg_context *context = t->storage->context;
    if (hg_is_contiguous(t))
        return hg_device_write(context, hg_data(t), dense, bytes_of(t));
    int64_t low, high, size = (int64_t)hg_dtype_size(t->dtype);
    reach(t, &low, &high);
    size_t bytes = (size_t)((high - low + 1) * size);
    char *there = (char *)hg_data(t) + low * size;
    char *here = hg_memory_allocate(context, bytes);
    if (!here)
        return false;
    bool ok = hg_device_download(context, here, there, bytes);
    if (ok) {
        copy_strided(t, here - low * size, (char *)(uintptr_t)dense, false);
        ok = hg_device_upload(context, there, here, bytes);
    }
    hg_memory_release(context, here, bytes);
    return ok;
}

bool hg_scatter_values(hg_tensor *t, const void *dense)
{
    if (!hg_numel(t))
        return true;
    if (t->storage->context->gpu)
        return scatter_there(t, dense);
    if (hg_is_contiguous(t))
        memcpy(hg_data(t), dense, bytes_of(t));
    else
        copy_strided(t, hg_data(t), (char *)(uintptr_t)dense, false);
    return true;
}

bool hg_zero_values(hg_context *context, void *values, size_t bytes)
{
    if (context->gpu)
        return hg_device_fill(context, values,
                              (int64_t)(bytes / sizeof(hg_real)), 0);
    memset(values, 0, bytes);
    return true;
}

bool hg_copy_values(hg_tensor *to, const hg_tensor *from)
{
    hg_context *context = to->storage->context;
    if (!context->gpu)
        return hg_gather_values(from, hg_data(to));
    if (hg_is_contiguous(from))
        return hg_device_copy(context, hg_data(to), hg_data(from),
                              bytes_of(from));
    return hg_device_copy_strided(context, hg_data(to), hg_data(from),
                                  from->shape, from->stride,
                                  hg_dtype_size(from->dtype));
}

void *hg_room_for(hg_tensor *t)
{
    if (!t || !t->storage->context->gpu)
        return t ? hg_data(t) : NULL;
    hg_scope *s = hg_scope_here();
    return s ? hg_region_take(&s->owner.region, bytes_of(t)) : NULL;
}

bool hg_send_values(hg_tensor *t, const void *room)
{
    return t && room &&
           (!t->storage->context->gpu || hg_scatter_values(t, room));
}

const void *hg_fetch_values(const hg_tensor *t)
{
    hg_scope *s = hg_scope_here();
    if (!t || !s)
        return NULL;
    if (!t->storage->context->gpu && hg_is_contiguous(t))
        return hg_data(t);
    void *room = hg_region_take(&s->owner.region, bytes_of(t));
    return room && hg_gather_values(t, room) ? room : NULL;
}

/* Reading works while an error is pending, so it asks less than hg_usable. */
static bool readable(const hg_tensor *t, const char *who, hg_dtype dtype,
                     int64_t count)
{
    if (!t)
        return hg_fail(HG_ERROR_ARGUMENT, "%s: the tensor is NULL", who);
    if (hg_block_of(t)->alive != HG_ALIVE)
        return hg_fail(HG_ERROR_STATE,
                       "%s: the tensor belonged to a scope that is closed; "
                       "use it before hg_scope_close",
                       who);
    if (t->dtype != dtype)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: the tensor holds %s values; use %s", who,
                       t->dtype == HG_REAL ? "real" : "int32",
                       t->dtype == HG_REAL ? "hg_read" : "hg_read_int");
    if (count != hg_numel(t))
        return hg_fail(
            HG_ERROR_SHAPE, "%s: %lld values asked for, but %s has %lld", who,
            (long long)count, HG_SHAPE_TEXT(t->shape), (long long)hg_numel(t));
    return true;
}

static bool array_given(const void *array, int64_t count)
{
    return array || !count ||
           hg_fail(HG_ERROR_ARGUMENT, "the array of %lld values is NULL",
                   (long long)count);
}

bool hg_read(const hg_tensor *t, hg_real *out, int64_t count)
{
    if (!readable(t, "hg_read", HG_REAL, count) || !array_given(out, count))
        return false;
    return hg_gather_values(t, out);
}

bool hg_read_int(const hg_tensor *t, int32_t *out, int64_t count)
{
    if (!readable(t, "hg_read_int", HG_INT32, count) ||
        !array_given(out, count))
        return false;
    return hg_gather_values(t, out);
}

hg_real hg_item(const hg_tensor *t)
{
    if (t && t->dtype == HG_INT32) {
        int32_t value = 0;
        return hg_read_int(t, &value, 1) ? (hg_real)value : (hg_real)NAN;
    }
    hg_real value;
    return readable(t, "hg_item", HG_REAL, 1) && hg_read(t, &value, 1)
               ? value
               : (hg_real)NAN;
}

bool hg_write_data(hg_tensor *t, const void *values, int64_t count)
{
    if (!hg_usable(t, "hg_write: the tensor"))
        return false;
    if (count != hg_numel(t))
        return hg_fail(
            HG_ERROR_SHAPE, "hg_write: %lld values given, but %s has %lld",
            (long long)count, HG_SHAPE_TEXT(t->shape), (long long)hg_numel(t));
    if (!array_given(values, count))
        return false;
    hg_undo_settle(t);
    if (!hg_scatter_values(t, values))
        return false;
    t->storage->version++;
    return true;
}

bool hg_write(hg_tensor *t, const hg_real *values, int64_t count)
{
    if (!hg_usable(t, "hg_write: the tensor"))
        return false;
    if (t->dtype != HG_REAL)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_write: the tensor holds int32 values");
    return hg_write_data(t, values, count);
}

void hg_set(hg_tensor *t, hg_real value)
{
    if (!hg_usable(t, "hg_set: the tensor"))
        return;
    if (t->dtype != HG_REAL || !hg_is_contiguous(t)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_set: the tensor must be real and contiguous");
        return;
    }
    hg_undo_settle(t);
    t->storage->version++;
    hg_context *context = t->storage->context;
    hg_real *data = hg_data(t);
    if (context->gpu) {
        hg_device_fill(context, data, hg_numel(t), value);
        return;
    }
    for (int64_t i = 0, n = hg_numel(t); i < n; i++)
        data[i] = value;
}

/* Another view of the target's own values is copied out first. */
static bool assign_overlapping(hg_tensor *target, const hg_tensor *value)
{
    hg_context *context = target->storage->context;
    size_t bytes = (size_t)hg_numel(value) * hg_dtype_size(value->dtype) + 1;
    void *copy = hg_memory_allocate(context, bytes);
    if (!copy)
        return false;
    bool ok = hg_gather_values(value, copy) && hg_scatter_values(target, copy);
    hg_memory_release(context, copy, bytes);
    return ok;
}

bool hg_assign(hg_tensor *target, const hg_tensor *value)
{
    if (!hg_usable(target, "hg_assign: the target") ||
        !hg_usable(value, "hg_assign: the value"))
        return false;
    if (!hg_shape_equal(target->shape, value->shape) ||
        target->dtype != value->dtype)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_assign: a value of shape %s does not fit a target "
                       "of shape %s",
                       HG_SHAPE_TEXT(value->shape),
                       HG_SHAPE_TEXT(target->shape));
    if (!hg_is_contiguous(target))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_assign: the target must be contiguous");
    if (target->storage->context != value->storage->context)
        return hg_fail(HG_ERROR_DEVICE,
                       "hg_assign: the value lives on the device of another "
                       "context than the target; copy it over with hg_read "
                       "and hg_write");
    hg_undo_settle(target);
    if (target->storage != value->storage ? !hg_copy_values(target, value)
                                          : !assign_overlapping(target, value))
        return false;
    target->storage->version++;
    return true;
}

uint64_t hg_version(const hg_tensor *t)
{
    return t ? t->storage->version : 0;
}
