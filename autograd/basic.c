/* basic.c - the few operations that backprop itself is made of: constants,
 * dense copies, the sum of gradients, and leaves cut from or put on the tape.
 */
#include "autograd/basic.h"
#include "autograd/cuda.h"
#include "autograd/internal.h"
#include "autograd/parts.h"

#include <string.h>

/* ---- Constants ---------------------------------------------------------- */

static bool full_shape(hg_tensor *z, hg_shape *out)
{
    const hg_full_attr *a = z->attr;
    out->rank = (int)a->rank;
    for (int i = 0; i < HG_MAX_RANK; i++)
        out->dim[i] = a->dim[i];
    return true; /* hg_apply refuses what is no shape */
}

typedef struct {
    hg_real *out;
    hg_real value;
} fill_job;

static void fill_range(void *argument, int64_t from, int64_t to)
{
    const fill_job *job = argument;
    for (int64_t i = from; i < to; i++)
        job->out[i] = job->value;
}

static void full_cpu(const hg_kernel *k)
{
    fill_job job = {k->out, (hg_real)((const hg_full_attr *)k->attr)->value};
    hg_parallel_for(k->threads, k->n, 1 << 16, fill_range, &job);
}

static int full_parts(const hg_kernel *k, hg_part *p)
{
    p->step.a = (hg_real)((const hg_full_attr *)k->attr)->value;
    return hg_map_parts(k, p, HG_STEP_CONSTANT, 0);
}

static const hg_op full_op = {
    .name = "full",
    .shape = full_shape,
    .attr_size = sizeof(hg_full_attr),
    .cpu = full_cpu,
    .cuda = HG_CUDA(hg_full_cuda),
    .parts = full_parts,
    .doc = "a constant",
};

hg_tensor *hg_full(hg_shape shape, hg_real value)
{
    hg_full_attr a = {.rank = shape.rank, .value = (double)value};
    memcpy(a.dim, shape.dim, sizeof a.dim);
    for (int i = shape.rank < 0 ? 0 : shape.rank; i < HG_MAX_RANK; i++)
        a.dim[i] = 0;
    return hg_apply_n(&full_op, &a, NULL, 0);
}

hg_tensor *hg_zeros(hg_shape shape)
{
    return hg_full(shape, 0);
}

hg_tensor *hg_ones(hg_shape shape)
{
    return hg_full(shape, 1);
}

/* ---- Strided walks ------------------------------------------------------ */

static bool same_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    for (int i = 1; i < z->arity; i++)
        if (!hg_shape_equal(z->in[i]->shape, *out))
            return hg_fail(HG_ERROR_SHAPE, "shapes %s and %s differ",
                           HG_SHAPE_TEXT(*out), HG_SHAPE_TEXT(z->in[i]->shape));
    return true;
}

/* Offset in input i of the row (all axes but the last) with this number. */
static int64_t row_offset(const hg_kernel *k, int i, int64_t row)
{
    int64_t offset = 0;
    for (int d = k->out_shape.rank - 2; d >= 0; d--) {
        offset += row % k->out_shape.dim[d] * k->in_stride[i][d];
        row /= k->out_shape.dim[d];
    }
    return offset;
}

static int64_t row_length(const hg_kernel *k)
{
    int rank = k->out_shape.rank;
    return rank ? k->out_shape.dim[rank - 1] : 1;
}

static int64_t row_stride(const hg_kernel *k, int i)
{
    int rank = k->out_shape.rank;
    return rank ? k->in_stride[i][rank - 1] : 0;
}

static int64_t rows_of(const hg_kernel *k)
{
    int64_t length = row_length(k);
    return length ? k->n / length : 0;
}

static void copy_rows(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    int64_t length = row_length(k), step = row_stride(k, 0);
    for (int64_t row = from; row < to; row++) {
        const hg_real *in = k->in[0] + row_offset(k, 0, row);
        hg_real *out = k->out + row * length;
        for (int64_t i = 0; i < length; i++)
            out[i] = in[i * step];
    }
}

static void copy_cpu(const hg_kernel *k)
{
    int64_t grain = (1 << 15) / (row_length(k) + 1) + 1;
    hg_parallel_for(k->threads, rows_of(k), grain, copy_rows,
                    (void *)(uintptr_t)k);
}

static void pass_gradient(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    for (int i = 0; i < z->arity; i++)
        dx[i] = g;
}

static int copy_parts(const hg_kernel *k, hg_part *p)
{
    return hg_map_parts(k, p, HG_STEP_COPY, 1);
}

static const hg_op dense_op = {
    .name = "dense",
    .arity = 1,
    .shape = same_shape,
    .cpu = copy_cpu,
    .cuda = HG_CUDA(hg_dense_cuda),
    .parts = copy_parts,
    .backward = pass_gradient,
    .reads = HG_READS_NOTHING,
    .doc = "a dense copy of a strided view",
};

/* int32 tensors are no part of the tape: a plain copy. */
static hg_tensor *dense_int(hg_tensor *t)
{
    hg_scope *s = hg_scope_here();
    hg_tensor *copy = s ? hg_tensor_new(&s->owner, t->shape, HG_INT32) : NULL;
    return copy && hg_copy_values(copy, t) ? copy : NULL;
}

hg_tensor *hg_dense(hg_tensor *t)
{
    if (!hg_usable(t, "the input"))
        return NULL;
    if (hg_is_contiguous(t))
        return t;
    return t->dtype == HG_INT32 ? dense_int(t) : hg_apply(&dense_op, NULL, t);
}

static void add_rows(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    int64_t length = row_length(k);
    int64_t step0 = row_stride(k, 0), step1 = row_stride(k, 1);
    for (int64_t row = from; row < to; row++) {
        const hg_real *a = k->in[0] + row_offset(k, 0, row);
        const hg_real *b = k->in[1] + row_offset(k, 1, row);
        hg_real *out = k->out + row * length;
        for (int64_t i = 0; i < length; i++)
            out[i] = a[i * step0] + b[i * step1];
    }
}

static void accumulate_cpu(const hg_kernel *k)
{
    int64_t grain = (1 << 15) / (row_length(k) + 1) + 1;
    hg_parallel_for(k->threads, rows_of(k), grain, add_rows,
                    (void *)(uintptr_t)k);
}

static int accumulate_parts(const hg_kernel *k, hg_part *p)
{
    return hg_map_parts(k, p, HG_STEP_ADD, 3);
}

static const hg_op accumulate_op = {
    .name = "accumulate",
    .arity = 2,
    .shape = same_shape,
    .cpu = accumulate_cpu,
    .cuda = HG_CUDA(hg_accumulate_cuda),
    .parts = accumulate_parts,
    .backward = pass_gradient,
    .reads = HG_READS_NOTHING,
    .doc = "the sum of two gradients of one value",
};

hg_tensor *hg_accumulate(hg_tensor *a, hg_tensor *b)
{
    return hg_apply(&accumulate_op, NULL, a, b);
}

/* ---- Cut from, and put on, the tape ------------------------------------- */

static void view_as_is(hg_tensor *z)
{
    (void)z; /* shape, strides and offset are the input's already */
}

static const hg_op detach_op = {
    .name = "detach",
    .arity = 1,
    .shape = same_shape,
    .view = view_as_is,
    .doc = "the same value; no gradient flows",
};

hg_tensor *hg_detach(hg_tensor *t)
{
    return hg_apply(&detach_op, NULL, t);
}

static const hg_op watch_op = {
    .name = "watch",
    .arity = 1,
    .shape = same_shape,
    .view = view_as_is,
    .doc = "the same value as a leaf that receives a gradient",
};

hg_tensor *hg_watch(hg_tensor *t)
{
    hg_tensor *z = hg_apply(&watch_op, NULL, t);
    if (z)
        z->wants_grad = true;
    return z;
}

static void straight_through_backward(hg_tensor *z, hg_tensor *g,
                                      hg_tensor **dx)
{
    (void)z;
    dx[1] = g;
}

static const hg_op straight_through_op = {
    .name = "straight_through",
    .arity = 2,
    .shape = same_shape,
    .view = view_as_is,
    .backward = straight_through_backward,
    .reads = HG_READS_NOTHING,
    .doc = "the value of one, the gradient to the other",
};

hg_tensor *hg_straight_through(hg_tensor *value, hg_tensor *through)
{
    return hg_apply(&straight_through_op, NULL, value, through);
}
