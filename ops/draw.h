/* draw.h - attributes of the operations that draw: random.c and dropout.c. */
#ifndef HG_DRAW_H
#define HG_DRAW_H

#include "ops/walk.h"

typedef enum { HG_DRAW_UNIFORM, HG_DRAW_NORMAL, HG_DRAW_GUMBEL } hg_draw;

/* low + (high - low) * draw */
typedef struct {
    uint64_t stream;
    int64_t kind; /* hg_draw */
    double low, high;
    hg_shape_attr shape;
} hg_draw_attr;
HG_NO_PADDING(hg_draw_attr, (4 + 7) * 8);

typedef struct {
    uint64_t stream;
} hg_bernoulli_attr;
HG_NO_PADDING(hg_bernoulli_attr, 8);

typedef struct {
    uint64_t stream;
    double p; /* of being dropped */
} hg_dropout_attr;
HG_NO_PADDING(hg_dropout_attr, 2 * 8);

#endif
