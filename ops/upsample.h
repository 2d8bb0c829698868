/* upsample.h - where the pixels of a resized image come from, as upsample.c
 * and upsample.cu read it. */
#ifndef HG_UPSAMPLE_H
#define HG_UPSAMPLE_H

#include "ops/ops.h"
#include "tensor/inline.h"

typedef struct {
    int64_t height, width; /* of the result */
    int64_t mode;          /* hg_interpolation */
} hg_upsample_attr;
HG_NO_PADDING(hg_upsample_attr, 3 * 8);

/* Where a row (or column) of the result comes from: between two others. */
typedef struct {
    int64_t first, second;
    hg_real weight; /* of the second */
} hg_source;

HG_INLINE hg_source hg_source_of(int64_t at, int64_t from, int64_t to,
                                 int64_t mode)
{
    hg_source s;
    if (mode == HG_NEAREST) {
        s.first = s.second = at * from / to;
        s.weight = 0;
        return s;
    }
    double place = ((double)at + 0.5) * (double)from / (double)to - 0.5;
    if (place < 0)
        place = 0;
    s.first = (int64_t)place;
    s.second = s.first + 1 < from ? s.first + 1 : s.first;
    s.weight = (hg_real)(place - (double)s.first);
    return s;
}

#endif
