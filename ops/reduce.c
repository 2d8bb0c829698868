/* reduce.c - what reductions over sets of axes have in common. */
#include "ops/reduce.h"

bool hg_reduce_shape(hg_tensor *z, hg_shape *out)
{
    const hg_reduce_attr *a = z->attr;
    hg_shape from = z->in[0]->shape;
    out->rank = 0;
    for (int d = 0; d < from.rank; d++)
        if (!(a->mask >> d & 1))
            out->dim[out->rank++] = from.dim[d];
        else if (a->keep)
            out->dim[out->rank++] = 1;
    return true;
}

/* The axes as bits; false with a sentence under `name`. */
static bool mask_of(const char *name, hg_tensor *x, hg_axes axes, int64_t *mask)
{
    hg_ambient *here = hg_ambient_here();
    const char *outer = here->op;
    bool bits[HG_MAX_RANK];
    if (here->code)
        return false;
    here->op = name;
    bool ok =
        hg_usable(x, "input 0") && hg_axes_mask(axes, x->shape.rank, bits);
    here->op = outer;
    *mask = 0;
    for (int d = 0; ok && d < x->shape.rank; d++)
        *mask |= (int64_t)bits[d] << d;
    return ok;
}

hg_tensor *hg_reduce_with(const hg_op *op, hg_tensor *x, hg_axes axes, double a)
{
    hg_reduce_attr attr = {.keep = axes.keep, .a = a};
    return mask_of(op->name, x, axes, &attr.mask) ? hg_apply(op, &attr, x)
                                                  : NULL;
}

hg_tensor *hg_reduce(const hg_op *op, hg_tensor *x, hg_axes axes)
{
    return hg_reduce_with(op, x, axes, 0);
}

hg_tensor *hg_unreduce(const hg_tensor *z, hg_tensor *t)
{
    const hg_reduce_attr *a = z->attr;
    hg_shape from = z->in[0]->shape, kept = from;
    for (int d = 0; d < from.rank; d++)
        if (a->mask >> d & 1)
            kept.dim[d] = 1;
    return hg_expand(a->keep ? t : hg_reshape(t, kept), from);
}

bool hg_reduces_something(const char *name, hg_tensor *x, hg_axes axes)
{
    int64_t mask, n = 1, outputs = 1;
    if (!mask_of(name, x, axes, &mask))
        return false;
    for (int d = 0; d < x->shape.rank; d++)
        *(mask >> d & 1 ? &n : &outputs) *= x->shape.dim[d];
    return n || !outputs ||
           hg_fail(HG_ERROR_SHAPE,
                   "%s: there is nothing to reduce: the axes of %s hold no "
                   "element; skip empty batches or choose other axes",
                   name, HG_SHAPE_TEXT(x->shape));
}
