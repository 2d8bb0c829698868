/* conv_tables.h - where the places and taps of a convolution lie in planes that
 * are packed for conv_lanes.h. */
#ifndef HG_CONV_TABLES_H
#define HG_CONV_TABLES_H

#include "ops/conv.h"

/* Planes that are packed with zeros around them. */
typedef struct {
    const hg_real *values;
    int64_t count, height, width;  /* channels, and their size */
    int64_t top, left, rows, cols; /* where they begin in the room */
    int32_t *at;                   /* place of every pixel */
} hg_planes;

/* Places of one plane, its zeros included. */
static inline int64_t hg_room(const hg_planes *p)
{
    return p->rows * p->cols;
}

/* What the forward convolution (and the weight gradient) reads: x; and what
 * the input gradient reads: y. */
hg_planes hg_forward_planes(const hg_conv_job *);
hg_planes hg_input_planes(const hg_conv_job *);
/* Fills `at`. */
void hg_place_table(const hg_planes *);

/* base [oh ow], tap [c kh kw] */
void hg_forward_tables(const hg_conv *, const hg_planes *in, int32_t *base,
                       int32_t *tap);

/* The input gradient falls into stride x stride phases: pixels with the same
 * remainder (a, b) see the same taps of the window, and those taps see
 * neighbouring places of y. Both return how many there are. */
int64_t hg_phase_places(const hg_conv *, const hg_planes *in, int64_t a,
                        int64_t b, int32_t *base, int32_t *dest);
/* index: of the tap in weight [O, C, kh, kw], for c = 0. */
int64_t hg_phase_taps(const hg_conv *, const hg_planes *in, int64_t a,
                      int64_t b, int32_t *tap, int32_t *index);

#endif
