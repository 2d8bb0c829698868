/* pool.c - the largest or the mean value of each window.
 *
 * max_pool2d(v, x) takes v at the place of x's first maximum in every window;
 * the maximum itself is max_pool2d(x, x). It is linear in v, and so is its
 * mirror, which puts values back at those places: so both are closed under
 * differentiation. Mean pooling is linear with a mirror of its own. */
#include "ops/internal.h"
#include "ops/pool.h"

/* ---- Shapes ------------------------------------------------------------- */

static int64_t places(const hg_pool_attr *a, int64_t size)
{
    int64_t room = size + 2 * a->padding - a->kernel;
    return room < 0 ? 0 : room / a->stride + 1;
}

static bool pool_shape(hg_tensor *z, hg_shape *out)
{
    const hg_pool_attr *a = z->attr;
    hg_shape x = z->in[0]->shape;
    if (x.rank != 4)
        return hg_fail(HG_ERROR_SHAPE,
                       "input %s: images [N, C, H, W] are needed",
                       HG_SHAPE_TEXT(x));
    if (a->kernel < 1 || a->stride < 1 || a->padding < 0 ||
        2 * a->padding > a->kernel)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "kernel %lld and stride %lld must be at least 1, "
                       "padding %lld between 0 and half the kernel",
                       (long long)a->kernel, (long long)a->stride,
                       (long long)a->padding);
    *out =
        HG_SHAPE(x.dim[0], x.dim[1], places(a, x.dim[2]), places(a, x.dim[3]));
    if (x.dim[2] && x.dim[3] && out->dim[2] && out->dim[3])
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "a window of %lld x %lld does not fit into H = %lld, W = "
                   "%lld of input %s with padding %lld",
                   (long long)a->kernel, (long long)a->kernel,
                   (long long)x.dim[2], (long long)x.dim[3], HG_SHAPE_TEXT(x),
                   (long long)a->padding);
}

static bool mirror_shape(hg_tensor *z, hg_shape *out)
{
    const hg_pool_attr *a = z->attr;
    *out = z->in[0]->shape;
    out->dim[2] = a->height;
    out->dim[3] = a->width;
    return true;
}

/* ---- Windows ------------------------------------------------------------ */

typedef struct {
    const hg_kernel *kernel;
    hg_shape images, pooled;
} pool_job;

/* The window with this number. */
static hg_window window_at(const pool_job *job, int64_t p)
{
    int64_t columns = job->pooled.dim[3];
    return hg_window_at(job->kernel->attr, job->images.dim[2],
                        job->images.dim[3], p / columns, p % columns);
}

static int64_t maximum_at(const pool_job *job, const hg_real *x, int64_t p)
{
    return hg_maximum_at(x, job->images.dim[3], window_at(job, p));
}

static int64_t plane_size(hg_shape s)
{
    return s.dim[2] * s.dim[3];
}

static void run(const hg_kernel *k, hg_shape images, hg_shape pooled,
                void (*planes)(void *, int64_t, int64_t))
{
    pool_job job = {k, images, pooled};
    hg_parallel_for(k->threads, images.dim[0] * images.dim[1], 4, planes, &job);
}

/* ---- The maximum -------------------------------------------------------- */

static void max_planes(void *argument, int64_t from, int64_t to)
{
    const pool_job *job = argument;
    const hg_kernel *k = job->kernel;
    int64_t many = plane_size(job->images), few = plane_size(job->pooled);
    for (int64_t i = from; i < to; i++)
        for (int64_t p = 0; p < few; p++)
            k->out[i * few + p] =
                k->in[0][i * many + maximum_at(job, k->in[1] + i * many, p)];
}

static void put_planes(void *argument, int64_t from, int64_t to)
{
    const pool_job *job = argument;
    const hg_kernel *k = job->kernel;
    int64_t many = plane_size(job->images), few = plane_size(job->pooled);
    for (int64_t i = from; i < to; i++) {
        hg_real *out = k->out + i * many;
        for (int64_t p = 0; p < many; p++)
            out[p] = 0;
        for (int64_t p = 0; p < few; p++)
            out[maximum_at(job, k->in[1] + i * many, p)] +=
                k->in[0][i * few + p];
    }
}

static void max_pool2d_cpu(const hg_kernel *k)
{
    run(k, k->in_shape[1], k->out_shape, max_planes);
}

static void max_pool2d_mirror_cpu(const hg_kernel *k)
{
    run(k, k->out_shape, k->in_shape[0], put_planes);
}

static void max_pool2d_backward(hg_tensor *, hg_tensor *, hg_tensor **);
static void max_pool2d_mirror_backward(hg_tensor *, hg_tensor *, hg_tensor **);

static const hg_op max_pool2d_op = {
    .name = "max_pool2d",
    .arity = 2,
    .contiguous = true,
    .shape = pool_shape,
    .attr_size = sizeof(hg_pool_attr),
    .cpu = max_pool2d_cpu,
    .cuda = HG_CUDA(hg_max_pool2d_cuda),
    .backward = max_pool2d_backward,
    .reads = HG_READS_IN(1),
    .doc = "the largest value of each window",
};

static const hg_op max_pool2d_mirror_op = {
    .name = "max_pool2d_mirror",
    .arity = 2,
    .contiguous = true,
    .shape = mirror_shape,
    .attr_size = sizeof(hg_pool_attr),
    .cpu = max_pool2d_mirror_cpu,
    .cuda = HG_CUDA(hg_max_pool2d_mirror_cuda),
    .backward = max_pool2d_mirror_backward,
    .reads = HG_READS_IN(1),
    .doc = "puts values at the places of each window's first maximum",
};

static hg_pool_attr sized(const hg_tensor *z)
{
    hg_pool_attr a = *(const hg_pool_attr *)z->attr;
    a.height = z->in[0]->shape.dim[2];
    a.width = z->in[0]->shape.dim[3];
    return a;
}

static void max_pool2d_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_pool_attr a = sized(z);
    dx[0] = hg_apply(&max_pool2d_mirror_op, &a, g, z->in[1]);
}

static void max_pool2d_mirror_backward(hg_tensor *z, hg_tensor *g,
                                       hg_tensor **dx)
{
    dx[0] = hg_apply(&max_pool2d_op, z->attr, g, z->in[1]);
}

/* ---- The mean ----------------------------------------------------------- */

static void mean_planes(void *argument, int64_t from, int64_t to)
{
    const pool_job *job = argument;
    const hg_kernel *k = job->kernel;
    int64_t many = plane_size(job->images), few = plane_size(job->pooled);
    int64_t side = ((const hg_pool_attr *)k->attr)->kernel;
    for (int64_t i = from; i < to; i++)
        for (int64_t p = 0; p < few; p++)
            k->out[i * few + p] =
                hg_window_sum(k->in[0] + i * many, job->images.dim[3],
                              window_at(job, p)) /
                (hg_real)(side * side);
}

static void spread(const pool_job *job, hg_real *x, int64_t p, hg_real value)
{
    hg_window at = window_at(job, p);
    for (int64_t h = at.top; h < at.bottom; h++)
        for (int64_t w = at.left; w < at.right; w++)
            x[h * job->images.dim[3] + w] += value;
}

static void spread_planes(void *argument, int64_t from, int64_t to)
{
    const pool_job *job = argument;
    const hg_kernel *k = job->kernel;
    int64_t many = plane_size(job->images), few = plane_size(job->pooled);
    int64_t side = ((const hg_pool_attr *)k->attr)->kernel;
    for (int64_t i = from; i < to; i++) {
        hg_real *out = k->out + i * many;
        for (int64_t p = 0; p < many; p++)
            out[p] = 0;
        for (int64_t p = 0; p < few; p++)
            spread(job, out, p, k->in[0][i * few + p] / (hg_real)(side * side));
    }
}

static void avg_pool2d_cpu(const hg_kernel *k)
{
    run(k, k->in_shape[0], k->out_shape, mean_planes);
}

static void avg_pool2d_mirror_cpu(const hg_kernel *k)
{
    run(k, k->out_shape, k->in_shape[0], spread_planes);
}

static void avg_pool2d_backward(hg_tensor *, hg_tensor *, hg_tensor **);
static void avg_pool2d_mirror_backward(hg_tensor *, hg_tensor *, hg_tensor **);

static const hg_op avg_pool2d_op = {
    .name = "avg_pool2d",
    .arity = 1,
    .contiguous = true,
    .shape = pool_shape,
    .attr_size = sizeof(hg_pool_attr),
    .cpu = avg_pool2d_cpu,
    .cuda = HG_CUDA(hg_avg_pool2d_cuda),
    .backward = avg_pool2d_backward,
    .reads = HG_READS_NOTHING,
    .doc = "the mean of each window, padding counted as zeros",
};

static const hg_op avg_pool2d_mirror_op = {
    .name = "avg_pool2d_mirror",
    .arity = 1,
    .contiguous = true,
    .shape = mirror_shape,
    .attr_size = sizeof(hg_pool_attr),
    .cpu = avg_pool2d_mirror_cpu,
    .cuda = HG_CUDA(hg_avg_pool2d_mirror_cuda),
    .backward = avg_pool2d_mirror_backward,
    .reads = HG_READS_NOTHING,
    .doc = "spreads values evenly over their windows",
};

static void avg_pool2d_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_pool_attr a = sized(z);
    dx[0] = hg_apply(&avg_pool2d_mirror_op, &a, g);
}

static void avg_pool2d_mirror_backward(hg_tensor *z, hg_tensor *g,
                                       hg_tensor **dx)
{
    dx[0] = hg_apply(&avg_pool2d_op, z->attr, g);
}

/* ---- Public functions --------------------------------------------------- */

static hg_pool_attr attr_of(hg_pool_options o)
{
    return (hg_pool_attr){
        .kernel = o.kernel,
        .stride = o.stride ? o.stride : o.kernel,
        .padding = o.padding,
    };
}

hg_tensor *hg_max_pool2d(hg_tensor *x, hg_pool_options options)
{
    hg_pool_attr a = attr_of(options);
    return hg_apply(&max_pool2d_op, &a, x, x);
}

hg_tensor *hg_avg_pool2d(hg_tensor *x, hg_pool_options options)
{
    hg_pool_attr a = attr_of(options);
    return hg_apply(&avg_pool2d_op, &a, x);
}
