/* conv_winograd_strip.c - the transforms of a strip, from planes to tiles and
 * back: where the vectors lie that conv_winograd_kernels.c works on. */
#include "ops/conv_winograd_plan.h"

/* Row q of tiles, of all packed images: in which of them it lies, and at which
 * row of its pixels it begins. */
static int64_t image_of(const hg_winograd_plan *p, int64_t q)
{
    return q / p->rows;
}

static int64_t row_of(const hg_winograd_plan *p, int64_t q)
{
    return q % p->rows * HG_SIDE;
}

/* From one row of a tile to the next in columns: [8, rows, C, width]. */
static int64_t column_step(const hg_winograd_plan *p, const hg_operand *o)
{
    return p->strip * o->planes.count * o->width;
}

void hg_winograd_to_columns(const hg_winograd_plan *p, const hg_operand *o,
                            const hg_stages *s, int64_t from, int64_t to)
{
    int64_t lanes = p->lanes->lanes, cols = o->planes.cols;
    hg_real *column = s->columns;
    hg_lines l = {.count = o->width,
                  .in_step = lanes,
                  .in_apart = cols * lanes,
                  .out_step = lanes,
                  .out_apart = column_step(p, o)};
    for (int64_t q = from; q < to; q++)
        for (int64_t c = 0; c < o->planes.count; c += lanes) {
            const hg_real *plane =
                s->planes + image_of(p, q) * o->image + c * hg_room(&o->planes);
            o->transform(&l, plane + row_of(p, q) * cols * lanes, column);
            column += lanes * o->width;
        }
}

/* Only places that there are, of images without room around them. */
void hg_winograd_from_columns(const hg_winograd_plan *p, const hg_stages *s,
                              int64_t from, int64_t to)
{
    const hg_operand *o = &p->out;
    int64_t lanes = p->lanes->lanes;
    int64_t height = o->planes.height, width = o->planes.width;
    const hg_real *column = s->columns;
    for (int64_t q = from; q < to; q++)
        for (int64_t c = 0; c < o->planes.count; c += lanes) {
            int64_t row = row_of(p, q);
            hg_lines l = {.count = width,
                          .keep = height - row,
                          .bias = p->job->bias ? p->job->bias + c : NULL,
                          .in_step = lanes,
                          .in_apart = column_step(p, o),
                          .out_step = lanes,
                          .out_apart = width * lanes};
            o->transform(&l, column,
                         s->planes + image_of(p, q) * o->image +
                             (c * height + row * lanes) * width);
            column += lanes * o->width;
        }
}

/* Channels c ... of the first tile of row i of the strip. */
static hg_real *tile_at(const hg_winograd_plan *p, const hg_operand *o,
                        const hg_stages *s, int64_t i, int64_t c)
{
    int64_t width = p->gemm->width;
    return s->tiles + i * p->cols * o->tile + c / width * o->panel + c % width;
}

void hg_winograd_to_tiles(const hg_winograd_plan *p, const hg_operand *o,
                          const hg_stages *s, int64_t rows, int64_t point)
{
    int64_t lanes = p->lanes->lanes;
    const hg_real *column = s->columns + point * column_step(p, o);
    hg_lines l = {.count = p->cols,
                  .in_step = HG_SIDE * lanes,
                  .in_apart = lanes,
                  .out_step = o->tile,
                  .out_apart = o->apart};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < o->planes.count; c += lanes) {
            o->transform(&l, column, tile_at(p, o, s, i, c));
            column += lanes * o->width;
        }
}

void hg_winograd_from_tiles(const hg_winograd_plan *p, const hg_stages *s,
                            int64_t rows, int64_t point)
{
    const hg_operand *o = &p->out;
    int64_t lanes = p->lanes->lanes;
    hg_real *column = s->columns + point * column_step(p, o);
    hg_lines l = {.count = p->cols,
                  .keep = HG_SIDE,
                  .in_step = o->tile,
                  .in_apart = o->apart,
                  .out_step = HG_SIDE * lanes,
                  .out_apart = lanes};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < o->planes.count; c += lanes) {
            o->transform(&l, tile_at(p, o, s, i, c), column);
            column += lanes * o->width;
        }
}
