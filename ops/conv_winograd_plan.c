/* conv_winograd_plan.c - sizes and memory, images into vectors and back, and
 * who works on which of them. */
#include "ops/conv_winograd_plan.h"
#include "ops/internal.h"
#include "ops/scratch.h"

#include <string.h>

static int64_t clamp(int64_t a, int64_t least, int64_t most)
{
    return a > most ? most : a < least ? least : a;
}

/* ---- Sizes -------------------------------------------------------------- */

static hg_operand operand_of(hg_planes s, hg_transform *transform, int64_t rows,
                             int64_t cols)
{
    s.rows = rows;
    s.cols = cols;
    return (hg_operand){.planes = s,
                        .transform = transform,
                        .image = s.count * hg_room(&s),
                        .width = cols};
}

/* The input gradient is the mirror: y with zeros around it, and the window
 * turned round. */
static void cover(hg_winograd_plan *p)
{
    const hg_conv *s = &p->job->shape;
    bool turned = p->kind == HG_INPUT;
    hg_planes x = hg_forward_planes(p->job);
    hg_planes y = {
        .values = p->job->y, .count = s->o, .height = s->oh, .width = s->ow};
    if (turned)
        y.top = y.left = HG_WINDOW - 1 - s->padding;
    p->rows = hg_ceiling(turned ? s->h : s->oh, HG_SIDE);
    p->cols = hg_ceiling(turned ? s->w : s->ow, HG_SIDE);
    int64_t height = p->rows * HG_SIDE, width = p->cols * HG_SIDE;
    p->in = operand_of(turned ? y : x, p->run->pixels, height + HG_WINDOW - 1,
                       width + HG_WINDOW - 1);
    p->out = operand_of(turned ? x : y, p->run->place_gradients, height, width);
    if (p->kind == HG_WEIGHT)
        return;
    p->out.transform = p->run->places;
    p->out.image = /* a result has no room around it */
        p->out.planes.count * p->out.planes.height * p->out.planes.width;
}

int64_t hg_winograd_padded(const hg_winograd_plan *p, int64_t channels)
{
    return hg_ceiling(channels, p->gemm->width) * p->gemm->width;
}

/* Tiles are rows of a left operand and of a result, their points beside each
 * other; or rows of the panels of a right operand. */
static void lay_tiles(const hg_winograd_plan *p, hg_operand *o, bool panels)
{
    int64_t width = p->gemm->width, tiles = p->strip * p->cols;
    o->tile = panels ? width : HG_POINTS * o->planes.count;
    o->apart = panels ? hg_winograd_padded(p, o->planes.count) * tiles
                      : o->planes.count;
    o->panel = panels ? width * tiles : width;
}

hg_winograd_plan hg_winograd_plan_of(const hg_kernel *k, const hg_conv_job *job,
                                     hg_winograd_kind kind, int64_t tiles)
{
    hg_winograd_plan p = {.kernel = k,
                          .job = job,
                          .kind = kind,
                          .run = hg_winograd_of(k),
                          .gemm = hg_gemm_of(k),
                          .lanes = hg_lanes_of(k)};
    cover(&p);
    p.together = clamp(tiles / (p.rows * p.cols), 1, job->shape.n);
    p.strip = clamp(tiles / p.cols, 1, p.rows * p.together);
    p.unit = p.together;
    lay_tiles(&p, &p.in, kind == HG_WEIGHT);
    lay_tiles(&p, &p.out, false);
    return p;
}

/* ---- Memory ------------------------------------------------------------- */

static void cut_stages(const hg_winograd_plan *p, const hg_operand *o,
                       hg_arena *a, hg_stages *s)
{
    int64_t columns = HG_POINTS * p->strip * o->planes.count * o->width;
    int64_t tiles = HG_POINTS * p->strip * p->cols;
    s->planes = hg_take_reals(a, p->together * o->image);
    s->columns = hg_take_reals(a, columns);
    s->tiles = hg_take_reals(a, tiles * hg_winograd_padded(p, o->planes.count));
}

static void cut(hg_winograd_plan *p, hg_arena *a)
{
    const hg_conv *s = &p->job->shape;
    bool gradient = p->kind == HG_WEIGHT;
    int64_t all = HG_POINTS * HG_POINTS;
    int64_t weights =
        all * p->in.planes.count * hg_winograd_padded(p, p->out.planes.count);
    if (gradient)
        weights = p->units * s->o * s->c * HG_TAPS;
    p->in.planes.at =
        hg_take_table(a, p->in.planes.height * p->in.planes.width);
    p->out.planes.at =
        hg_take_table(a, p->out.planes.height * p->out.planes.width);
    p->tap = hg_take_table(a, HG_TAPS);
    p->weight = hg_take_reals(a, weights);
    p->room = hg_take(a, p->slots, sizeof *p->room);
    for (int64_t i = 0; i < p->slots; i++) {
        hg_winograd_room r;
        cut_stages(p, &p->in, a, &r.in);
        cut_stages(p, &p->out, a, &r.out);
        r.sum = hg_take_reals(a, gradient ? all * s->o * s->c : 0);
        if (a->base)
            p->room[i] = r;
    }
}

bool hg_winograd_prepare(hg_winograd_plan *p)
{
    hg_arena a = {0};
    p->units = hg_ceiling(p->job->shape.n, p->unit);
    p->slots = clamp(p->units, 1, p->kernel->threads);
    cut(p, &a);
    a = (hg_arena){.base = hg_scratch(p->kernel->context, a.used)};
    if (!a.base)
        return false;
    cut(p, &a);
    hg_place_table(&p->in.planes);
    hg_place_table(&p->out.planes);
    for (int32_t t = 0; t < HG_TAPS; t++)
        p->tap[t] = p->kind == HG_INPUT ? HG_TAPS - 1 - t : t;
    return true;
}

/* ---- Images into vectors and back --------------------------------------- */

static void pack(const hg_winograd_plan *p, const hg_operand *o, int64_t first,
                 int64_t images, hg_real *out)
{
    const hg_planes *s = &o->planes;
    int64_t size = s->height * s->width, lanes = p->lanes->lanes;
    const hg_real *in = s->values + first * s->count * size;
    for (int64_t i = 0; i < images; i++, out += o->image)
        for (int64_t c = 0; c < s->count; c += lanes, in += lanes * size)
            p->lanes->pack(in, size, lanes, 1, size, 0, s->at,
                           out + c * hg_room(s));
}

static void unpack(const hg_winograd_plan *p, const hg_real *in, int64_t first,
                   int64_t images)
{
    const hg_planes *s = &p->out.planes;
    int64_t size = s->height * s->width, lanes = p->lanes->lanes;
    hg_real *out = p->job->out + first * s->count * size;
    for (int64_t i = 0; i < images; i++, in += p->out.image)
        for (int64_t c = 0; c < s->count; c += lanes, out += lanes * size)
            p->lanes->unpack(in + c * size, 1, size, out, size, lanes);
}

/* ---- Units, and strips of them ------------------------------------------ */

typedef struct {
    const hg_winograd_plan *plan;
    hg_winograd_strip *strip;
    hg_winograd_finish *finish;
} work;

static void run_images(const work *w, const hg_winograd_room *r, int64_t first,
                       int64_t images, bool more)
{
    const hg_winograd_plan *p = w->plan;
    int64_t rows = images * p->rows, strips = hg_ceiling(rows, p->strip);
    pack(p, &p->in, first, images, r->in.planes);
    if (p->kind == HG_WEIGHT)
        pack(p, &p->out, first, images, r->out.planes);
    for (int64_t i = 0; i < strips; i++)
        w->strip(p, r, rows * i / strips, rows * (i + 1) / strips, more || i);
    if (p->kind != HG_WEIGHT)
        unpack(p, r->out.planes, first, images);
}

static void run_unit(const work *w, const hg_winograd_room *r, int64_t unit)
{
    const hg_winograd_plan *p = w->plan;
    int64_t first = unit * p->unit, i = first, images;
    int64_t end = clamp(first + p->unit, 0, p->job->shape.n);
    for (; i < end; i += images) {
        images = clamp(end - i, 1, p->together);
        run_images(w, r, i, images, i > first);
    }
    if (w->finish)
        w->finish(p, r, unit);
}

static void run_slots(void *argument, int64_t from, int64_t to)
{
    const work *w = argument;
    const hg_winograd_plan *p = w->plan;
    int64_t in = p->together * p->in.image, out = p->together * p->out.image;
    for (int64_t i = from; i < to; i++) {
        const hg_winograd_room *r = &p->room[i];
        /* What is packed leaves the zeros around it alone. */
        memset(r->in.planes, 0, (size_t)in * sizeof(hg_real));
        memset(r->out.planes, 0, (size_t)out * sizeof(hg_real));
        for (int64_t u = p->units * i / p->slots;
             u < p->units * (i + 1) / p->slots; u++)
            run_unit(w, r, u);
    }
}

void hg_winograd_run(const hg_winograd_plan *p, hg_winograd_strip *strip,
                     hg_winograd_finish *finish)
{
    work w = {p, strip, finish};
    hg_parallel_for(p->kernel->threads, p->slots, 1, run_slots, &w);
}
