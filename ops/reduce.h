/* reduce.h - what the reductions share. */
#ifndef HG_REDUCE_H
#define HG_REDUCE_H

#include "ops/internal.h"
#include "ops/rows.h"
#include "ops/walk.h"

typedef struct {
    int64_t mask; /* bit d: axis d is reduced */
    int64_t keep; /* reduced axes stay, with size 1 */
    double a;     /* a parameter: the p of the norm */
} hg_reduce_attr;
HG_NO_PADDING(hg_reduce_attr, 3 * 8);

/* The shape rule of every reduction with these attributes. */
bool hg_reduce_shape(hg_tensor *z, hg_shape *out);
/* Applies a reduction over axes; _with passes a parameter. */
hg_tensor *hg_reduce(const hg_op *, hg_tensor *x, hg_axes);
hg_tensor *hg_reduce_with(const hg_op *, hg_tensor *x, hg_axes, double a);
/* Spreads t, which has the shape of the reduction z, over z's input. */
hg_tensor *hg_unreduce(const hg_tensor *z, hg_tensor *t);
/* How many elements make one output; -1, with a sentence under `name`, if x
 * or the axes are wrong or that is not more than `least`. */
int64_t hg_reduced_count(const char *name, hg_tensor *x, hg_axes, double least);

/* The axes that sum_to sums over, as bits. */
static inline unsigned hg_sum_to_mask(const hg_kernel *k)
{
    int lead = k->in_shape[0].rank - k->out_shape.rank;
    unsigned mask = 0;
    for (int d = 0; d < k->in_shape[0].rank; d++)
        if (d < lead || k->out_shape.dim[d - lead] != k->in_shape[0].dim[d])
            mask |= 1u << d;
    return mask;
}

/* ---- Kernels: outputs in tiles, reduced positions in runs --------------- */

enum { HG_TILE = 256 }; /* outputs that are worked on side by side */

typedef struct {
    const hg_kernel *kernel;
    const hg_rows *rows;
    hg_walk kept, gone;
    bool columns;          /* neighbours in memory belong to other outputs */
    int64_t width, across; /* outputs a tile, tiles a run of `kept` */
    int64_t tiles;
} hg_reduction;

/* Over the axes of the mask. */
hg_reduction hg_reduction_of(const hg_kernel *, unsigned mask);
/* The first output of a tile, and how many it has. */
int64_t hg_reduction_tile(const hg_reduction *, int64_t tile, int64_t *width);

/* Sums of something else than the values themselves, and what comes after. A
 * `shift` an output stands in k->out beforehand. */
typedef struct {
    void (*map)(const hg_rows *, hg_real *to, const hg_real *in, int64_t step,
                int64_t n, const hg_real *shift, int64_t shift_step, double a);
    double (*finish)(double sum, double shift, double a);
    double a;
} hg_sum_form;

/* Sums over the axes of the mask into k->out; NULL: of the values. */
void hg_sum_cpu(const hg_kernel *, unsigned mask, const hg_sum_form *);
/* The largest value of sign * x over the axes of the mask, times sign. */
void hg_extreme_cpu(const hg_kernel *, unsigned mask, hg_real sign);

/* ---- One axis of a dense tensor: [outer, size, inner] ------------------- */

typedef struct {
    int64_t outer, size, inner;
} hg_axis_view;

static inline hg_axis_view hg_axis_view_of(hg_shape shape, int axis)
{
    hg_axis_view v = {1, 1, 1};
    for (int d = 0; d < shape.rank; d++)
        *(d < axis ? &v.outer : d == axis ? &v.size : &v.inner) *= shape.dim[d];
    return v;
}

/* Checks x and the axis for an op of this name: the axis counted from the
 * front; -1 with a sentence. */
int hg_axis_in(const char *name, hg_tensor *x, int axis);
/* The same for a set of axes, as bits; false with a sentence. */
bool hg_axes_in(const char *name, hg_tensor *x, hg_axes, int64_t *mask);

/* Checks all of an int32 input: 0 <= index < size; false with a sentence. */
bool hg_indices_fit(const hg_kernel *, int input, int64_t size);

/* Quietly: is t no NULL and of an open scope? Public functions that look at a
 * tensor before hg_apply ask this, and leave the sentence to hg_apply. */
static inline bool hg_is_alive(const hg_tensor *t)
{
    return t && hg_block_of(t)->alive == HG_ALIVE;
}

#endif
