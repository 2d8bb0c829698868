// The products of cuBLAS, against the sum that its manual gives for
// C = alpha op(A) op(B) + beta C, column-major.
#include "support.cuh"

#include <cublas_v2.h>

#include <math.h>

static cublasHandle_t handle;

static void create(void)
{
    ck_assert_int_eq(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
}

static void destroy(void)
{
    cublasDestroy(handle);
}

template <class T> static std::vector<T> numbers(int n, unsigned seed)
{
    std::vector<T> values((size_t)n);
    for (T &v : values) {
        seed = seed * 1664525u + 1013904223u;
        v = (T)((int)(seed >> 24) - 128) / (T)16;
    }
    return values;
}

template <class T> struct Call;
template <> struct Call<float> {
    static constexpr auto run = cublasSgemmStridedBatched;
};
template <> struct Call<double> {
    static constexpr auto run = cublasDgemmStridedBatched;
};

template <class T> static void product(int ta, int tb, T alpha, T beta)
{
    const int m = 5, n = 3, k = 7, batch = 2;
    const int lda = (ta ? k : m) + 1, ldb = (tb ? n : k) + 2, ldc = m + 3;
    const int size_a = lda * (ta ? m : k), size_b = ldb * (tb ? k : n);
    const int size_c = ldc * n;
    std::vector<T> A = numbers<T>(batch * size_a, 1);
    std::vector<T> B = numbers<T>(batch * size_b, 2);
    std::vector<T> C = numbers<T>(batch * size_c, 3);
    Device<T> a(A), b(B), c(C);
    ck_assert_int_eq(Call<T>::run(handle, (cublasOperation_t)ta,
                                  (cublasOperation_t)tb, m, n, k, &alpha,
                                  a.data, lda, size_a, b.data, ldb, size_b,
                                  &beta, c.data, ldc, size_c, batch),
                     CUBLAS_STATUS_SUCCESS);
    std::vector<T> got = c.read();
    for (int e = 0; e < batch * size_c; e++) {
        int z = e / size_c, j = e % size_c / ldc, i = e % ldc;
        T want = C[(size_t)e];
        if (i < m) { // rows of padding stay as they were
            T sum = 0;
            for (int p = 0; p < k; p++)
                sum +=
                    A[(size_t)(z * size_a + (ta ? p + i * lda : i + p * lda))] *
                    B[(size_t)(z * size_b + (tb ? j + p * ldb : p + j * ldb))];
            want = alpha * sum + beta * want;
        }
        ck_assert(fabs((double)(got[(size_t)e] - want)) < 1e-4);
    }
}

START_TEST(products_follow_the_definition)
{
    for (int ta = 0; ta < 2; ta++)
        for (int tb = 0; tb < 2; tb++) {
            product<float>(ta, tb, 1, 0);
            product<float>(ta, tb, 0.5f, 2);
            product<double>(ta, tb, 1, 1);
        }
}
END_TEST

START_TEST(with_beta_zero_the_result_is_not_read)
{
    Device<float> a(std::vector<float>{2}), b(std::vector<float>{3}), c(1);
    float one = 1, zero = 0;
    ck_assert_int_eq(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1,
                                 &one, a.data, 1, b.data, 1, &zero, c.data, 1),
                     CUBLAS_STATUS_SUCCESS);
    ck_assert(c.read()[0] == 6);
}
END_TEST

START_TEST(factors_may_lie_on_the_device)
{
    Device<float> a(std::vector<float>{2}), b(std::vector<float>{3}), c(1);
    Device<float> factors(std::vector<float>{10, 0});
    cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_DEVICE);
    ck_assert_int_eq(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1,
                                 factors.data, a.data, 1, b.data, 1,
                                 factors.data + 1, c.data, 1),
                     CUBLAS_STATUS_SUCCESS);
    ck_assert(c.read()[0] == 60);
}
END_TEST

START_TEST(wrong_sizes_are_refused)
{
    Device<float> a(4);
    float one = 1;
    ck_assert_int_eq(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2,
                                 &one, a.data, 1, a.data, 2, &one, a.data, 2),
                     CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, -1, 2, 2,
                                 &one, a.data, 2, a.data, 2, &one, a.data, 2),
                     CUBLAS_STATUS_INVALID_VALUE);
    ck_assert_int_eq(cublasSetWorkspace(handle, &one, 4),
                     CUBLAS_STATUS_INVALID_VALUE);
}
END_TEST

START_TEST(typed_products_compute_in_float)
{
    Device<float> a(std::vector<float>{2}), b(std::vector<float>{3}), c(1);
    float one = 1, zero = 0;
    ck_assert_int_eq(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1,
                                  &one, a.data, CUDA_R_32F, 1, b.data,
                                  CUDA_R_32F, 1, &zero, c.data, CUDA_R_32F, 1,
                                  CUBLAS_COMPUTE_32F_FAST_TF32,
                                  CUBLAS_GEMM_DEFAULT),
                     CUBLAS_STATUS_SUCCESS);
    ck_assert(c.read()[0] == 6);
    ck_assert_int_eq(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1,
                                  &one, a.data, CUDA_R_16BF, 1, b.data,
                                  CUDA_R_16BF, 1, &zero, c.data, CUDA_R_32F, 1,
                                  CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
                     CUBLAS_STATUS_NOT_SUPPORTED);
}
END_TEST

START_TEST(products_are_captured)
{
    Device<float> a(std::vector<float>{2}), c(std::vector<float>{1});
    float one = 1;
    cudaStream_t s;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    OK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
    cublasSetStream(handle, s);
    OK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
    ck_assert_int_eq(cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1,
                                 &one, a.data, 1, a.data, 1, &one, c.data, 1),
                     CUBLAS_STATUS_SUCCESS);
    OK(cudaStreamEndCapture(s, &graph));
    OK(cudaGraphInstantiate(&exec, graph));
    OK(cudaGraphLaunch(exec, s));
    OK(cudaGraphLaunch(exec, s));
    OK(cudaStreamSynchronize(s));
    ck_assert(c.read()[0] == 9);
    OK(cudaGraphExecDestroy(exec));
    OK(cudaGraphDestroy(graph));
    OK(cudaStreamDestroy(s));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cublas");
    TCase *c = tcase_create("cublas");
    tcase_add_checked_fixture(c, create, destroy);
    tcase_add_test(c, products_follow_the_definition);
    tcase_add_test(c, with_beta_zero_the_result_is_not_read);
    tcase_add_test(c, factors_may_lie_on_the_device);
    tcase_add_test(c, wrong_sizes_are_refused);
    tcase_add_test(c, typed_products_compute_in_float);
    tcase_add_test(c, products_are_captured);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
