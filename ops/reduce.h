/* reduce.h - what the reductions share. */
#ifndef HG_REDUCE_H
#define HG_REDUCE_H

#include "ops/internal.h"

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
/* For reductions that need a number: false, with a sentence under `name`, if
 * x or the axes are wrong or an output would be made from nothing. */
bool hg_reduces_something(const char *name, hg_tensor *x, hg_axes);

/* Sums over the axes of the mask into k->out. */
void hg_sum_cpu(const hg_kernel *, unsigned mask);

/* Quietly: is t no NULL and of an open scope? Public functions that look at a
 * tensor before hg_apply ask this, and leave the sentence to hg_apply. */
static inline bool hg_is_alive(const hg_tensor *t)
{
    return t && hg_block_of(t)->alive == HG_ALIVE;
}

#endif
