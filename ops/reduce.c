/* reduce.c - what reductions over sets of axes have in common. */
#include "ops/reduce.h"

/* ---- Shapes and axes ---------------------------------------------------- */

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

bool hg_axes_in(const char *name, hg_tensor *x, hg_axes axes, int64_t *mask)
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

int hg_axis_in(const char *name, hg_tensor *x, int axis)
{
    hg_ambient *here = hg_ambient_here();
    const char *outer = here->op;
    if (here->code)
        return -1;
    here->op = name;
    int found = hg_usable(x, "input 0") ? hg_axis_of(axis, x->shape.rank) : -1;
    here->op = outer;
    return found;
}

hg_tensor *hg_reduce_with(const hg_op *op, hg_tensor *x, hg_axes axes, double a)
{
    hg_reduce_attr attr = {.keep = axes.keep, .a = a};
    return hg_axes_in(op->name, x, axes, &attr.mask) ? hg_apply(op, &attr, x)
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

int64_t hg_reduced_count(const char *name, hg_tensor *x, hg_axes axes,
                         double least)
{
    int64_t mask, n = 1, outputs = 1;
    if (!hg_axes_in(name, x, axes, &mask))
        return -1;
    for (int d = 0; d < x->shape.rank; d++)
        *(mask >> d & 1 ? &n : &outputs) *= x->shape.dim[d];
    if ((double)n > least || !outputs)
        return n;
    hg_fail(HG_ERROR_SHAPE,
            "%s: the reduced axes of %s hold %lld elements, more than %g are "
            "needed; skip such a batch or reduce other axes",
            name, HG_SHAPE_TEXT(x->shape), (long long)n, least);
    return -1;
}

/* ---- Tiles -------------------------------------------------------------- */

hg_reduction hg_reduction_of(const hg_kernel *k, unsigned mask)
{
    hg_reduction r = {
        .kernel = k, .rows = hg_rows_of(k), .width = 1, .across = 1};
    r.kept = hg_walk_of(k, 0, mask, false);
    r.gone = hg_walk_of(k, 0, mask, true);
    r.columns = r.kept.rank && r.kept.size &&
                (!r.gone.rank || hg_walk_step(&r.kept) < hg_walk_step(&r.gone));
    r.tiles = r.kept.size;
    if (r.columns) {
        int64_t run = hg_walk_run(&r.kept);
        r.width = run < HG_TILE ? run : HG_TILE;
        r.across = (run + r.width - 1) / r.width;
        r.tiles = r.kept.size / run * r.across;
    }
    return r;
}

int64_t hg_reduction_tile(const hg_reduction *r, int64_t tile, int64_t *width)
{
    int64_t run = r->columns ? hg_walk_run(&r->kept) : 1;
    int64_t skip = tile % r->across * r->width;
    *width = run - skip < r->width ? run - skip : r->width;
    return tile / r->across * run + skip;
}
