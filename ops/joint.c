/* joint.c - the parts of pointwise operations, and what the parts of others
 * have in common. */
#include "ops/joint.h"
#include "ops/pointwise.h"

#include <string.h>

/* ---- What a pointwise kernel depends on --------------------------------- */

/* As in pointwise.def, of a function's inputs and its result. */
enum { NOTHING = 0, X = 1, Y = 2, Z = 4, XY = 3, XZ = 5, YZ = 6, XYZ = 7 };

/* Of g, x, z, or of g, x, y, z; 0: of all inputs. */
#define UNARY_READS(what)  (1 | ((what)&X) << 1 | ((what)&Z))
#define BINARY_READS(what) (1 | (what) << 1)
static const uint8_t kernel_reads[HG_POINTWISE_COUNT] = {
#define UNARY(n, value, gradient, what, ...)                                   \
    [HG_POINTWISE_##n##_dx] = UNARY_READS(what),
#define UNARY_A  UNARY
#define UNARY_AB UNARY
#define BINARY(n, value, dx, dy, what, ...)                                    \
    [HG_POINTWISE_##n##_dx] = BINARY_READS(what),                              \
    [HG_POINTWISE_##n##_dy] = BINARY_READS(what),
#define LINEAR(n, ...)
#define COMPARE(n, ...)
#define TERNARY(n, ...)
#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"
};

int hg_pointwise_parts(const hg_kernel *k, hg_part *p)
{
    const hg_pointwise_attr *a = k->attr;
    unsigned reads = kernel_reads[a->kernel], all = (1u << k->arity) - 1;
    p->step.a = (hg_real)a->a;
    p->step.b = (hg_real)a->b;
    return hg_joint_map(k, p, HG_STEP_POINTWISE + (int)a->kernel,
                        reads ? reads : all);
}

/* ---- For all ------------------------------------------------------------ */

int hg_joint_map(const hg_kernel *k, hg_part *p, int code, unsigned reads)
{
    p->joint = HG_CUDA(hg_run_joint);
    return hg_map_parts(k, p, code, reads);
}

int hg_draw_map(const hg_kernel *k, hg_part *p, int code, uint64_t stream)
{
    int count = hg_joint_map(k, p, code, (1u << k->arity) - 1);
    uint64_t word[] = {k->seed, k->domain, stream,
                       (uint64_t)(uintptr_t)k->step_at};
    memcpy(p->step.more.word, word, sizeof word);
    return count;
}

void hg_joint_maker(const hg_kernel *k, hg_part *p, int maker, int64_t blocks,
                    const void *job, size_t bytes)
{
    hg_maker_part(k, p, maker);
    p->joint = HG_CUDA(hg_run_joint);
    p->blocks = (uint32_t)blocks;
    memcpy(p->job, job, bytes);
}
