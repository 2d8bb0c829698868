/* conv.c - convolution, transposed convolution and the weight gradient: three
 * operations of one trilinear form, so that each one's derivatives are the
 * other two and second derivatives come for free. Nothing is unfolded. */
#include "ops/conv.h"
#include "ops/internal.h"

typedef struct {
    int64_t stride, padding, dilation;
    int64_t height, width; /* of what the inputs do not determine: the image
                              of conv_transpose2d, the window of
                              conv2d_weight */
} conv_attr;
HG_NO_PADDING(conv_attr, 5 * 8);

/* ---- Shapes ------------------------------------------------------------- */

/* Places of a window along an axis; less than 1 if it does not fit. */
static int64_t places(const conv_attr *a, int64_t size, int64_t kernel)
{
    int64_t room = size + 2 * a->padding - a->dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / a->stride + 1;
}

static bool options_legal(const conv_attr *a)
{
    if (a->stride >= 1 && a->dilation >= 1 && a->padding >= 0)
        return true;
    return hg_fail(HG_ERROR_ARGUMENT,
                   "stride %lld and dilation %lld must be at least 1, padding "
                   "%lld at least 0",
                   (long long)a->stride, (long long)a->dilation,
                   (long long)a->padding);
}

/* x [N, C, H, W] against `channels` of the weight. */
static bool images_fit(hg_shape x, hg_shape w, const char *axes,
                       int64_t channels)
{
    if (x.rank != 4 || w.rank != 4)
        return hg_fail(HG_ERROR_SHAPE,
                       "input %s and weight %s: input [N, C, H, W] and weight "
                       "%s are needed%s",
                       HG_SHAPE_TEXT(x), HG_SHAPE_TEXT(w), axes,
                       x.rank == 3 ? "; give a single image a batch axis "
                                     "with hg_unsqueeze(x, 0)"
                                   : "");
    if (x.dim[1] == channels)
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "input [N, C, H, W] = %s has C = %lld channels, weight %s "
                   "= %s wants %lld%s",
                   HG_SHAPE_TEXT(x), (long long)x.dim[1], axes,
                   HG_SHAPE_TEXT(w), (long long)channels,
                   x.dim[3] == channels
                       ? "; the channels seem to be last: hg_permute(x, "
                         "HG_OVER(0, 3, 1, 2)) puts them second"
                       : "");
}

static bool bias_fits(const hg_tensor *z, int64_t channels)
{
    if (z->arity < 3)
        return true;
    hg_shape b = z->in[2]->shape;
    if (b.rank == 1 && b.dim[0] == channels)
        return true;
    return hg_fail(
        HG_ERROR_SHAPE, "bias %s does not fit weight %s: [%lld] is needed",
        HG_SHAPE_TEXT(b), HG_SHAPE_TEXT(z->in[1]->shape), (long long)channels);
}

static bool conv2d_shape(hg_tensor *z, hg_shape *out)
{
    const conv_attr *a = z->attr;
    hg_shape x = z->in[0]->shape, w = z->in[1]->shape;
    if (!options_legal(a) || !images_fit(x, w, "[O, C, kh, kw]", w.dim[1]) ||
        !bias_fits(z, w.dim[0]))
        return false;
    *out = HG_SHAPE(x.dim[0], w.dim[0], places(a, x.dim[2], w.dim[2]),
                    places(a, x.dim[3], w.dim[3]));
    if (x.dim[2] > 0 && x.dim[3] > 0 && out->dim[2] > 0 && out->dim[3] > 0 &&
        w.dim[2] > 0 && w.dim[3] > 0)
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "a window of %lld x %lld (dilation %lld) does not fit into "
                   "H = %lld, W = %lld of input %s with padding %lld",
                   (long long)w.dim[2], (long long)w.dim[3],
                   (long long)a->dilation, (long long)x.dim[2],
                   (long long)x.dim[3], HG_SHAPE_TEXT(x),
                   (long long)a->padding);
}

/* The image must be one that conv2d turns into the shape of the input. */
static bool conv_transpose2d_shape(hg_tensor *z, hg_shape *out)
{
    const conv_attr *a = z->attr;
    hg_shape y = z->in[0]->shape, w = z->in[1]->shape;
    if (!options_legal(a) || !images_fit(y, w, "[C, O, kh, kw]", w.dim[0]) ||
        !bias_fits(z, w.dim[1]))
        return false;
    *out = HG_SHAPE(y.dim[0], w.dim[1], a->height, a->width);
    if (a->height > 0 && a->width > 0 && w.dim[2] > 0 && w.dim[3] > 0 &&
        places(a, a->height, w.dim[2]) == y.dim[2] &&
        places(a, a->width, w.dim[3]) == y.dim[3])
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "input %s and weight %s give no image of %lld x %lld with "
                   "stride %lld, padding %lld and dilation %lld; "
                   "output_padding must be less than the stride, padding "
                   "less than the image",
                   HG_SHAPE_TEXT(y), HG_SHAPE_TEXT(w), (long long)a->height,
                   (long long)a->width, (long long)a->stride,
                   (long long)a->padding, (long long)a->dilation);
}

static bool conv2d_weight_shape(hg_tensor *z, hg_shape *out)
{
    const conv_attr *a = z->attr;
    hg_shape x = z->in[0]->shape, y = z->in[1]->shape;
    if (x.rank != 4 || y.rank != 4 || x.dim[0] != y.dim[0] ||
        places(a, x.dim[2], a->height) != y.dim[2] ||
        places(a, x.dim[3], a->width) != y.dim[3])
        return hg_fail(HG_ERROR_SHAPE,
                       "%s and %s are no input and output of a convolution "
                       "with a window of %lld x %lld",
                       HG_SHAPE_TEXT(x), HG_SHAPE_TEXT(y), (long long)a->height,
                       (long long)a->width);
    *out = HG_SHAPE(y.dim[1], x.dim[1], a->height, a->width);
    return true;
}

/* ---- Kernels, on either device ------------------------------------------ */

static hg_conv_job job_of(const hg_kernel *k, hg_shape x, hg_shape y,
                          hg_shape w)
{
    const conv_attr *a = k->attr;
    return (hg_conv_job){
        .shape = {.n = x.dim[0],
                  .c = x.dim[1],
                  .h = x.dim[2],
                  .w = x.dim[3],
                  .o = y.dim[1],
                  .oh = y.dim[2],
                  .ow = y.dim[3],
                  .kh = w.dim[2],
                  .kw = w.dim[3],
                  .stride = a->stride,
                  .padding = a->padding,
                  .dilation = a->dilation},
        .bias = k->arity > 2 ? k->in[2] : NULL,
        .out = k->out,
    };
}

static hg_conv_job forward_job(const hg_kernel *k)
{
    hg_conv_job job = job_of(k, k->in_shape[0], k->out_shape, k->in_shape[1]);
    job.x = k->in[0];
    job.weight = k->in[1];
    return job;
}

static hg_conv_job input_job(const hg_kernel *k)
{
    hg_conv_job job = job_of(k, k->out_shape, k->in_shape[0], k->in_shape[1]);
    job.y = k->in[0];
    job.weight = k->in[1];
    return job;
}

static hg_conv_job weight_job(const hg_kernel *k)
{
    hg_conv_job job = job_of(k, k->in_shape[0], k->in_shape[1], k->out_shape);
    job.x = k->in[0];
    job.y = k->in[1];
    return job;
}

static void convolve(const hg_kernel *k)
{
    hg_conv_job job = forward_job(k);
    hg_conv_forward(k, &job);
}

static int forward_parts(const hg_kernel *k, hg_part *p)
{
    hg_conv_job job = forward_job(k);
    return hg_conv_forward_parts(k, &job, p);
}

static void convolve_transposed(const hg_kernel *k)
{
    hg_conv_job job = input_job(k);
    hg_conv_input(k, &job);
}

static int input_parts(const hg_kernel *k, hg_part *p)
{
    hg_conv_job job = input_job(k);
    return hg_conv_input_parts(k, &job, p);
}

static void correlate(const hg_kernel *k)
{
    hg_conv_job job = weight_job(k);
    hg_conv_weight(k, &job);
}

static int weight_parts(const hg_kernel *k, hg_part *p)
{
    hg_conv_job job = weight_job(k);
    return hg_conv_weight_parts(k, &job, p);
}

/* ---- Rules -------------------------------------------------------------- */

static void conv2d_backward(hg_tensor *, hg_tensor *, hg_tensor **);
static void conv_transpose2d_backward(hg_tensor *, hg_tensor *, hg_tensor **);
static void conv2d_weight_backward(hg_tensor *, hg_tensor *, hg_tensor **);

static const hg_op conv2d_op = {
    .name = "conv2d",
    .arity = HG_ANY_ARITY,
    .contiguous = true,
    .shape = conv2d_shape,
    .attr_size = sizeof(conv_attr),
    .cpu = convolve,
    .cuda = HG_CUDA(convolve),
    .parts = forward_parts,
    .backward = conv2d_backward,
    .reads = HG_READS_OTHER,
    .doc = "convolution of images (cross-correlation)",
};

static const hg_op conv_transpose2d_op = {
    .name = "conv_transpose2d",
    .arity = HG_ANY_ARITY,
    .contiguous = true,
    .shape = conv_transpose2d_shape,
    .attr_size = sizeof(conv_attr),
    .cpu = convolve_transposed,
    .cuda = HG_CUDA(convolve_transposed),
    .parts = input_parts,
    .backward = conv_transpose2d_backward,
    .reads = HG_READS_OTHER,
    .doc = "transposed convolution: the gradient of conv2d in its input",
};

static const hg_op conv2d_weight_op = {
    .name = "conv2d_weight",
    .arity = 2,
    .contiguous = true,
    .shape = conv2d_weight_shape,
    .attr_size = sizeof(conv_attr),
    .cpu = correlate,
    .cuda = HG_CUDA(correlate),
    .parts = weight_parts,
    .backward = conv2d_weight_backward,
    .reads = HG_READS_OTHER,
    .doc = "the gradient of conv2d in its weight",
};

/* The attributes of z with the last two axes of `like` for what the result
 * leaves open. */
static conv_attr sized(const hg_tensor *z, const hg_tensor *like)
{
    conv_attr a = *(const conv_attr *)z->attr;
    a.height = like->shape.dim[2];
    a.width = like->shape.dim[3];
    return a;
}

static hg_tensor *bias_gradient(hg_tensor *g)
{
    return hg_sum(g, HG_OVER(0, 2, 3));
}

static void conv2d_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *x = z->in[0], *w = z->in[1];
    conv_attr image = sized(z, x), window = sized(z, w);
    if (hg_needs(z, 0))
        dx[0] = hg_apply(&conv_transpose2d_op, &image, g, w);
    if (hg_needs(z, 1))
        dx[1] = hg_apply(&conv2d_weight_op, &window, x, g);
    if (z->arity > 2 && hg_needs(z, 2))
        dx[2] = bias_gradient(g);
}

static void conv_transpose2d_backward(hg_tensor *z, hg_tensor *g,
                                      hg_tensor **dx)
{
    hg_tensor *y = z->in[0], *w = z->in[1];
    conv_attr window = sized(z, w);
    if (hg_needs(z, 0))
        dx[0] = hg_apply(&conv2d_op, z->attr, g, w);
    if (hg_needs(z, 1))
        dx[1] = hg_apply(&conv2d_weight_op, &window, g, y);
    if (z->arity > 2 && hg_needs(z, 2))
        dx[2] = bias_gradient(g);
}

static void conv2d_weight_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *x = z->in[0], *y = z->in[1];
    conv_attr image = sized(z, x);
    if (hg_needs(z, 0))
        dx[0] = hg_apply(&conv_transpose2d_op, &image, y, g);
    if (hg_needs(z, 1))
        dx[1] = hg_apply(&conv2d_op, z->attr, x, g);
}

/* ---- Public functions --------------------------------------------------- */

static conv_attr attr_of(hg_conv_options o)
{
    return (conv_attr){
        .stride = o.stride ? o.stride : 1,
        .padding = o.padding,
        .dilation = o.dilation ? o.dilation : 1,
    };
}

hg_tensor *hg_conv2d(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                     hg_conv_options options)
{
    conv_attr a = attr_of(options);
    if (options.output_padding) {
        hg_fail(HG_ERROR_ARGUMENT,
                "conv2d: output_padding %lld is for hg_conv_transpose2d only",
                (long long)options.output_padding);
        return NULL;
    }
    return b ? hg_apply(&conv2d_op, &a, x, w, b)
             : hg_apply(&conv2d_op, &a, x, w);
}

hg_tensor *hg_conv_transpose2d(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                               hg_conv_options options)
{
    conv_attr a = attr_of(options);
    if (x && w && x->shape.rank == 4 && w->shape.rank == 4) {
        int64_t more = options.output_padding - 2 * a.padding + 1;
        a.height = (x->shape.dim[2] - 1) * a.stride +
                   a.dilation * (w->shape.dim[2] - 1) + more;
        a.width = (x->shape.dim[3] - 1) * a.stride +
                  a.dilation * (w->shape.dim[3] - 1) + more;
    }
    return b ? hg_apply(&conv_transpose2d_op, &a, x, w, b)
             : hg_apply(&conv_transpose2d_op, &a, x, w);
}
