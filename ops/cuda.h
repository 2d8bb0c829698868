/* cuda.h - the kernels of the operations on a GPU, defined in the .cu files
 * beside the .c files that name them: `.cuda = HG_CUDA(hg_..._cuda)`. */
#ifndef HG_OPS_CUDA_H
#define HG_OPS_CUDA_H

#include "autograd/op.h"

HG_BEGIN_DECLS

void hg_pointwise_cuda(const hg_kernel *);
void hg_sum_cuda(const hg_kernel *);
void hg_sum_to_cuda(const hg_kernel *);
void hg_logsumexp_cuda(const hg_kernel *);
void hg_norm_cuda(const hg_kernel *);
void hg_max_cuda(const hg_kernel *);
void hg_min_cuda(const hg_kernel *);
void hg_place_cuda(const hg_kernel *);
void hg_topk_cuda(const hg_kernel *);
void hg_softmax_cuda(const hg_kernel *);
void hg_log_softmax_cuda(const hg_kernel *);
void hg_draw_cuda(const hg_kernel *);
void hg_bernoulli_cuda(const hg_kernel *);
void hg_dropout_cuda(const hg_kernel *);
void hg_cumsum_cuda(const hg_kernel *);
void hg_unslice_cuda(const hg_kernel *);
void hg_flip_cuda(const hg_kernel *);
void hg_concat_cuda(const hg_kernel *);
void hg_arange_cuda(const hg_kernel *);
void hg_one_hot_cuda(const hg_kernel *);
void hg_real_of_cuda(const hg_kernel *);
void hg_int_of_cuda(const hg_kernel *);
void hg_take_cuda(const hg_kernel *);
void hg_add_at_cuda(const hg_kernel *);
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
