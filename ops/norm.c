/* norm.c - layer and group normalisation: both are the normalisation of rows,
 * then a scale and a shift. */
#include "ops/internal.h"
#include "ops/norm.h"
#include "ops/norm_kernels.h"

#include <math.h>

typedef struct {
    const hg_kernel *kernel;
    const hg_norm_passes *run;
    int64_t length;
} rows_job;

static hg_norm_rows row(const rows_job *job)
{
    return (hg_norm_rows){1, job->length, job->length};
}

/* Mean and 1 / standard deviation of a row. */
static void row_stats(const rows_job *job, const hg_real *x, hg_real *mean,
                      hg_real *inverse)
{
    double m, m2, eps = ((const hg_rows_attr *)job->kernel->attr)->eps;
    job->run->moments(x, row(job), &m, &m2);
    *mean = (hg_real)m;
    *inverse = (hg_real)(1 / sqrt(m2 / (double)job->length + eps));
}

static void forward_rows(void *argument, int64_t from, int64_t to)
{
    const rows_job *job = argument;
    for (int64_t i = from * job->length; i < to * job->length;
         i += job->length) {
        hg_real mean, inverse;
        row_stats(job, job->kernel->in[0] + i, &mean, &inverse);
        hg_real shift = -mean * inverse;
        job->run->scale(job->kernel->out + i, job->kernel->in[0] + i, row(job),
                        &inverse, &shift);
    }
}

/* (g - mean(g) - xhat mean(g xhat)) / std */
static void backward_rows(void *argument, int64_t from, int64_t to)
{
    const rows_job *job = argument;
    const hg_kernel *k = job->kernel;
    double share = 1 / (double)job->length;
    for (int64_t i = from * job->length; i < to * job->length;
         i += job->length) {
        hg_real mean, inverse;
        double sum, dot;
        row_stats(job, k->in[1] + i, &mean, &inverse);
        job->run->dots(k->in[0] + i, k->in[1] + i, row(job), &mean, &sum, &dot);
        double slope =
            -(double)inverse * (double)inverse * (double)inverse * dot * share;
        double shift = -(double)inverse * sum * share - slope * (double)mean;
        hg_real b = (hg_real)slope, d = (hg_real)shift;
        job->run->blend(k->out + i, k->in[0] + i, k->in[1] + i, row(job),
                        &inverse, &b, &d);
    }
}

static void run(const hg_kernel *k, void (*rows)(void *, int64_t, int64_t))
{
    rows_job job = {k, &hg_norm_of(k)->rows, k->out_shape.dim[1]};
    hg_parallel_for(k->threads, k->out_shape.dim[0],
                    (1 << 13) / (job.length + 1) + 1, rows, &job);
}

static void rows_cpu(const hg_kernel *k)
{
    run(k, forward_rows);
}

static void rows_dx_cpu(const hg_kernel *k)
{
    run(k, backward_rows);
}

static bool rows_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    if (out->dim[1] > 0)
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "there are no values to normalise over; leave an empty axis "
                   "out");
}

static const hg_op rows_dx_op = {
    .name = "normalize_rows_dx",
    .arity = 2,
    .contiguous = true,
    .shape = rows_shape,
    .attr_size = sizeof(hg_rows_attr),
    .cpu = rows_dx_cpu,
    .cuda = HG_CUDA(hg_normalize_rows_dx_cuda),
    .doc = "gradient of normalize_rows",
};

/* The gradient in operations, for passes that may be differentiated again. */
static hg_tensor *composite_dx(hg_tensor *x, hg_tensor *g, double eps)
{
    hg_tensor *centred = hg_sub(x, hg_mean(x, HG_KEEP(1)));
    hg_tensor *variance = hg_mean(hg_square(centred), HG_KEEP(1));
    hg_tensor *inverse =
        hg_rsqrt(hg_add(variance, hg_full(HG_SCALAR, (hg_real)eps)));
    hg_tensor *xhat = hg_mul(centred, inverse);
    hg_tensor *along = hg_mul(xhat, hg_mean(hg_mul(g, xhat), HG_KEEP(1)));
    return hg_mul(inverse, hg_sub(hg_sub(g, hg_mean(g, HG_KEEP(1))), along));
}

static void rows_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    const hg_rows_attr *a = z->attr;
    dx[0] = hg_creates_graph(z) ? composite_dx(z->in[0], g, a->eps)
                                : hg_apply(&rows_dx_op, a, g, z->in[0]);
}

static const hg_op rows_op = {
    .name = "normalize_rows",
    .arity = 1,
    .contiguous = true,
    .shape = rows_shape,
    .attr_size = sizeof(hg_rows_attr),
    .cpu = rows_cpu,
    .cuda = HG_CUDA(hg_normalize_rows_cuda),
    .backward = rows_backward,
    .reads = HG_READS_IN(0),
    .doc = "every row to mean 0 and variance 1",
};

/* x as `rows` rows, each normalised, in x's shape again. */
static hg_tensor *normalized(hg_tensor *x, int64_t rows, double eps)
{
    int64_t n = hg_numel(x);
    hg_rows_attr a = {eps};
    hg_tensor *flat = hg_reshape(x, HG_SHAPE(rows, rows ? n / rows : 1));
    return hg_reshape(hg_apply(&rows_op, &a, flat), x->shape);
}

static hg_tensor *affine(hg_tensor *x, hg_tensor *w, hg_tensor *b)
{
    x = w ? hg_mul(x, w) : x;
    return b ? hg_add(x, b) : x;
}

/* ---- Layer norm --------------------------------------------------------- */

static bool ends_with(hg_shape x, const hg_tensor *t, const char *what)
{
    if (!t)
        return true;
    if (!hg_usable(t, what))
        return false;
    int lead = x.rank - t->shape.rank;
    bool fits = lead >= 0 && t->shape.rank > 0;
    for (int i = 0; i < t->shape.rank && fits; i++)
        fits = t->shape.dim[i] == x.dim[lead + i];
    if (fits)
        return true;
    return hg_fail(HG_ERROR_SHAPE,
                   "%s %s must have the shape of the last axes of input %s",
                   what, HG_SHAPE_TEXT(t->shape), HG_SHAPE_TEXT(x));
}

static bool layer_fits(const hg_tensor *x, const hg_tensor *w,
                       const hg_tensor *b)
{
    if (!hg_usable(x, "x"))
        return false;
    if (!x->shape.rank)
        return hg_fail(HG_ERROR_SHAPE, "a scalar has no axis to normalise");
    if (!ends_with(x->shape, w, "weight") || !ends_with(x->shape, b, "bias"))
        return false;
    if (w && b && !hg_shape_equal(w->shape, b->shape))
        return hg_fail(HG_ERROR_SHAPE, "weight %s and bias %s differ",
                       HG_SHAPE_TEXT(w->shape), HG_SHAPE_TEXT(b->shape));
    return true;
}

hg_tensor *hg_layer_norm(hg_tensor *x, hg_tensor *w, hg_tensor *b, double eps)
{
    hg_ambient *here = hg_ambient_here();
    if (here->code)
        return NULL;
    const char *outer = here->op;
    here->op = "layer_norm";
    hg_tensor *z = NULL;
    if (layer_fits(x, w, b)) {
        int axes = w ? w->shape.rank : b ? b->shape.rank : 1;
        int64_t rows = 1;
        for (int i = 0; i < x->shape.rank - axes; i++)
            rows *= x->shape.dim[i];
        z = affine(normalized(x, rows, eps), w, b);
    }
    here->op = outer;
    return z;
}

/* ---- Group norm --------------------------------------------------------- */

static bool groups_fit(const hg_tensor *x, int64_t groups, const hg_tensor *w,
                       const hg_tensor *b)
{
    if (!hg_usable(x, "x") || (w && !hg_usable(w, "weight")) ||
        (b && !hg_usable(b, "bias")))
        return false;
    hg_shape s = x->shape;
    if (s.rank < 2 || groups < 1 || s.dim[1] % groups)
        return hg_fail(HG_ERROR_SHAPE,
                       "input %s: [N, C, ...] with C a multiple of %lld "
                       "groups is needed",
                       HG_SHAPE_TEXT(s), (long long)groups);
    hg_shape channels = HG_SHAPE(s.dim[1]);
    if ((w && !hg_shape_equal(w->shape, channels)) ||
        (b && !hg_shape_equal(b->shape, channels)))
        return hg_fail(HG_ERROR_SHAPE,
                       "weight %s and bias %s do not fit input %s: [C] = "
                       "[%lld] is needed",
                       w ? HG_SHAPE_TEXT(w->shape) : "NULL",
                       b ? HG_SHAPE_TEXT(b->shape) : "NULL", HG_SHAPE_TEXT(s),
                       (long long)s.dim[1]);
    return true;
}

static hg_tensor *beside(hg_tensor *channel, const hg_tensor *x)
{
    hg_shape s = {.rank = x->shape.rank - 1};
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i ? 1 : x->shape.dim[1];
    return channel ? hg_reshape(channel, s) : NULL;
}

hg_tensor *hg_group_norm(hg_tensor *x, int64_t groups, hg_tensor *w,
                         hg_tensor *b, double eps)
{
    hg_ambient *here = hg_ambient_here();
    if (here->code)
        return NULL;
    const char *outer = here->op;
    here->op = "group_norm";
    hg_tensor *z = NULL;
    if (groups_fit(x, groups, w, b))
        z = affine(normalized(x, x->shape.dim[0] * groups, eps), beside(w, x),
                   beside(b, x));
    here->op = outer;
    return z;
}
