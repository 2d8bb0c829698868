/* tensor.c - making tensors over memory, and getting values in and out. */
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

hg_tensor *hg_tensor_new(hg_owner *owner, hg_shape shape, hg_dtype dtype)
{
    hg_tensor *t = hg_tensor_header(owner);
    if (!t)
        return NULL;
    hg_storage *s = &hg_block_of(t)->storage;
    size_t bytes = (size_t)hg_shape_numel(shape) * hg_dtype_size(dtype);
    void *data = hg_region_take(&owner->region, bytes);
    if (!data) {
        hg_tensor_drop(t);
        return NULL;
    }
    *s = (hg_storage){owner->context, &owner->region, data, bytes, 0, 0, true};
    t->shape = shape;
    t->dtype = dtype;
    t->storage = s;
    hg_strides_of(shape, t->stride);
    return t;
}

hg_tensor *hg_tensor_over(hg_owner *owner, hg_shape shape, hg_dtype dtype,
                          void *data)
{
    hg_tensor *t = hg_tensor_header(owner);
    if (!t)
        return NULL;
    hg_storage *s = &hg_block_of(t)->storage;
    *s = (hg_storage){owner->context, &owner->region, data, 0, 0, 0, false};
    t->shape = shape;
    t->dtype = dtype;
    t->storage = s;
    hg_strides_of(shape, t->stride);
    return t;
}

hg_tensor *hg_tensor_view(hg_owner *owner, hg_tensor *of)
{
    hg_tensor *t = hg_tensor_header(owner);
    if (!t)
        return NULL;
    t->shape = of->shape;
    memcpy(t->stride, of->stride, sizeof t->stride);
    t->offset = of->offset;
    t->dtype = of->dtype;
    t->storage = of->storage;
    return t;
}

void *hg_data(const hg_tensor *t)
{
    return (char *)t->storage->data +
           (size_t)t->offset * hg_dtype_size(t->dtype);
}

/* ---- Values in and out -------------------------------------------------- */

/* Walks all elements of a strided tensor row by row. */
static void copy_strided(const hg_tensor *t, char *dense, bool out)
{
    size_t size = hg_dtype_size(t->dtype);
    int64_t n = hg_numel(t), at[HG_MAX_RANK] = {0};
    char *base = hg_data(t);
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

void hg_gather_values(const hg_tensor *t, void *dense)
{
    if (!hg_numel(t))
        return; /* the array may be NULL */
    if (hg_is_contiguous(t))
        memcpy(dense, hg_data(t),
               (size_t)hg_numel(t) * hg_dtype_size(t->dtype));
    else
        copy_strided(t, dense, true);
}

void hg_scatter_values(hg_tensor *t, const void *dense)
{
    if (!hg_numel(t))
        return;
    if (hg_is_contiguous(t))
        memcpy(hg_data(t), dense,
               (size_t)hg_numel(t) * hg_dtype_size(t->dtype));
    else
        copy_strided(t, (char *)(uintptr_t)dense, false);
}

bool hg_copy_values(hg_tensor *to, const hg_tensor *from)
{
    hg_gather_values(from, hg_data(to));
    return true;
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
    hg_gather_values(t, out);
    return true;
}

bool hg_read_int(const hg_tensor *t, int32_t *out, int64_t count)
{
    if (!readable(t, "hg_read_int", HG_INT32, count) ||
        !array_given(out, count))
        return false;
    hg_gather_values(t, out);
    return true;
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
    hg_scatter_values(t, values);
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
    hg_real *data = hg_data(t);
    for (int64_t i = 0, n = hg_numel(t); i < n; i++)
        data[i] = value;
    t->storage->version++;
}

/* Another view of the target's own values is copied out first. */
static bool assign_overlapping(hg_tensor *target, const hg_tensor *value)
{
    hg_context *context = target->storage->context;
    size_t bytes = (size_t)hg_numel(value) * hg_dtype_size(value->dtype) + 1;
    void *copy = hg_memory_allocate(context, bytes);
    if (!copy)
        return false;
    hg_gather_values(value, copy);
    hg_scatter_values(target, copy);
    hg_memory_release(context, copy, bytes);
    return true;
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
    if (target->storage != value->storage)
        hg_gather_values(value, hg_data(target));
    else if (!assign_overlapping(target, value))
        return false;
    target->storage->version++;
    return true;
}

uint64_t hg_version(const hg_tensor *t)
{
    return t ? t->storage->version : 0;
}

/* ---- Arrays of the user's ----------------------------------------------- */

static void convert(void *out, const void *in, char kind, char size, int64_t n)
{
    hg_real *real = out;
    int32_t *integer = out;
    for (int64_t i = 0; i < n; i++) {
        if (kind == 'f' && size == '4')
            real[i] = (hg_real)((const float *)in)[i];
        else if (kind == 'f')
            real[i] = (hg_real)((const double *)in)[i];
        else if (kind == 'u')
            real[i] = (hg_real)((const uint8_t *)in)[i];
        else if (size == '4')
            integer[i] = ((const int32_t *)in)[i];
        else
            integer[i] = (int32_t)((const int64_t *)in)[i];
    }
}

/* int64 values must not be cut off silently. */
static bool fits_int32(const int64_t *in, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (in[i] < INT32_MIN || in[i] > INT32_MAX)
            return hg_fail(HG_ERROR_ARGUMENT,
                           "hg_from: value %lld at place %lld does not fit "
                           "into int32",
                           (long long)in[i], (long long)i);
    return true;
}

hg_tensor *hg_from(const void *src, const char *dtype, hg_shape shape)
{
    hg_scope *s = hg_scope_here();
    if (!s || hg_error() || !hg_shape_legal(shape))
        return NULL;
    static const char *const known[] = {"f4", "f8", "u1", "i4", "i8"};
    int kind = 0;
    while (kind < 5 && (!dtype || strcmp(dtype, known[kind])))
        kind++;
    if (kind == 5) {
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_from: dtype %s is not known; use f4, f8, u1, i4 or i8",
                dtype ? dtype : "NULL");
        return NULL;
    }
    if (!src && hg_shape_numel(shape)) {
        hg_fail(HG_ERROR_ARGUMENT, "hg_from: the array is NULL");
        return NULL;
    }
    if (!strcmp(dtype, "i8") && !fits_int32(src, hg_shape_numel(shape)))
        return NULL;
    hg_tensor *t =
        hg_tensor_new(&s->owner, shape, dtype[0] == 'i' ? HG_INT32 : HG_REAL);
    if (t)
        convert(hg_data(t), src, dtype[0], dtype[1], hg_numel(t));
    return t;
}

/* ---- Printing ----------------------------------------------------------- */

static void print_value(FILE *f, const hg_tensor *t, int64_t offset)
{
    if (t->dtype == HG_INT32)
        fprintf(f, "%d", ((const int32_t *)hg_data(t))[offset]);
    else
        fprintf(f, "%.6g", (double)((const hg_real *)hg_data(t))[offset]);
}

static void print_axis(FILE *f, const hg_tensor *t, int axis, int64_t offset)
{
    if (axis == t->shape.rank) {
        print_value(f, t, offset);
        return;
    }
    int64_t n = t->shape.dim[axis];
    bool last = axis == t->shape.rank - 1;
    fputc('[', f);
    for (int64_t i = 0; i < n; i++) {
        if (n > 8 && i == 4) {
            fputs(last ? ", ..." : ",\n ...", f);
            i = n - 4;
        }
        if (i)
            fputs(last ? ", " : ",\n ", f);
        print_axis(f, t, axis + 1, offset + i * t->stride[axis]);
    }
    fputc(']', f);
}

void hg_print(FILE *f, const hg_tensor *t)
{
    if (!t || hg_block_of(t)->alive != HG_ALIVE) {
        fprintf(f, "%s\n", t ? "(tensor of a closed scope)" : "(null)");
        return;
    }
    fprintf(f, "%s%s%s ", t->name ? t->name : "", t->name ? " " : "",
            HG_SHAPE_TEXT(t->shape));
    print_axis(f, t, 0, 0);
    fputc('\n', f);
}
