/* upsample.c - images in another size, by the nearest or by bilinear
 * interpolation; linear, with a mirror that adds what was spread. */
#include "ops/internal.h"
#include "ops/upsample.h"

static bool upsample_shape(hg_tensor *z, hg_shape *out)
{
    const hg_upsample_attr *a = z->attr;
    hg_shape x = z->in[0]->shape;
    if (x.rank != 4)
        return hg_fail(HG_ERROR_SHAPE,
                       "input %s: images [N, C, H, W] are needed",
                       HG_SHAPE_TEXT(x));
    if (a->height < 1 || a->width < 1 || x.dim[2] < 1 || x.dim[3] < 1)
        return hg_fail(HG_ERROR_SHAPE,
                       "images %s cannot be made %lld x %lld: sizes must be "
                       "at least 1",
                       HG_SHAPE_TEXT(x), (long long)a->height,
                       (long long)a->width);
    *out = HG_SHAPE(x.dim[0], x.dim[1], a->height, a->width);
    return true;
}

typedef struct {
    const hg_kernel *kernel;
    hg_shape small, large; /* before and after */
    int64_t mode;
} upsample_job;

static void enlarge(const upsample_job *job, const hg_real *in, hg_real *out)
{
    const int64_t *from = job->small.dim, *to = job->large.dim;
    for (int64_t h = 0; h < to[2]; h++) {
        hg_source r = hg_source_of(h, from[2], to[2], job->mode);
        const hg_real *a = in + r.first * from[3];
        const hg_real *b = in + r.second * from[3];
        for (int64_t w = 0; w < to[3]; w++) {
            hg_source c = hg_source_of(w, from[3], to[3], job->mode);
            hg_real top = a[c.first], low = b[c.first];
            if (c.weight != 0) {
                top += c.weight * (a[c.second] - top);
                low += c.weight * (b[c.second] - low);
            }
            *out++ = r.weight != 0 ? top + r.weight * (low - top) : top;
        }
    }
}

static void gather_back(const upsample_job *job, const hg_real *in,
                        hg_real *out)
{
    const int64_t *from = job->small.dim, *to = job->large.dim;
    for (int64_t i = 0; i < from[2] * from[3]; i++)
        out[i] = 0;
    for (int64_t h = 0; h < to[2]; h++) {
        hg_source r = hg_source_of(h, from[2], to[2], job->mode);
        for (int64_t w = 0; w < to[3]; w++, in++) {
            hg_source c = hg_source_of(w, from[3], to[3], job->mode);
            hg_real low = *in * r.weight, top = *in - low;
            out[r.first * from[3] + c.first] += top - top * c.weight;
            out[r.second * from[3] + c.first] += low - low * c.weight;
            if (c.weight != 0) {
                out[r.first * from[3] + c.second] += top * c.weight;
                out[r.second * from[3] + c.second] += low * c.weight;
            }
        }
    }
}

static void enlarge_planes(void *argument, int64_t from, int64_t to)
{
    const upsample_job *job = argument;
    int64_t small = job->small.dim[2] * job->small.dim[3];
    int64_t large = job->large.dim[2] * job->large.dim[3];
    for (int64_t i = from; i < to; i++)
        enlarge(job, job->kernel->in[0] + i * small,
                job->kernel->out + i * large);
}

static void gather_planes(void *argument, int64_t from, int64_t to)
{
    const upsample_job *job = argument;
    int64_t small = job->small.dim[2] * job->small.dim[3];
    int64_t large = job->large.dim[2] * job->large.dim[3];
    for (int64_t i = from; i < to; i++)
        gather_back(job, job->kernel->in[0] + i * large,
                    job->kernel->out + i * small);
}

static void upsample_cpu(const hg_kernel *k)
{
    upsample_job job = {k, k->in_shape[0], k->out_shape,
                        ((const hg_upsample_attr *)k->attr)->mode};
    hg_parallel_for(k->threads, k->out_shape.dim[0] * k->out_shape.dim[1], 4,
                    enlarge_planes, &job);
}

static void mirror_cpu(const hg_kernel *k)
{
    upsample_job job = {k, k->out_shape, k->in_shape[0],
                        ((const hg_upsample_attr *)k->attr)->mode};
    hg_parallel_for(k->threads, k->out_shape.dim[0] * k->out_shape.dim[1], 4,
                    gather_planes, &job);
}

static void upsample_backward(hg_tensor *, hg_tensor *, hg_tensor **);
static void mirror_backward(hg_tensor *, hg_tensor *, hg_tensor **);

static const hg_op upsample_op = {
    .name = "upsample",
    .arity = 1,
    .contiguous = true,
    .shape = upsample_shape,
    .attr_size = sizeof(hg_upsample_attr),
    .cpu = upsample_cpu,
    .cuda = HG_CUDA(hg_upsample_cuda),
    .backward = upsample_backward,
    .reads = HG_READS_NOTHING,
    .doc = "images in another size, nearest or bilinear",
};

static const hg_op upsample_mirror_op = {
    .name = "upsample_mirror",
    .arity = 1,
    .contiguous = true,
    .shape = upsample_shape,
    .attr_size = sizeof(hg_upsample_attr),
    .cpu = mirror_cpu,
    .cuda = HG_CUDA(hg_upsample_mirror_cuda),
    .backward = mirror_backward,
    .reads = HG_READS_NOTHING,
    .doc = "adds up what upsample spread",
};

/* The attributes that lead back to the size of z's input. */
static hg_upsample_attr back(const hg_tensor *z)
{
    const hg_upsample_attr *a = z->attr;
    const int64_t *dim = z->in[0]->shape.dim;
    return (hg_upsample_attr){dim[2], dim[3], a->mode};
}

static void upsample_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_upsample_attr a = back(z);
    dx[0] = hg_apply(&upsample_mirror_op, &a, g);
}

static void mirror_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_upsample_attr a = back(z);
    dx[0] = hg_apply(&upsample_op, &a, g);
}

hg_tensor *hg_resize(hg_tensor *x, int64_t height, int64_t width,
                     hg_interpolation mode)
{
    hg_upsample_attr a = {height, width, mode};
    return hg_apply(&upsample_op, &a, x);
}

hg_tensor *hg_upsample(hg_tensor *x, int64_t scale, hg_interpolation mode)
{
    hg_upsample_attr a = {0, 0, mode};
    if (x && x->shape.rank == 4) {
        a.height = x->shape.dim[2] * scale;
        a.width = x->shape.dim[3] * scale;
    }
    return hg_apply(&upsample_op, &a, x);
}
