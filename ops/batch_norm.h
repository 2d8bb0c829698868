/* batch_norm.h - the kernels of batch_norm.c. */
#ifndef HG_BATCH_NORM_H
#define HG_BATCH_NORM_H

#include "autograd/op.h"

typedef struct {
    double momentum, eps;
} hg_batch_norm_attr;
HG_NO_PADDING(hg_batch_norm_attr, 2 * 8);

HG_BEGIN_DECLS

/* x (and running mean and variance, which move) to statistics [2, C]. */
void hg_batch_norm_stats_cpu(const hg_kernel *);
/* x, w, b, statistics to the result. */
void hg_batch_norm_cpu(const hg_kernel *);
/* g, x, statistics to the sums [2, C]. */
void hg_batch_norm_sums_cpu(const hg_kernel *);
/* g, x, w, statistics, sums to the gradient of x. */
void hg_batch_norm_dx_cpu(const hg_kernel *);
/* Adds 1 to the int32 input, which stays at INT32_MAX; copies it out. */
void hg_batch_norm_count_cpu(const hg_kernel *);

/* One more batch went into the running statistics of a layer: adds 1 to its
 * counter, [] and int32. False with an error. */
bool hg_batch_norm_count(hg_tensor *batches);
/* The same on a GPU. */
void hg_batch_norm_stats_cuda(const hg_kernel *);
void hg_batch_norm_cuda(const hg_kernel *);
void hg_batch_norm_sums_cuda(const hg_kernel *);
void hg_batch_norm_dx_cuda(const hg_kernel *);
void hg_batch_norm_count_cuda(const hg_kernel *);

HG_END_DECLS

#endif
