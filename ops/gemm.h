/* gemm.h - the product of two matrices of any strides, behind matmul, linear
 * and the convolutions. */
#ifndef HG_GEMM_H
#define HG_GEMM_H

#include "autograd/op.h"

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
} hg_gemm_job;

/* Runs it with the kernel that suits the machine and the shape. Our own give
 * the same bits for any number of threads: work is cut into tiles of C, never
 * along k. oneDNN, which has the largest products, may not. */
void hg_gemm(const hg_kernel *k, const hg_gemm_job *job);
/* Plain C: fallback and oracle. */
void hg_gemm_reference(const hg_kernel *k, const hg_gemm_job *job);

#endif
