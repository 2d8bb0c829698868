/* cublas.h - matrix products of NVIDIA's library, found at run time, so that
 * one binary also starts where it is missing. */
#ifndef HG_CUBLAS_H
#define HG_CUBLAS_H

#include <cublas_v2.h>

#include "tensor/device.h"

HG_BEGIN_DECLS

/* The calls in use. */
typedef struct {
    cublasStatus_t (*create)(cublasHandle_t *);
    cublasStatus_t (*destroy)(cublasHandle_t);
    cublasStatus_t (*set_stream)(cublasHandle_t, cudaStream_t);
    cublasStatus_t (*set_workspace)(cublasHandle_t, void *, size_t);
    cublasStatus_t (*set_math)(cublasHandle_t, cublasMath_t);
    cublasStatus_t (*gemm)(cublasHandle_t, cublasOperation_t, cublasOperation_t,
                           int, int, int, const void *, const void *,
                           cudaDataType, int, long long, const void *,
                           cudaDataType, int, long long, const void *, void *,
                           cudaDataType, int, long long, int,
                           cublasComputeType_t, cublasGemmAlgo_t);
} hg_cublas;

/* The library, loaded at the first call of the process; NULL and the reason
 * (which lives as long as the process). */
const hg_cublas *hg_cublas_get(const char **reason);

/* The context's handle, on its stream, with a workspace of its own, which
 * makes its results reproducible; NULL and a sentence. */
cublasHandle_t hg_cublas_handle(hg_context *);

HG_END_DECLS

#endif
