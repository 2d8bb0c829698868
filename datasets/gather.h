/* gather.h - batches gathered on a GPU, where the set lies as it is on the
 * host: bytes stay bytes until the batch. */
#ifndef HG_GATHER_H
#define HG_GATHER_H

#include "tensor/device.h"

HG_BEGIN_DECLS

typedef struct {
    const void *values;    /* [rows, features], on the device */
    const int32_t *labels; /* [rows] there, or NULL */
    const int64_t *source; /* [size] rows of those, in the control block */
    const int32_t *row;    /* [size] rows of the set, there */
    int64_t size, features;
    int64_t kind; /* hg_data_kind: uint8, float, double */
    double low, span;
    hg_real *x;     /* [size, features] */
    int32_t *label; /* [size] or NULL */
    int32_t *index; /* [size] */
} hg_gather_job;

/* x = (value - low) / span, with labels and indices: one launch. */
bool hg_gather_on_device(hg_context *, const hg_gather_job *);

HG_END_DECLS

#endif
