/* norm_kernels.h - the passes that all normalisations are made of: over runs
 * of neighbouring values, and over columns of rows. */
#ifndef HG_NORM_KERNELS_H
#define HG_NORM_KERNELS_H

#include "ops/isa.h"

enum { HG_NORM_COLUMNS = 16 }; /* columns treated side by side */

typedef struct {
    /* Mean and sum of squared deviations of n values. */
    void (*moments)(const hg_real *x, int64_t n, double *mean, double *m2);
    /* The sums of g and of g (x - mean). */
    void (*dots)(const hg_real *g, const hg_real *x, hg_real mean, int64_t n,
                 double *sum, double *dot);
    /* out = a x + d */
    void (*scale)(hg_real *out, const hg_real *x, int64_t n, hg_real a,
                  hg_real d);
    /* out = a g + b x + d */
    void (*blend)(hg_real *out, const hg_real *g, const hg_real *x, int64_t n,
                  hg_real a, hg_real b, hg_real d);
    /* The same for `width` columns of n rows that lie `stride` apart. */
    void (*column_moments)(const hg_real *x, int64_t n, int64_t stride,
                           int64_t width, double *mean, double *m2);
    void (*column_dots)(const hg_real *g, const hg_real *x, const hg_real *mean,
                        int64_t n, int64_t stride, int64_t width, double *sum,
                        double *dot);
    void (*column_scale)(hg_real *out, const hg_real *x, int64_t n,
                         int64_t stride, int64_t width, const hg_real *a,
                         const hg_real *d);
    void (*column_blend)(hg_real *out, const hg_real *g, const hg_real *x,
                         int64_t n, int64_t stride, int64_t width,
                         const hg_real *a, const hg_real *b, const hg_real *d);
} hg_norm_kernels;

HG_ISA_TABLE(hg_norm_kernels, hg_norm)

#endif
