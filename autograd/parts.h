/* parts.h - what an operation says of itself to those who fuse (tensor/fuse.h).
 *
 * hg_op.parts fills in the part, or the two, that a call consists of, and
 * returns how many. It must say all that the kernel reads and writes. */
#ifndef HG_AUTOGRAD_PARTS_H
#define HG_AUTOGRAD_PARTS_H

#include "autograd/op.h"
#include "tensor/fuse.h"

HG_BEGIN_DECLS

/* The bytes that a tensor of this shape and these strides covers. */
void hg_part_reads(hg_part *, const void *first, hg_shape,
                   const int64_t *stride, size_t size);

/* A kernel of its own that reads its inputs and writes its output, nothing
 * else. */
int hg_alone_parts(const hg_kernel *, hg_part *);

/* A map: output i is the function `code` of value i of every input, all of
 * which have the output's shape. Bit j of `reads`: the result depends on input
 * j. */
int hg_map_parts(const hg_kernel *, hg_part *, int code, unsigned reads);

/* A maker of k's output; its blocks, their job and the inputs are added by the
 * caller. */
void hg_maker_part(const hg_kernel *, hg_part *, int maker);

/* A hg_run for calls whose last input is left to a second part. */
void hg_run_without_last(hg_stream *, const void *arguments);

HG_END_DECLS

#endif
