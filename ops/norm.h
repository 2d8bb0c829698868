/* norm.h - what norm.c and norm.cu share. */
#ifndef HG_NORM_H
#define HG_NORM_H

#include "autograd/op.h"

typedef struct {
    double eps;
} hg_rows_attr;
HG_NO_PADDING(hg_rows_attr, 8);

#endif
