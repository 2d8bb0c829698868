/* basic.h - attributes of the operations of basic.c. */
#ifndef HG_BASIC_H
#define HG_BASIC_H

#include "autograd/op.h"

typedef struct {
    int64_t rank, dim[HG_MAX_RANK];
    double value;
} hg_full_attr;
HG_NO_PADDING(hg_full_attr, 8 * 8);

#endif
