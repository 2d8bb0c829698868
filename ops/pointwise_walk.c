/* pointwise_walk.c - the one loop that every kernel of pointwise.def shares.
 *
 * The output is cut into blocks of fixed size. A block's inputs that do not
 * lie densely (broadcast, transposed, sliced) are gathered into buffers first,
 * so that a kernel is a plain dense loop. Where a block begins does not depend
 * on the number of threads, so neither do the bits. */
#include "ops/internal.h"
#include "ops/pointwise.h"

#include <string.h>

#define BLOCK 512

typedef struct {
    const hg_kernel *kernel;
    hg_pointwise_run *run;
    hg_real a, b;
    hg_joint_walk w;
} walk;

static walk plan(const hg_kernel *k, hg_pointwise_run *run)
{
    const hg_pointwise_attr *attr = k->attr;
    walk w = {.kernel = k, .run = run, .w = hg_joint_walk_of(k)};
    w.a = (hg_real)attr->a;
    w.b = (hg_real)attr->b;
    return w;
}

/* Where the row (all axes but the last) with this number begins. */
static const hg_real *row_of(const walk *w, int input, int64_t row)
{
    const hg_real *p = w->kernel->in[input];
    for (int d = w->w.rank - 2; d >= 0; d--) {
        p += row % w->w.dim[d] * w->w.stride[input][d];
        row /= w->w.dim[d];
    }
    return p;
}

static void copy_run(hg_real *out, const hg_real *in, int64_t step, int64_t n)
{
    if (step == 1) {
        memcpy(out, in, (size_t)n * sizeof *out);
    } else if (step == 0) {
        for (int64_t i = 0; i < n; i++)
            out[i] = in[0];
    } else {
        for (int64_t i = 0; i < n; i++)
            out[i] = in[i * step];
    }
}

/* Elements from ... from + n - 1 of an input, in the output's order. */
static const hg_real *block_of(const walk *w, int input, int64_t from,
                               int64_t n, hg_real *buffer)
{
    if (w->w.dense[input])
        return w->kernel->in[input] + from;
    int64_t length = w->w.dim[w->w.rank - 1], done = 0;
    int64_t step = w->w.stride[input][w->w.rank - 1];
    int64_t row = from / length, skip = from % length;
    for (; done < n; row++, skip = 0) {
        int64_t m = length - skip < n - done ? length - skip : n - done;
        const hg_real *in = row_of(w, input, row) + skip * step;
        if (m == n && step == 1)
            return in;
        copy_run(buffer + done, in, step, m);
        done += m;
    }
    return buffer;
}

static void run_blocks(void *argument, int64_t from, int64_t to)
{
    const walk *w = argument;
    const hg_kernel *k = w->kernel;
    hg_real buffer[HG_POINTWISE_INPUTS][BLOCK];
    const hg_real *in[HG_POINTWISE_INPUTS];
    for (int64_t block = from; block < to; block++) {
        int64_t start = block * BLOCK;
        int64_t n = k->n - start < BLOCK ? k->n - start : BLOCK;
        for (int i = 0; i < k->arity; i++)
            in[i] = block_of(w, i, start, n, buffer[i]);
        w->run(k->out + start, in, n, w->a, w->b);
    }
}

static hg_pointwise_run *choose(const hg_kernel *k)
{
    int64_t kernel = ((const hg_pointwise_attr *)k->attr)->kernel;
    if (k->reference)
        return hg_pointwise_reference[kernel];
#if defined(__x86_64__) && !defined(HG_DOUBLE)
    if (k->isa == HG_ISA_V4)
        return hg_pointwise_v4[kernel];
    if (k->isa == HG_ISA_V3)
        return hg_pointwise_v3[kernel];
#endif
    return hg_pointwise_base[kernel];
}

void hg_pointwise_cpu(const hg_kernel *k)
{
    walk w = plan(k, choose(k));
    hg_parallel_for(k->threads, (k->n + BLOCK - 1) / BLOCK, 32, run_blocks, &w);
}
