/* on_device.h - what the files of this room hand over to a GPU. */
#ifndef HG_ON_DEVICE_H
#define HG_ON_DEVICE_H

#include "nn/optimizer.h"

/* Optimisers that one hg_minimize may take. */
enum { HG_MOST_OPTIMIZERS = 16 };

/* The update of all active parameters of n optimisers of one context. */
bool hg_optimizers_update_on_device(hg_optimizer *const *, int n);

/* One array of hg_rework_kind's work. */
typedef struct {
    hg_real *w;
    const hg_real *g;
    hg_real *average;
    int64_t n;
} hg_rework_row;

/* `a` is the share of an average, the factor of a cut. */
bool hg_rework_each(hg_context *, const hg_rework_row *, int64_t n,
                    hg_rework_kind, hg_real a, hg_real bound);

/* The sum of squares, each value first cut; waits for it. */
double hg_squares_on_device(hg_context *, const hg_real *g, int64_t n,
                            hg_real most);

#endif
