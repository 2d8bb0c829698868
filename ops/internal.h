/* internal.h - what the operations share. */
#ifndef HG_OPS_INTERNAL_H
#define HG_OPS_INTERNAL_H

#include "autograd/internal.h"
#include "ops/ops.h"
#include "tensor/cpu.h"
#include "tensor/internal.h"
#include "tensor/random.h"

/* The NumPy rule; false with a sentence that shows both shapes. */
bool hg_broadcast_shape(hg_shape a, hg_shape b, hg_shape *out);
/* Expands x and y to their common shape. This and hg_sum_to, the mirror of
 * expand, are all there is to broadcasting. */
bool hg_broadcast(const char *name, hg_tensor **x, hg_tensor **y);

#endif
