/* cumsum.h - attributes of the operation of cumsum.c. */
#ifndef HG_CUMSUM_H
#define HG_CUMSUM_H

#include "autograd/op.h"

typedef struct {
    int64_t axis, reverse;
} hg_cumsum_attr;
HG_NO_PADDING(hg_cumsum_attr, 2 * 8);

#endif
