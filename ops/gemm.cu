/* gemm.cu - products of matrices on a GPU, one or a batch of them. */
#include "ops/gemm.h"
#include "ops/product.cuh"
#include "tensor/cublas.h"

#include <limits.h>

/* ---- The batch ---------------------------------------------------------- */

/* Neighbouring axes over which both operands step evenly become one. */
static hg_gemm_batch merged(const hg_gemm_batch *given)
{
    hg_gemm_batch b = {};
    for (int d = 0; d < given->rank; d++) {
        int64_t size = given->dim[d];
        if (size == 1)
            continue;
        int last = b.rank - 1;
        bool even = last >= 0 &&
                    b.a_stride[last] == given->a_stride[d] * size &&
                    b.b_stride[last] == given->b_stride[d] * size;
        int to = even ? last : b.rank++;
        b.dim[to] = even ? b.dim[to] * size : size;
        b.a_stride[to] = given->a_stride[d];
        b.b_stride[to] = given->b_stride[d];
    }
    return b;
}

static int64_t count_of(const hg_gemm_batch *b)
{
    int64_t count = 1;
    for (int d = 0; d < b->rank; d++)
        count *= b->dim[d];
    return count;
}

/* ---- cuBLAS ------------------------------------------------------------- */

/* Below, too few of its tiles keep a GPU busy. */
enum { FEW_RESULTS = 1 << 17, FEW_PRODUCTS = 1 << 26 };

/* A matrix as cuBLAS wants it: one stride 1, the other long enough. */
static bool is_plain(int64_t row, int64_t column, int64_t rows, int64_t columns)
{
    return (column == 1 && row >= columns && row <= INT_MAX) ||
           (row == 1 && column >= rows && column <= INT_MAX);
}

static bool is_for_cublas(const hg_kernel *k, const hg_gemm_job *j,
                          const hg_gemm_batch *b)
{
    int64_t results = j->m * j->n * count_of(b);
    bool large = results > FEW_RESULTS || j->k > FEW_PRODUCTS / results;
    return (large || k->precision != HG_FP32) && !k->reference && b->rank < 2 &&
           j->k > 0 && j->k <= INT_MAX && j->m <= INT_MAX && j->n <= INT_MAX &&
           count_of(b) <= INT_MAX && j->c_col == 1 && j->c_row == j->n &&
           is_plain(j->a_row, j->a_col, j->m, j->k) &&
           is_plain(j->b_row, j->b_col, j->k, j->n) && hg_cublas_get(NULL);
}

static cublasComputeType_t compute_of(const hg_kernel *k)
{
#ifdef HG_DOUBLE
    (void)k;
    return CUBLAS_COMPUTE_64F;
#else
    return k->precision == HG_TF32   ? CUBLAS_COMPUTE_32F_FAST_TF32
           : k->precision == HG_BF16 ? CUBLAS_COMPUTE_32F_FAST_16BF
                                     : CUBLAS_COMPUTE_32F;
#endif
}

/* Every row of C: the bias, to which the product is added. */
static __global__ void spread_bias(hg_gemm_job j, int64_t results)
{
    for (HG_EACH(i, results)) {
        int64_t column = i % j.n, row = i / j.n;
        j.c[row * j.n + column] =
            j.bias[row % j.m * j.bias_row + column * j.bias_col];
    }
}

/* cuBLAS has matrices column by column: it computes C' = B' A'. */
static void run_cublas(const hg_kernel *k, const hg_gemm_job *j,
                       const hg_gemm_batch *b)
{
    static const cudaDataType type =
        sizeof(hg_real) == sizeof(double) ? CUDA_R_64F : CUDA_R_32F;
    cublasHandle_t handle = hg_cublas_handle(k->context);
    if (!handle)
        return;
    hg_real one = 1, beta = j->bias ? 1 : 0;
    if (j->bias)
        HG_RUN(spread_bias, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, *j,
               k->n);
    bool a_rows = is_plain(j->a_row, 1, j->m, j->k) && j->a_col == 1;
    bool b_rows = is_plain(j->b_row, 1, j->k, j->n) && j->b_col == 1;
    int batch = (int)count_of(b);
    cublasStatus_t status = hg_cublas_get(NULL)->gemm(
        handle, b_rows ? CUBLAS_OP_N : CUBLAS_OP_T,
        a_rows ? CUBLAS_OP_N : CUBLAS_OP_T, (int)j->n, (int)j->m, (int)j->k,
        &one, j->b, type, (int)(b_rows ? j->b_row : j->b_col),
        b->rank ? b->b_stride[0] : 0, j->a, type,
        (int)(a_rows ? j->a_row : j->a_col), b->rank ? b->a_stride[0] : 0,
        &beta, j->c, type, (int)j->c_row, j->m * j->n, batch, compute_of(k),
        CUBLAS_GEMM_DEFAULT);
    ((hg_stream *)k->stream)->launches++;
    if (status != CUBLAS_STATUS_SUCCESS)
        hg_fail(HG_ERROR_DEVICE,
                "cuBLAS refused a product of %lld x %lld by %lld x %lld "
                "(status %d)",
                (long long)j->m, (long long)j->k, (long long)j->k,
                (long long)j->n, (int)status);
}

/* ---- Our own ------------------------------------------------------------ */

namespace
{
template <typename T> struct strided {
    typedef T tile;
    int64_t m, n, k, count;
    hg_gemm_job j;
    hg_gemm_batch batch;

    __device__ strided of(int64_t number) const
    {
        strided p = *this;
        p.j.c += number * m * n;
        for (int d = batch.rank - 1; d >= 0; d--) {
            int64_t at = number % batch.dim[d];
            p.j.a += at * batch.a_stride[d];
            p.j.b += at * batch.b_stride[d];
            number /= batch.dim[d];
        }
        return p;
    }
    __device__ bool a_along_k() const
    {
        return j.a_col == 1;
    }
    __device__ bool b_along_k() const
    {
        return j.b_col != 1;
    }
    __device__ hg_real a(int64_t row, int64_t l) const
    {
        return j.a[row * j.a_row + l * j.a_col];
    }
    __device__ hg_real b(int64_t l, int64_t column) const
    {
        return j.b[l * j.b_row + column * j.b_col];
    }
    __device__ void put(int64_t row, int64_t column, hg_real sum) const
    {
        hg_real bias =
            j.bias ? j.bias[row * j.bias_row + column * j.bias_col] : 0;
        j.c[row * j.c_row + column * j.c_col] = sum + bias;
    }
};
} // namespace

template <typename T>
static strided<T> strided_of(const hg_gemm_job *j, const hg_gemm_batch *b)
{
    return {j->m, j->n, j->k, count_of(b), *j, *b};
}

/* Small tiles where large ones would leave most of the GPU idle. */
static void run_tiles(const hg_kernel *k, const hg_gemm_job *j,
                      const hg_gemm_batch *b)
{
    auto small = strided_of<hg_tile<16, 16, 64>>(j, b);
    auto middle = strided_of<hg_tile<32, 32, 32>>(j, b);
    if (hg_tiles_of(small) <= HG_MANY_TILES / 2)
        hg_run_product(k, small);
    else if (hg_tiles_of(middle) <= HG_MANY_TILES)
        hg_run_product(k, middle);
    else
        hg_run_product(k, strided_of<hg_tile<64, 64, 16>>(j, b));
}

extern "C" void hg_gemm_cuda(const hg_kernel *k, const hg_gemm_job *job,
                             const hg_gemm_batch *batch)
{
    hg_gemm_batch b = merged(batch);
    if (is_for_cublas(k, job, &b))
        run_cublas(k, job, &b);
    else
        run_tiles(k, job, &b);
}
