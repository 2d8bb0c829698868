/* gather.h - batches gathered on a GPU, where the set lies as it is on the
 * host: bytes stay bytes until the batch. The order of an epoch and the numbers
 * of transforms are computed there too; the host says which epoch, and how far
 * it is. */
#ifndef HG_GATHER_H
#define HG_GATHER_H

#include "datasets/pixel.h"
#include "tensor/device.h"

HG_BEGIN_DECLS

/* What changes from batch to batch, in the control block. */
typedef struct {
    hg_permutation order; /* of the epoch */
    int64_t first;        /* place of the batch in it */
    int64_t shuffled;     /* 0: the order is the set's own */
    int64_t epoch;
} hg_gather_turn;

typedef struct {
    int64_t kind; /* hg_transform_kind */
    double amount;
} hg_gather_transform;

/* Rows of a set, as hg_data_source_row has them, and where a batch goes. */
typedef struct {
    const void *values;         /* [rows, features], on the device */
    const int32_t *labels;      /* [rows] there, or NULL */
    const int32_t *sorted;      /* [rows] there: the set's order, or NULL */
    const float *quantile;      /* [HG_QUANTILES + 1] there, or NULL */
    const hg_gather_turn *turn; /* there */
    const int32_t *row;         /* [size] there, rows of the set, or NULL */
    hg_permutation split;       /* of the rows, where permuted is 1 */
    int64_t permuted, first;    /* the set is a window that begins here */
    int64_t size, features;
    int64_t kind; /* hg_data_kind: uint8, float, double */
    double low, span;
    int64_t height, width; /* of an item's planes */
    uint64_t seed;
    int64_t transforms;
    hg_gather_transform transform[HG_MOST_TRANSFORMS];
    hg_real *x;      /* [size, features] */
    hg_real *target; /* [size, features] before x was spoilt, or NULL */
    int32_t *label;  /* [size] or NULL */
    int32_t *index;  /* [size] */
} hg_gather_job;

/* x = (value - low) / span, transformed, with labels and indices: one launch.
 */
bool hg_gather_on_device(hg_context *, const hg_gather_job *);

HG_END_DECLS

#endif
