/* softmax.c - softmax and its logarithm along one axis, in one sweep.
 *
 * The largest value is taken off first, so that nothing overflows; with s the
 * softmax of x, rules are ds = s (g - sum(g s)) and, for the logarithm,
 * g - s sum(g). They are written with the outputs, which the tape has. */
#include "ops/reduce.h"
#include "ops/softmax.h"

#include <math.h>
#include <string.h>

typedef struct {
    const hg_kernel *kernel;
    const hg_rows *rows;
    hg_axis_view v;
    bool logarithm;
} softmax_job;

static bool softmax_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

/* ---- Kernels ------------------------------------------------------------ */

/* n neighbours: a row of logits. */
static void one_row(const softmax_job *job, hg_real *out, const hg_real *in)
{
    int64_t n = job->v.size;
    hg_real top = job->rows->largest(in, 1, n, 1, -(hg_real)INFINITY);
    job->rows->decay(out, in, 1, n, &top, 0);
    hg_real total = job->rows->sum(out, n);
    if (job->logarithm) {
        hg_real log_total = (hg_real)log((double)total);
        for (int64_t i = 0; i < n; i++)
            out[i] = in[i] - top - log_total;
    } else {
        hg_real share = 1 / total;
        for (int64_t i = 0; i < n; i++)
            out[i] *= share;
    }
}

/* `width` softmaxes side by side, each with its values `inner` apart. */
static void columns(const softmax_job *job, hg_real *out, const hg_real *in,
                    int64_t width)
{
    hg_real top[HG_TILE], total[HG_TILE] = {0};
    int64_t inner = job->v.inner, all = job->v.size * inner;
    for (int64_t j = 0; j < width; j++)
        top[j] = -(hg_real)INFINITY;
    for (int64_t i = 0; i < all; i += inner)
        job->rows->larger(top, in + i, 1, width, 1);
    for (int64_t i = 0; i < all; i += inner) {
        job->rows->decay(out + i, in + i, 1, width, top, 1);
        job->rows->add(total, out + i, 1, width);
    }
    for (int64_t j = 0; j < width; j++)
        total[j] =
            job->logarithm ? (hg_real)log((double)total[j]) : 1 / total[j];
    for (int64_t i = 0; i < all; i += inner)
        for (int64_t j = 0; j < width; j++)
            out[i + j] = job->logarithm ? in[i + j] - top[j] - total[j]
                                        : out[i + j] * total[j];
}

static void softmax_range(void *argument, int64_t from, int64_t to)
{
    const softmax_job *job = argument;
    const hg_axis_view v = job->v;
    int64_t across = (v.inner + HG_TILE - 1) / HG_TILE;
    for (int64_t item = from; item < to; item++) {
        int64_t skip = item % across * HG_TILE, left = v.inner - skip;
        int64_t at = item / across * v.size * v.inner + skip;
        if (v.inner == 1)
            one_row(job, job->kernel->out + at, job->kernel->in[0] + at);
        else
            columns(job, job->kernel->out + at, job->kernel->in[0] + at,
                    left < HG_TILE ? left : HG_TILE);
    }
}

static void run(const hg_kernel *k, bool logarithm)
{
    const hg_softmax_attr *a = k->attr;
    softmax_job job = {k, hg_rows_of(k),
                       hg_axis_view_of(k->out_shape, (int)a->axis), logarithm};
    int64_t across = (job.v.inner + HG_TILE - 1) / HG_TILE;
    int64_t width = job.v.inner < HG_TILE ? job.v.inner : HG_TILE;
    if (k->n)
        hg_parallel_for(k->threads, job.v.outer * across,
                        (1 << 12) / (job.v.size * width) + 1, softmax_range,
                        &job);
}

static void softmax_cpu(const hg_kernel *k)
{
    run(k, false);
}

static void log_softmax_cpu(const hg_kernel *k)
{
    run(k, true);
}

/* ---- Rules -------------------------------------------------------------- */

static hg_axes axis_of(const hg_tensor *z)
{
    return HG_KEEP((int)((const hg_softmax_attr *)z->attr)->axis);
}

static void softmax_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *mean = hg_sum(hg_mul(g, z), axis_of(z));
    dx[0] = hg_mul(z, hg_sub(g, mean));
}

static void log_softmax_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *total = hg_sum(g, axis_of(z));
    dx[0] = hg_sub(g, hg_mul(hg_exp(z), total));
}

#define SOFTMAX(name_, text)                                                   \
    static const hg_op name_##_op = {                                          \
        .name = #name_,                                                        \
        .arity = 1,                                                            \
        .contiguous = true,                                                    \
        .shape = softmax_shape,                                                \
        .attr_size = sizeof(hg_softmax_attr),                                  \
        .cpu = name_##_cpu,                                                    \
        .cuda = HG_CUDA(hg_##name_##_cuda),                                    \
        .backward = name_##_backward,                                          \
        .reads = HG_READS_OUT,                                                 \
        .doc = text,                                                           \
    };                                                                         \
    hg_tensor *hg_##name_(hg_tensor *x, int axis)                              \
    {                                                                          \
        hg_softmax_attr a = {hg_axis_in(#name_, x, axis)};                     \
        return a.axis < 0 ? NULL : hg_apply(&name_##_op, &a, x);               \
    }

SOFTMAX(softmax, "shares of exp(x) along an axis")
SOFTMAX(log_softmax, "log of softmax")
