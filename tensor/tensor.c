/* tensor.c - making tensors over memory, and getting values in and out. */
#include "tensor/device.h"

#include <string.h>

hg_tensor *hg_tensor_new(hg_owner *owner, hg_shape shape, hg_dtype dtype)
{
    hg_tensor *t = hg_tensor_header(owner);
    if (!t)
        return NULL;
    hg_storage *s = &hg_block_of(t)->storage;
    size_t bytes = (size_t)hg_shape_numel(shape) * hg_dtype_size(dtype);
    void *data = hg_region_take(owner->values, bytes);
    if (!data) {
        hg_tensor_drop(t);
        return NULL;
    }
    *s = (hg_storage){owner->context, owner->values, data, bytes, 0, 0, true};
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
    *s = (hg_storage){owner->context, owner->values, data, 0, 0, 0, false};
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

static size_t bytes_of(const hg_tensor *t)
{
    return (size_t)hg_numel(t) * hg_dtype_size(t->dtype);
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

/* Converted here, then sent to the device. */
static bool send(hg_tensor *t, const void *src, const char *dtype)
{
    hg_context *context = t->storage->context;
    void *here = hg_memory_allocate(context, bytes_of(t) + 1);
    if (!here)
        return false;
    convert(here, src, dtype[0], dtype[1], hg_numel(t));
    bool ok = hg_scatter_values(t, here);
    hg_memory_release(context, here, bytes_of(t) + 1);
    return ok;
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
    if (!t || s->owner.context->gpu)
        return t && send(t, src, dtype) ? t : NULL;
    convert(hg_data(t), src, dtype[0], dtype[1], hg_numel(t));
    return t;
}

/* ---- Printing ----------------------------------------------------------- */

typedef struct {
    FILE *file;
    const hg_tensor *t;
    const void *values; /* dense, on the host */
    int64_t stride[HG_MAX_RANK];
} printer;

static void print_value(const printer *p, int64_t offset)
{
    if (p->t->dtype == HG_INT32)
        fprintf(p->file, "%d", ((const int32_t *)p->values)[offset]);
    else
        fprintf(p->file, "%.6g", (double)((const hg_real *)p->values)[offset]);
}

static void print_axis(const printer *p, int axis, int64_t offset)
{
    if (axis == p->t->shape.rank) {
        print_value(p, offset);
        return;
    }
    int64_t n = p->t->shape.dim[axis];
    bool last = axis == p->t->shape.rank - 1;
    fputc('[', p->file);
    for (int64_t i = 0; i < n; i++) {
        if (n > 8 && i == 4) {
            fputs(last ? ", ..." : ",\n ...", p->file);
            i = n - 4;
        }
        if (i)
            fputs(last ? ", " : ",\n ", p->file);
        print_axis(p, axis + 1, offset + i * p->stride[axis]);
    }
    fputc(']', p->file);
}

void hg_print(FILE *f, const hg_tensor *t)
{
    if (!t || hg_block_of(t)->alive != HG_ALIVE) {
        fprintf(f, "%s\n", t ? "(tensor of a closed scope)" : "(null)");
        return;
    }
    hg_context *context = t->storage->context;
    void *values = hg_memory_allocate(context, bytes_of(t) + 1);
    printer p = {.file = f, .t = t, .values = values};
    hg_strides_of(t->shape, p.stride);
    fprintf(f, "%s%s%s ", t->name ? t->name : "", t->name ? " " : "",
            HG_SHAPE_TEXT(t->shape));
    if (values && hg_gather_values(t, values))
        print_axis(&p, 0, 0);
    fputc('\n', f);
    hg_memory_release(context, values, bytes_of(t) + 1);
}
