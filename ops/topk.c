/* topk.c - the k largest along an axis. Only the positions are an operation of
 * their own; values, and so gradients, come from take_along. */
#include "ops/place.h"
#include "ops/reduce.h"

static bool topk_shape(hg_tensor *z, hg_shape *out)
{
    const hg_topk_attr *a = z->attr;
    *out = z->in[0]->shape;
    out->dim[a->axis] = a->k;
    int64_t size = z->in[0]->shape.dim[a->axis];
    return (a->k >= 0 && a->k <= size) ||
           hg_fail(HG_ERROR_SHAPE,
                   "axis %lld of %s does not hold the %lld largest; use a k "
                   "from 0 to %lld",
                   (long long)a->axis, HG_SHAPE_TEXT(z->in[0]->shape),
                   (long long)a->k, (long long)size);
}

/* Is x above y? NaN is above every number. */
static bool is_above(hg_real x, hg_real y)
{
    return x > y || (x != x && y == y);
}

/* Keeps the positions of the k largest so far in place, largest first: a new
 * one moves up past those below it. Of equals the first stays first. */
static void select_largest(int32_t *place, const hg_real *in, int64_t step,
                           int64_t n, int64_t k)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t j = i < k ? i : k;
        while (j > 0 &&
               is_above(in[i * step], in[place[(j - 1) * step] * step])) {
            if (j < k)
                place[j * step] = place[(j - 1) * step];
            j--;
        }
        if (j < k)
            place[j * step] = (int32_t)i;
    }
}

static void select_range(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const hg_topk_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->in_shape[0], (int)a->axis);
    for (int64_t line = from; line < to; line++) {
        int64_t outer = line / v.inner, inner = line % v.inner;
        select_largest(k->out_int + outer * a->k * v.inner + inner,
                       k->in[0] + outer * v.size * v.inner + inner, v.inner,
                       v.size, a->k);
    }
}

static void topk_cpu(const hg_kernel *k)
{
    const hg_topk_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->in_shape[0], (int)a->axis);
    if (k->n)
        hg_parallel_for(k->threads, v.outer * v.inner, (1 << 12) / v.size + 1,
                        select_range, (void *)(uintptr_t)k);
}

static const hg_op topk_op = {
    .name = "topk",
    .arity = 1,
    .contiguous = true,
    .shape = topk_shape,
    .attr_size = sizeof(hg_topk_attr),
    .cpu = topk_cpu,
    .cuda = HG_CUDA(hg_topk_cuda),
    .out_int = true,
    .doc = "positions of the k largest along an axis",
};

hg_tensor *hg_topk(hg_tensor *x, int64_t k, int axis, hg_tensor **index)
{
    hg_topk_attr a = {hg_axis_in("topk", x, axis), k};
    hg_tensor *place = a.axis < 0 ? NULL : hg_apply(&topk_op, &a, x);
    if (index)
        *index = place;
    return hg_take_along(x, (int)a.axis, place);
}
