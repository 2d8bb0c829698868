/* conv_winograd_plan.h - how conv_winograd.c goes about a convolution.
 *
 * Transformed tiles take several times the memory of the pixels they come
 * from. So few rows of tiles are worked on at a time, a strip. A tile is 8 x 8;
 * the transform down its columns is done for all of them, the one across its
 * rows for one of the 8 rows after the other:
 *
 *     planes -> columns [8, rows, C, width] -> tiles [tiles, 8, C]
 *     planes <- columns [8, rows, O, width] <- tiles [tiles, 8, O]
 *
 * `rows` and `tiles` are the strip's; `width` is that of a row of tiles, which
 * share their edges before the transform across. All but the tiles of a right
 * operand are vectors of channels, those of one place side by side.
 */
#ifndef HG_CONV_WINOGRAD_PLAN_H
#define HG_CONV_WINOGRAD_PLAN_H

#include "ops/conv_lanes.h"
#include "ops/conv_tables.h"
#include "ops/conv_winograd.h"
#include "ops/gemm_kernels.h"

typedef enum { HG_FORWARD, HG_INPUT, HG_WEIGHT } hg_winograd_kind;

/* What is on one side of the products: x and its tiles, or y and its. */
typedef struct {
    hg_planes planes;
    hg_transform *transform;
    int64_t image;              /* values of its planes */
    int64_t width;              /* columns of a row of tiles */
    int64_t tile, apart, panel; /* from tile to tile, point to point, panel of
                                   channels to panel */
} hg_operand;

/* Its three stages. */
typedef struct {
    hg_real *planes, *columns, *tiles;
} hg_stages;

/* Working memory of a slot. */
typedef struct {
    hg_stages in, out;
    hg_real *sum; /* of the weight gradient: [64, O, C] */
} hg_winograd_room;

typedef struct hg_winograd_plan hg_winograd_plan;
/* What to do with rows [from, to) of tiles of packed images, `more` if they
 * are not the first of a unit; and after the last of a unit. */
typedef void hg_winograd_strip(const hg_winograd_plan *,
                               const hg_winograd_room *, int64_t from,
                               int64_t to, bool more);
typedef void hg_winograd_finish(const hg_winograd_plan *,
                                const hg_winograd_room *, int64_t unit);

struct hg_winograd_plan {
    const hg_kernel *kernel;
    const hg_conv_job *job;
    hg_winograd_kind kind;
    const hg_winograd *run;
    const hg_gemm_kernels *gemm;
    const hg_conv_lanes *lanes;
    hg_operand in, out;         /* the weight gradient reads both */
    int64_t rows, cols;         /* of tiles of an image */
    int64_t together, strip;    /* images packed; rows of a strip */
    int64_t unit, units, slots; /* images of a unit of work */
    hg_real *weight;            /* [64, panels, C, panel], or the
                                   gradient of every unit */
    int32_t *tap;               /* its place in a window that may be turned */
    hg_winograd_room *room;     /* of a slot */
};

/* About so many tiles in a strip. */
hg_winograd_plan hg_winograd_plan_of(const hg_kernel *, const hg_conv_job *,
                                     hg_winograd_kind, int64_t tiles);
/* Cuts the memory and fills the tables; false without memory. */
bool hg_winograd_prepare(hg_winograd_plan *);
/* Units of images side by side, each by one thread: sums do not depend on how
 * many there are. */
void hg_winograd_run(const hg_winograd_plan *, hg_winograd_strip *,
                     hg_winograd_finish *);

/* Channels of a right operand, its last panel filled up. */
int64_t hg_winograd_padded(const hg_winograd_plan *, int64_t channels);

/* ---- Transforms of a strip: conv_winograd_strip.c ----------------------- */

/* Planes to columns, rows [from, to) of tiles; and row `point` of those columns
 * to tiles. */
void hg_winograd_to_columns(const hg_winograd_plan *, const hg_operand *,
                            const hg_stages *, int64_t from, int64_t to);
void hg_winograd_to_tiles(const hg_winograd_plan *, const hg_operand *,
                          const hg_stages *, int64_t rows, int64_t point);
/* The way back, of the result. */
void hg_winograd_from_tiles(const hg_winograd_plan *, const hg_stages *,
                            int64_t rows, int64_t point);
void hg_winograd_from_columns(const hg_winograd_plan *, const hg_stages *,
                              int64_t from, int64_t to);

static inline int64_t hg_ceiling(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

#endif
