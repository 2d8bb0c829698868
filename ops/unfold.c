/* unfold.c - the windows of images as columns (im2col), and fold, its mirror
 * (col2im). The convolutions do not use them: they are their test, and the
 * lesson of what a convolution is: conv = matmul(weight, unfold(x)). */
#include "ops/internal.h"
#include "ops/unfold.h"

static int64_t places(const hg_unfold_attr *a, int64_t size, int64_t kernel)
{
    int64_t room = size + 2 * a->padding - a->dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / a->stride + 1;
}

static bool window_fits(const hg_unfold_attr *a, hg_shape given, int64_t h,
                        int64_t w)
{
    if (a->stride < 1 || a->dilation < 1 || a->padding < 0 || a->kh < 1 ||
        a->kw < 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "window %lld x %lld, stride %lld and dilation %lld "
                       "must be at least 1, padding %lld at least 0",
                       (long long)a->kh, (long long)a->kw, (long long)a->stride,
                       (long long)a->dilation, (long long)a->padding);
    if (places(a, h, a->kh) && places(a, w, a->kw))
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "a window of %lld x %lld (dilation %lld, padding %lld) does "
                   "not fit into images of H = %lld, W = %lld (input %s)",
                   (long long)a->kh, (long long)a->kw, (long long)a->dilation,
                   (long long)a->padding, (long long)h, (long long)w,
                   HG_SHAPE_TEXT(given));
}

static bool unfold_shape(hg_tensor *z, hg_shape *out)
{
    const hg_unfold_attr *a = z->attr;
    hg_shape x = z->in[0]->shape;
    if (x.rank != 4)
        return hg_fail(HG_ERROR_SHAPE,
                       "input %s: images [N, C, H, W] are "
                       "needed",
                       HG_SHAPE_TEXT(x));
    if (!window_fits(a, x, x.dim[2], x.dim[3]))
        return false;
    *out = HG_SHAPE(x.dim[0], x.dim[1] * a->kh * a->kw,
                    places(a, x.dim[2], a->kh) * places(a, x.dim[3], a->kw));
    return true;
}

static bool fold_shape(hg_tensor *z, hg_shape *out)
{
    const hg_unfold_attr *a = z->attr;
    hg_shape x = z->in[0]->shape;
    if (!window_fits(a, x, a->height, a->width))
        return false;
    int64_t window = a->kh * a->kw;
    int64_t count = places(a, a->height, a->kh) * places(a, a->width, a->kw);
    if (x.rank != 3 || x.dim[1] % window || x.dim[2] != count)
        return hg_fail(HG_ERROR_SHAPE,
                       "columns %s: [N, C x %lld, %lld] are needed for images "
                       "of %lld x %lld",
                       HG_SHAPE_TEXT(x), (long long)window, (long long)count,
                       (long long)a->height, (long long)a->width);
    *out = HG_SHAPE(x.dim[0], x.dim[1] / window, a->height, a->width);
    return true;
}

typedef struct {
    const hg_unfold_attr *a;
    const hg_real *in;
    hg_real *out;
    int64_t height, width, rows, cols; /* of an image; of its places */
} unfold_job;

/* One tap of one plane: its value at every place. */
static void unfold_tap(const unfold_job *job, const hg_real *plane, int64_t i,
                       int64_t j, hg_real *out)
{
    const hg_unfold_attr *a = job->a;
    for (int64_t p = 0; p < job->rows; p++) {
        int64_t h = p * a->stride - a->padding + i * a->dilation;
        for (int64_t q = 0; q < job->cols; q++) {
            int64_t w = q * a->stride - a->padding + j * a->dilation;
            bool inside = h >= 0 && h < job->height && w >= 0 && w < job->width;
            *out++ = inside ? plane[h * job->width + w] : 0;
        }
    }
}

static void fold_tap(const unfold_job *job, hg_real *plane, int64_t i,
                     int64_t j, const hg_real *in)
{
    const hg_unfold_attr *a = job->a;
    for (int64_t p = 0; p < job->rows; p++) {
        int64_t h = p * a->stride - a->padding + i * a->dilation;
        for (int64_t q = 0; q < job->cols; q++, in++) {
            int64_t w = q * a->stride - a->padding + j * a->dilation;
            if (h >= 0 && h < job->height && w >= 0 && w < job->width)
                plane[h * job->width + w] += *in;
        }
    }
}

static void unfold_planes(void *argument, int64_t from, int64_t to)
{
    const unfold_job *job = argument;
    int64_t window = job->a->kh * job->a->kw, count = job->rows * job->cols;
    for (int64_t i = from; i < to; i++)
        for (int64_t t = 0; t < window; t++)
            unfold_tap(job, job->in + i * job->height * job->width,
                       t / job->a->kw, t % job->a->kw,
                       job->out + (i * window + t) * count);
}

static void fold_planes(void *argument, int64_t from, int64_t to)
{
    const unfold_job *job = argument;
    int64_t window = job->a->kh * job->a->kw, count = job->rows * job->cols;
    int64_t size = job->height * job->width;
    for (int64_t i = from; i < to; i++) {
        for (int64_t p = 0; p < size; p++)
            job->out[i * size + p] = 0;
        for (int64_t t = 0; t < window; t++)
            fold_tap(job, job->out + i * size, t / job->a->kw, t % job->a->kw,
                     job->in + (i * window + t) * count);
    }
}

static void run(const hg_kernel *k, hg_shape images,
                void (*planes)(void *, int64_t, int64_t))
{
    const hg_unfold_attr *a = k->attr;
    unfold_job job = {a, k->in[0], k->out, images.dim[2], images.dim[3], 0, 0};
    job.rows = places(a, job.height, a->kh);
    job.cols = places(a, job.width, a->kw);
    hg_parallel_for(k->threads, images.dim[0] * images.dim[1], 4, planes, &job);
}

static void unfold_cpu(const hg_kernel *k)
{
    run(k, k->in_shape[0], unfold_planes);
}

static void fold_cpu(const hg_kernel *k)
{
    run(k, k->out_shape, fold_planes);
}

static void unfold_backward(hg_tensor *, hg_tensor *, hg_tensor **);
static void fold_backward(hg_tensor *, hg_tensor *, hg_tensor **);

static const hg_op unfold_op = {
    .name = "unfold",
    .arity = 1,
    .contiguous = true,
    .shape = unfold_shape,
    .attr_size = sizeof(hg_unfold_attr),
    .cpu = unfold_cpu,
    .cuda = HG_CUDA(hg_unfold_cuda),
    .backward = unfold_backward,
    .reads = HG_READS_NOTHING,
    .doc = "the windows of images as columns (im2col)",
};

static const hg_op fold_op = {
    .name = "fold",
    .arity = 1,
    .contiguous = true,
    .shape = fold_shape,
    .attr_size = sizeof(hg_unfold_attr),
    .cpu = fold_cpu,
    .cuda = HG_CUDA(hg_fold_cuda),
    .backward = fold_backward,
    .reads = HG_READS_NOTHING,
    .doc = "adds columns into images (col2im), the mirror of unfold",
};

static void unfold_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_unfold_attr a = *(const hg_unfold_attr *)z->attr;
    a.height = z->in[0]->shape.dim[2];
    a.width = z->in[0]->shape.dim[3];
    dx[0] = hg_apply(&fold_op, &a, g);
}

static void fold_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_apply(&unfold_op, z->attr, g);
}

static hg_unfold_attr attr_of(int64_t kh, int64_t kw, hg_conv_options o)
{
    return (hg_unfold_attr){
        .kh = kh,
        .kw = kw,
        .stride = o.stride ? o.stride : 1,
        .padding = o.padding,
        .dilation = o.dilation ? o.dilation : 1,
    };
}

hg_tensor *hg_unfold(hg_tensor *x, int64_t kh, int64_t kw, hg_conv_options o)
{
    hg_unfold_attr a = attr_of(kh, kw, o);
    return hg_apply(&unfold_op, &a, x);
}

hg_tensor *hg_fold(hg_tensor *columns, int64_t height, int64_t width,
                   int64_t kh, int64_t kw, hg_conv_options o)
{
    hg_unfold_attr a = attr_of(kh, kw, o);
    a.height = height;
    a.width = width;
    return hg_apply(&fold_op, &a, columns);
}
