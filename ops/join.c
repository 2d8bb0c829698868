/* join.c - tensors one after another, and cut apart again. The parts'
 * gradients are slices of the whole's: views, no copies. */
#include "ops/join.h"
#include "ops/reduce.h"

#include <string.h>

static bool concat_shape(hg_tensor *z, hg_shape *out)
{
    int axis = (int)((const hg_concat_attr *)z->attr)->axis;
    *out = z->in[0]->shape;
    for (int i = 1; i < z->arity; i++) {
        hg_shape part = z->in[i]->shape, expected = z->in[0]->shape;
        if (part.rank == expected.rank)
            expected.dim[axis] = part.dim[axis];
        if (!hg_shape_equal(part, expected))
            return hg_fail(HG_ERROR_SHAPE,
                           "%s and %s cannot be joined along axis %d: all "
                           "other sizes must agree",
                           HG_SHAPE_TEXT(z->in[0]->shape), HG_SHAPE_TEXT(part),
                           axis);
        out->dim[axis] += part.dim[axis];
    }
    return true;
}

/* Input i fills [outer, its size * inner] of [outer, whole size * inner]. */
static void copy_parts(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    int axis = (int)((const hg_concat_attr *)k->attr)->axis;
    hg_axis_view v = hg_axis_view_of(k->out_shape, axis);
    for (int64_t outer = from; outer < to; outer++) {
        hg_real *out = k->out + outer * v.size * v.inner;
        for (int i = 0; i < k->arity; i++) {
            int64_t n = k->in_shape[i].dim[axis] * v.inner;
            memcpy(out, k->in[i] + outer * n, (size_t)n * sizeof *out);
            out += n;
        }
    }
}

static void concat_cpu(const hg_kernel *k)
{
    int axis = (int)((const hg_concat_attr *)k->attr)->axis;
    hg_axis_view v = hg_axis_view_of(k->out_shape, axis);
    if (k->n)
        hg_parallel_for(k->threads, v.outer, (1 << 15) / (v.size * v.inner) + 1,
                        copy_parts, (void *)(uintptr_t)k);
}

static void concat_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    int axis = (int)((const hg_concat_attr *)z->attr)->axis;
    int64_t start = 0;
    for (int i = 0; i < z->arity; i++) {
        int64_t stop = start + z->in[i]->shape.dim[axis];
        if (hg_needs(z, i))
            dx[i] = hg_slice(g, axis, start, stop, 1);
        start = stop;
    }
}

static const hg_op concat_op = {
    .name = "concat",
    .arity = HG_ANY_ARITY,
    .contiguous = true,
    .shape = concat_shape,
    .attr_size = sizeof(hg_concat_attr),
    .cpu = concat_cpu,
    .cuda = HG_CUDA(hg_concat_cuda),
    .backward = concat_backward,
    .reads = HG_READS_NOTHING,
    .doc = "tensors one after another along an axis",
};

/* More than an operation takes are joined in groups, groups in groups. */
static hg_tensor *join(hg_concat_attr a, hg_tensor *const *tensors, int count)
{
    if (count <= HG_MAX_INPUTS)
        return hg_apply_n(&concat_op, &a, tensors, count);
    hg_tensor *group[HG_MAX_INPUTS];
    for (int i = 0; i < HG_MAX_INPUTS; i++) {
        int from = (int)((int64_t)count * i / HG_MAX_INPUTS);
        int to = (int)((int64_t)count * (i + 1) / HG_MAX_INPUTS);
        group[i] = join(a, tensors + from, to - from);
    }
    return hg_apply_n(&concat_op, &a, group, HG_MAX_INPUTS);
}

static bool are_given(const char *name, hg_tensor *const *tensors, int count)
{
    return !hg_error() &&
           ((tensors && count > 0) ||
            hg_fail(HG_ERROR_ARGUMENT,
                    "%s: there is nothing to join; give at least one tensor",
                    name));
}

hg_tensor *hg_concat_n(int axis, hg_tensor *const *tensors, int count)
{
    if (!are_given("concat", tensors, count))
        return NULL;
    hg_concat_attr a = {hg_axis_in("concat", tensors[0], axis)};
    return a.axis < 0 ? NULL : join(a, tensors, count);
}

/* Each group of eight is stacked by itself, so that no list of views of all
 * tensors is needed. */
static hg_tensor *stack(int axis, hg_tensor *const *tensors, int count)
{
    hg_tensor *group[HG_MAX_INPUTS];
    int groups = count < HG_MAX_INPUTS ? count : HG_MAX_INPUTS;
    for (int i = 0; i < groups; i++) {
        int from = (int)((int64_t)count * i / groups);
        int to = (int)((int64_t)count * (i + 1) / groups);
        group[i] = to - from == 1 ? hg_unsqueeze(tensors[from], axis)
                                  : stack(axis, tensors + from, to - from);
    }
    return hg_concat_n(axis, group, groups);
}

hg_tensor *hg_stack_n(int axis, hg_tensor *const *tensors, int count)
{
    return are_given("stack", tensors, count) ? stack(axis, tensors, count)
                                              : NULL;
}

bool hg_split(hg_tensor *x, int axis, int parts, hg_tensor **out)
{
    int d = hg_axis_in("split", x, axis);
    if (d < 0)
        return false;
    if (!out)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "split: the array for the parts is NULL");
    int64_t size = x->shape.dim[d];
    if (parts < 1 || size % parts)
        return hg_fail(HG_ERROR_SHAPE,
                       "split: axis %d of %s cannot be cut into %d equal "
                       "parts; use a divisor of %lld, or hg_slice",
                       d, HG_SHAPE_TEXT(x->shape), parts, (long long)size);
    for (int i = 0; i < parts; i++)
        out[i] = hg_slice(x, d, size / parts * i, size / parts * (i + 1), 1);
    return !hg_error();
}
