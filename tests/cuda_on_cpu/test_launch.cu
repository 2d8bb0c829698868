// What a launch refuses, how errors stick, the order of threads and blocks.
#include "support.cuh"

__global__ static void fill(float *to, float value, int n)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n)
        to[i] = value;
}

__global__ static void nothing(void)
{
}

__global__ static void last_of_room(float *to, int n)
{
    SHARED(float, room);
    room[n - 1] = 3;
    to[0] = room[n - 1];
}

START_TEST(a_launch_fills_an_array_and_counts_once)
{
    Device<float> x(1000);
    long before = cuda_on_cpu_count().launches;
    LAUNCH(fill, 4, 256, 0, 0, x.data, 2.5f, 1000);
    OK(cudaGetLastError());
    std::vector<float> got = x.read();
    for (float value : got)
        ck_assert(value == 2.5f);
    ck_assert_int_eq(cuda_on_cpu_count().launches, before + 1);
}
END_TEST

START_TEST(arguments_are_converted_and_copied_at_the_launch)
{
    Device<float> x(4);
    int n = 4;
    cuda_on_cpu_set_async(1);
    LAUNCH(fill, 1, 32, 0, 0, x.data, 1, n); // an int for the float
    n = 0;
    cuda_on_cpu_set_async(0);
    ck_assert(x.read()[3] == 1.0f);
}
END_TEST

static void refused(dim3 grid, dim3 block, size_t bytes, cudaError_t error)
{
    long before = cuda_on_cpu_count().launches;
    LAUNCH(nothing, grid, block, bytes, 0);
    ck_assert_int_eq(cudaPeekAtLastError(), error);
    ck_assert_int_eq(cudaGetLastError(), error);
    ck_assert_int_eq(cudaGetLastError(), cudaSuccess);
    ck_assert_int_eq(cuda_on_cpu_count().launches, before);
}

START_TEST(grids_and_blocks_that_a_gpu_refuses_are_refused)
{
    refused(0, 32, 0, cudaErrorInvalidConfiguration);
    refused(1, 0, 0, cudaErrorInvalidConfiguration);
    refused(dim3(1, 0), 32, 0, cudaErrorInvalidConfiguration);
    refused(1, 1025, 0, cudaErrorInvalidConfiguration);
    refused(1, dim3(32, 33), 0, cudaErrorInvalidConfiguration);
    refused(1, dim3(1, 1, 65), 0, cudaErrorInvalidConfiguration);
    refused(dim3(1, 65536), 1, 0, cudaErrorInvalidConfiguration);
    refused(dim3(1, 1, 65536), 1, 0, cudaErrorInvalidConfiguration);
    LAUNCH(nothing, dim3(1, 65535), dim3(1, 1, 64), 0, 0);
    OK(cudaGetLastError());
}
END_TEST

START_TEST(more_than_48_kib_of_shared_memory_must_be_asked_for)
{
    Device<float> x(1);
    int n = 60 << 10, floats = n / 4;
    refused(1, 32, (size_t)n, cudaErrorInvalidValue);
    FAILS(cudaFuncSetAttribute(last_of_room,
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               228 << 10),
          cudaErrorInvalidValue);
    OK(cudaFuncSetAttribute(last_of_room,
                            cudaFuncAttributeMaxDynamicSharedMemorySize, n));
    LAUNCH(last_of_room, 1, 1, n, 0, x.data, floats);
    OK(cudaGetLastError());
    ck_assert(x.read()[0] == 3);
}
END_TEST

START_TEST(errors_have_cudas_numbers_names_and_texts)
{
    ck_assert_int_eq(cudaErrorMemoryAllocation, 2);
    ck_assert_int_eq(cudaErrorLaunchFailure, 719);
    ck_assert_str_eq(cudaGetErrorName(cudaErrorNoDevice), "cudaErrorNoDevice");
    ck_assert_str_eq(cudaGetErrorString(cudaErrorMemoryAllocation),
                     "out of memory");
    ck_assert_str_eq(cudaGetErrorString((cudaError_t)12345),
                     "unrecognized error code");
}
END_TEST

START_TEST(the_device_tells_its_properties)
{
    int n = 0, blocks = 0;
    OK(cudaGetDeviceCount(&n));
    ck_assert_int_eq(n, 1);
    OK(cudaSetDevice(0));
    FAILS(cudaSetDevice(1), cudaErrorInvalidDevice);
    cudaDeviceProp p;
    OK(cudaGetDeviceProperties(&p, 0));
    ck_assert_int_eq(p.multiProcessorCount, 4);
    ck_assert_int_eq(p.warpSize, 32);
    ck_assert_int_eq(p.major * 10 + p.minor, 75);
    OK(cudaDeviceGetAttribute(&n, cudaDevAttrMaxThreadsPerBlock, 0));
    ck_assert_int_eq(n, 1024);
    OK(cudaDriverGetVersion(&n));
    ck_assert_int_ge(n, 12000);
    OK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing, 256, 0));
    ck_assert_int_eq(blocks, 2);
}
END_TEST

// ---- Schedules. Order is seen through an atomic counter.

__global__ static void note_order(unsigned *next, unsigned *order)
{
    order[atomicAdd(next, 1u)] = blockIdx.x * blockDim.x + threadIdx.x;
}

static std::vector<unsigned> order_under(const char *schedule)
{
    ck_assert(cuda_on_cpu_set_schedule(schedule));
    Device<unsigned> next(std::vector<unsigned>{0}), order(64);
    LAUNCH(note_order, 4, 16, 0, 0, next.data, order.data);
    return order.read();
}

START_TEST(schedules_order_threads_and_blocks)
{
    std::vector<unsigned> forward = order_under("forward");
    std::vector<unsigned> reverse = order_under("reverse");
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_uint_eq(forward[i], i);
        ck_assert_uint_eq(reverse[i], 63 - i);
    }
    std::vector<unsigned> first = order_under("random:1");
    ck_assert(first != forward && first != reverse);
    ck_assert(order_under("random:2") != first);
    std::vector<bool> seen(64);
    for (unsigned i : first)
        seen[i] = true;
    for (bool is : seen)
        ck_assert(is);
    ck_assert(!cuda_on_cpu_set_schedule("sideways"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("launch");
    TCase *c = tcase_create("launch");
    tcase_add_test(c, a_launch_fills_an_array_and_counts_once);
    tcase_add_test(c, arguments_are_converted_and_copied_at_the_launch);
    tcase_add_test(c, grids_and_blocks_that_a_gpu_refuses_are_refused);
    tcase_add_test(c, more_than_48_kib_of_shared_memory_must_be_asked_for);
    tcase_add_test(c, errors_have_cudas_numbers_names_and_texts);
    tcase_add_test(c, the_device_tells_its_properties);
    tcase_add_test(c, schedules_order_threads_and_blocks);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
