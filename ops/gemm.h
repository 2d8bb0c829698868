/* gemm.h - the product of two matrices of any strides, behind matmul, linear
 * and the convolutions. */
#ifndef HG_GEMM_H
#define HG_GEMM_H

#include "autograd/parts.h"

HG_BEGIN_DECLS

/* C [m, n] = A [m, k] B [k, n] + bias; strides in elements, so that a
 * transposed operand is one with its strides swapped. bias may be NULL; a
 * vector along the columns has bias_row 0. */
typedef struct {
    int64_t m, n, k;
    const hg_real *a;
    int64_t a_row, a_col;
    const hg_real *b;
    int64_t b_row, b_col;
    hg_real *c;
    int64_t c_row, c_col;
    const hg_real *bias;
    int64_t bias_row, bias_col;
    bool add; /* to what C holds; of the panels of gemm_kernels.h only */
} hg_gemm_job;

/* Many products of one shape: how far the operands step along each of the
 * leading axes. The results lie densely, one behind the other. */
typedef struct {
    int rank;
    int64_t dim[HG_MAX_RANK];
    int64_t a_stride[HG_MAX_RANK], b_stride[HG_MAX_RANK];
} hg_gemm_batch;

/* Runs it on k's device with the kernel that suits the machine and the shape.
 * Our own give the same bits for any number of threads: work is cut into tiles
 * of C, never along k. oneDNN, which has the largest products, may not. */
void hg_gemm(const hg_kernel *k, const hg_gemm_job *job);
void hg_gemm_many(const hg_kernel *k, const hg_gemm_job *first,
                  const hg_gemm_batch *batch);
/* On a GPU: cuBLAS for large products, a kernel of ours for small ones, for
 * strides that cuBLAS does not know, and where there is no cuBLAS. */
void hg_gemm_cuda(const hg_kernel *k, const hg_gemm_job *first,
                  const hg_gemm_batch *batch);
/* The parts of such a call (autograd/parts.h); 0 in builds without CUDA. */
int hg_gemm_parts(const hg_kernel *k, const hg_gemm_job *first,
                  const hg_gemm_batch *batch, hg_part *);
int hg_gemm_parts_cuda(const hg_kernel *k, const hg_gemm_job *first,
                       const hg_gemm_batch *batch, hg_part *);
/* Plain C: fallback and oracle. */
void hg_gemm_reference(const hg_kernel *k, const hg_gemm_job *job);

HG_END_DECLS

#endif
