/* cuda.h - the kernels of the operations on a GPU, defined in the .cu files
 * beside the .c files that name them: `.cuda = HG_CUDA(hg_..._cuda)`. */
#ifndef HG_OPS_CUDA_H
#define HG_OPS_CUDA_H

#include "autograd/op.h"

HG_BEGIN_DECLS

void hg_pointwise_cuda(const hg_kernel *);
void hg_unfold_cuda(const hg_kernel *);
void hg_fold_cuda(const hg_kernel *);
void hg_max_pool2d_cuda(const hg_kernel *);
void hg_max_pool2d_mirror_cuda(const hg_kernel *);
void hg_avg_pool2d_cuda(const hg_kernel *);
void hg_avg_pool2d_mirror_cuda(const hg_kernel *);
void hg_upsample_cuda(const hg_kernel *);
void hg_upsample_mirror_cuda(const hg_kernel *);
void hg_normalize_rows_cuda(const hg_kernel *);
void hg_normalize_rows_dx_cuda(const hg_kernel *);

HG_END_DECLS

#endif
