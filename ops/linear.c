/* linear.c - the affine map of a fully connected layer, y = x w' + b, with
 * PyTorch's layout of the weight: [out, in]. */
#include "ops/gemm.h"
#include "ops/internal.h"

static bool linear_shape(hg_tensor *z, hg_shape *out)
{
    hg_shape x = z->in[0]->shape, w = z->in[1]->shape;
    if (w.rank != 2 || !x.rank || x.dim[x.rank - 1] != w.dim[1])
        return hg_fail(HG_ERROR_SHAPE,
                       "x %s and weight %s: x [..., in] and weight [out, in] "
                       "are needed%s",
                       HG_SHAPE_TEXT(x), HG_SHAPE_TEXT(w),
                       w.rank == 2 && x.rank && x.dim[x.rank - 1] == w.dim[0]
                           ? "; is the weight transposed, or x the "
                             "layer's output already?"
                           : "");
    if (z->arity == 3) {
        hg_shape b = z->in[2]->shape;
        if (b.rank != 1 || b.dim[0] != w.dim[0])
            return hg_fail(HG_ERROR_SHAPE,
                           "bias %s does not fit weight %s: [%lld] is needed",
                           HG_SHAPE_TEXT(b), HG_SHAPE_TEXT(w),
                           (long long)w.dim[0]);
    }
    *out = x;
    out->dim[x.rank - 1] = w.dim[0];
    return true;
}

/* x is a matrix of any strides, or dense: its rows are evenly spaced. The
 * stride of an axis of size 1 says nothing, also in a dense tensor. */
static hg_gemm_job job_of(const hg_kernel *k)
{
    int last = k->out_shape.rank - 1;
    int64_t out = k->out_shape.dim[last], in = k->in_shape[0].dim[last];
    bool bias = k->arity == 3;
    return (hg_gemm_job){
        .m = k->n / out,
        .n = out,
        .k = in,
        .a = k->in[0],
        .a_row = last == 1 ? k->in_stride[0][0] : in,
        .a_col = k->in_stride[0][last],
        .b = k->in[1],
        .b_row = k->in_stride[1][1],
        .b_col = k->in_stride[1][0],
        .c = k->out,
        .c_row = out,
        .c_col = 1,
        .bias = bias ? k->in[2] : NULL,
        .bias_col = bias ? k->in_stride[2][0] : 0,
    };
}

static void multiply(const hg_kernel *k)
{
    if (!k->n)
        return;
    hg_gemm_job job = job_of(k);
    hg_gemm(k, &job);
}

static int parts(const hg_kernel *k, hg_part *p)
{
    hg_gemm_job job = job_of(k);
    return hg_gemm_parts(k, &job, &(hg_gemm_batch){0}, p);
}

/* All rows of t as one matrix. */
static hg_tensor *as_matrix(hg_tensor *t)
{
    int last = t->shape.rank - 1;
    int64_t rows = 1;
    if (last == 1)
        return t;
    for (int i = 0; i < last; i++)
        rows *= t->shape.dim[i];
    return hg_reshape(t, HG_SHAPE(rows, t->shape.dim[last]));
}

/* dx = g w, dw = g' x, db = g summed over its rows. A weight that is itself a
 * transpose (tied weights) gets the transpose of a dense gradient. */
static void linear_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *x = z->in[0], *w = z->in[1];
    bool transposed = w->stride[0] == 1 && w->stride[1] != 1;
    if (hg_needs(z, 0))
        dx[0] = hg_matmul(g, w);
    if (hg_needs(z, 1) && transposed)
        dx[1] =
            hg_transpose(hg_matmul(hg_transpose(as_matrix(x)), as_matrix(g)));
    else if (hg_needs(z, 1))
        dx[1] = hg_matmul(hg_transpose(as_matrix(g)), as_matrix(x));
    if (z->arity == 3 && hg_needs(z, 2))
        dx[2] = hg_sum_to(g, z->in[2]->shape);
}

static const hg_op linear_op = {
    .name = "linear",
    .arity = HG_ANY_ARITY,
    .shape = linear_shape,
    .cpu = multiply,
    .cuda = HG_CUDA(multiply),
    .parts = parts,
    .backward = linear_backward,
    .reads = HG_READS_OTHER,
    .doc = "x w' + b: a fully connected layer",
};

hg_tensor *hg_linear(hg_tensor *x, hg_tensor *w, hg_tensor *b)
{
    if (x && hg_usable(x, "linear: x") && x->shape.rank > 2)
        x = hg_dense(x);
    return b ? hg_apply(&linear_op, NULL, x, w, b)
             : hg_apply(&linear_op, NULL, x, w);
}
