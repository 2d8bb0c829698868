/* walk.h - sets of axes walked as if they were one, for kernels that go over
 * some axes of a tensor outside and over others inside. */
#ifndef HG_WALK_H
#define HG_WALK_H

#include "autograd/op.h"
#include "tensor/inline.h"

/* A shape as an attribute: all bytes are defined. */
typedef struct {
    int64_t rank, dim[HG_MAX_RANK];
} hg_shape_attr;
HG_NO_PADDING(hg_shape_attr, 7 * 8);

static inline hg_shape_attr hg_shape_attr_of(hg_shape shape)
{
    hg_shape_attr a = {shape.rank, {0}};
    for (int i = 0; i < shape.rank && i < HG_MAX_RANK; i++)
        a.dim[i] = shape.dim[i];
    return a;
}

static inline hg_shape hg_shape_of_attr(const void *attr)
{
    const hg_shape_attr *a = (const hg_shape_attr *)attr;
    bool legal = a->rank >= 0 && a->rank <= HG_MAX_RANK;
    hg_shape shape = {legal ? (int)a->rank : 0, {0}};
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = a->dim[i];
    return shape;
}

/* Axes that lie one inside the other, merged where strides allow. */
typedef struct {
    int rank;
    int64_t size; /* product of dim */
    int64_t dim[HG_MAX_RANK], stride[HG_MAX_RANK];
} hg_walk;

static inline void hg_walk_add(hg_walk *w, int64_t dim, int64_t stride)
{
    int last = w->rank - 1;
    w->size *= dim;
    if (dim == 1)
        return;
    if (w->rank && w->stride[last] == stride * dim) {
        w->dim[last] *= dim;
        w->stride[last] = stride;
        return;
    }
    w->dim[w->rank] = dim;
    w->stride[w->rank++] = stride;
}

/* The axes of input i whose mask is `wanted`, outermost first. */
static inline hg_walk hg_walk_of(const hg_kernel *k, int i, unsigned mask,
                                 bool wanted)
{
    hg_walk w = {0, 1, {0}, {0}};
    for (int d = 0; d < k->in_shape[i].rank; d++)
        if ((mask >> d & 1) == wanted)
            hg_walk_add(&w, k->in_shape[i].dim[d], k->in_stride[i][d]);
    return w;
}

/* Where element i of the walk lies. */
HG_INLINE int64_t hg_walk_offset(const hg_walk *w, int64_t i)
{
    int64_t offset = 0;
    for (int d = w->rank - 1; d > 0; d--) {
        offset += i % w->dim[d] * w->stride[d];
        i /= w->dim[d];
    }
    return w->rank ? offset + i * w->stride[0] : 0;
}

/* Length and stride of the innermost run. */
HG_INLINE int64_t hg_walk_run(const hg_walk *w)
{
    return w->rank ? w->dim[w->rank - 1] : 1;
}

HG_INLINE int64_t hg_walk_step(const hg_walk *w)
{
    return w->rank ? w->stride[w->rank - 1] : 0;
}

#endif
