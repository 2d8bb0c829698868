/* product_parts.cuh - what a product says of itself to those who fuse. */
#ifndef HG_PRODUCT_PARTS_CUH
#define HG_PRODUCT_PARTS_CUH

#include "ops/joint.h"
#include "ops/product.cuh"

static inline void hg_reads_inputs(const hg_kernel *k, hg_part *p)
{
    for (int i = 0; i < k->arity; i++)
        hg_part_reads(p, k->in[i], k->in_shape[i], k->in_stride[i],
                      sizeof(hg_real));
}

/* A product made by `maker`; or the sums over parts of k, which `adder` adds
 * up. */
template <typename P>
static int hg_product_parts(const hg_kernel *k, hg_part *p, const P &problem,
                            int maker, int adder)
{
    hg_product_job<P> job = {problem, hg_parts_of(problem)};
    static_assert(sizeof job <= HG_JOB_BYTES, "the job fits into a part");
    int64_t blocks = hg_tiles_of(problem) * job.parts.count;
    if (job.parts.count == 1) {
        hg_joint_maker(k, p, maker, blocks, &job, sizeof job);
        hg_reads_inputs(k, p);
        return 1;
    }
    size_t bytes = hg_parts_room(problem, job.parts);
    job.parts.sums = (hg_real *)hg_part_room(k->context, bytes);
    if (!job.parts.sums)
        return hg_alone_parts(k, p);
    hg_joint_maker(k, &p[1], adder, hg_blocks(k->n, HG_BLOCK), &job,
                   sizeof job);
    hg_part_touches(&p[1], job.parts.sums, bytes, false, false);
    hg_reads_inputs(k, &p[1]); /* the bias is among them */
    hg_joint_maker(k, p, maker, blocks, &job, sizeof job);
    p->ranges = 0; /* not the output itself */
    hg_part_touches(p, job.parts.sums, bytes, true, false);
    hg_reads_inputs(k, p);
    return 2;
}

#endif
