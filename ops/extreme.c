/* extreme.c - the largest and the smallest, and where they lie. NaN counts as
 * the most extreme value of all. */
#include "ops/place.h"
#include "ops/reduce.h"

#include <math.h>

/* ---- max and min -------------------------------------------------------- */

typedef struct {
    hg_reduction r;
    hg_real sign;
} extreme_job;

static void fold_tile(const extreme_job *job, int64_t tile)
{
    const hg_reduction *r = &job->r;
    int64_t width, first = hg_reduction_tile(r, tile, &width);
    int64_t length = r->columns ? 1 : hg_walk_run(&r->gone);
    const hg_real *in = r->kernel->in[0] + hg_walk_offset(&r->kept, first);
    hg_real best[HG_TILE];
    for (int64_t j = 0; j < width; j++)
        best[j] = -(hg_real)INFINITY;
    for (int64_t i = 0; i < r->gone.size; i += length) {
        const hg_real *at = in + hg_walk_offset(&r->gone, i);
        if (r->columns)
            r->rows->larger(best, at, hg_walk_step(&r->kept), width, job->sign);
        else
            best[0] = r->rows->largest(at, hg_walk_step(&r->gone), length,
                                       job->sign, best[0]);
    }
    for (int64_t j = 0; j < width; j++)
        r->kernel->out[first + j] = job->sign * best[j];
}

static void fold_tiles(void *argument, int64_t from, int64_t to)
{
    for (int64_t tile = from; tile < to; tile++)
        fold_tile(argument, tile);
}

void hg_extreme_cpu(const hg_kernel *k, unsigned mask, hg_real sign)
{
    extreme_job job = {hg_reduction_of(k, mask), sign};
    int64_t work = job.r.width * job.r.gone.size + 1;
    hg_parallel_for(k->threads, job.r.tiles, (1 << 15) / work + 1, fold_tiles,
                    &job);
}

static void max_cpu(const hg_kernel *k)
{
    hg_extreme_cpu(k, (unsigned)((const hg_reduce_attr *)k->attr)->mask, 1);
}

static void min_cpu(const hg_kernel *k)
{
    hg_extreme_cpu(k, (unsigned)((const hg_reduce_attr *)k->attr)->mask, -1);
}

/* Equal values share the gradient evenly. */
static void extreme_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    const hg_reduce_attr *a = z->attr;
    hg_axes reduced = {.keep = a->keep};
    for (int d = 0; d < z->in[0]->shape.rank; d++)
        if (a->mask >> d & 1)
            reduced.axis[reduced.count++] = d;
    hg_tensor *chosen = hg_equal(z->in[0], hg_unreduce(z, z));
    hg_tensor *share = hg_div(g, hg_sum(chosen, reduced));
    dx[0] = hg_mul(chosen, hg_unreduce(z, share));
}

#define EXTREME(name_, text)                                                   \
    static const hg_op name_##_op = {                                          \
        .name = #name_,                                                        \
        .arity = 1,                                                            \
        .shape = hg_reduce_shape,                                              \
        .attr_size = sizeof(hg_reduce_attr),                                   \
        .cpu = name_##_cpu,                                                    \
        .cuda = HG_CUDA(hg_##name_##_cuda),                                    \
        .backward = extreme_backward,                                          \
        .doc = text,                                                           \
    };                                                                         \
    hg_tensor *hg_##name_(hg_tensor *x, hg_axes axes)                          \
    {                                                                          \
        return hg_reduced_count(#name_, x, axes, 0) < 0                        \
                   ? NULL                                                      \
                   : hg_reduce(&name_##_op, x, axes);                          \
    }

EXTREME(max, "largest value over a set of axes")
EXTREME(min, "smallest value over a set of axes")

/* ---- argmax and argmin -------------------------------------------------- */

static bool place_shape(hg_tensor *z, hg_shape *out)
{
    const hg_place_attr *a = z->attr;
    hg_shape from = z->in[0]->shape;
    out->rank = 0;
    for (int d = 0; d < from.rank; d++)
        if (d != a->axis)
            out->dim[out->rank++] = from.dim[d];
    if (from.dim[a->axis] || !hg_shape_numel(*out))
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "axis %lld of %s is empty, so there is no place to name; "
                   "skip such a batch or take another axis",
                   (long long)a->axis, HG_SHAPE_TEXT(from));
}

/* The first of the most extreme values; in[i * step] for i < n. */
static int32_t place_of(const hg_rows *rows, const hg_real *in, int64_t step,
                        int64_t n, hg_real sign)
{
    hg_real best = rows->largest(in, step, n, sign, -(hg_real)INFINITY);
    int64_t i = 0;
    while (i < n - 1 && sign * in[i * step] != best &&
           in[i * step] == in[i * step])
        i++;
    return (int32_t)i;
}

static void place_range(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const hg_place_attr *a = k->attr;
    int64_t n = k->in_shape[0].dim[a->axis], step = k->in_stride[0][a->axis];
    hg_walk kept = hg_walk_of(k, 0, 1u << a->axis, false);
    for (int64_t o = from; o < to; o++)
        k->out_int[o] =
            place_of(hg_rows_of(k), k->in[0] + hg_walk_offset(&kept, o), step,
                     n, a->largest ? 1 : -1);
}

static void place_cpu(const hg_kernel *k)
{
    const hg_place_attr *a = k->attr;
    int64_t grain = (1 << 14) / (k->in_shape[0].dim[a->axis] + 1) + 1;
    hg_parallel_for(k->threads, k->n, grain, place_range, (void *)(uintptr_t)k);
}

#define PLACE(name_, largest_, text)                                           \
    static const hg_op name_##_op = {                                          \
        .name = #name_,                                                        \
        .arity = 1,                                                            \
        .shape = place_shape,                                                  \
        .attr_size = sizeof(hg_place_attr),                                    \
        .cpu = place_cpu,                                                      \
        .cuda = HG_CUDA(hg_place_cuda),                                        \
        .out_int = true,                                                       \
        .doc = text,                                                           \
    };                                                                         \
    hg_tensor *hg_##name_(hg_tensor *x, int axis)                              \
    {                                                                          \
        hg_place_attr a = {hg_axis_in(#name_, x, axis), largest_};             \
        return a.axis < 0 ? NULL : hg_apply(&name_##_op, &a, x);               \
    }

PLACE(argmax, 1, "position of the largest value along an axis")
PLACE(argmin, 0, "position of the smallest value along an axis")
