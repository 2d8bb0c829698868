/* slice.c - parts of an axis as views; their mirror, which puts a part back
 * among zeros; and axes read backwards. */
#include "ops/joint.h"
#include "ops/reduce.h"
#include "ops/slice.h"

#include <string.h>

static hg_tensor *take_part(hg_tensor *x, hg_part_attr a);
static hg_tensor *put_part(hg_tensor *x, hg_part_attr a);

/* ---- slice: a view ------------------------------------------------------ */

static bool slice_shape(hg_tensor *z, hg_shape *out)
{
    const hg_part_attr *a = z->attr;
    *out = z->in[0]->shape;
    out->dim[a->axis] = a->count;
    return true;
}

static void slice_view(hg_tensor *z)
{
    const hg_part_attr *a = z->attr;
    if (a->count)
        z->offset += a->start * z->stride[a->axis];
    z->stride[a->axis] *= a->step;
}

static void slice_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = put_part(g, *(const hg_part_attr *)z->attr);
}

static const hg_op slice_op = {
    .name = "slice",
    .arity = 1,
    .shape = slice_shape,
    .attr_size = sizeof(hg_part_attr),
    .view = slice_view,
    .backward = slice_backward,
    .reads = HG_READS_NOTHING,
    .int_inputs = 1,
    .doc = "every step-th position of a part of an axis, without copying",
};

static hg_tensor *take_part(hg_tensor *x, hg_part_attr a)
{
    return hg_apply(&slice_op, &a, x);
}

/* From Python's counting to 0 ... size; false if out of range. */
static bool position(int64_t *at, int64_t size)
{
    if (*at == HG_END)
        *at = size;
    if (*at < 0)
        *at += size;
    return *at >= 0 && *at <= size;
}

hg_tensor *hg_slice(hg_tensor *x, int axis, int64_t start, int64_t stop,
                    int64_t step)
{
    int d = hg_axis_in("slice", x, axis);
    if (d < 0)
        return NULL;
    int64_t size = x->shape.dim[d], from = start, to = stop;
    if (!position(&from, size) || !position(&to, size) || step < 1) {
        hg_fail(HG_ERROR_ARGUMENT,
                "slice: %lld to %lld in steps of %lld does not lie on axis %d "
                "of %s; use positions from %lld to %lld or HG_END, and a step "
                "of at least 1",
                (long long)start, (long long)stop, (long long)step, d,
                HG_SHAPE_TEXT(x->shape), (long long)-size, (long long)size);
        return NULL;
    }
    int64_t count = to > from ? (to - from - 1) / step + 1 : 0;
    return take_part(x, (hg_part_attr){d, from, step, count, size});
}

hg_tensor *hg_select(hg_tensor *x, int axis, int64_t place)
{
    int d = hg_axis_in("select", x, axis);
    if (d < 0)
        return NULL;
    int64_t size = x->shape.dim[d];
    if (place < -size || place >= size) {
        hg_fail(HG_ERROR_ARGUMENT,
                "select: position %lld is not on axis %d of %s; use %lld to "
                "%lld",
                (long long)place, d, HG_SHAPE_TEXT(x->shape), (long long)-size,
                (long long)size - 1);
        return NULL;
    }
    int64_t from = place < 0 ? place + size : place;
    return hg_squeeze(take_part(x, (hg_part_attr){d, from, 1, 1, size}),
                      HG_OVER(d));
}

/* ---- unslice: the part among zeros -------------------------------------- */

static bool unslice_shape(hg_tensor *z, hg_shape *out)
{
    const hg_part_attr *a = z->attr;
    *out = z->in[0]->shape;
    out->dim[a->axis] = a->size;
    return true;
}

static void unslice_range(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const hg_part_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    for (int64_t outer = from; outer < to; outer++) {
        hg_real *out = k->out + outer * v.size * v.inner;
        const hg_real *in = k->in[0] + outer * a->count * v.inner;
        memset(out, 0, (size_t)(v.size * v.inner) * sizeof *out);
        int64_t run = a->step == 1 ? a->count : 1;
        for (int64_t i = 0; i < a->count; i += run)
            memcpy(out + (a->start + i * a->step) * v.inner, in + i * v.inner,
                   (size_t)(run * v.inner) * sizeof *out);
    }
}

static void unslice_cpu(const hg_kernel *k)
{
    const hg_part_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    if (k->n)
        hg_parallel_for(k->threads, v.outer, (1 << 15) / (v.size * v.inner) + 1,
                        unslice_range, (void *)(uintptr_t)k);
}

static void unslice_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = take_part(g, *(const hg_part_attr *)z->attr);
}

/* A map that finds its one input itself. */
static int unslice_parts(const hg_kernel *k, hg_part *p)
{
    hg_kernel map = *k;
    int64_t number[HG_UNSLICE_NUMBERS];
    map.arity = 0;
    int count = hg_joint_map(&map, p, HG_STEP_UNSLICE, 0);
    hg_unslice_numbers(k, number);
    p->step.in[0] = k->in[0];
    memcpy(p->step.more.word, number, sizeof number);
    hg_part_reads(p, k->in[0], k->in_shape[0], k->in_stride[0],
                  sizeof(hg_real));
    return count;
}

static const hg_op unslice_op = {
    .name = "unslice",
    .arity = 1,
    .contiguous = true,
    .shape = unslice_shape,
    .attr_size = sizeof(hg_part_attr),
    .cpu = unslice_cpu,
    .cuda = HG_CUDA(hg_unslice_cuda),
    .parts = unslice_parts,
    .backward = unslice_backward,
    .reads = HG_READS_NOTHING,
    .doc = "a part of an axis among zeros: the mirror of slice, and pad",
};

static hg_tensor *put_part(hg_tensor *x, hg_part_attr a)
{
    return hg_apply(&unslice_op, &a, x);
}

hg_tensor *hg_pad(hg_tensor *x, int axis, int64_t before, int64_t after)
{
    int d = hg_axis_in("pad", x, axis);
    if (d < 0)
        return NULL;
    if (before < 0 || after < 0) {
        hg_fail(HG_ERROR_ARGUMENT,
                "pad: %lld before and %lld after axis %d of %s: neither may "
                "be negative; cut with hg_slice",
                (long long)before, (long long)after, d,
                HG_SHAPE_TEXT(x->shape));
        return NULL;
    }
    int64_t n = x->shape.dim[d];
    if (before > INT64_MAX / 4 || after > INT64_MAX / 4) {
        hg_fail(HG_ERROR_SHAPE,
                "pad: %lld before and %lld after axis %d of %s are more than "
                "can be addressed",
                (long long)before, (long long)after, d,
                HG_SHAPE_TEXT(x->shape));
        return NULL;
    }
    return put_part(x, (hg_part_attr){d, before, 1, n, before + n + after});
}

/* ---- flip --------------------------------------------------------------- */

typedef struct {
    const hg_kernel *kernel;
    const hg_real *first;
    hg_walk walk;
} flip_job;

static bool flip_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

static void flip_rows(void *argument, int64_t from, int64_t to)
{
    const flip_job *job = argument;
    int64_t length = hg_walk_run(&job->walk), step = hg_walk_step(&job->walk);
    for (int64_t row = from; row < to; row++) {
        hg_real *out = job->kernel->out + row * length;
        const hg_real *in =
            job->first + hg_walk_offset(&job->walk, row * length);
        for (int64_t i = 0; i < length; i++)
            out[i] = in[i * step];
    }
}

static void flip_cpu(const hg_kernel *k)
{
    flip_job job = {.kernel = k};
    if (!k->n)
        return;
    job.walk = hg_flip_walk(k, &job.first);
    int64_t length = hg_walk_run(&job.walk);
    hg_parallel_for(k->threads, k->n / length, (1 << 14) / length + 1,
                    flip_rows, &job);
}

static hg_tensor *flip(hg_tensor *x, hg_flip_attr a);

static void flip_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = flip(g, *(const hg_flip_attr *)z->attr);
}

static const hg_op flip_op = {
    .name = "flip",
    .arity = 1,
    .shape = flip_shape,
    .attr_size = sizeof(hg_flip_attr),
    .cpu = flip_cpu,
    .cuda = HG_CUDA(hg_flip_cuda),
    .backward = flip_backward,
    .reads = HG_READS_NOTHING,
    .doc = "axes read backwards",
};

static hg_tensor *flip(hg_tensor *x, hg_flip_attr a)
{
    return hg_apply(&flip_op, &a, x);
}

hg_tensor *hg_flip(hg_tensor *x, hg_axes axes)
{
    hg_flip_attr a;
    return hg_axes_in("flip", x, axes, &a.mask) ? flip(x, a) : NULL;
}
