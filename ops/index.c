/* index.c - positions named by int32 tensors: of whole slices (index_select and
 * its mirror scatter_add), or of single elements (take_along and its mirror
 * add_along). One pair of kernels serves both.
 *
 * Every index is checked before anything is read. Sums are made output by
 * output in the order of the indices, so their bits never vary. */
#include "ops/index.h"
#include "ops/reduce.h"
#include "tensor/complaint.h"

#include <string.h>

static hg_tensor *apply_index(const hg_op *op, hg_tensor *x, hg_index_attr a,
                              hg_tensor *index)
{
    return hg_apply(op, &a, x, index);
}

static hg_index_attr attr_of(const hg_tensor *z)
{
    return *(const hg_index_attr *)z->attr;
}

/* ---- Checks ------------------------------------------------------------- */

bool hg_indices_fit(const hg_kernel *k, int input, int64_t size)
{
    const int32_t *index = k->in_int[input];
    int64_t n = hg_shape_numel(k->in_shape[input]);
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= size)
            return hg_fail_index(k->in_shape[input], i, index[i], size);
    return true;
}

/* ---- Shapes ------------------------------------------------------------- */

/* A list [m], or x's shape but for the axis. */
static bool index_fits(hg_shape x, hg_shape index, hg_index_attr a)
{
    hg_shape same = x;
    if (!a.each)
        return index.rank == 1 ||
               hg_fail(HG_ERROR_SHAPE,
                       "the index has shape %s; it must be a list [m], see "
                       "hg_reshape",
                       HG_SHAPE_TEXT(index));
    if (index.rank == x.rank)
        same.dim[a.axis] = index.dim[a.axis];
    return hg_shape_equal(index, same) ||
           hg_fail(HG_ERROR_SHAPE,
                   "an index of shape %s does not go with %s along axis %lld: "
                   "all other sizes must agree, see hg_unsqueeze and hg_expand",
                   HG_SHAPE_TEXT(index), HG_SHAPE_TEXT(x), (long long)a.axis);
}

static bool take_shape(hg_tensor *z, hg_shape *out)
{
    hg_index_attr a = attr_of(z);
    hg_shape index = z->in[1]->shape;
    *out = z->in[0]->shape;
    if (!index_fits(*out, index, a))
        return false;
    out->dim[a.axis] = index.dim[a.each ? a.axis : 0];
    return true;
}

static bool add_shape(hg_tensor *z, hg_shape *out)
{
    hg_index_attr a = attr_of(z);
    hg_shape index = z->in[1]->shape;
    *out = z->in[0]->shape;
    if (!index_fits(*out, index, a))
        return false;
    if (a.size < 0 || index.dim[a.each ? a.axis : 0] != out->dim[a.axis])
        return hg_fail(HG_ERROR_SHAPE,
                       "an index of shape %s does not name a place in %lld for "
                       "every %s along axis %lld of %s",
                       HG_SHAPE_TEXT(index), (long long)a.size,
                       a.each ? "element" : "slice", (long long)a.axis,
                       HG_SHAPE_TEXT(*out));
    out->dim[a.axis] = a.size;
    return true;
}

/* ---- Taking: [outer, m, inner] from [outer, size, inner] ---------------- */

static void take_row(const hg_kernel *k, const hg_index_attr *a,
                     const hg_axis_view *v, int64_t row)
{
    const int32_t *index = k->in_int[1];
    const hg_real *in = k->in[0] + row / v->size * a->size * v->inner;
    hg_real *out = k->out + row * v->inner;
    if (a->each)
        for (int64_t j = 0; j < v->inner; j++)
            out[j] = in[index[row * v->inner + j] * v->inner + j];
    else
        memcpy(out, in + index[row % v->size] * v->inner,
               (size_t)v->inner * sizeof *out);
}

static void take_rows(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const hg_index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    for (int64_t row = from; row < to; row++)
        take_row(k, a, &v, row);
}

static void take_cpu(const hg_kernel *k)
{
    const hg_index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    if (k->n && hg_indices_fit(k, 1, a->size))
        hg_parallel_for(k->threads, v.outer * v.size, (1 << 14) / v.inner + 1,
                        take_rows, (void *)(uintptr_t)k);
}

/* ---- Adding: [outer, size, inner] from [outer, m, inner] ---------------- */

/* Work is cut into tiles of the inner positions, so that every output has one
 * owner. */
static int64_t tiles_of(int64_t inner)
{
    return (inner + HG_TILE - 1) / HG_TILE;
}

/* Row i of the source, inner positions from ... to - 1. */
static void add_row(const hg_kernel *k, const hg_axis_view *v, hg_real *out,
                    int64_t row, int64_t from, int64_t to)
{
    const hg_index_attr *a = k->attr;
    const hg_real *in = k->in[0] + row * v->inner;
    const int32_t *index = k->in_int[1] + row * v->inner;
    if (a->each) {
        for (int64_t j = from; j < to; j++)
            out[index[j] * v->inner + j] += in[j];
        return;
    }
    out += k->in_int[1][row % v->size] * v->inner;
    for (int64_t j = from; j < to; j++)
        out[j] += in[j];
}

static void add_tiles(void *argument, int64_t first, int64_t last)
{
    const hg_kernel *k = argument;
    const hg_index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->in_shape[0], (int)a->axis);
    int64_t tiles = tiles_of(v.inner);
    for (int64_t tile = first; tile < last; tile++) {
        int64_t outer = tile / tiles, from = tile % tiles * HG_TILE;
        int64_t to = from + HG_TILE < v.inner ? from + HG_TILE : v.inner;
        hg_real *out = k->out + outer * a->size * v.inner;
        for (int64_t i = 0; i < a->size; i++)
            memset(out + i * v.inner + from, 0,
                   (size_t)(to - from) * sizeof *out);
        for (int64_t i = 0; i < v.size; i++)
            add_row(k, &v, out, outer * v.size + i, from, to);
    }
}

static void add_cpu(const hg_kernel *k)
{
    const hg_index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->in_shape[0], (int)a->axis);
    int64_t width = v.inner < HG_TILE ? v.inner : HG_TILE;
    if (k->n && hg_indices_fit(k, 1, a->size))
        hg_parallel_for(k->threads, v.outer * tiles_of(v.inner),
                        (1 << 14) / ((v.size + a->size) * width) + 1, add_tiles,
                        (void *)(uintptr_t)k);
}

/* ---- The operations: two mirrors of each other, by slice and by element - */

static const hg_op index_select_op, scatter_add_op, take_along_op, add_along_op;

static void take_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_index_attr a = attr_of(z);
    dx[0] =
        apply_index(a.each ? &add_along_op : &scatter_add_op, g, a, z->in[1]);
}

static void add_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_index_attr a = attr_of(z);
    dx[0] =
        apply_index(a.each ? &take_along_op : &index_select_op, g, a, z->in[1]);
}

/* What all four have in common: values [0] and indices [1], which a rule reads
 * and which have no gradient. */
#define BY_INDEX(shape_)                                                       \
    .arity = 2, .contiguous = true, .shape = shape_,                           \
    .attr_size = sizeof(hg_index_attr), .reads = HG_READS_IN(1),               \
    .int_inputs = 1u << 1 | 1u << 17

static const hg_op index_select_op = {
    .name = "index_select",
    BY_INDEX(take_shape),
    .cpu = take_cpu,
    .cuda = HG_CUDA(hg_take_cuda),
    .backward = take_backward,
    .doc = "slices of an axis by their positions",
};

static const hg_op scatter_add_op = {
    .name = "scatter_add",
    BY_INDEX(add_shape),
    .cpu = add_cpu,
    .cuda = HG_CUDA(hg_add_at_cuda),
    .backward = add_backward,
    .doc = "slices added to zeros at positions of an axis",
};

static const hg_op take_along_op = {
    .name = "take_along",
    BY_INDEX(take_shape),
    .cpu = take_cpu,
    .cuda = HG_CUDA(hg_take_cuda),
    .backward = take_backward,
    .doc = "single elements by their positions along an axis",
};

static const hg_op add_along_op = {
    .name = "add_along",
    BY_INDEX(add_shape),
    .cpu = add_cpu,
    .cuda = HG_CUDA(hg_add_at_cuda),
    .backward = add_backward,
    .doc = "single elements added to zeros at positions along an axis",
};

static hg_tensor *take(const hg_op *op, hg_tensor *x, int axis,
                       hg_tensor *index, bool each)
{
    int d = hg_axis_in(op->name, x, axis);
    if (d < 0)
        return NULL;
    return apply_index(op, x, (hg_index_attr){d, x->shape.dim[d], each}, index);
}

static hg_tensor *add(const hg_op *op, hg_tensor *source, int axis,
                      hg_tensor *index, int64_t size, bool each)
{
    int d = hg_axis_in(op->name, source, axis);
    if (d < 0)
        return NULL;
    return apply_index(op, source, (hg_index_attr){d, size, each}, index);
}

hg_tensor *hg_index_select(hg_tensor *x, int axis, hg_tensor *index)
{
    return take(&index_select_op, x, axis, index, false);
}

hg_tensor *hg_scatter_add(hg_tensor *source, int axis, hg_tensor *index,
                          int64_t size)
{
    return add(&scatter_add_op, source, axis, index, size, false);
}

hg_tensor *hg_take_along(hg_tensor *x, int axis, hg_tensor *index)
{
    return take(&take_along_op, x, axis, index, true);
}

hg_tensor *hg_add_along(hg_tensor *source, int axis, hg_tensor *index,
                        int64_t size)
{
    return add(&add_along_op, source, axis, index, size, true);
}
