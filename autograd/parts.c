/* parts.c - the parts of ordinary operations: kernels that read their inputs
 * and write their output, and maps. */
#include "autograd/parts.h"

#include <limits.h>
#include <string.h>

/* ---- What is touched ---------------------------------------------------- */

void hg_part_reads(hg_part *p, const void *first, hg_shape shape,
                   const int64_t *stride, size_t size)
{
    int64_t low = 0, high = 1;
    for (int d = 0; d < shape.rank; d++) {
        int64_t reach = (shape.dim[d] - 1) * stride[d];
        *(reach < 0 ? &low : &high) += reach;
    }
    hg_part_touches(p, (const char *)first + low * (int64_t)size,
                    (size_t)(high - low) * size, false, false);
}

/* int32 values are the smaller ones. */
static size_t size_of_input(const hg_kernel *k, int i)
{
    return k->op->int_inputs >> i & 1 ? sizeof(int32_t) : sizeof(hg_real);
}

int hg_alone_parts(const hg_kernel *k, hg_part *p)
{
    size_t size = k->op->out_int ? sizeof(int32_t) : sizeof(hg_real);
    p->role = HG_ALONE;
    for (int i = 0; i < k->arity; i++)
        hg_part_reads(p, k->in[i], k->in_shape[i], k->in_stride[i],
                      size_of_input(k, i));
    hg_part_touches(p, k->out, (size_t)k->n * size, true, false);
    return 1;
}

void hg_maker_part(const hg_kernel *k, hg_part *p, int maker)
{
    p->role = HG_MAKER;
    p->maker = maker;
    p->n = k->n;
    hg_part_touches(p, k->out, (size_t)k->n * sizeof(hg_real), true, true);
}

/* ---- Maps --------------------------------------------------------------- */

/* Can axis d of the output be walked as one with the last axis of the walk? */
static bool merges(const hg_step *s, const hg_kernel *k, int d)
{
    int last = s->more.walk.rank - 1;
    for (int j = 0; j < s->inputs && last >= 0; j++)
        if (s->more.walk.stride[j][last] !=
            k->in_stride[j][d] * k->out_shape.dim[d])
            return false;
    return last >= 0;
}

static bool is_small(int64_t x)
{
    return x >= -INT_MAX && x <= INT_MAX;
}

/* False if the walk has more axes or larger steps than a table holds. */
static bool add_axis(hg_step *s, const hg_kernel *k, int d)
{
    int64_t size = k->out_shape.dim[d];
    if (size == 1)
        return true;
    if (merges(s, k, d))
        s->more.walk.dim[s->more.walk.rank - 1] *= (int32_t)size;
    else if (s->more.walk.rank == HG_STEP_RANK)
        return false;
    else
        s->more.walk.dim[s->more.walk.rank++] = (int32_t)size;
    for (int j = 0; j < s->inputs; j++) {
        if (!is_small(k->in_stride[j][d]))
            return false;
        s->more.walk.stride[j][s->more.walk.rank - 1] =
            (int32_t)k->in_stride[j][d];
    }
    return true;
}

static bool is_dense(const hg_step *s, int j)
{
    int64_t expected = 1;
    for (int d = s->more.walk.rank - 1; d >= 0; d--) {
        if (s->more.walk.stride[j][d] != expected)
            return false;
        expected *= s->more.walk.dim[d];
    }
    return true;
}

/* Does every place that the walk comes to have a number that a table holds? */
static bool reaches(const hg_step *s, int j)
{
    int64_t reach = 0;
    for (int d = 0; d < s->more.walk.rank; d++) {
        int64_t stride = s->more.walk.stride[j][d];
        reach += (s->more.walk.dim[d] - 1) * (stride < 0 ? -stride : stride);
    }
    return is_small(reach);
}

static bool fill_step(hg_step *s, const hg_kernel *k, int code, unsigned reads)
{
    s->code = code;
    s->inputs = k->arity;
    s->reads = reads;
    s->out = k->out;
    if (k->arity > HG_STEP_INPUTS || !is_small(k->n))
        return false;
    for (int d = 0; d < k->out_shape.rank; d++)
        if (!add_axis(s, k, d))
            return false;
    for (int j = 0; j < k->arity; j++) {
        if (!reaches(s, j))
            return false;
        s->in[j] = k->in[j];
        s->dense |= (unsigned)is_dense(s, j) << j;
    }
    return true;
}

int hg_map_parts(const hg_kernel *k, hg_part *p, int code, unsigned reads)
{
    size_t bytes = (size_t)k->n * sizeof(hg_real);
    if (!fill_step(&p->step, k, code, reads))
        return hg_alone_parts(k, p);
    p->role = HG_MAP;
    p->n = k->n;
    for (int j = 0; j < k->arity; j++) {
        if (!(reads >> j & 1))
            continue;
        if (p->step.dense >> j & 1)
            hg_part_touches(p, k->in[j], bytes, false, true);
        else
            hg_part_reads(p, k->in[j], k->in_shape[j], k->in_stride[j],
                          sizeof(hg_real));
    }
    hg_part_touches(p, k->out, bytes, true, true);
    return 1;
}
