/* rows.h - the inner loops of reductions and softmax, compiled once for every
 * instruction set, and once with libm's exp as their oracle. */
#ifndef HG_ROWS_H
#define HG_ROWS_H

#include "autograd/op.h"

typedef struct {
    /* The sum of n neighbours. */
    hg_real (*sum)(const hg_real *in, int64_t n);
    /* sum[j] += in[j * step] */
    void (*add)(hg_real *sum, const hg_real *in, int64_t step, int64_t n);
    /* The largest of best and sign * in[j * step]; NaN counts as largest. */
    hg_real (*largest)(const hg_real *in, int64_t step, int64_t n, hg_real sign,
                       hg_real best);
    /* best[j] = the larger of best[j] and sign * in[j * step] */
    void (*larger)(hg_real *best, const hg_real *in, int64_t step, int64_t n,
                   hg_real sign);
    /* to[j] = exp(in[j * step] - shift[j * shift_step]); the shift is at least
     * as large. */
    void (*decay)(hg_real *to, const hg_real *in, int64_t step, int64_t n,
                  const hg_real *shift, int64_t shift_step);
} hg_rows;

extern const hg_rows hg_rows_reference, hg_rows_base, hg_rows_v3, hg_rows_v4;

/* Those that this kernel should use. */
const hg_rows *hg_rows_of(const hg_kernel *);

#endif
