// The products of cuBLAS that this project calls, in plain loops: column-major,
// summed in the order of k, in the precision of the arrays.
#include "emulator.h"

#include <cublas_v2.h>

#include <algorithm>

struct cublasContext {
    cudaStream_t stream = nullptr;
    cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
};

namespace cuda_on_cpu
{
namespace
{
// C = alpha op(A) op(B) + beta C, `batch` times.
template <class T> struct Product {
    bool transpose_a, transpose_b;
    int m, n, k;
    const T *alpha, *a;
    int lda;
    long long stride_a;
    const T *b;
    int ldb;
    long long stride_b;
    const T *beta;
    T *c;
    int ldc;
    long long stride_c;
    int batch;

    bool valid() const;
    // One of the batch, with alpha and beta read.
    void multiply(const T *A, const T *B, T *C, T al, T be) const;
    void check(const T *A, const T *B, T *C, T al, T be) const;
    void run(T al, T be) const;
};
} // namespace

template <class T> bool Product<T>::valid() const
{
    int rows_a = transpose_a ? k : m, rows_b = transpose_b ? n : k;
    return m >= 0 && n >= 0 && k >= 0 && batch >= 0 &&
           lda >= std::max(rows_a, 1) && ldb >= std::max(rows_b, 1) &&
           ldc >= std::max(m, 1) && alpha && beta;
}

template <class T>
void Product<T>::multiply(const T *A, const T *B, T *C, T al, T be) const
{
    std::vector<T> sum((size_t)m);
    for (int j = 0; j < n; j++) {
        std::fill(sum.begin(), sum.end(), T(0));
        for (int p = 0; p < k; p++) {
            T b_pj =
                transpose_b ? B[j + (size_t)p * ldb] : B[p + (size_t)j * ldb];
            size_t step = transpose_a ? (size_t)lda : 1;
            const T *a_p = A + (transpose_a ? (size_t)p : (size_t)p * lda);
            for (int i = 0; i < m; i++)
                sum[(size_t)i] += a_p[(size_t)i * step] * b_pj;
        }
        T *c_j = C + (size_t)j * ldc;
        // With beta 0, C is not read: it may hold NaN.
        for (int i = 0; i < m; i++)
            c_j[i] = be == T(0) ? al * sum[(size_t)i]
                                : al * sum[(size_t)i] + be * c_j[i];
    }
}

// Tells the checker what is read and written.
template <class T>
void Product<T>::check(const T *A, const T *B, T *C, T al, T be) const
{
    if (!cuda_on_cpu_checker_read)
        return;
    int rows_a = transpose_a ? k : m, columns_a = transpose_a ? m : k;
    int rows_b = transpose_b ? n : k, columns_b = transpose_b ? k : n;
    bool reads = k > 0 && al != T(0);
    for (int j = 0; reads && j < columns_a; j++)
        cuda_on_cpu_checker_read(A + (size_t)j * lda, rows_a * sizeof(T),
                                 "cuBLAS, A");
    for (int j = 0; reads && j < columns_b; j++)
        cuda_on_cpu_checker_read(B + (size_t)j * ldb, rows_b * sizeof(T),
                                 "cuBLAS, B");
    for (int j = 0; j < n; j++) {
        if (be != T(0))
            cuda_on_cpu_checker_read(C + (size_t)j * ldc, m * sizeof(T),
                                     "cuBLAS, C");
        cuda_on_cpu_checker_written(C + (size_t)j * ldc, m * sizeof(T),
                                    "cuBLAS, C");
    }
}

template <class T> void Product<T>::run(T al, T be) const
{
    for (int i = 0; i < batch; i++) {
        const T *A = a + stride_a * i, *B = b + stride_b * i;
        T *C = c + stride_c * i;
        check(A, B, C, al, be);
        multiply(A, B, C, al, be);
    }
}

template <class T>
static cublasStatus_t submit(cublasHandle_t handle, const Product<T> &p)
{
    Lock lock;
    if (!handle)
        return CUBLAS_STATUS_NOT_INITIALIZED;
    if (!p.valid())
        return CUBLAS_STATUS_INVALID_VALUE;
    if (p.m == 0 || p.n == 0 || p.batch == 0)
        return CUBLAS_STATUS_SUCCESS;
    bool on_device = handle->mode == CUBLAS_POINTER_MODE_DEVICE;
    T alpha = on_device ? T(0) : *p.alpha, beta = on_device ? T(0) : *p.beta;
    Work work;
    work.kind = Kind::library;
    work.run = [=] {
        p.run(on_device ? *p.alpha : alpha, on_device ? *p.beta : beta);
    };
    return enqueue(handle->stream, std::move(work)) == cudaSuccess
               ? CUBLAS_STATUS_SUCCESS
               : CUBLAS_STATUS_EXECUTION_FAILED;
}

static const char *status_name(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_SUCCESS:
        return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
        return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
        return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
        return "an unknown status of cuBLAS";
    }
}
} // namespace cuda_on_cpu

using cuda_on_cpu::Lock;
using cuda_on_cpu::Product;

extern "C" {
cublasStatus_t cublasCreate(cublasHandle_t *handle)
{
    Lock lock;
    if (cuda_on_cpu::settings().devices == 0)
        return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = new cublasContext;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle)
{
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetVersion(cublasHandle_t, int *version)
{
    *version = CUBLAS_VERSION;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void *workspace,
                                  size_t bytes)
{
    Lock lock;
    if (!handle)
        return CUBLAS_STATUS_NOT_INITIALIZED;
    bool fits = bytes == 0 || cuda_on_cpu::is_device(workspace, bytes);
    return fits ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasSetPointerMode(cublasHandle_t handle,
                                    cublasPointerMode_t mode)
{
    handle->mode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t)
{
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t, cublasAtomicsMode_t)
{
    return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusString(cublasStatus_t status)
{
    return cuda_on_cpu::status_name(status);
}

const char *cublasGetStatusName(cublasStatus_t status)
{
    return cuda_on_cpu::status_name(status);
}

#define STRIDED(name, T)                                                       \
    cublasStatus_t name(cublasHandle_t handle, cublasOperation_t trans_a,      \
                        cublasOperation_t trans_b, int m, int n, int k,        \
                        const T *alpha, const T *a, int lda,                   \
                        long long stride_a, const T *b, int ldb,               \
                        long long stride_b, const T *beta, T *c, int ldc,      \
                        long long stride_c, int batch)                         \
    {                                                                          \
        return cuda_on_cpu::submit(                                            \
            handle, Product<T>{trans_a != CUBLAS_OP_N, trans_b != CUBLAS_OP_N, \
                               m, n, k, alpha, a, lda, stride_a, b, ldb,       \
                               stride_b, beta, c, ldc, stride_c, batch});      \
    }
STRIDED(cublasSgemmStridedBatched, float)
STRIDED(cublasDgemmStridedBatched, double)

#define SINGLE(name, T)                                                        \
    cublasStatus_t name(cublasHandle_t handle, cublasOperation_t trans_a,      \
                        cublasOperation_t trans_b, int m, int n, int k,        \
                        const T *alpha, const T *a, int lda, const T *b,       \
                        int ldb, const T *beta, T *c, int ldc)                 \
    {                                                                          \
        return cuda_on_cpu::submit(                                            \
            handle,                                                            \
            Product<T>{trans_a != CUBLAS_OP_N, trans_b != CUBLAS_OP_N, m, n,   \
                       k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1});   \
    }
SINGLE(cublasSgemm, float)
SINGLE(cublasDgemm, double)

cublasStatus_t cublasGemmStridedBatchedEx(
    cublasHandle_t handle, cublasOperation_t trans_a, cublasOperation_t trans_b,
    int m, int n, int k, const void *alpha, const void *a, cudaDataType a_type,
    int lda, long long stride_a, const void *b, cudaDataType b_type, int ldb,
    long long stride_b, const void *beta, void *c, cudaDataType c_type, int ldc,
    long long stride_c, int batch, cublasComputeType_t, cublasGemmAlgo_t)
{
    if (a_type != b_type || a_type != c_type)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (a_type == CUDA_R_32F)
        return cublasSgemmStridedBatched(
            handle, trans_a, trans_b, m, n, k, (const float *)alpha,
            (const float *)a, lda, stride_a, (const float *)b, ldb, stride_b,
            (const float *)beta, (float *)c, ldc, stride_c, batch);
    if (a_type == CUDA_R_64F)
        return cublasDgemmStridedBatched(
            handle, trans_a, trans_b, m, n, k, (const double *)alpha,
            (const double *)a, lda, stride_a, (const double *)b, ldb, stride_b,
            (const double *)beta, (double *)c, ldc, stride_c, batch);
    return CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t trans_a,
                            cublasOperation_t trans_b, int m, int n, int k,
                            const void *alpha, const void *a,
                            cudaDataType a_type, int lda, const void *b,
                            cudaDataType b_type, int ldb, const void *beta,
                            void *c, cudaDataType c_type, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t algo)
{
    return cublasGemmStridedBatchedEx(
        handle, trans_a, trans_b, m, n, k, alpha, a, a_type, lda, 0, b, b_type,
        ldb, 0, beta, c, c_type, ldc, 0, 1, compute, algo);
}
}
