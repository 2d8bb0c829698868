/* view.c - the same values under another shape or another order of axes:
 * nothing is copied, strides say where things lie. */
#include "ops/reduce.h"

/* ---- reshape ------------------------------------------------------------ */

/* Fills in the -1; false if the sizes do not fit. */
static bool resolve(hg_shape from, const hg_shape_attr *a, hg_shape *out)
{
    uint64_t n = (uint64_t)hg_shape_numel(from);
    uint64_t known = 1; /* may wrap: hg_apply refuses such shapes */
    int open = -1;
    if (a->rank < 0 || a->rank > HG_MAX_RANK)
        return false;
    out->rank = (int)a->rank;
    for (int i = 0; i < out->rank; i++) {
        out->dim[i] = a->dim[i];
        if (a->dim[i] < -1 || (a->dim[i] == -1 && open >= 0))
            return false;
        if (a->dim[i] == -1)
            open = i;
        else
            known *= (uint64_t)a->dim[i];
    }
    if (open < 0)
        return known == n;
    if (!known || n % known)
        return false;
    out->dim[open] = (int64_t)(n / known);
    return true;
}

/* Strides under which x has the shape without a copy; false if there are none.
 * Axes of x are taken in groups that lie densely one inside the other; every
 * group must hold a whole number of the new axes. */
static bool strides_for(const hg_tensor *x, hg_shape to, int64_t *stride)
{
    hg_walk w = {.size = 1};
    for (int d = 0; d < x->shape.rank; d++)
        hg_walk_add(&w, x->shape.dim[d], x->stride[d]);
    if (!w.size) {
        hg_strides_of(to, stride);
        return true;
    }
    int group = w.rank - 1;
    int64_t filled = 1;
    for (int d = to.rank - 1; d >= 0; d--) {
        int64_t room = group < 0 ? 1 : w.dim[group];
        stride[d] = group < 0 ? 1 : w.stride[group] * filled;
        filled *= to.dim[d];
        if (room % filled)
            return false;
        if (filled == room && to.dim[d] != 1) {
            group--;
            filled = 1;
        }
    }
    return true;
}

static bool reshape_shape(hg_tensor *z, hg_shape *out)
{
    const hg_shape_attr *a = z->attr;
    hg_shape from = z->in[0]->shape;
    int64_t stride[HG_MAX_RANK];
    if (resolve(from, a, out))
        return strides_for(z->in[0], *out, stride) ||
               hg_fail(HG_ERROR_ARGUMENT,
                       "the values of %s do not lie so that it has shape %s "
                       "without a copy; use hg_reshape",
                       HG_SHAPE_TEXT(from), HG_SHAPE_TEXT(*out));
    return hg_fail(HG_ERROR_SHAPE,
                   "%s with %lld values cannot have shape %s; the product of "
                   "the sizes must be the same, at most one of them may be -1",
                   HG_SHAPE_TEXT(from), (long long)hg_shape_numel(from),
                   HG_SHAPE_TEXT(hg_shape_of_attr(a)));
}

static void reshape_view(hg_tensor *z)
{
    strides_for(z->in[0], z->shape, z->stride);
}

static void reshape_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_reshape(g, z->in[0]->shape);
}

static const hg_op reshape_op = {
    .name = "reshape",
    .arity = 1,
    .shape = reshape_shape,
    .attr_size = sizeof(hg_shape_attr),
    .view = reshape_view,
    .backward = reshape_backward,
    .reads = HG_READS_NOTHING,
    .int_inputs = 1,
    .doc = "the same values in another shape",
};

hg_tensor *hg_reshape(hg_tensor *x, hg_shape shape)
{
    hg_shape_attr a = hg_shape_attr_of(shape);
    hg_shape to;
    int64_t stride[HG_MAX_RANK];
    if (!hg_error() && hg_is_alive(x) && resolve(x->shape, &a, &to) &&
        !strides_for(x, to, stride) && !(x = hg_dense(x)))
        return NULL;
    return hg_apply(&reshape_op, &a, x);
}

/* ---- permute ------------------------------------------------------------ */

static bool permute_shape(hg_tensor *z, hg_shape *out)
{
    const hg_shape_attr *a = z->attr;
    hg_shape from = z->in[0]->shape;
    unsigned seen = 0;
    if (a->rank != from.rank)
        return hg_fail(HG_ERROR_SHAPE,
                       "%lld axes are named for %s, which has %d; name every "
                       "axis once",
                       (long long)a->rank, HG_SHAPE_TEXT(from), from.rank);
    out->rank = from.rank;
    for (int i = 0; i < from.rank; i++) {
        int axis = hg_axis_of((int)a->dim[i], from.rank);
        if (axis < 0)
            return false;
        if (seen >> axis & 1)
            return hg_fail(HG_ERROR_SHAPE,
                           "axis %d of %s is named twice; name every axis once",
                           axis, HG_SHAPE_TEXT(from));
        seen |= 1u << axis;
        out->dim[i] = from.dim[axis];
    }
    return true;
}

static void permute_view(hg_tensor *z)
{
    const hg_shape_attr *a = z->attr;
    for (int i = 0; i < z->shape.rank; i++)
        z->stride[i] =
            z->in[0]->stride[hg_axis_of((int)a->dim[i], z->shape.rank)];
}

static void permute_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    const hg_shape_attr *a = z->attr;
    hg_axes inverse = {.count = (int)a->rank};
    for (int i = 0; i < inverse.count; i++)
        inverse.axis[hg_axis_of((int)a->dim[i], inverse.count)] = i;
    dx[0] = hg_permute(g, inverse);
}

static const hg_op permute_op = {
    .name = "permute",
    .arity = 1,
    .shape = permute_shape,
    .attr_size = sizeof(hg_shape_attr),
    .view = permute_view,
    .backward = permute_backward,
    .reads = HG_READS_NOTHING,
    .int_inputs = 1,
    .doc = "another order of axes, without copying",
};

hg_tensor *hg_permute(hg_tensor *x, hg_axes axes)
{
    hg_shape_attr a = {.rank = axes.count};
    for (int i = 0; i < axes.count && i < HG_MAX_RANK; i++)
        a.dim[i] = axes.axis[i];
    return hg_apply(&permute_op, &a, x);
}

hg_tensor *hg_transpose(hg_tensor *x)
{
    if (hg_error() || !hg_usable(x, "transpose: input 0"))
        return NULL;
    int rank = x->shape.rank;
    if (rank < 2) {
        hg_fail(HG_ERROR_SHAPE,
                "transpose: two axes are needed, %s has %d; insert one with "
                "hg_unsqueeze",
                HG_SHAPE_TEXT(x->shape), rank);
        return NULL;
    }
    hg_axes axes = {.count = rank};
    for (int i = 0; i < rank - 2; i++)
        axes.axis[i] = i;
    axes.axis[rank - 2] = rank - 1;
    axes.axis[rank - 1] = rank - 2;
    return hg_permute(x, axes);
}

/* ---- Axes of size 1 ----------------------------------------------------- */

hg_tensor *hg_unsqueeze(hg_tensor *x, int axis)
{
    if (hg_error() || !hg_usable(x, "unsqueeze: input 0"))
        return NULL;
    hg_shape to = {.rank = x->shape.rank + 1};
    int at = axis < 0 ? axis + to.rank : axis;
    if (at < 0 || at >= to.rank || to.rank > HG_MAX_RANK) {
        hg_fail(HG_ERROR_SHAPE,
                "unsqueeze: no axis can be inserted at %d of %s; use %d to %d, "
                "and no more than %d axes",
                axis, HG_SHAPE_TEXT(x->shape), -to.rank, to.rank - 1,
                HG_MAX_RANK);
        return NULL;
    }
    for (int i = 0; i < to.rank; i++)
        to.dim[i] = i == at ? 1 : x->shape.dim[i < at ? i : i - 1];
    return hg_reshape(x, to);
}

hg_tensor *hg_squeeze(hg_tensor *x, hg_axes axes)
{
    int64_t mask;
    hg_shape to = {.rank = 0};
    if (!hg_axes_in("squeeze", x, axes, &mask))
        return NULL;
    for (int i = 0; i < x->shape.rank; i++) {
        int64_t size = x->shape.dim[i];
        if (!(mask >> i & 1) || (axes.rest && size != 1))
            to.dim[to.rank++] = size;
        else if (size != 1) {
            hg_fail(HG_ERROR_SHAPE,
                    "squeeze: axis %d of %s has size %lld; only axes of size "
                    "1 can go, see hg_select and hg_sum",
                    i, HG_SHAPE_TEXT(x->shape), (long long)size);
            return NULL;
        }
    }
    return hg_reshape(x, to);
}
