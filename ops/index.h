/* index.h - attributes of the operations of index.c. */
#ifndef HG_INDEX_H
#define HG_INDEX_H

#include "autograd/op.h"

typedef struct {
    int64_t axis, size; /* of the axis that the indices point into */
    int64_t each;       /* 1: an index an element; 0: [m], one a slice */
} hg_index_attr;
HG_NO_PADDING(hg_index_attr, 3 * 8);

#endif
