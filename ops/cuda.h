/* cuda.h - the kernels of the operations on a GPU, defined in the .cu files
 * beside the .c files that name them: `.cuda = HG_CUDA(hg_..._cuda)`. */
#ifndef HG_OPS_CUDA_H
#define HG_OPS_CUDA_H

#include "autograd/op.h"

HG_BEGIN_DECLS

void hg_pointwise_cuda(const hg_kernel *);
void hg_sum_cuda(const hg_kernel *);
void hg_sum_to_cuda(const hg_kernel *);

HG_END_DECLS

#endif
