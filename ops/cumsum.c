/* cumsum.c - running sums along an axis; the mirror runs the other way. */
#include "ops/cumsum.h"
#include "ops/reduce.h"

static bool cumsum_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

/* One running sum over neighbours, added in double. */
static void run_line(hg_real *out, const hg_real *in, int64_t n, bool reverse)
{
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = reverse ? n - 1 - i : i;
        total += (double)in[at];
        out[at] = (hg_real)total;
    }
}

/* `width` of them side by side. */
static void run_tile(hg_real *out, const hg_real *in, hg_axis_view v,
                     int64_t width, bool reverse)
{
    double total[HG_TILE] = {0};
    for (int64_t i = 0; i < v.size; i++) {
        int64_t at = (reverse ? v.size - 1 - i : i) * v.inner;
        for (int64_t j = 0; j < width; j++) {
            total[j] += (double)in[at + j];
            out[at + j] = (hg_real)total[j];
        }
    }
}

static void run_range(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const hg_cumsum_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    int64_t across = (v.inner + HG_TILE - 1) / HG_TILE;
    for (int64_t item = from; item < to; item++) {
        int64_t skip = item % across * HG_TILE, left = v.inner - skip;
        int64_t at = item / across * v.size * v.inner + skip;
        if (v.inner == 1)
            run_line(k->out + at, k->in[0] + at, v.size, a->reverse);
        else
            run_tile(k->out + at, k->in[0] + at, v,
                     left < HG_TILE ? left : HG_TILE, a->reverse);
    }
}

static void cumsum_cpu(const hg_kernel *k)
{
    const hg_cumsum_attr *a = k->attr;
    hg_axis_view v = hg_axis_view_of(k->out_shape, (int)a->axis);
    int64_t across = (v.inner + HG_TILE - 1) / HG_TILE;
    if (k->n)
        hg_parallel_for(k->threads, v.outer * across,
                        (1 << 14) * across / (v.size * v.inner) + 1, run_range,
                        (void *)(uintptr_t)k);
}

static hg_tensor *cumsum(hg_tensor *x, hg_cumsum_attr a);

static void cumsum_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_cumsum_attr a = *(const hg_cumsum_attr *)z->attr;
    a.reverse = !a.reverse;
    dx[0] = cumsum(g, a);
}

static const hg_op cumsum_op = {
    .name = "cumsum",
    .arity = 1,
    .contiguous = true,
    .shape = cumsum_shape,
    .attr_size = sizeof(hg_cumsum_attr),
    .cpu = cumsum_cpu,
    .cuda = HG_CUDA(hg_cumsum_cuda),
    .backward = cumsum_backward,
    .reads = HG_READS_NOTHING,
    .doc = "running sums along an axis",
};

static hg_tensor *cumsum(hg_tensor *x, hg_cumsum_attr a)
{
    return hg_apply(&cumsum_op, &a, x);
}

hg_tensor *hg_cumsum(hg_tensor *x, int axis)
{
    hg_cumsum_attr a = {hg_axis_in("cumsum", x, axis), 0};
    return a.axis < 0 ? NULL : cumsum(x, a);
}
