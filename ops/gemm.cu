/* gemm.cu - products of matrices on a GPU, one or a batch of them. */
#include "ops/gemm.cuh"
#include "ops/product_parts.cuh"
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

/* Below, too few of its tiles keep a GPU busy; and with few products a result,
 * writing them is all that counts, which others may share a launch with. */
enum { FEW_RESULTS = 1 << 17, SOME_PRODUCTS = 1 << 25, FEW_PRODUCTS = 1 << 26 };

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
    bool wide = results > FEW_RESULTS && j->k > SOME_PRODUCTS / results;
    bool large = wide || j->k > FEW_PRODUCTS / results;
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

static __global__ void add_bias(hg_gemm_job j, int64_t results)
{
    for (HG_EACH(i, results)) {
        int64_t column = i % j.n, row = i / j.n;
        j.c[i] += j.bias[row % j.m * j.bias_row + column * j.bias_col];
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
    hg_real one = 1, none = 0;
    bool a_rows = is_plain(j->a_row, 1, j->m, j->k) && j->a_col == 1;
    bool b_rows = is_plain(j->b_row, 1, j->k, j->n) && j->b_col == 1;
    int batch = (int)count_of(b);
    cublasStatus_t status = hg_cublas_get(NULL)->gemm(
        handle, b_rows ? CUBLAS_OP_N : CUBLAS_OP_T,
        a_rows ? CUBLAS_OP_N : CUBLAS_OP_T, (int)j->n, (int)j->m, (int)j->k,
        &one, j->b, type, (int)(b_rows ? j->b_row : j->b_col),
        b->rank ? b->b_stride[0] : 0, j->a, type,
        (int)(a_rows ? j->a_row : j->a_col), b->rank ? b->a_stride[0] : 0,
        &none, j->c, type, (int)j->c_row, j->m * j->n, batch, compute_of(k),
        CUBLAS_GEMM_DEFAULT);
    ((hg_stream *)k->stream)->launches++;
    if (status != CUBLAS_STATUS_SUCCESS)
        hg_fail(HG_ERROR_DEVICE,
                "cuBLAS refused a product of %lld x %lld by %lld x %lld "
                "(status %d)",
                (long long)j->m, (long long)j->k, (long long)j->k,
                (long long)j->n, (int)status);
    else if (j->bias)
        HG_RUN(add_bias, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, *j, k->n);
}

/* ---- Our own ------------------------------------------------------------ */

template <typename T>
static hg_strided<T> strided_of(const hg_gemm_job *j, const hg_gemm_batch *b)
{
    return {j->m, j->n, j->k, count_of(b), *j, *b, 0};
}

/* Small tiles where large ones would leave most of the GPU idle. Calls
 * act(problem, maker of the joint kernel). */
template <typename F>
static void with_tiles(const hg_gemm_job *j, const hg_gemm_batch *b, F act)
{
    auto small = strided_of<hg_small_tile>(j, b);
    auto middle = strided_of<hg_middle_tile>(j, b);
    if (hg_tiles_of(small) <= HG_MANY_TILES / 2)
        act(small, HG_MAKER_PRODUCT_16);
    else if (hg_tiles_of(middle) <= HG_MANY_TILES)
        act(middle, HG_MAKER_PRODUCT_32);
    else
        act(strided_of<hg_large_tile>(j, b), HG_MAKER_PRODUCT_64);
}

extern "C" void hg_gemm_cuda(const hg_kernel *k, const hg_gemm_job *job,
                             const hg_gemm_batch *batch)
{
    hg_gemm_batch b = merged(batch);
    if (is_for_cublas(k, job, &b))
        run_cublas(k, job, &b);
    else
        with_tiles(job, &b, [&](const auto &p, int) { hg_run_product(k, p); });
}

/* ---- Parts -------------------------------------------------------------- */

/* The library's product, and then the bias as a map: out + bias. */
static int cublas_parts(const hg_kernel *k, hg_part *p, const hg_gemm_job *j)
{
    hg_kernel without = *k;
    if (!j->bias)
        return hg_alone_parts(k, p);
    without.arity--;
    hg_alone_parts(&without, p);
    p->run = hg_run_without_last;
    hg_kernel add = *k;
    add.arity = 2;
    add.in[0] = j->c;
    add.in[1] = j->bias;
    add.out_shape = HG_SHAPE(j->m, j->n);
    add.in_shape[0] = add.in_shape[1] = add.out_shape;
    add.in_stride[0][0] = j->n;
    add.in_stride[0][1] = 1;
    add.in_stride[1][0] = j->bias_row;
    add.in_stride[1][1] = j->bias_col;
    return hg_joint_map(&add, &p[1], HG_STEP_ADD, 3) + 1;
}

extern "C" int hg_gemm_parts_cuda(const hg_kernel *k, const hg_gemm_job *job,
                                  const hg_gemm_batch *batch, hg_part *p)
{
    hg_gemm_batch b = merged(batch);
    int count = 0;
    if (is_for_cublas(k, job, &b))
        return cublas_parts(k, p, job);
    with_tiles(job, &b, [&](const auto &problem, int maker) {
        count = hg_product_parts(k, p, problem, maker, HG_MAKER_ADD_PARTS);
    });
    return count;
}
