/* cuda.h - the kernels of basic.c on a GPU, defined in basic.cu. */
#ifndef HG_AUTOGRAD_CUDA_H
#define HG_AUTOGRAD_CUDA_H

#include "autograd/op.h"

HG_BEGIN_DECLS

void hg_full_cuda(const hg_kernel *);
void hg_dense_cuda(const hg_kernel *);
void hg_accumulate_cuda(const hg_kernel *);

HG_END_DECLS

#endif
