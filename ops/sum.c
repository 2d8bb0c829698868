/* sum.c - sums over sets of axes, and sum_to, the mirror of expand.
 *
 * Short runs are added in lanes of hg_real (rows.h), the runs' sums in double:
 * 1e7 floats come out right to about 1e-7. What is added in which order depends
 * on shapes and strides only, never on the number of threads. */
#include "ops/joint.h"
#include "ops/reduce.h"

enum {
    RUN = 1024,     /* values added in hg_real before going to double */
    BLOCK = 64,     /* rows added in hg_real before going to double */
    PARTIALS = 4096 /* sums of chunks kept on the stack */
};

typedef struct {
    hg_reduction r;
    const hg_sum_form *form;
    int64_t chunks;
    double *partial; /* [chunks, outputs] */
} sum_job;

/* ---- One tile ----------------------------------------------------------- */

/* n values, the first of them for this output. */
static double add_run(const sum_job *job, const hg_real *in, int64_t n,
                      const hg_real *shift)
{
    const hg_sum_form *form = job->form;
    int64_t step = hg_walk_step(&job->r.gone);
    hg_real mapped[RUN];
    double total = 0;
    for (int64_t i = 0; i < n; i += RUN) {
        int64_t count = n - i < RUN ? n - i : RUN;
        const hg_real *from = in + i * step;
        if (form)
            form->map(job->r.rows, mapped, from, step, count, shift, 0,
                      form->a);
        else if (step != 1)
            for (int64_t j = 0; j < count; j++)
                mapped[j] = from[j * step];
        total +=
            (double)job->r.rows->sum(form || step != 1 ? mapped : from, count);
    }
    return total;
}

/* Reduced positions from ... to of one output. */
static double add_row(const sum_job *job, const hg_real *in,
                      const hg_real *shift, int64_t from, int64_t to)
{
    int64_t run = hg_walk_run(&job->r.gone);
    double total = 0;
    while (from < to) {
        int64_t left = run - from % run;
        int64_t n = left < to - from ? left : to - from;
        total +=
            add_run(job, in + hg_walk_offset(&job->r.gone, from), n, shift);
        from += n;
    }
    return total;
}

static void map_and_add(const sum_job *job, hg_real *sum, const hg_real *in,
                        const hg_real *shift, int64_t n)
{
    int64_t step = hg_walk_step(&job->r.kept);
    hg_real mapped[HG_TILE];
    if (job->form)
        job->form->map(job->r.rows, mapped, in, step, n, shift, 1,
                       job->form->a);
    job->r.rows->add(sum, job->form ? mapped : in, job->form ? 1 : step, n);
}

/* Reduced positions from ... to of `width` outputs that lie side by side. */
static void add_columns(const sum_job *job, const hg_real *in,
                        const hg_real *shift, int64_t width, int64_t from,
                        int64_t to, double *total)
{
    for (int64_t j = 0; j < width; j++)
        total[j] = 0;
    while (from < to) {
        hg_real sum[HG_TILE] = {0};
        int64_t end = from + BLOCK < to ? from + BLOCK : to;
        for (; from < end; from++)
            map_and_add(job, sum, in + hg_walk_offset(&job->r.gone, from),
                        shift, width);
        for (int64_t j = 0; j < width; j++)
            total[j] += (double)sum[j];
    }
}

/* ---- All tiles of all chunks -------------------------------------------- */

static void put(const sum_job *job, int64_t o, double total)
{
    hg_real *out = job->r.kernel->out + o;
    const hg_sum_form *form = job->form;
    *out = (hg_real)(form ? form->finish(total, (double)*out, form->a) : total);
}

static void add_tile(const sum_job *job, int64_t tile, int64_t chunk)
{
    int64_t width, first = hg_reduction_tile(&job->r, tile, &width);
    int64_t outputs = job->r.kept.size, n = job->r.gone.size;
    int64_t from = n * chunk / job->chunks, to = n * (chunk + 1) / job->chunks;
    const hg_kernel *k = job->r.kernel;
    const hg_real *in = k->in[0] + hg_walk_offset(&job->r.kept, first);
    double total[HG_TILE];
    if (job->r.columns)
        add_columns(job, in, k->out + first, width, from, to, total);
    else
        total[0] = add_row(job, in, k->out + first, from, to);
    for (int64_t j = 0; j < width; j++)
        if (job->partial)
            job->partial[chunk * outputs + first + j] = total[j];
        else
            put(job, first + j, total[j]);
}

static void add_tiles(void *argument, int64_t from, int64_t to)
{
    const sum_job *job = argument;
    for (int64_t i = from; i < to; i++)
        add_tile(job, i % job->r.tiles, i / job->r.tiles);
}

/* Few outputs of many numbers are cut into chunks, so that threads share
 * them. */
static int64_t chunks_of(const hg_reduction *r)
{
    int64_t outputs = r->kept.size, n = r->gone.size;
    if (r->tiles >= 32 || outputs * n < 1 << 15)
        return 1;
    int64_t chunks = n / 256 < 64 ? n / 256 : 64;
    if (chunks > PARTIALS / outputs)
        chunks = PARTIALS / outputs;
    return chunks < 1 ? 1 : chunks;
}

static void add_chunks(const sum_job *job)
{
    for (int64_t o = 0; o < job->r.kept.size; o++) {
        double total = 0;
        for (int64_t c = 0; c < job->chunks; c++)
            total += job->partial[c * job->r.kept.size + o];
        put(job, o, total);
    }
}

void hg_sum_cpu(const hg_kernel *k, unsigned mask, const hg_sum_form *form)
{
    sum_job job = {.r = hg_reduction_of(k, mask), .form = form};
    double partial[PARTIALS];
    if (!job.r.kept.size)
        return;
    job.chunks = chunks_of(&job.r);
    job.partial = job.chunks > 1 ? partial : NULL;
    int64_t work = job.r.width * (job.r.gone.size / job.chunks) + 1;
    hg_parallel_for(k->threads, job.r.tiles * job.chunks, (1 << 15) / work + 1,
                    add_tiles, &job);
    if (job.partial)
        add_chunks(&job);
}

/* ---- sum ---------------------------------------------------------------- */

static void sum_cpu(const hg_kernel *k)
{
    hg_sum_cpu(k, (unsigned)((const hg_reduce_attr *)k->attr)->mask, NULL);
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
    .cuda = HG_CUDA(hg_sum_cuda),
    .parts = HG_CUDA(hg_sum_parts),
    .backward = sum_backward,
    .reads = HG_READS_NOTHING,
    .doc = "sum over a set of axes",
};

hg_tensor *hg_sum(hg_tensor *x, hg_axes axes)
{
    return hg_reduce(&sum_op, x, axes);
}

/* ---- sum_to ------------------------------------------------------------- */

static bool sum_to_shape(hg_tensor *z, hg_shape *out)
{
    hg_shape from = z->in[0]->shape;
    *out = hg_shape_of_attr(z->attr);
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
    hg_sum_cpu(k, hg_sum_to_mask(k), NULL);
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
    .cuda = HG_CUDA(hg_sum_to_cuda),
    .parts = HG_CUDA(hg_sum_to_parts),
    .backward = sum_to_backward,
    .reads = HG_READS_NOTHING,
    .doc = "sum over the axes that expand would broadcast",
};

hg_tensor *hg_sum_to(hg_tensor *x, hg_shape shape)
{
    if (!hg_error() && hg_is_alive(x) && hg_shape_equal(x->shape, shape))
        return x;
    hg_shape_attr a = hg_shape_attr_of(shape);
    return hg_apply(&sum_to_op, &a, x);
}
