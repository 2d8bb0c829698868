/* where.c - a choice between two tensors, element by element. */
#include "ops/internal.h"
#include "ops/joint.h"
#include "ops/pointwise.h"

static void where_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *zero = hg_zeros(HG_SCALAR);
    if (hg_needs(z, 1))
        dx[1] = hg_where(z->in[0], g, zero);
    if (hg_needs(z, 2))
        dx[2] = hg_where(z->in[0], zero, g);
}

static const hg_op where_op = {
    .name = "where",
    .arity = 3,
    .shape = hg_pointwise_shape,
    .attr_size = sizeof(hg_pointwise_attr),
    .cpu = hg_pointwise_cpu,
    .cuda = HG_CUDA(hg_pointwise_cuda),
    .parts = hg_pointwise_parts,
    .backward = where_backward,
    .reads = HG_READS_IN(0),
    .doc = "x where the condition is not 0, else y",
};

hg_tensor *hg_where(hg_tensor *condition, hg_tensor *x, hg_tensor *y)
{
    /* The first line brings x and y to one shape, the second all three. */
    if (!hg_broadcast("where", &x, &y) ||
        !hg_broadcast("where", &condition, &x) ||
        !hg_broadcast("where", &x, &y))
        return NULL;
    hg_pointwise_attr attr = {HG_POINTWISE_where, 0, 0};
    return hg_apply(&where_op, &attr, condition, x, y);
}
