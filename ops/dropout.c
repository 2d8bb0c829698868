/* dropout.c - elements set to zero at random (Srivastava et al., 2014). The
 * mask is not stored: backward draws it again from the same stream, so that
 * dropout is its own mirror. */
#include "ops/internal.h"
#include "ops/joint.h"
#include "ops/random_kernels.h"

#define CHUNK 1024

static bool dropout_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

static void drop_chunks(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const hg_dropout_attr *a = k->attr;
    hg_philox stream = hg_stream_of(k, a->stream);
    hg_real p = (hg_real)a->p;
    hg_real scale = a->p < 1 ? (hg_real)(1 / (1 - a->p)) : 0;
    for (int64_t chunk = from; chunk < to; chunk++) {
        int64_t start = chunk * CHUNK;
        int64_t n = k->n - start < CHUNK ? k->n - start : CHUNK;
        const hg_real *x = k->in[0] + start;
        hg_real *out = k->out + start;
        hg_draws_of(k)->fill(out, &stream, (uint64_t)start / 4, n,
                             HG_DRAW_UNIFORM);
        /* A product, so that NaN passes through. */
        for (int64_t i = 0; i < n; i++)
            out[i] = x[i] * (out[i] < p ? 0 : scale);
    }
}

static void dropout_cpu(const hg_kernel *k)
{
    hg_parallel_for(k->threads, (k->n + CHUNK - 1) / CHUNK, 8, drop_chunks,
                    (void *)(uintptr_t)k);
}

static void dropout_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_apply(z->op, z->attr, g);
}

static int dropout_parts(const hg_kernel *k, hg_part *p)
{
    const hg_dropout_attr *a = k->attr;
    p->step.a = (hg_real)a->p;
    p->step.b = a->p < 1 ? (hg_real)(1 / (1 - a->p)) : 0;
    return hg_draw_map(k, p, HG_STEP_DROPOUT, a->stream);
}

static const hg_op dropout_op = {
    .name = "dropout",
    .arity = 1,
    .contiguous = true,
    .shape = dropout_shape,
    .attr_size = sizeof(hg_dropout_attr),
    .cpu = dropout_cpu,
    .cuda = HG_CUDA(hg_dropout_cuda),
    .parts = dropout_parts,
    .backward = dropout_backward,
    .reads = HG_READS_NOTHING,
    .doc = "zero with probability p, else scaled by 1 / (1 - p)",
};

hg_tensor *hg_dropout(hg_tensor *x, double p)
{
    if (!(p >= 0 && p <= 1)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_dropout: p = %g is not a probability; it must lie between "
                "0 and 1",
                p);
        return NULL;
    }
    if (!(hg_get_mode() & HG_STOCHASTIC))
        return hg_usable(x, "hg_dropout: the input") ? x : NULL;
    hg_dropout_attr a = {hg_next_stream(), p};
    return hg_apply(&dropout_op, &a, x);
}
