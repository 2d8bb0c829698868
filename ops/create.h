/* create.h - attributes of the operations of create.c, and what an int32
 * holds. */
#ifndef HG_CREATE_H
#define HG_CREATE_H

#include "autograd/op.h"
#include "tensor/inline.h"

typedef struct {
    int64_t n;
} hg_arange_attr;
HG_NO_PADDING(hg_arange_attr, 8);

typedef struct {
    int64_t classes;
} hg_one_hot_attr;
HG_NO_PADDING(hg_one_hot_attr, 8);

/* NaN, infinities and numbers beyond int32 have no integer to become. */
HG_INLINE bool hg_is_int32(double x)
{
    return x > -2147483649.0 && x < 2147483648.0;
}

#endif
