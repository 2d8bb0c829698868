/* sum.c - sums over sets of axes, and sum_to, the mirror of expand.
 *
 * Short runs are added in lanes of hg_real, the runs' sums in double: 1e7
 * floats come out right to about 1e-7. What is added in which order depends on
 * shapes and strides only, never on the number of threads. */
#include "ops/internal.h"
#include "ops/reduce.h"
#include "ops/walk.h"

enum {
    LANES = 16,
    RUN = 1024,     /* values added in hg_real before going to double */
    TILE = 128,     /* outputs that are added to side by side */
    BLOCK = 64,     /* rows added in hg_real before going to double */
    PARTIALS = 2048 /* sums of chunks kept on the stack */
};

typedef struct {
    const hg_kernel *kernel;
    hg_walk kept, gone;
    bool columns;          /* neighbours in memory belong to other outputs */
    int64_t width, across; /* outputs a tile, tiles a run of `kept` */
    int64_t tiles, chunks;
    double *partial; /* [chunks, outputs] */
} sum_job;

/* ---- One tile -------------------------------------------------------------
 */

/* In LANES partial sums, which compilers turn into vectors. */
static hg_real add_dense(const hg_real *in, int64_t n)
{
    hg_real lane[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += in[i + l];
    for (; i < n; i++)
        rest += in[i];
    for (int half = LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0] + rest;
}

static double add_run(const hg_real *in, int64_t step, int64_t n)
{
    double total = 0;
    if (step != 1) {
        for (int64_t i = 0; i < n; i++)
            total += (double)in[i * step];
        return total;
    }
    for (int64_t i = 0; i < n; i += RUN)
        total += (double)add_dense(in + i, n - i < RUN ? n - i : RUN);
    return total;
}

/* Reduced positions from ... to of one output. */
static double add_row(const sum_job *job, const hg_real *in, int64_t from,
                      int64_t to)
{
    int64_t run = hg_walk_run(&job->gone), step = hg_walk_step(&job->gone);
    double total = 0;
    while (from < to) {
        int64_t left = run - from % run;
        int64_t n = left < to - from ? left : to - from;
        total += add_run(in + hg_walk_offset(&job->gone, from), step, n);
        from += n;
    }
    return total;
}

static void add_vector(hg_real *restrict sum, const hg_real *in, int64_t step,
                       int64_t n)
{
    if (step == 1)
        for (int64_t j = 0; j < n; j++)
            sum[j] += in[j];
    else
        for (int64_t j = 0; j < n; j++)
            sum[j] += in[j * step];
}

/* Reduced positions from ... to of `width` outputs that lie side by side. */
static void add_columns(const sum_job *job, const hg_real *in, int64_t width,
                        int64_t from, int64_t to, double *total)
{
    int64_t step = hg_walk_step(&job->kept);
    for (int64_t j = 0; j < width; j++)
        total[j] = 0;
    while (from < to) {
        hg_real sum[TILE] = {0};
        int64_t end = from + BLOCK < to ? from + BLOCK : to;
        for (; from < end; from++)
            add_vector(sum, in + hg_walk_offset(&job->gone, from), step, width);
        for (int64_t j = 0; j < width; j++)
            total[j] += (double)sum[j];
    }
}

/* ---- All tiles of all chunks
 * ------------------------------------------------- */

static void add_tile(const sum_job *job, int64_t tile, int64_t chunk)
{
    int64_t run = job->columns ? hg_walk_run(&job->kept) : 1;
    int64_t skip = tile % job->across * job->width;
    int64_t first = tile / job->across * run + skip;
    int64_t width = run - skip < job->width ? run - skip : job->width;
    int64_t from = job->gone.size * chunk / job->chunks;
    int64_t to = job->gone.size * (chunk + 1) / job->chunks;
    const hg_real *in = job->kernel->in[0] + hg_walk_offset(&job->kept, first);
    double total[TILE];
    if (job->columns)
        add_columns(job, in, width, from, to, total);
    else
        total[0] = add_row(job, in, from, to);
    for (int64_t j = 0; j < width; j++)
        if (job->partial)
            job->partial[chunk * job->kept.size + first + j] = total[j];
        else
            job->kernel->out[first + j] = (hg_real)total[j];
}

static void add_tiles(void *argument, int64_t from, int64_t to)
{
    const sum_job *job = argument;
    for (int64_t i = from; i < to; i++)
        add_tile(job, i % job->tiles, i / job->tiles);
}

/* Few outputs of many numbers are cut into chunks, so that threads share
 * them. */
static int64_t chunks_of(const sum_job *job)
{
    int64_t outputs = job->kept.size, n = job->gone.size;
    if (job->tiles >= 32 || outputs * n < 1 << 15)
        return 1;
    int64_t chunks = n / 256 < 64 ? n / 256 : 64;
    if (chunks > PARTIALS / outputs)
        chunks = PARTIALS / outputs;
    return chunks < 1 ? 1 : chunks;
}

static void add_chunks(const sum_job *job)
{
    for (int64_t o = 0; o < job->kept.size; o++) {
        double total = 0;
        for (int64_t c = 0; c < job->chunks; c++)
            total += job->partial[c * job->kept.size + o];
        job->kernel->out[o] = (hg_real)total;
    }
}

void hg_sum_cpu(const hg_kernel *k, unsigned mask)
{
    sum_job job = {.kernel = k, .width = 1, .across = 1};
    double partial[PARTIALS];
    job.kept = hg_walk_of(k, 0, mask, false);
    job.gone = hg_walk_of(k, 0, mask, true);
    if (!job.kept.size)
        return;
    job.columns =
        job.kept.rank &&
        (!job.gone.rank || hg_walk_step(&job.kept) < hg_walk_step(&job.gone));
    job.tiles = job.kept.size;
    if (job.columns) {
        int64_t run = hg_walk_run(&job.kept);
        job.width = run < TILE ? run : TILE;
        job.across = (run + job.width - 1) / job.width;
        job.tiles = job.kept.size / run * job.across;
    }
    job.chunks = chunks_of(&job);
    job.partial = job.chunks > 1 ? partial : NULL;
    int64_t work = job.width * (job.gone.size / job.chunks) + 1;
    hg_parallel_for(k->threads, job.tiles * job.chunks, (1 << 15) / work + 1,
                    add_tiles, &job);
    if (job.partial)
        add_chunks(&job);
}

/* ---- sum
 * ------------------------------------------------------------------------ */

static void sum_cpu(const hg_kernel *k)
{
    hg_sum_cpu(k, (unsigned)((const hg_reduce_attr *)k->attr)->mask);
}

static void sum_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_unreduce(z, g);
}

static const hg_op sum_op = {
    .name = "sum",
    .arity = 1,
    .shape = hg_reduce_shape,
    .attr_size = sizeof(hg_reduce_attr),
    .cpu = sum_cpu,
    .backward = sum_backward,
    .reads = HG_READS_NOTHING,
    .doc = "sum over a set of axes",
};

hg_tensor *hg_sum(hg_tensor *x, hg_axes axes)
{
    return hg_reduce(&sum_op, x, axes);
}

hg_tensor *hg_mean(hg_tensor *x, hg_axes axes)
{
    if (!hg_reduces_something("mean", x, axes))
        return NULL;
    hg_tensor *sum = hg_sum(x, axes);
    return sum && hg_numel(sum)
               ? hg_scale(sum, (double)hg_numel(sum) / (double)hg_numel(x))
               : sum;
}

/* ---- sum_to
 * ----------------------------------------------------------------------- */

static hg_shape target_of(const hg_tensor *z)
{
    const hg_shape_attr *a = z->attr;
    hg_shape shape = {.rank = (int)a->rank};
    for (int i = 0; i < shape.rank; i++)
        shape.dim[i] = a->dim[i];
    return shape;
}

static bool sum_to_shape(hg_tensor *z, hg_shape *out)
{
    hg_shape from = z->in[0]->shape;
    *out = target_of(z);
    int lead = from.rank - out->rank;
    bool fits = lead >= 0;
    for (int i = 0; i < out->rank && fits; i++)
        fits = out->dim[i] == 1 || out->dim[i] == from.dim[lead + i];
    return fits || hg_fail(HG_ERROR_SHAPE,
                           "%s cannot be summed to %s: every size of the "
                           "target, counted from the end, must be 1 or that "
                           "of the input",
                           HG_SHAPE_TEXT(from), HG_SHAPE_TEXT(*out));
}

static void sum_to_cpu(const hg_kernel *k)
{
    int lead = k->in_shape[0].rank - k->out_shape.rank;
    unsigned mask = 0;
    for (int d = 0; d < k->in_shape[0].rank; d++)
        if (d < lead || k->out_shape.dim[d - lead] != k->in_shape[0].dim[d])
            mask |= 1u << d;
    hg_sum_cpu(k, mask);
}

static void sum_to_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
{
    dx[0] = hg_expand(g, z->in[0]->shape);
}

static const hg_op sum_to_op = {
    .name = "sum_to",
    .arity = 1,
    .shape = sum_to_shape,
    .attr_size = sizeof(hg_shape_attr),
    .cpu = sum_to_cpu,
    .backward = sum_to_backward,
    .reads = HG_READS_NOTHING,
    .doc = "sum over the axes that expand would broadcast",
};

hg_tensor *hg_sum_to(hg_tensor *x, hg_shape shape)
{
    if (hg_is_alive(x) && hg_shape_equal(x->shape, shape))
        return x;
    hg_shape_attr a = hg_shape_attr_of(shape);
    return hg_apply(&sum_to_op, &a, x);
}
