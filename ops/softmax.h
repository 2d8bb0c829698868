/* softmax.h - attributes of the operations of softmax.c. */
#ifndef HG_SOFTMAX_H
#define HG_SOFTMAX_H

#include "autograd/op.h"

typedef struct {
    int64_t axis;
} hg_softmax_attr;
HG_NO_PADDING(hg_softmax_attr, 8);

#endif
