/* slice.h - attributes of the operations of slice.c, and how flip walks. */
#ifndef HG_SLICE_H
#define HG_SLICE_H

#include "ops/walk.h"

/* Positions start, start + step, ... of an axis: `count` of them. `size` is
 * that of the whole axis. */
typedef struct {
    int64_t axis, start, step, count, size;
} hg_part_attr;
HG_NO_PADDING(hg_part_attr, 5 * 8);

/* What a kernel has to know to put a part among zeros. */
enum {
    HG_UNSLICE_INNER, /* elements behind one position of the axis */
    HG_UNSLICE_SIZE,
    HG_UNSLICE_START,
    HG_UNSLICE_STEP,
    HG_UNSLICE_COUNT,
    HG_UNSLICE_NUMBERS
};

static inline void hg_unslice_numbers(const hg_kernel *k,
                                      int64_t number[HG_UNSLICE_NUMBERS])
{
    const hg_part_attr *a = (const hg_part_attr *)k->attr;
    number[HG_UNSLICE_INNER] = 1;
    for (int d = (int)a->axis + 1; d < k->out_shape.rank; d++)
        number[HG_UNSLICE_INNER] *= k->out_shape.dim[d];
    number[HG_UNSLICE_SIZE] = k->out_shape.dim[a->axis];
    number[HG_UNSLICE_START] = a->start;
    number[HG_UNSLICE_STEP] = a->step;
    number[HG_UNSLICE_COUNT] = a->count;
}

typedef struct {
    int64_t mask;
} hg_flip_attr;
HG_NO_PADDING(hg_flip_attr, 8);

/* The walk over the input in the order of the output, from `*first`, the
 * input's element that becomes the first. */
static inline hg_walk hg_flip_walk(const hg_kernel *k, const hg_real **first)
{
    const hg_flip_attr *a = (const hg_flip_attr *)k->attr;
    hg_walk w = {0, 1, {0}, {0}};
    *first = k->in[0];
    for (int d = 0; d < k->out_shape.rank; d++) {
        int64_t size = k->out_shape.dim[d], stride = k->in_stride[0][d];
        bool flipped = a->mask >> d & 1;
        *first += flipped ? (size - 1) * stride : 0;
        hg_walk_add(&w, size, flipped ? -stride : stride);
    }
    return w;
}

#endif
