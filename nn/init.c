/* init.c - initial values. The draws of a parameter are a function of the
 * context's seed and the parameter's path, so that adding a layer elsewhere
 * changes nothing here. */
#include "nn/internal.h"
#include "ops/random_kernels.h"
#include "tensor/random.h"

#include <math.h>

typedef struct {
    hg_philox philox;
    int isa;
    bool normal;
    hg_real a, b; /* uniform in [a, b); or mean a, standard deviation b */
    hg_real *out;
    int64_t n;
} draw;

static hg_real from_uniform(const draw *d, hg_real u)
{
    if (d->a == -d->b) /* 2 u - 1 is exact */
        return (2 * u - 1) * d->b;
    return d->a + (d->b - d->a) * u;
}

/* By libm: the kernels' normals depend on the instruction set. */
static void draw_normals(const draw *d, int64_t block)
{
    uint32_t w[4];
    float z[4];
    hg_philox_block(&d->philox, (uint64_t)block, w);
    hg_words_normal(w[0], w[1], z);
    hg_words_normal(w[2], w[3], z + 2);
    for (int64_t i = 4 * block; i < 4 * block + 4 && i < d->n; i++)
        d->out[i] = d->a + d->b * (hg_real)z[i % 4];
}

static void draw_blocks(void *argument, int64_t from, int64_t to)
{
    const draw *d = argument;
    if (d->normal) {
        for (int64_t block = from; block < to; block++)
            draw_normals(d, block);
        return;
    }
    int64_t end = 4 * to < d->n ? 4 * to : d->n;
    hg_draws_at(d->isa)->fill(d->out + 4 * from, &d->philox, (uint64_t)from,
                              end - 4 * from, HG_DRAW_UNIFORM);
    for (int64_t i = 4 * from; i < end; i++)
        d->out[i] = from_uniform(d, d->out[i]);
}

/* PyTorch counts weights as [out, in, places...]. */
static bool fans(hg_tensor *t, const char *path, hg_init *init)
{
    double places = 1;
    for (int d = 2; d < t->shape.rank; d++)
        places *= (double)t->shape.dim[d];
    if (t->shape.rank >= 2 && !init->fan_in)
        init->fan_in = (int64_t)((double)t->shape.dim[1] * places);
    if (t->shape.rank >= 2 && !init->fan_out)
        init->fan_out = (int64_t)((double)t->shape.dim[0] * places);
    bool both = init->kind == HG_INIT_XAVIER_UNIFORM ||
                init->kind == HG_INIT_XAVIER_NORMAL;
    if (init->fan_in > 0 && (!both || init->fan_out > 0))
        return true;
    return hg_fail(HG_ERROR_ARGUMENT,
                   "%s: the initial values depend on how many inputs a unit "
                   "has, which shape %s does not tell; give fan_in%s",
                   path, HG_SHAPE_TEXT(t->shape), both ? " and fan_out" : "");
}

static void uniform_within(draw *d, double bound)
{
    d->a = (hg_real)-bound;
    d->b = (hg_real)bound;
}

static void normal_with(draw *d, double deviation)
{
    d->normal = true;
    d->a = 0;
    d->b = (hg_real)deviation;
}

/* The distributions that depend on the number of inputs and outputs. */
static void scale_by_fans(draw *d, const hg_init *init)
{
    double in = (double)init->fan_in, out = (double)init->fan_out;
    double gain = init->a != 0 ? init->a : 1;
    double he = init->a != 0 ? init->a : sqrt(2);
    switch (init->kind) {
    case HG_INIT_XAVIER_UNIFORM:
        uniform_within(d, gain * sqrt(6 / (in + out)));
        break;
    case HG_INIT_XAVIER_NORMAL:
        normal_with(d, gain * sqrt(2 / (in + out)));
        break;
    case HG_INIT_KAIMING_UNIFORM:
        uniform_within(d, he * sqrt(3 / in));
        break;
    case HG_INIT_KAIMING_NORMAL:
        normal_with(d, he / sqrt(in));
        break;
    default:
        uniform_within(d, 1 / sqrt(in));
    }
}

static void fill(const draw *d, hg_real value)
{
    for (int64_t i = 0; i < d->n; i++)
        d->out[i] = value;
}

static bool fill_values(hg_tensor *t, const char *path, hg_init init,
                        uint64_t seed, hg_real *values)
{
    draw d = {.philox =
                  hg_philox_make(seed, HG_DOMAIN_INIT, hg_hash_text(path)),
              .isa = t->storage->context->isa,
              .a = (hg_real)init.a,
              .b = (hg_real)init.b,
              .out = values,
              .n = hg_numel(t)};
    if (init.kind >= HG_INIT_ZEROS && init.kind <= HG_INIT_CONSTANT) {
        fill(&d, init.kind == HG_INIT_CONSTANT
                     ? d.a
                     : (hg_real)(init.kind == HG_INIT_ONES));
        return true;
    }
    if (init.kind > HG_INIT_KAIMING_NORMAL)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: %d is no kind of initial values; see hg_init_kind",
                       path, (int)init.kind);
    if (init.kind == HG_INIT_NORMAL)
        d.normal = true;
    else if (init.kind != HG_INIT_UNIFORM) {
        if (!fans(t, path, &init))
            return false;
        scale_by_fans(&d, &init);
    }
    hg_parallel_for(t->storage->context->threads, (d.n + 3) / 4, 4096,
                    draw_blocks, &d);
    return true;
}

/* Drawn on the host, whatever the device: done once. */
bool hg_init_fill(hg_tensor *t, const char *path, hg_init init, uint64_t seed)
{
    hg_context *context = t->storage->context;
    if (!context->gpu)
        return fill_values(t, path, init, seed, hg_data(t));
    size_t bytes = (size_t)hg_numel(t) * sizeof(hg_real);
    hg_real *values = hg_memory_allocate(context, bytes);
    if (!values)
        return false;
    bool ok = fill_values(t, path, init, seed, values) &&
              hg_scatter_values(t, values);
    hg_memory_release(context, values, bytes);
    return ok;
}
