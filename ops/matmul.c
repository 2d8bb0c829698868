/* matmul.c - products of matrices, batches of them, and vectors.
 *
 * Operands are read through their strides: a transposed one is not copied.
 * Leading axes are expanded to their common shape first, so that expand's
 * mirror sums the gradients of what was broadcast. */
#include "ops/gemm.h"
#include "ops/internal.h"

#include <string.h>

static bool matmul_shape(hg_tensor *z, hg_shape *out)
{
    hg_shape a = z->in[0]->shape, b = z->in[1]->shape;
    int rank = a.rank;
    if (rank < 2 || b.rank != rank || a.dim[rank - 1] != b.dim[rank - 2] ||
        memcmp(a.dim, b.dim, (size_t)(rank - 2) * sizeof a.dim[0]))
        return hg_fail(HG_ERROR_SHAPE,
                       "%s by %s: [..., m, k] by [..., k, n] is needed",
                       HG_SHAPE_TEXT(a), HG_SHAPE_TEXT(b));
    *out = a;
    out->dim[rank - 1] = b.dim[rank - 1];
    return true;
}

static hg_gemm_batch batch_of(const hg_kernel *k)
{
    hg_gemm_batch b = {.rank = k->out_shape.rank - 2};
    for (int d = 0; d < b.rank; d++) {
        b.dim[d] = k->out_shape.dim[d];
        b.a_stride[d] = k->in_stride[0][d];
        b.b_stride[d] = k->in_stride[1][d];
    }
    return b;
}

static hg_gemm_job job_of(const hg_kernel *k)
{
    int last = k->out_shape.rank - 1;
    return (hg_gemm_job){
        .m = k->out_shape.dim[last - 1],
        .n = k->out_shape.dim[last],
        .k = k->in_shape[0].dim[last],
        .a = k->in[0],
        .a_row = k->in_stride[0][last - 1],
        .a_col = k->in_stride[0][last],
        .b = k->in[1],
        .b_row = k->in_stride[1][last - 1],
        .b_col = k->in_stride[1][last],
        .c = k->out,
        .c_row = k->out_shape.dim[last],
        .c_col = 1,
    };
}

/* On either device. */
static void multiply(const hg_kernel *k)
{
    hg_gemm_batch batch = batch_of(k);
    hg_gemm_job job = job_of(k);
    hg_gemm_many(k, &job, &batch);
}

static int parts(const hg_kernel *k, hg_part *p)
{
    hg_gemm_batch batch = batch_of(k);
    hg_gemm_job job = job_of(k);
    return hg_gemm_parts(k, &job, &batch, p);
}

/* Are the columns of this matrix dense, and not its rows? */
static bool is_transposed(const hg_tensor *t)
{
    int last = t->shape.rank - 1;
    return t->stride[last - 1] == 1 && t->stride[last] != 1;
}

/* da = g b', db = a' g. The gradient of a transposed operand is computed as
 * the transpose of a dense matrix, so that the transpose which made the
 * operand hands it on without a copy. */
static void matmul_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *a = z->in[0], *b = z->in[1];
    if (hg_needs(z, 0))
        dx[0] = is_transposed(a) ? hg_transpose(hg_matmul(b, hg_transpose(g)))
                                 : hg_matmul(g, hg_transpose(b));
    if (hg_needs(z, 1))
        dx[1] = is_transposed(b) ? hg_transpose(hg_matmul(hg_transpose(g), a))
                                 : hg_matmul(hg_transpose(a), g);
}

static const hg_op matmul_op = {
    .name = "matmul",
    .arity = 2,
    .shape = matmul_shape,
    .cpu = multiply,
    .cuda = HG_CUDA(multiply),
    .parts = parts,
    .backward = matmul_backward,
    .reads = HG_READS_OTHER,
    .doc = "matrix product, leading axes broadcast",
};

/* ---- Vectors and leading axes ------------------------------------------- */

static bool sizes_fit(const hg_tensor *a, const hg_tensor *b)
{
    if (!hg_usable(a, "input 0") || !hg_usable(b, "input 1"))
        return false;
    hg_shape s = a->shape, t = b->shape;
    if (!s.rank || !t.rank)
        return hg_fail(HG_ERROR_SHAPE,
                       "%s by %s: a scalar is no matrix; use hg_mul",
                       HG_SHAPE_TEXT(s), HG_SHAPE_TEXT(t));
    int64_t k = s.dim[s.rank - 1];
    int64_t rows = t.dim[t.rank > 1 ? t.rank - 2 : 0];
    if (k == rows)
        return true;
    int64_t other = t.dim[t.rank - 1];
    return hg_fail(HG_ERROR_SHAPE,
                   "%s by %s: the last axis of the first (%lld) and the %s "
                   "axis of the second (%lld) must agree%s",
                   HG_SHAPE_TEXT(s), HG_SHAPE_TEXT(t), (long long)k,
                   t.rank > 1 ? "second to last" : "only", (long long)rows,
                   t.rank > 1 && k == other
                       ? "; transpose the second with hg_transpose"
                       : "; bring them to it with hg_transpose or hg_reshape");
}

static hg_shape matrix_shape(hg_shape s, bool first)
{
    if (s.rank > 1)
        return s;
    return first ? HG_SHAPE(1, s.dim[0]) : HG_SHAPE(s.dim[0], 1);
}

/* The leading axes of `lead`, then the matrix axes of `s`. */
static hg_shape with_lead(hg_shape lead, hg_shape s)
{
    hg_shape out = lead;
    out.rank = lead.rank + 2;
    out.dim[lead.rank] = s.dim[s.rank - 2];
    out.dim[lead.rank + 1] = s.dim[s.rank - 1];
    return out;
}

static hg_tensor *product_of_batches(hg_tensor *a, hg_tensor *b)
{
    hg_shape la = a->shape, lb = b->shape, lead;
    la.rank -= 2;
    lb.rank -= 2;
    if (!hg_broadcast_shape(la, lb, &lead))
        return NULL;
    hg_shape sa = with_lead(lead, a->shape), sb = with_lead(lead, b->shape);
    if (!hg_shape_equal(sa, a->shape))
        a = hg_expand(a, sa);
    if (!hg_shape_equal(sb, b->shape))
        b = hg_expand(b, sb);
    return hg_apply(&matmul_op, NULL, a, b);
}

/* One matrix on the right: the rows of all those on the left are one. */
static hg_tensor *product_by_one(hg_tensor *a, hg_tensor *b)
{
    hg_shape flat = HG_SHAPE(1, a->shape.dim[a->shape.rank - 1]);
    hg_shape out = a->shape;
    for (int i = 0; i < out.rank - 1; i++)
        flat.dim[0] *= out.dim[i];
    out.dim[out.rank - 1] = b->shape.dim[1];
    return hg_reshape(hg_apply(&matmul_op, NULL, hg_reshape(a, flat), b), out);
}

static hg_tensor *product(hg_tensor *a, hg_tensor *b)
{
    if (a->shape.rank == 2 && b->shape.rank == 2)
        return hg_apply(&matmul_op, NULL, a, b);
    return b->shape.rank == 2 ? product_by_one(a, b) : product_of_batches(a, b);
}

/* Vectors become matrices with one row or column, which is dropped after. */
static hg_tensor *product_of_vectors(hg_tensor *a, hg_tensor *b)
{
    bool row = a->shape.rank == 1, column = b->shape.rank == 1;
    if (row)
        a = hg_reshape(a, matrix_shape(a->shape, true));
    if (column)
        b = hg_reshape(b, matrix_shape(b->shape, false));
    hg_tensor *z = a && b ? product(a, b) : NULL;
    if (!z)
        return NULL;
    hg_shape out = z->shape;
    int last = out.rank - 1;
    if (row)
        out.dim[last - 1] = out.dim[last];
    out.rank -= row + column;
    return hg_reshape(z, out);
}

hg_tensor *hg_matmul(hg_tensor *a, hg_tensor *b)
{
    hg_ambient *here = hg_ambient_here();
    if (here->code)
        return NULL;
    const char *outer = here->op;
    here->op = "matmul";
    hg_tensor *z = NULL;
    if (sizes_fit(a, b))
        z = a->shape.rank > 1 && b->shape.rank > 1 ? product(a, b)
                                                   : product_of_vectors(a, b);
    here->op = outer;
    return z;
}
