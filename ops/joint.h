/* joint.h - what the joint kernel (joint.cu) knows: the functions of its maps
 * and its makers, beside those of tensor/fuse.h. */
#ifndef HG_JOINT_H
#define HG_JOINT_H

#include "autograd/parts.h"

HG_BEGIN_DECLS

/* Functions of one value; hg_step.more.word tells draws their hg_source. */
enum {
    HG_STEP_UNIFORM = HG_STEP_OPS,
    HG_STEP_NORMAL,
    HG_STEP_GUMBEL,
    HG_STEP_BERNOULLI,
    HG_STEP_DROPOUT,
    HG_STEP_UNSLICE,
    HG_STEP_BATCH_NORM,
    HG_STEP_BATCH_NORM_DX,
    HG_STEP_POINTWISE /* and from there on: HG_POINTWISE_... */
};

/* Makers: products with tiles of three sizes and the sums of their parts of k;
 * sums over axes, and of their chunks; convolutions and their gradients, each
 * with tiles of two sizes and the sums of their parts of k. */
enum { HG_CONV_ADD_PARTS = 2, HG_CONV_MAKERS = 3 };
enum {
    HG_MAKER_PRODUCT_16 = HG_MAKER_OPS,
    HG_MAKER_PRODUCT_32,
    HG_MAKER_PRODUCT_64,
    HG_MAKER_ADD_PARTS,
    HG_MAKER_SUM,
    HG_MAKER_SUM_CHUNKS,
    HG_MAKER_CONV_Y,
    HG_MAKER_CONV_X = HG_MAKER_CONV_Y + HG_CONV_MAKERS,
    HG_MAKER_CONV_W = HG_MAKER_CONV_X + HG_CONV_MAKERS
};

/* On a GPU: as hg_map_parts and hg_maker_part, for the joint kernel. */
int hg_joint_map(const hg_kernel *, hg_part *, int code, unsigned reads);
void hg_joint_maker(const hg_kernel *, hg_part *, int maker, int64_t blocks,
                    const void *job, size_t bytes);

/* hg_op.parts of what has them in files of its own. */
int hg_pointwise_parts(const hg_kernel *, hg_part *);
int hg_sum_parts(const hg_kernel *, hg_part *);
int hg_sum_to_parts(const hg_kernel *, hg_part *);

/* A map that draws from a stream; inputs must be dense. */
int hg_draw_map(const hg_kernel *, hg_part *, int code, uint64_t stream);

/* Launches a joint kernel. */
void hg_run_joint(hg_stream *, const hg_joint *);

HG_END_DECLS

#endif
