/* sum.cu - the kernels of sum.c on a GPU. */
#include "ops/joint.h"
#include "ops/reduce.cuh"

extern "C" void hg_sum_cuda(const hg_kernel *k)
{
    const hg_reduce_attr *a = (const hg_reduce_attr *)k->attr;
    hg_fold(k, k->out, (unsigned)a->mask, hg_plain_sum());
}

extern "C" void hg_sum_to_cuda(const hg_kernel *k)
{
    hg_fold(k, k->out, hg_sum_to_mask(k), hg_plain_sum());
}

/* ---- Parts: the sums, or those of the chunks and then theirs ------------ */

static void reads_input(const hg_kernel *k, hg_part *p)
{
    hg_part_reads(p, k->in[0], k->in_shape[0], k->in_stride[0],
                  sizeof(hg_real));
}

static int parts(const hg_kernel *k, hg_part *p, unsigned mask)
{
    hg_fold_job<hg_plain_sum> j =
        hg_fold_job_of(k, k->out, mask, hg_plain_sum());
    static_assert(sizeof j <= HG_JOB_BYTES, "the job fits into a part");
    int64_t blocks = hg_group_blocks(j.groups, j.kept.size);
    if (j.chunks == 1) {
        hg_joint_maker(k, p, HG_MAKER_SUM, blocks, &j, sizeof j);
        reads_input(k, p);
        return 1;
    }
    size_t bytes = hg_fold_room(j);
    j.partial = (double *)hg_part_room(k->context, bytes);
    if (!j.partial)
        return hg_alone_parts(k, p);
    hg_joint_maker(k, &p[1], HG_MAKER_SUM_CHUNKS,
                   hg_group_blocks(j.joining, j.kept.size), &j, sizeof j);
    hg_part_touches(&p[1], j.partial, bytes, false, false);
    hg_joint_maker(k, p, HG_MAKER_SUM, blocks * j.chunks, &j, sizeof j);
    p->ranges = 0; /* not the output itself */
    hg_part_touches(p, j.partial, bytes, true, false);
    reads_input(k, p);
    return 2;
}

extern "C" int hg_sum_parts(const hg_kernel *k, hg_part *p)
{
    return parts(k, p, (unsigned)((const hg_reduce_attr *)k->attr)->mask);
}

extern "C" int hg_sum_to_parts(const hg_kernel *k, hg_part *p)
{
    return parts(k, p, hg_sum_to_mask(k));
}
