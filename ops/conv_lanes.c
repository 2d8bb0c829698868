/* conv_lanes.c - the three convolutions in terms of the loops of conv_lanes.h:
 * memory, packed weights, and who works on which block of images. Images are
 * padded while they are packed. */
#include "ops/conv_lanes.h"
#include "ops/conv_tables.h"
#include "ops/internal.h"
#include "ops/scratch.h"

#include <string.h>

typedef struct {
    const hg_kernel *kernel;
    const hg_conv_job *job;
    const hg_conv_lanes *run;
    hg_planes in, y; /* y: for the weight gradient only */
    hg_gather *phase;
    hg_real **weight; /* packed, for each phase */
    int64_t phases;
    int64_t rows, size; /* channels of the result and their size */
    int64_t blocks, splits, slots;
    hg_real *room, *result; /* of a slot: packed input, unpacked output */
    int64_t room_size, result_size;
} plan;

/* ---- Work: slots of units, a unit some rows of a block ------------------ */

/* Lanes as wide as there are images for. */
static const hg_conv_lanes *lanes_for(const hg_kernel *k, int64_t n)
{
    hg_kernel narrow = *k;
    const hg_conv_lanes *run = hg_lanes_of(k);
    while (narrow.isa > HG_ISA_BASE) {
        narrow.isa--;
        if (hg_lanes_of(&narrow)->lanes < n)
            break;
        run = hg_lanes_of(&narrow);
    }
    return run;
}

static plan plan_of(const hg_kernel *k, const hg_conv_job *job, int64_t rows,
                    int64_t size)
{
    plan p = {.kernel = k, .job = job, .rows = rows, .size = size};
    int64_t threads = k->threads, n = job->shape.n;
    p.run = lanes_for(k, n);
    p.blocks = (n + p.run->lanes - 1) / p.run->lanes;
    p.splits = 1;
    if (p.blocks % threads && p.blocks < 4 * threads) {
        int64_t groups = (rows + p.run->rows - 1) / p.run->rows;
        p.splits = groups < threads ? groups : threads;
    }
    p.slots = p.blocks * p.splits < threads ? p.blocks * p.splits : threads;
    return p;
}

static int64_t images_of(const plan *p, int64_t block)
{
    int64_t left = p->job->shape.n - block * p->run->lanes;
    return left < p->run->lanes ? left : p->run->lanes;
}

static void pack_planes(const plan *p, const hg_planes *s, int64_t block,
                        int64_t from, int64_t to, hg_real *out)
{
    int64_t size = s->height * s->width;
    const hg_real *first =
        s->values + (block * p->run->lanes * s->count + from) * size;
    p->run->pack(first, s->count * size, images_of(p, block), to - from, size,
                 hg_room(s), s->at, out);
}

/* ---- The sums over taps ------------------------------------------------- */

static void compute_rows(const plan *p, int64_t block, int64_t row,
                         int64_t rows, const hg_real *in, hg_real *buffer)
{
    const hg_real *bias = p->job->bias ? p->job->bias + row : NULL;
    for (int64_t i = 0; i < p->phases; i++)
        p->run->gather(&p->phase[i], in, p->weight[i] + row * p->phase[i].taps,
                       bias, rows, p->size, buffer);
    int64_t image = p->rows * p->size;
    p->run->unpack(buffer, rows, p->size,
                   p->job->out + block * p->run->lanes * image + row * p->size,
                   image, images_of(p, block));
}

static void compute_unit(const plan *p, int64_t unit, const hg_real *in,
                         hg_real *buffer)
{
    int64_t group = 0, rows;
    for (int64_t row = 0; row < p->rows; row += rows, group++) {
        rows = hg_row_group(p->rows - row, p->run->rows);
        if (group % p->splits == unit % p->splits)
            compute_rows(p, unit / p->splits, row, rows, in, buffer);
    }
}

static void compute_slots(void *argument, int64_t from, int64_t to)
{
    const plan *p = argument;
    int64_t units = p->blocks * p->splits, packed = -1;
    for (int64_t slot = from; slot < to; slot++) {
        hg_real *room = p->room + slot * p->room_size;
        memset(room, 0, (size_t)p->room_size * sizeof *room);
        packed = -1;
        for (int64_t u = units * slot / p->slots;
             u < units * (slot + 1) / p->slots; u++) {
            int64_t block = u / p->splits;
            if (block != packed)
                pack_planes(p, &p->in, block, 0, p->in.count, room);
            packed = block;
            compute_unit(p, u, room, p->result + slot * p->result_size);
        }
    }
}

/* ---- Forward ------------------------------------------------------------ */

/* weight [O, taps] to [taps, rows of a group] group by group. */
static void forward_weight(const plan *p, int64_t taps, hg_real *out)
{
    int64_t rows;
    for (int64_t row = 0; row < p->rows; row += rows) {
        rows = hg_row_group(p->rows - row, p->run->rows);
        for (int64_t t = 0; t < taps; t++)
            for (int64_t r = 0; r < rows; r++)
                *out++ = p->job->weight[(row + r) * taps + t];
    }
}

static void slots_from(plan *p, hg_arena *a)
{
    p->room_size = p->in.count * hg_room(&p->in) * p->run->lanes;
    p->result_size = p->run->rows * p->size * p->run->lanes;
    p->in.at = hg_take_table(a, p->in.height * p->in.width);
    p->room = hg_take_reals(a, p->slots * p->room_size);
    p->result = hg_take_reals(a, p->slots * p->result_size);
}

static void cut_forward(plan *p, hg_arena *a)
{
    const hg_conv *s = &p->job->shape;
    int64_t taps = s->c * s->kh * s->kw;
    p->phases = 1;
    p->phase = hg_take(a, 1, sizeof *p->phase);
    p->weight = hg_take(a, 1, sizeof *p->weight);
    int32_t *base = hg_take_table(a, p->size), *tap = hg_take_table(a, taps);
    hg_real *weight = hg_take_reals(a, p->rows * taps);
    slots_from(p, a);
    if (!a->base)
        return;
    p->phase[0] = (hg_gather){p->size, taps, base, NULL, tap};
    p->weight[0] = weight;
    hg_forward_tables(&p->job->shape, &p->in, base, tap);
    forward_weight(p, taps, weight);
}

/* Measures, allocates, cuts, and runs. */
static void run(const hg_kernel *k, plan *p, void (*cut)(plan *, hg_arena *),
                void (*slots)(void *, int64_t, int64_t))
{
    hg_arena a = {0};
    cut(p, &a);
    a = (hg_arena){.base = hg_scratch(k->context, a.used)};
    if (!a.base)
        return;
    cut(p, &a);
    hg_place_table(&p->in);
    hg_parallel_for(k->threads, p->slots, 1, slots, p);
}

void hg_conv_forward_lanes(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    plan p = plan_of(k, job, s->o, s->oh * s->ow);
    p.in = hg_forward_planes(job);
    run(k, &p, cut_forward, compute_slots);
}

/* ---- Input gradient ----------------------------------------------------- */

/* weight [O, C, kh, kw] to [taps, rows of a group], taps of one phase. */
static void phase_weight(const plan *p, int64_t taps, const int32_t *index,
                         hg_real *out)
{
    int64_t window = p->job->shape.kh * p->job->shape.kw, rows;
    for (int64_t row = 0; row < p->rows; row += rows) {
        rows = hg_row_group(p->rows - row, p->run->rows);
        for (int64_t t = 0; t < taps; t++)
            for (int64_t r = 0; r < rows; r++)
                *out++ = p->job->weight[index[t] + (row + r) * window];
    }
}

static void cut_input(plan *p, hg_arena *a)
{
    const hg_conv *s = &p->job->shape;
    int64_t taps = s->o * s->kh * s->kw;
    p->phases = s->stride * s->stride;
    p->phase = hg_take(a, p->phases, sizeof *p->phase);
    p->weight = hg_take(a, p->phases, sizeof *p->weight);
    int32_t *base = hg_take_table(a, p->size),
            *dest = hg_take_table(a, p->size);
    int32_t *tap = hg_take_table(a, taps), *index = hg_take_table(a, taps);
    hg_real *weight = hg_take_reals(a, p->rows * taps);
    slots_from(p, a);
    for (int64_t i = 0; i < p->phases && a->base; i++) {
        int64_t up = i / s->stride, left = i % s->stride;
        hg_gather *g = &p->phase[i];
        *g = (hg_gather){hg_phase_places(s, &p->in, up, left, base, dest),
                         hg_phase_taps(s, &p->in, up, left, tap, index), base,
                         dest, tap};
        p->weight[i] = weight;
        phase_weight(p, g->taps, index, weight);
        base += g->places;
        dest += g->places;
        tap += g->taps;
        weight += p->rows * g->taps;
    }
}

void hg_conv_input_lanes(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    plan p = plan_of(k, job, s->c, s->h * s->w);
    p.in = hg_input_planes(job);
    run(k, &p, cut_input, compute_slots);
}

/* ---- Weight gradient ---------------------------------------------------- */

/* Rows of dw of one block, into the block's own sum. */
static void correlate_unit(const plan *p, int64_t unit, const hg_real *x,
                           hg_real *y)
{
    int64_t block = unit / p->splits, split = unit % p->splits;
    int64_t from = p->rows * split / p->splits;
    int64_t to = p->rows * (split + 1) / p->splits;
    const hg_gather *g = p->phase;
    pack_planes(p, &p->y, block, from, to, y);
    p->run->correlate(g, x, y, to - from,
                      p->weight[0] + (block * p->rows + from) * g->taps);
}

static void correlate_slots(void *argument, int64_t from, int64_t to)
{
    const plan *p = argument;
    int64_t units = p->blocks * p->splits;
    for (int64_t slot = from; slot < to; slot++) {
        hg_real *room = p->room + slot * p->room_size;
        int64_t packed = -1;
        memset(room, 0, (size_t)p->room_size * sizeof *room);
        for (int64_t u = units * slot / p->slots;
             u < units * (slot + 1) / p->slots; u++) {
            if (u / p->splits != packed)
                pack_planes(p, &p->in, u / p->splits, 0, p->in.count, room);
            packed = u / p->splits;
            correlate_unit(p, u, room, p->result + slot * p->result_size);
        }
    }
}

static void cut_weight(plan *p, hg_arena *a)
{
    const hg_conv *s = &p->job->shape;
    int64_t taps = s->c * s->kh * s->kw, places = s->oh * s->ow;
    p->phase = hg_take(a, 1, sizeof *p->phase);
    p->weight = hg_take(a, 1, sizeof *p->weight);
    int32_t *base = hg_take_table(a, places), *tap = hg_take_table(a, taps);
    hg_real *sums = hg_take_reals(a, p->blocks * p->rows * taps);
    p->room_size = p->in.count * hg_room(&p->in) * p->run->lanes;
    p->result_size = p->rows * places * p->run->lanes;
    p->in.at = hg_take_table(a, p->in.height * p->in.width);
    p->y.at = hg_take_table(a, places);
    p->room = hg_take_reals(a, p->slots * p->room_size);
    p->result = hg_take_reals(a, p->slots * p->result_size);
    if (!a->base)
        return;
    p->phase[0] = (hg_gather){places, taps, base, NULL, tap};
    p->weight[0] = sums;
    hg_forward_tables(&p->job->shape, &p->in, base, tap);
    hg_place_table(&p->y);
}

/* The sum over blocks, in their order. */
static void add_blocks(void *argument, int64_t from, int64_t to)
{
    const plan *p = argument;
    int64_t n = p->rows * p->phase->taps;
    for (int64_t i = from; i < to; i++) {
        double sum = 0;
        for (int64_t b = 0; b < p->blocks; b++)
            sum += (double)p->weight[0][b * n + i];
        p->job->out[i] = (hg_real)sum;
    }
}

void hg_conv_weight_lanes(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    plan p = plan_of(k, job, s->o, 0);
    p.in = hg_forward_planes(job);
    p.y = (hg_planes){.values = job->y,
                      .count = s->o,
                      .height = s->oh,
                      .width = s->ow,
                      .rows = s->oh,
                      .cols = s->ow};
    run(k, &p, cut_weight, correlate_slots);
    if (!hg_error())
        hg_parallel_for(k->threads, s->o * s->c * s->kh * s->kw, 1 << 14,
                        add_blocks, &p);
}
