// Device and pinned memory, copies, limits and failures of allocation.
#include "support.cuh"

START_TEST(fresh_memory_holds_nan)
{
    Device<float> x(100);
    for (float value : x.read())
        ck_assert_float_nan(value);
}
END_TEST

START_TEST(allocations_are_aligned_and_apart)
{
    Device<char> a(1), b(1);
    ck_assert_uint_eq((uintptr_t)a.data % 256, 0);
    ck_assert_uint_eq((uintptr_t)b.data % 256, 0);
    ck_assert(a.data != b.data);
}
END_TEST

START_TEST(zero_bytes_are_no_allocation)
{
    char *p = (char *)1;
    OK(cudaMalloc(&p, 0));
    ck_assert_ptr_null(p);
    OK(cudaFree(nullptr));
}
END_TEST

START_TEST(memory_given_back_is_counted)
{
    cuda_on_cpu_counts before = cuda_on_cpu_count();
    {
        Device<char> x(1000);
        ck_assert_uint_eq(cuda_on_cpu_count().live_bytes,
                          before.live_bytes + 1000);
    }
    cuda_on_cpu_counts after = cuda_on_cpu_count();
    ck_assert_int_eq(after.allocations, before.allocations + 1);
    ck_assert_int_eq(after.frees, before.frees + 1);
    ck_assert_uint_eq(after.live_bytes, before.live_bytes);
    ck_assert_uint_ge(after.peak_bytes, before.live_bytes + 1000);
}
END_TEST

START_TEST(memory_runs_out_at_the_limit)
{
    size_t available, total, live = cuda_on_cpu_count().live_bytes;
    OK(cudaMemGetInfo(&available, &total));
    cuda_on_cpu_set_memory(live + (1 << 20));
    char *p = nullptr, *q = nullptr;
    OK(cudaMalloc(&p, 1 << 19));
    FAILS(cudaMalloc(&q, (1 << 19) + 1), cudaErrorMemoryAllocation);
    ck_assert_ptr_null(q);
    size_t left;
    OK(cudaMemGetInfo(&left, &total));
    ck_assert_uint_eq(left, 1 << 19);
    OK(cudaMalloc(&q, 1 << 19));
    OK(cudaFree(p));
    OK(cudaFree(q));
    cuda_on_cpu_set_memory(available + live);
}
END_TEST

START_TEST(the_nth_allocation_fails_when_told_to)
{
    char *p, *q, *r;
    cuda_on_cpu_fail_allocation(2);
    OK(cudaMalloc(&p, 8));
    FAILS(cudaMallocHost(&q, 8), cudaErrorMemoryAllocation);
    OK(cudaMalloc(&r, 8));
    OK(cudaFree(p));
    OK(cudaFree(r));
}
END_TEST

START_TEST(freeing_what_is_no_allocation_is_a_problem)
{
    Device<int> x(4);
    Tolerant tolerant;
    FAILS(cudaFree(x.data + 1), cudaErrorInvalidValue);
    ck_assert_int_eq(tolerant.problems(), 1);
}
END_TEST

START_TEST(copies_go_every_way)
{
    std::vector<int> values{1, 2, 3, 4};
    Device<int> a(values), b(4);
    OK(cudaMemcpy(b.data, a.data, 16, cudaMemcpyDeviceToDevice));
    ck_assert(b.read() == values);
    OK(cudaMemcpy(b.data + 1, a.data, 8, cudaMemcpyDefault));
    ck_assert(b.read() == (std::vector<int>{1, 1, 2, 4}));
    int host[4] = {0};
    OK(cudaMemcpy(host, values.data(), 16, cudaMemcpyHostToHost));
    ck_assert_int_eq(host[3], 4);
    OK(cudaMemset(b.data, 0, 8));
    ck_assert(b.read() == (std::vector<int>{0, 0, 2, 4}));
}
END_TEST

START_TEST(copies_beyond_an_allocation_are_a_problem)
{
    Device<int> a(4), b(4);
    int host[8] = {0};
    Tolerant tolerant;
    FAILS(cudaMemcpy(a.data, b.data, 17, cudaMemcpyDeviceToDevice),
          cudaErrorInvalidValue);
    FAILS(cudaMemcpy(a.data + 1, host, 16, cudaMemcpyHostToDevice),
          cudaErrorInvalidValue);
    FAILS(cudaMemset(a.data, 0, 17), cudaErrorInvalidValue);
    ck_assert_int_eq(tolerant.problems(), 3);
}
END_TEST

START_TEST(copies_to_the_wrong_side_are_a_problem)
{
    Device<int> a(4);
    int host[4] = {0};
    Tolerant tolerant;
    FAILS(cudaMemcpy(host, a.data, 16, cudaMemcpyHostToDevice),
          cudaErrorInvalidValue);
    FAILS(cudaMemcpy(a.data, host, 16, cudaMemcpyDeviceToHost),
          cudaErrorInvalidValue);
    ck_assert_int_eq(tolerant.problems(), 2);
}
END_TEST

__global__ static void store(int *to, int value)
{
    *to = value;
}

START_TEST(kernels_reach_pinned_memory)
{
    int *host, *seen;
    OK(cudaHostAlloc(&host, sizeof *host, cudaHostAllocMapped));
    OK(cudaHostGetDevicePointer(&seen, host, 0));
    LAUNCH(store, 1, 1, 0, 0, seen, 42);
    OK(cudaDeviceSynchronize());
    ck_assert_int_eq(*host, 42);
    int pageable;
    FAILS(cudaHostGetDevicePointer(&seen, &pageable, 0), cudaErrorInvalidValue);
    OK(cudaFreeHost(host));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *c = tcase_create("memory");
    tcase_add_test(c, fresh_memory_holds_nan);
    tcase_add_test(c, allocations_are_aligned_and_apart);
    tcase_add_test(c, zero_bytes_are_no_allocation);
    tcase_add_test(c, memory_given_back_is_counted);
    tcase_add_test(c, memory_runs_out_at_the_limit);
    tcase_add_test(c, the_nth_allocation_fails_when_told_to);
    tcase_add_test(c, freeing_what_is_no_allocation_is_a_problem);
    tcase_add_test(c, copies_go_every_way);
    tcase_add_test(c, copies_beyond_an_allocation_are_a_problem);
    tcase_add_test(c, copies_to_the_wrong_side_are_a_problem);
    tcase_add_test(c, kernels_reach_pinned_memory);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
