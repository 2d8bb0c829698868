/* conv_winograd.c - the three convolutions as products of matrices at the
 * points of conv_winograd.h, and which shapes that suits. */
#include "ops/conv_winograd_plan.h"
#include "ops/internal.h"

typedef hg_winograd_plan plan;
typedef hg_winograd_room room;

/* Tiles of a strip. The weight gradient reads and writes its sums, a number a
 * point and pair of channels, once a strip, and wants longer ones. */
enum { STRIP = 28, GRADIENT_STRIP = 64 };
/* It is summed over parts of the images: so many, or as many as have no more
 * than so many values. */
enum { FEWEST_PARTS = 4, MOST_PARTS = 16, PARTS_VALUES = 1 << 21 };
enum { MOST_LANES = 16 };

/* A window in vectors, or half way to the points. */
typedef hg_real square[HG_POINTS * HG_WINDOW * MOST_LANES];

/* ---- Forward and input gradient ----------------------------------------- */

/* At the points of one row: tiles [tiles, C] by the weight [C, O]. */
static void multiply(const plan *p, const room *r, int64_t tiles, int64_t row)
{
    int64_t n = p->out.planes.count, k = p->in.planes.count;
    for (int64_t i = 0; i < HG_POINTS; i++) {
        int64_t point = row * HG_POINTS + i;
        p->gemm->packed(&(hg_gemm_job){
            .m = tiles,
            .n = n,
            .k = k,
            .a = r->in.tiles + i * p->in.apart,
            .a_row = p->in.tile,
            .a_col = 1,
            .b = p->weight + point * k * hg_winograd_padded(p, n),
            .b_col = k * p->gemm->width,
            .c = r->out.tiles + i * p->out.apart,
            .c_row = p->out.tile,
            .c_col = 1,
        });
    }
}

static void convolve_strip(const plan *p, const room *r, int64_t from,
                           int64_t to, bool more)
{
    (void)more;
    int64_t rows = to - from;
    hg_winograd_to_columns(p, &p->in, &r->in, from, to);
    for (int64_t i = 0; i < HG_POINTS; i++) {
        hg_winograd_to_tiles(p, &p->in, &r->in, rows, i);
        multiply(p, r, rows * p->cols, i);
        hg_winograd_from_tiles(p, &r->out, rows, i);
    }
    hg_winograd_from_columns(p, &r->out, from, to);
}

/* A square of `from` lines of as many vectors, each `in_apart` values behind
 * the one before, to one of `to` lines: its columns, and then its rows. */
static void transform_square(const plan *p, hg_transform *transform,
                             int64_t from, const hg_real *in, int64_t in_apart,
                             int64_t to, hg_real *out, int64_t out_apart)
{
    int64_t lanes = p->lanes->lanes;
    square half;
    hg_lines down = {.count = from,
                     .in_step = in_apart,
                     .in_apart = from * in_apart,
                     .out_step = lanes,
                     .out_apart = from * lanes};
    hg_lines across = {.count = to,
                       .in_step = from * lanes,
                       .in_apart = lanes,
                       .out_step = to * out_apart,
                       .out_apart = out_apart};
    transform(&down, in, half);
    transform(&across, half, out);
}

/* A window, its taps in vectors, to row k and column n of the weight. */
static void transform_window(const plan *p, const hg_real *window, int64_t k,
                             int64_t n)
{
    int64_t rows = p->in.planes.count, width = p->gemm->width;
    hg_real *out = p->weight + (n / width * rows + k) * width + n % width;
    transform_square(p, p->run->taps, HG_WINDOW, window, p->lanes->lanes,
                     HG_POINTS, out,
                     rows * hg_winograd_padded(p, p->out.planes.count));
}

/* Channels [from, to) of those that are summed over. */
static void transform_weight(void *argument, int64_t from, int64_t to)
{
    const plan *p = argument;
    int64_t c = p->job->shape.c, lanes = p->lanes->lanes;
    bool forward = p->kind == HG_FORWARD;
    int64_t step = forward ? HG_TAPS : c * HG_TAPS,
            apart = forward ? c * HG_TAPS : HG_TAPS;
    square window;
    for (int64_t i = from; i < to; i++)
        for (int64_t j = 0; j < p->out.planes.count; j += lanes) {
            p->lanes->pack(p->job->weight + i * step + j * apart, apart, lanes,
                           1, HG_TAPS, 0, p->tap, window);
            transform_window(p, window, i, j);
        }
}

static void convolve(const hg_kernel *k, const hg_conv_job *job,
                     hg_winograd_kind kind)
{
    plan p = hg_winograd_plan_of(k, job, kind, STRIP);
    if (!hg_winograd_prepare(&p))
        return;
    hg_parallel_for(k->threads, p.in.planes.count, 8, transform_weight, &p);
    hg_winograd_run(&p, convolve_strip, NULL);
}

void hg_conv_forward_winograd(const hg_kernel *k, const hg_conv_job *job)
{
    convolve(k, job, HG_FORWARD);
}

void hg_conv_input_winograd(const hg_kernel *k, const hg_conv_job *job)
{
    convolve(k, job, HG_INPUT);
}

/* ---- Weight gradient ---------------------------------------------------- */

/* At the points of one row: y's tiles [O, tiles] by those of x [tiles, C]. */
static void add_products(const plan *p, const room *r, int64_t tiles,
                         int64_t row, bool more)
{
    int64_t o = p->out.planes.count, c = p->in.planes.count;
    for (int64_t i = 0; i < HG_POINTS; i++)
        p->gemm->packed(&(hg_gemm_job){
            .m = o,
            .n = c,
            .k = tiles,
            .a = r->out.tiles + i * p->out.apart,
            .a_row = 1,
            .a_col = p->out.tile,
            .b = r->in.tiles + i * p->in.apart,
            .b_col = p->in.panel,
            .c = r->sum + (row * HG_POINTS + i) * o * c,
            .c_row = c,
            .c_col = 1,
            .add = more,
        });
}

static void correlate_strip(const plan *p, const room *r, int64_t from,
                            int64_t to, bool more)
{
    int64_t rows = to - from;
    hg_winograd_to_columns(p, &p->in, &r->in, from, to);
    hg_winograd_to_columns(p, &p->out, &r->out, from, to);
    for (int64_t i = 0; i < HG_POINTS; i++) {
        hg_winograd_to_tiles(p, &p->in, &r->in, rows, i);
        hg_winograd_to_tiles(p, &p->out, &r->out, rows, i);
        add_products(p, r, rows * p->cols, i, more);
    }
}

static void finish_unit(const plan *p, const room *r, int64_t unit)
{
    int64_t pairs = p->in.planes.count * p->out.planes.count;
    int64_t lanes = p->lanes->lanes;
    square window;
    for (int64_t i = 0; i < pairs; i += lanes) {
        transform_square(p, p->run->tap_gradients, HG_POINTS, r->sum + i, pairs,
                         HG_WINDOW, window, lanes);
        p->lanes->unpack(window, 1, HG_TAPS,
                         p->weight + (unit * pairs + i) * HG_TAPS, HG_TAPS,
                         lanes);
    }
}

/* The sum over units, in their order. */
static void add_units(void *argument, int64_t from, int64_t to)
{
    const plan *p = argument;
    int64_t n = p->job->shape.o * p->job->shape.c * HG_TAPS;
    for (int64_t i = from; i < to; i++) {
        double sum = 0;
        for (int64_t u = 0; u < p->units; u++)
            sum += (double)p->weight[u * n + i];
        p->job->out[i] = (hg_real)sum;
    }
}

void hg_conv_weight_winograd(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    plan p = hg_winograd_plan_of(k, job, HG_WEIGHT, GRADIENT_STRIP);
    int64_t parts = PARTS_VALUES / (s->o * s->c * HG_TAPS);
    parts = parts > MOST_PARTS     ? MOST_PARTS
            : parts < FEWEST_PARTS ? FEWEST_PARTS
                                   : parts;
    p.unit *= hg_ceiling(s->n, p.unit * parts);
    if (!hg_winograd_prepare(&p))
        return;
    hg_winograd_run(&p, correlate_strip, finish_unit);
    hg_parallel_for(k->threads, s->o * s->c * HG_TAPS, 1 << 14, add_units, &p);
}

/* ---- The choice --------------------------------------------------------- */

/* Channels in whole vectors on every machine; and half of the multiply-adds
 * saved, in spite of places in the tiles that are not there. */
bool hg_winograd_suits(const hg_conv *s)
{
    if (s->kh != HG_WINDOW || s->kw != HG_WINDOW || s->padding >= HG_WINDOW ||
        s->stride > 1 || s->dilation > 1 || s->c % 16 || s->o % 16)
        return false;
    int64_t tiles = hg_ceiling(s->oh, HG_SIDE) * hg_ceiling(s->ow, HG_SIDE);
    return 2 * HG_POINTS * HG_POINTS * tiles <= s->oh * s->ow * HG_TAPS;
}
