/* unfold.h - what unfold.c and unfold.cu share. */
#ifndef HG_UNFOLD_H
#define HG_UNFOLD_H

#include "autograd/op.h"

typedef struct {
    int64_t kh, kw, stride, padding, dilation;
    int64_t height, width; /* of the images; for fold */
} hg_unfold_attr;
HG_NO_PADDING(hg_unfold_attr, 7 * 8);

#endif
