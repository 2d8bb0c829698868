/* onednn.h - what is left to oneDNN, where the build has it. */
#ifndef HG_ONEDNN_H
#define HG_ONEDNN_H

#include "ops/gemm.h"

/* "2.6.3", or NULL if the library was built without oneDNN. */
const char *hg_onednn_version(char text[32]);
/* Does the product and returns true, or returns false: without oneDNN, in
 * double, for operands that are neither row- nor column-major, and for small
 * products, where our own kernels are faster (bench/log.md). */
bool hg_onednn_gemm(const hg_kernel *, const hg_gemm_job *);

#endif
