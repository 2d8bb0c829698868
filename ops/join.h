/* join.h - attributes of the operation of join.c. */
#ifndef HG_JOIN_H
#define HG_JOIN_H

#include "autograd/op.h"

typedef struct {
    int64_t axis;
} hg_concat_attr;
HG_NO_PADDING(hg_concat_attr, 8);

#endif
