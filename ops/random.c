/* random.c - operations that draw. Attributes name the stream; the kernel has
 * seed, domain and step (see tensor/random.h), so the draws of a step can be
 * made again: by backward, by a replayed step, after a resume. */
#include "ops/internal.h"
#include "ops/joint.h"
#include "ops/random_kernels.h"

uint64_t hg_next_stream(void)
{
    hg_scope *s = hg_scope_here();
    return s ? s->owner.context->draws++ : 0;
}

hg_philox hg_stream_of(const hg_kernel *k, uint64_t stream)
{
    return hg_philox_make(k->seed, k->domain, hg_sequence(stream, k->step));
}

/* ---- Filling ------------------------------------------------------------ */

/* Elements of a range of the parallel loop: whole blocks of the generator. */
#define CHUNK 1024

static bool draw_shape(hg_tensor *z, hg_shape *out)
{
    const hg_draw_attr *a = z->attr;
    *out = hg_shape_of_attr(&a->shape);
    if (out->rank != a->shape.rank)
        return hg_fail(HG_ERROR_SHAPE, "rank %lld is not between 0 and %d",
                       (long long)a->shape.rank, HG_MAX_RANK);
    for (int d = 0; d < out->rank; d++)
        if (out->dim[d] < 0)
            return hg_fail(HG_ERROR_SHAPE,
                           "size %lld of axis %d is negative in %s",
                           (long long)out->dim[d], d, HG_SHAPE_TEXT(*out));
    return true;
}

static int64_t length_of(const hg_kernel *k, int64_t from, int64_t to)
{
    return to * CHUNK < k->n ? (to - from) * CHUNK : k->n - from * CHUNK;
}

static void draw_chunks(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    const hg_draw_attr *a = k->attr;
    hg_philox stream = hg_stream_of(k, a->stream);
    hg_real *out = k->out + from * CHUNK;
    int64_t n = length_of(k, from, to);
    hg_draws_of(k)->fill(out, &stream, (uint64_t)from * (CHUNK / 4), n,
                         (hg_draw)a->kind);
    if (a->low == 0 && a->high == 1)
        return;
    hg_real low = (hg_real)a->low, width = (hg_real)(a->high - a->low);
    for (int64_t i = 0; i < n; i++)
        out[i] = low + width * out[i];
}

static int64_t chunks_of(const hg_kernel *k)
{
    return (k->n + CHUNK - 1) / CHUNK;
}

static void draw_cpu(const hg_kernel *k)
{
    hg_parallel_for(k->threads, chunks_of(k), 8, draw_chunks,
                    (void *)(uintptr_t)k);
}

static int draw_parts(const hg_kernel *k, hg_part *p)
{
    const hg_draw_attr *a = k->attr;
    p->step.a = (hg_real)a->low;
    p->step.b = (hg_real)(a->high - a->low);
    int code = a->kind == HG_DRAW_NORMAL   ? HG_STEP_NORMAL
               : a->kind == HG_DRAW_GUMBEL ? HG_STEP_GUMBEL
                                           : HG_STEP_UNIFORM;
    return hg_draw_map(k, p, code, a->stream);
}

#define DRAW(n, text)                                                          \
    static const hg_op n##_op = {                                              \
        .name = #n,                                                            \
        .shape = draw_shape,                                                   \
        .attr_size = sizeof(hg_draw_attr),                                     \
        .cpu = draw_cpu,                                                       \
        .cuda = HG_CUDA(hg_draw_cuda),                                         \
        .parts = draw_parts,                                                   \
        .doc = text,                                                           \
    };
DRAW(rand, "uniform draws")
DRAW(randn, "standard normal draws")
DRAW(gumbel, "standard Gumbel draws")

static hg_tensor *draw(const hg_op *op, hg_draw kind, hg_shape shape,
                       double low, double high)
{
    hg_draw_attr a = {hg_next_stream(), kind, low, high,
                      hg_shape_attr_of(shape)};
    return hg_apply_n(op, &a, NULL, 0);
}

hg_tensor *hg_rand(hg_shape shape)
{
    return draw(&rand_op, HG_DRAW_UNIFORM, shape, 0, 1);
}

hg_tensor *hg_uniform(hg_shape shape, double low, double high)
{
    return draw(&rand_op, HG_DRAW_UNIFORM, shape, low, high);
}

hg_tensor *hg_randn(hg_shape shape)
{
    return draw(&randn_op, HG_DRAW_NORMAL, shape, 0, 1);
}

hg_tensor *hg_gumbel(hg_shape shape)
{
    return draw(&gumbel_op, HG_DRAW_GUMBEL, shape, 0, 1);
}

/* ---- Draws with a parameter --------------------------------------------- */

static bool like_input(hg_tensor *z, hg_shape *out)
{
    *out = z->in[0]->shape;
    return true;
}

static void bernoulli_chunks(void *argument, int64_t from, int64_t to)
{
    const hg_kernel *k = argument;
    hg_philox stream =
        hg_stream_of(k, ((const hg_bernoulli_attr *)k->attr)->stream);
    const hg_real *p = k->in[0] + from * CHUNK;
    hg_real *out = k->out + from * CHUNK;
    int64_t n = length_of(k, from, to);
    hg_draws_of(k)->fill(out, &stream, (uint64_t)from * (CHUNK / 4), n,
                         HG_DRAW_UNIFORM);
    for (int64_t i = 0; i < n; i++)
        out[i] = p[i] != p[i] ? p[i] : out[i] < p[i] ? 1 : 0;
}

static void bernoulli_cpu(const hg_kernel *k)
{
    hg_parallel_for(k->threads, chunks_of(k), 8, bernoulli_chunks,
                    (void *)(uintptr_t)k);
}

static int bernoulli_parts(const hg_kernel *k, hg_part *p)
{
    return hg_draw_map(k, p, HG_STEP_BERNOULLI,
                       ((const hg_bernoulli_attr *)k->attr)->stream);
}

static const hg_op bernoulli_op = {
    .name = "bernoulli",
    .arity = 1,
    .contiguous = true,
    .shape = like_input,
    .attr_size = sizeof(hg_bernoulli_attr),
    .cpu = bernoulli_cpu,
    .cuda = HG_CUDA(hg_bernoulli_cuda),
    .parts = bernoulli_parts,
    .doc = "1 with probability p, else 0",
};

hg_tensor *hg_bernoulli(hg_tensor *p)
{
    hg_bernoulli_attr a = {hg_next_stream()};
    return hg_apply(&bernoulli_op, &a, p);
}

hg_tensor *hg_normal_sample(hg_tensor *mu, hg_tensor *std)
{
    if (!hg_broadcast("normal_sample", &mu, &std))
        return NULL;
    return hg_add(mu, hg_mul(std, hg_randn(mu->shape)));
}
