/* norm_kernels.h - the passes that all normalisations are made of: over rows
 * of neighbouring values, and over columns of rows. */
#ifndef HG_NORM_KERNELS_H
#define HG_NORM_KERNELS_H

#include "ops/isa.h"

enum { HG_NORM_COLUMNS = 16 }; /* columns treated side by side */

/* `count` rows of n neighbouring values, which begin `stride` apart. */
typedef struct {
    int64_t count, stride, n;
} hg_norm_rows;

/* mean, m2, sum, dot, a, b, d: one value each for all values of the rows, or,
 * of the passes over columns, one for each of n <= HG_NORM_COLUMNS. */
typedef struct {
    /* Mean and sum of squared deviations. */
    void (*moments)(const hg_real *x, hg_norm_rows, double *mean, double *m2);
    /* The sums of g and of g (x - mean). */
    void (*dots)(const hg_real *g, const hg_real *x, hg_norm_rows,
                 const hg_real *mean, double *sum, double *dot);
    /* out = a x + d */
    void (*scale)(hg_real *out, const hg_real *x, hg_norm_rows,
                  const hg_real *a, const hg_real *d);
    /* out = a g + b x + d */
    void (*blend)(hg_real *out, const hg_real *g, const hg_real *x,
                  hg_norm_rows, const hg_real *a, const hg_real *b,
                  const hg_real *d);
} hg_norm_passes;

typedef struct {
    hg_norm_passes rows, columns;
} hg_norm_kernels;

HG_ISA_TABLE(hg_norm_kernels, hg_norm)

#endif
