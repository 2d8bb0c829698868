/* batch_norm.c - normalisation of every channel over batch and places (Ioffe
 * & Szegedy, 2015), with PyTorch's running statistics.
 *
 * The statistics are an operation of their own, made once and read by forward
 * and backward; batch_norm's rule is the whole derivative, the path through
 * mean and variance included. */
#include "ops/batch_norm.h"
#include "ops/internal.h"
#include "ops/joint.h"

/* ---- Statistics: [2, C], mean and 1 / standard deviation ---------------- */

static bool stats_shape(hg_tensor *z, hg_shape *out)
{
    hg_shape x = z->in[0]->shape;
    if (hg_shape_numel(x) == 0)
        return hg_fail(
            HG_ERROR_SHAPE,
            "input %s holds no values to take statistics of; leave an "
            "empty batch out",
            HG_SHAPE_TEXT(x));
    if (hg_shape_numel(x) == x.dim[1])
        return hg_fail(HG_ERROR_SHAPE,
                       "input %s has one value a channel, which has no "
                       "variance; use a batch of two or more, or a scope that "
                       "is not stochastic",
                       HG_SHAPE_TEXT(x));
    *out = HG_SHAPE(2, x.dim[1]);
    return true;
}

/* Inputs from the second on are read and written. */
static int parts_of_moving(const hg_kernel *k, hg_part *p, int first)
{
    int count = hg_alone_parts(k, p);
    for (int i = 0; i < p->ranges; i++)
        p->range[i].writes |= i >= first;
    return count;
}

static int stats_parts(const hg_kernel *k, hg_part *p)
{
    return parts_of_moving(k, p, 1);
}

static const hg_op stats_op = {
    .name = "batch_norm",
    .arity = HG_ANY_ARITY,
    .contiguous = true,
    .shape = stats_shape,
    .attr_size = sizeof(hg_batch_norm_attr),
    .cpu = hg_batch_norm_stats_cpu,
    .cuda = HG_CUDA(hg_batch_norm_stats_cuda),
    .parts = stats_parts,
    .doc = "mean and inverse standard deviation of every channel",
};

/* ---- Forward: x, w, b, statistics --------------------------------------- */

static bool like_first(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

/* ---- Parts of a launch -------------------------------------------------- */

/* As a map: the first `like` inputs lie like x, in [n, channels, inner]; of
 * the others there is one value a channel, and of those from number `pairs` on
 * there are two rows [2, C], which become two inputs. */
static int channel_map(const hg_kernel *k, hg_part *p, int code, int like,
                       int pairs)
{
    hg_kernel map = *k;
    int64_t c = k->in_shape[0].dim[1];
    map.out_shape =
        HG_SHAPE(k->in_shape[0].dim[0], c, k->n / (k->in_shape[0].dim[0] * c));
    map.arity = 0;
    for (int i = 0; i < k->arity; i++)
        for (int row = 0; row <= (i >= pairs); row++) {
            int j = map.arity++;
            int64_t inner = i < like ? map.out_shape.dim[2] : 1;
            map.in[j] = k->in[i] + row * c;
            map.in_shape[j] = map.out_shape;
            map.in_stride[j][0] = i < like ? c * inner : 0;
            map.in_stride[j][1] = inner;
            map.in_stride[j][2] = i < like;
        }
    return hg_joint_map(&map, p, code, (1u << map.arity) - 1);
}

static int dx_parts(const hg_kernel *k, hg_part *p)
{
    p->step.a = (hg_real)(1 / (double)(k->n / k->in_shape[0].dim[1]));
    return channel_map(k, p, HG_STEP_BATCH_NORM_DX, 2, 3);
}

static int batch_norm_parts(const hg_kernel *k, hg_part *p)
{
    return channel_map(k, p, HG_STEP_BATCH_NORM, 1, 3);
}

/* ---- Backward ----------------------------------------------------------- */

/* From g, x, statistics: [2, C], the sums of g and of g times the normalised
 * x, which are the gradients of b and w. */
static bool sums_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[2]->shape;
    return true;
}

static const hg_op sums_op = {
    .name = "batch_norm_sums",
    .arity = 3,
    .contiguous = true,
    .shape = sums_shape,
    .cpu = hg_batch_norm_sums_cpu,
    .cuda = HG_CUDA(hg_batch_norm_sums_cuda),
    .parts = hg_alone_parts,
    .doc = "gradients of batch_norm in its bias and weight",
};

/* From g, x, w, statistics, sums: the gradient of x,
 * w / std (g - mean(g) - xhat mean(g xhat)) = a g + b x + d. */
static const hg_op dx_op = {
    .name = "batch_norm_dx",
    .arity = 5,
    .contiguous = true,
    .shape = like_first,
    .cpu = hg_batch_norm_dx_cpu,
    .cuda = HG_CUDA(hg_batch_norm_dx_cuda),
    .parts = dx_parts,
    .doc = "gradient of batch_norm in its input",
};

/* [C] beside x: [C, 1, ...]. */
static hg_tensor *beside(hg_tensor *channel, const hg_tensor *x)
{
    hg_shape s = {.rank = x->shape.rank - 1};
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i ? 1 : x->shape.dim[1];
    return s.rank == 1 ? channel : hg_reshape(channel, s);
}

static hg_axes all_but_channels(const hg_tensor *x, bool keep)
{
    hg_axes axes = {.count = x->shape.rank - 1, .keep = keep};
    for (int i = 1; i < axes.count; i++)
        axes.axis[i] = i + 1;
    return axes;
}

/* The same gradients written out in operations, for passes that are recorded
 * and may be differentiated again. */
static void composite_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    hg_tensor *x = z->in[0], *w = beside(z->in[1], x);
    const hg_batch_norm_attr *a = z->attr;
    hg_axes over = all_but_channels(x, false), keep = over;
    keep.keep = true;
    hg_tensor *centred = hg_sub(x, hg_mean(x, keep));
    hg_tensor *variance = hg_mean(hg_square(centred), keep);
    hg_tensor *inverse =
        hg_rsqrt(hg_add(variance, hg_full(HG_SCALAR, (hg_real)a->eps)));
    hg_tensor *xhat = hg_mul(centred, inverse), *gx = hg_mul(g, xhat);
    if (hg_needs(z, 0)) {
        hg_tensor *rest =
            hg_add(hg_mean(g, keep), hg_mul(xhat, hg_mean(gx, keep)));
        dx[0] = hg_mul(hg_mul(w, inverse), hg_sub(g, rest));
    }
    if (hg_needs(z, 1))
        dx[1] = hg_sum(gx, over);
    if (hg_needs(z, 2))
        dx[2] = hg_sum(g, over);
}

static void batch_norm_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    if (hg_creates_graph(z)) {
        composite_backward(z, g, dx);
        return;
    }
    hg_tensor *x = z->in[0], *w = z->in[1], *stats = z->in[3];
    hg_tensor *sums = hg_apply(&sums_op, NULL, g, x, stats);
    if (hg_needs(z, 0))
        dx[0] = hg_apply(&dx_op, NULL, g, x, w, stats, sums);
    if (hg_needs(z, 1))
        dx[1] = hg_select(sums, 0, 1);
    if (hg_needs(z, 2))
        dx[2] = hg_select(sums, 0, 0);
}

static const hg_op batch_norm_op = {
    .name = "batch_norm",
    .arity = 4,
    .contiguous = true,
    .shape = like_first,
    .attr_size = sizeof(hg_batch_norm_attr),
    .cpu = hg_batch_norm_cpu,
    .cuda = HG_CUDA(hg_batch_norm_cuda),
    .parts = batch_norm_parts,
    .backward = batch_norm_backward,
    .reads = HG_READS_IN(0) | HG_READS_IN(1) | HG_READS_IN(3),
    .doc = "normalisation of channels over the batch",
};

/* ---- How many batches were there? --------------------------------------- */

static bool count_shape(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

static int count_parts(const hg_kernel *k, hg_part *p)
{
    return parts_of_moving(k, p, 0);
}

/* An operation, so that the count lives where the other two do. */
static const hg_op count_op = {
    .name = "batch_norm_count",
    .arity = 1,
    .contiguous = true,
    .shape = count_shape,
    .cpu = hg_batch_norm_count_cpu,
    .cuda = HG_CUDA(hg_batch_norm_count_cuda),
    .parts = count_parts,
    .out_int = true,
    .int_inputs = 1u << 0 | 1u << 16,
    .doc = "one more batch",
};

bool hg_batch_norm_count(hg_tensor *batches)
{
    if (!hg_undo_note(batches) || !hg_apply(&count_op, NULL, batches))
        return false;
    batches->storage->version++;
    return true;
}

/* ---- The public function ------------------------------------------------ */

static bool channel_fits(const hg_tensor *t, const char *what, int64_t c,
                         hg_shape x)
{
    if (!t)
        return true;
    if (!hg_usable(t, what))
        return false;
    if (t->shape.rank != 1 || t->shape.dim[0] != c)
        return hg_fail(HG_ERROR_SHAPE,
                       "%s %s does not fit input %s: [C] = [%lld] is needed",
                       what, HG_SHAPE_TEXT(t->shape), HG_SHAPE_TEXT(x),
                       (long long)c);
    return true;
}

static bool inputs_fit(const hg_tensor *x, const hg_tensor *const *channel)
{
    static const char *const names[] = {"weight", "bias", "running mean",
                                        "running variance"};
    if (!hg_usable(x, "x"))
        return false;
    if (x->shape.rank < 2)
        return hg_fail(HG_ERROR_SHAPE, "input %s: [N, C, ...] is needed",
                       HG_SHAPE_TEXT(x->shape));
    for (int i = 0; i < 4; i++)
        if (!channel_fits(channel[i], names[i], x->shape.dim[1], x->shape))
            return false;
    if (!channel[2] != !channel[3] ||
        (channel[2] &&
         !(hg_is_contiguous(channel[2]) && hg_is_contiguous(channel[3]))))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "running mean and variance must be given both, and "
                       "dense, or neither");
    return true;
}

static hg_tensor *with_batch_statistics(hg_tensor *x, hg_tensor *w,
                                        hg_tensor *b, hg_tensor *mean,
                                        hg_tensor *var,
                                        const hg_batch_norm_attr *a)
{
    if (mean && !(hg_undo_note(mean) && hg_undo_note(var)))
        return NULL;
    hg_tensor *stats =
        mean ? hg_apply(&stats_op, a, x, mean, var) : hg_apply(&stats_op, a, x);
    if (stats && mean) {
        mean->storage->version++;
        var->storage->version++;
    }
    return hg_apply(&batch_norm_op, a, x, w, b, stats);
}

/* Running statistics are constants: x scale + shift for every channel. */
static hg_tensor *with_running_statistics(hg_tensor *x, hg_tensor *w,
                                          hg_tensor *b, hg_tensor *mean,
                                          hg_tensor *var, double eps)
{
    hg_tensor *inverse =
        hg_rsqrt(hg_add(var, hg_full(HG_SCALAR, (hg_real)eps)));
    hg_tensor *scale = hg_mul(w, inverse);
    hg_tensor *shift = hg_sub(b, hg_mul(mean, scale));
    return scale && shift
               ? hg_add(hg_mul(x, beside(scale, x)), beside(shift, x))
               : NULL;
}

hg_tensor *hg_batch_norm(hg_tensor *x, hg_tensor *w, hg_tensor *b,
                         hg_tensor *running_mean, hg_tensor *running_var,
                         double momentum, double eps)
{
    hg_ambient *here = hg_ambient_here();
    if (here->code)
        return NULL;
    const char *outer = here->op;
    here->op = "batch_norm";
    hg_batch_norm_attr a = {momentum, eps};
    bool fits = inputs_fit(
        x, (const hg_tensor *const[]){w, b, running_mean, running_var});
    here->op = outer;
    if (!fits)
        return NULL;
    w = w ? w : hg_ones(HG_SHAPE(x->shape.dim[1]));
    b = b ? b : hg_zeros(HG_SHAPE(x->shape.dim[1]));
    if (running_mean && !(hg_get_mode() & HG_STOCHASTIC))
        return with_running_statistics(x, w, b, running_mean, running_var, eps);
    x = hg_dense(x);
    return with_batch_statistics(x, w, b, running_mean, running_var, &a);
}
