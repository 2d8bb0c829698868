/* internal.h - what the operations share. */
#ifndef HG_OPS_INTERNAL_H
#define HG_OPS_INTERNAL_H

#include "autograd/internal.h"
#include "ops/cuda.h"
#include "ops/ops.h"
#include "tensor/cpu.h"
#include "tensor/internal.h"
#include "tensor/random.h"

/* The NumPy rule; false with a sentence that shows both shapes. */
bool hg_broadcast_shape(hg_shape a, hg_shape b, hg_shape *out);
/* Expands x and y to their common shape. This and hg_sum_to, the mirror of
 * expand, are all there is to broadcasting. */
bool hg_broadcast(const char *name, hg_tensor **x, hg_tensor **y);

/* The number of this random operation since the outermost scope was opened;
 * goes into its attributes, so that backward can draw the same again. */
uint64_t hg_next_stream(void);
/* The words that a random operation with this number draws from. */
hg_philox hg_stream_of(const hg_kernel *, uint64_t stream);

#endif
