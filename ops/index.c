/* index.c - positions named by int32 tensors: whole slices (index_select and
 * its mirror scatter_add), and single elements (take_along and its mirror
 * add_along).
 *
 * Every index is checked before anything is read. Sums are made output by
 * output in the order of the indices, so their bits never vary. */
#include "ops/reduce.h"

#include <string.h>

typedef struct {
    int64_t axis, size; /* of the axis that the indices point into */
} index_attr;
HG_NO_PADDING(index_attr, 2 * 8);

/* A tile of the kernel's work: outer position and range of inner ones. */
typedef struct {
    int64_t outer, from, to;
} piece;

static hg_tensor *apply_index(const hg_op *op, hg_tensor *x, index_attr a,
                              hg_tensor *index)
{
    return hg_apply(op, &a, x, index);
}

static index_attr attr_of(const hg_tensor *z)
{
    return *(const index_attr *)z->attr;
}

/* ---- Checks ------------------------------------------------------------- */

bool hg_indices_fit(const hg_kernel *k, int input, int64_t size)
{
    const int32_t *index = k->in_int[input];
    int64_t n = hg_shape_numel(k->in_shape[input]);
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= size)
            return hg_fail(HG_ERROR_ARGUMENT,
                           "index %d at place %lld of %s is out of range: "
                           "there are %lld positions, counted from 0",
                           index[i], (long long)i,
                           HG_SHAPE_TEXT(k->in_shape[input]), (long long)size);
    return true;
}

static bool fits(const hg_kernel *k)
{
    return hg_indices_fit(k, 1, ((const index_attr *)k->attr)->size);
}

static bool is_list(hg_shape index)
{
    return index.rank == 1 ||
           hg_fail(HG_ERROR_SHAPE,
                   "the index has shape %s; it must be a list [m], see "
                   "hg_reshape",
                   HG_SHAPE_TEXT(index));
}

/* Do x and index agree but for the axis? */
static bool lies_along(hg_shape x, hg_shape index, int axis)
{
    hg_shape same = x;
    if (index.rank == x.rank)
        same.dim[axis] = index.dim[axis];
    return hg_shape_equal(index, same) ||
           hg_fail(HG_ERROR_SHAPE,
                   "an index of shape %s does not go with %s along axis %d: "
                   "all other sizes must agree, see hg_unsqueeze and hg_expand",
                   HG_SHAPE_TEXT(index), HG_SHAPE_TEXT(x), axis);
}

/* ---- Pieces of work ----------------------------------------------------- */

static int64_t pieces_across(int64_t inner)
{
    return (inner + HG_TILE - 1) / HG_TILE;
}

static piece piece_of(int64_t item, int64_t inner)
{
    int64_t across = pieces_across(inner), from = item % across * HG_TILE;
    int64_t to = from + HG_TILE < inner ? from + HG_TILE : inner;
    return (piece){item / across, from, to};
}

static void over_pieces(const hg_kernel *k,
                        void (*body)(void *, int64_t, int64_t))
{
    const index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    int64_t m = k->in_shape[0].dim[a->axis] + v.size;
    int64_t width = v.inner < HG_TILE ? v.inner : HG_TILE;
    if (k->n && fits(k))
        hg_parallel_for(k->threads, v.outer * pieces_across(v.inner),
                        (1 << 14) / (m * width) + 1, body,
                        (void *)(uintptr_t)k);
}

/* ---- index_select ------------------------------------------------------- */

static const hg_op index_select_op, scatter_add_op, take_along_op, add_along_op;

static bool index_select_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    if (!is_list(z->in[1]->shape))
        return false;
    out->dim[attr_of(z).axis] = z->in[1]->shape.dim[0];
    return true;
}

/* [outer, m, inner] from [outer, size, inner]: whole rows of the output. */
static void select_rows(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    for (int64_t row = from; row < to; row++) {
        int64_t outer = row / v.size, place = k->in_int[1][row % v.size];
        const hg_real *in = k->in[0] + (outer * a->size + place) * v.inner;
        memcpy(k->out + row * v.inner, in, (size_t)v.inner * sizeof *in);
    }
}

static void index_select_cpu(const hg_kernel *k)
{
    const index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    if (fits(k) && k->n)
        hg_parallel_for(k->threads, v.outer * v.size, (1 << 14) / v.inner + 1,
                        select_rows, (void *)(uintptr_t)k);
}

static void index_select_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = apply_index(&scatter_add_op, g, attr_of(z), z->in[1]);
}

static const hg_op index_select_op = {
    .name = "index_select",
    .arity = 2,
    .contiguous = true,
    .shape = index_select_shape,
    .attr_size = sizeof(index_attr),
    .cpu = index_select_cpu,
    .backward = index_select_backward,
    .reads = HG_READS_IN(1),
    .int_inputs = 1u << 1 | 1u << 17,
    .doc = "slices of an axis by their positions",
};

hg_tensor *hg_index_select(hg_tensor *x, int axis, hg_tensor *index)
{
    int d = hg_axis_in("index_select", x, axis);
    if (d < 0)
        return NULL;
    index_attr a = {d, x->shape.dim[d]};
    return apply_index(&index_select_op, x, a, index);
}

/* ---- scatter_add -------------------------------------------------------- */

static bool scatter_add_shape(hg_tensor *z, hg_shape *out)
{
    index_attr a = attr_of(z);
    hg_shape source = z->in[0]->shape, index = z->in[1]->shape;
    *out = source;
    out->dim[a.axis] = a.size;
    if (!is_list(index))
        return false;
    if (a.size >= 0 && index.dim[0] == source.dim[a.axis])
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "an index of shape %s does not name a place in %lld for "
                   "every slice along axis %lld of %s",
                   HG_SHAPE_TEXT(index), (long long)a.size, (long long)a.axis,
                   HG_SHAPE_TEXT(source));
}

/* [outer, size, inner] from [outer, m, inner]. */
static void scatter_pieces(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->in_shape[0], (int)a->axis);
    for (int64_t item = from; item < to; item++) {
        piece p = piece_of(item, v.inner);
        hg_real *out = k->out + p.outer * a->size * v.inner;
        const hg_real *in = k->in[0] + p.outer * v.size * v.inner;
        for (int64_t i = 0; i < a->size; i++)
            memset(out + i * v.inner + p.from, 0,
                   (size_t)(p.to - p.from) * sizeof *out);
        for (int64_t i = 0; i < v.size; i++) {
            hg_real *sum = out + k->in_int[1][i] * v.inner;
            for (int64_t j = p.from; j < p.to; j++)
                sum[j] += in[i * v.inner + j];
        }
    }
}

static void scatter_add_cpu(const hg_kernel *k)
{
    over_pieces(k, scatter_pieces);
}

static void scatter_add_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = apply_index(&index_select_op, g, attr_of(z), z->in[1]);
}

static const hg_op scatter_add_op = {
    .name = "scatter_add",
    .arity = 2,
    .contiguous = true,
    .shape = scatter_add_shape,
    .attr_size = sizeof(index_attr),
    .cpu = scatter_add_cpu,
    .backward = scatter_add_backward,
    .reads = HG_READS_IN(1),
    .int_inputs = 1u << 1 | 1u << 17,
    .doc = "slices added to zeros at positions of an axis",
};

hg_tensor *hg_scatter_add(hg_tensor *source, int axis, hg_tensor *index,
                          int64_t size)
{
    index_attr a = {hg_axis_in("scatter_add", source, axis), size};
    return a.axis < 0 ? NULL : apply_index(&scatter_add_op, source, a, index);
}

/* ---- take_along --------------------------------------------------------- */

static bool take_along_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[1]->shape;
    return lies_along(z->in[0]->shape, *out, (int)attr_of(z).axis);
}

static void take_pieces(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    for (int64_t item = from; item < to; item++) {
        piece p = piece_of(item, v.inner);
        const hg_real *in = k->in[0] + p.outer * a->size * v.inner;
        for (int64_t i = 0; i < v.size; i++) {
            int64_t row = (p.outer * v.size + i) * v.inner;
            for (int64_t j = p.from; j < p.to; j++)
                k->out[row + j] = in[k->in_int[1][row + j] * v.inner + j];
        }
    }
}

static void take_along_cpu(const hg_kernel *k)
{
    over_pieces(k, take_pieces);
}

static void take_along_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = apply_index(&add_along_op, g, attr_of(z), z->in[1]);
}

static const hg_op take_along_op = {
    .name = "take_along",
    .arity = 2,
    .contiguous = true,
    .shape = take_along_shape,
    .attr_size = sizeof(index_attr),
    .cpu = take_along_cpu,
    .backward = take_along_backward,
    .reads = HG_READS_IN(1),
    .int_inputs = 1u << 1 | 1u << 17,
    .doc = "single elements by their positions along an axis",
};

hg_tensor *hg_take_along(hg_tensor *x, int axis, hg_tensor *index)
{
    int d = hg_axis_in("take_along", x, axis);
    if (d < 0)
        return NULL;
    index_attr a = {d, x->shape.dim[d]};
    return apply_index(&take_along_op, x, a, index);
}

/* ---- add_along ---------------------------------------------------------- */

static bool add_along_shape(hg_tensor *z, hg_shape *out)
{
    index_attr a = attr_of(z);
    *out = z->in[0]->shape;
    if (a.size < 0 || !hg_shape_equal(*out, z->in[1]->shape))
        return hg_fail(HG_ERROR_SHAPE,
                       "an index of shape %s does not name a place in %lld "
                       "for every element of %s; both shapes must be the same",
                       HG_SHAPE_TEXT(z->in[1]->shape), (long long)a.size,
                       HG_SHAPE_TEXT(*out));
    out->dim[a.axis] = a.size;
    return true;
}

static void add_pieces(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const index_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->in_shape[0], (int)a->axis);
    for (int64_t item = from; item < to; item++) {
        piece p = piece_of(item, v.inner);
        hg_real *out = k->out + p.outer * a->size * v.inner;
        for (int64_t i = 0; i < a->size; i++)
            memset(out + i * v.inner + p.from, 0,
                   (size_t)(p.to - p.from) * sizeof *out);
        for (int64_t i = 0; i < v.size; i++) {
            int64_t row = (p.outer * v.size + i) * v.inner;
            for (int64_t j = p.from; j < p.to; j++)
                out[k->in_int[1][row + j] * v.inner + j] += k->in[0][row + j];
        }
    }
}

static void add_along_cpu(const hg_kernel *k)
{
    over_pieces(k, add_pieces);
}

static void add_along_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = apply_index(&take_along_op, g, attr_of(z), z->in[1]);
}

static const hg_op add_along_op = {
    .name = "add_along",
    .arity = 2,
    .contiguous = true,
    .shape = add_along_shape,
    .attr_size = sizeof(index_attr),
    .cpu = add_along_cpu,
    .backward = add_along_backward,
    .reads = HG_READS_IN(1),
    .int_inputs = 1u << 1 | 1u << 17,
    .doc = "single elements added to zeros at positions along an axis",
};

hg_tensor *hg_add_along(hg_tensor *source, int axis, hg_tensor *index,
                        int64_t size)
{
    index_attr a = {hg_axis_in("add_along", source, axis), size};
    return a.axis < 0 ? NULL : apply_index(&add_along_op, source, a, index);
}
