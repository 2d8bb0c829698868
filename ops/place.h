/* place.h - attributes of the operations that name places along an axis: of
 * extreme values (extreme.c) and of the k largest (topk.c). */
#ifndef HG_PLACE_H
#define HG_PLACE_H

#include "autograd/op.h"

typedef struct {
    int64_t axis, largest; /* or smallest */
} hg_place_attr;
HG_NO_PADDING(hg_place_attr, 2 * 8);

typedef struct {
    int64_t axis, k;
} hg_topk_attr;
HG_NO_PADDING(hg_topk_attr, 2 * 8);

#endif
