/* expand.c - broadcasting as a view: repeated axes get stride 0. */
#include "ops/internal.h"
#include "ops/walk.h"

static bool expand_shape(hg_tensor *z, hg_shape *out)
{
    const hg_shape_attr *a = z->attr;
    hg_shape from = z->in[0]->shape;
    int lead = (int)a->rank - from.rank;
    bool fits = lead >= 0 && a->rank <= HG_MAX_RANK;
    out->rank = fits ? (int)a->rank : 0;
    for (int i = 0; i < out->rank && fits; i++) {
        int64_t had = i < lead ? 1 : from.dim[i - lead];
        out->dim[i] = a->dim[i] == -1 && i >= lead ? had : a->dim[i];
        fits = out->dim[i] >= 0 && (had == 1 || had == out->dim[i]);
    }
    if (fits)
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "%s cannot be expanded to %s: counted from the end, sizes "
                   "must agree or be 1 in the input (-1 keeps a size); insert "
                   "axes with hg_unsqueeze",
                   HG_SHAPE_TEXT(from), HG_SHAPE_TEXT(hg_shape_of_attr(a)));
}

static void expand_view(hg_tensor *z)
{
    const hg_tensor *x = z->in[0];
    int lead = z->shape.rank - x->shape.rank;
    for (int i = z->shape.rank - 1; i >= 0; i--) {
        bool repeats = i < lead || x->shape.dim[i - lead] != z->shape.dim[i];
        z->stride[i] = repeats ? 0 : x->stride[i - lead];
    }
}

static void expand_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_sum_to(g, z->in[0]->shape);
}

static const hg_op expand_op = {
    .name = "expand",
    .arity = 1,
    .shape = expand_shape,
    .attr_size = sizeof(hg_shape_attr),
    .view = expand_view,
    .backward = expand_backward,
    .reads = HG_READS_NOTHING,
    .int_inputs = 1,
    .doc = "broadcast to a shape, without copying",
};

hg_tensor *hg_expand(hg_tensor *x, hg_shape shape)
{
    hg_shape_attr a = hg_shape_attr_of(shape);
    return hg_apply(&expand_op, &a, x);
}
