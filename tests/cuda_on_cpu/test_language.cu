// Barriers, warp operations, atomics and built-in variables of kernels,
// against what the CUDA C++ Programming Guide says of them.
#include "support.cuh"

// ---- Barriers

__global__ static void reverse(int *to, int rounds)
{
    SHARED(int, room);
    int value = (int)threadIdx.x, last = (int)blockDim.x - 1;
    for (int i = 0; i < rounds; i++) {
        room[threadIdx.x] = value;
        __syncthreads();
        value = room[last - (int)threadIdx.x];
        __syncthreads();
    }
    to[blockIdx.x * blockDim.x + threadIdx.x] = value;
}

START_TEST(a_barrier_waits_for_the_whole_block)
{
    for (int threads : {1, 31, 33, 256, 1024}) {
        Device<int> to((size_t)threads * 3);
        LAUNCH(reverse, 3, threads, threads * sizeof(int), 0, to.data, 3);
        std::vector<int> got = to.read();
        for (int i = 0; i < 3 * threads; i++)
            ck_assert_int_eq(got[(size_t)i], threads - 1 - i % threads);
    }
}
END_TEST

__global__ static void counted(int *to, int below)
{
    int mine = (int)threadIdx.x < below;
    int n = __syncthreads_count(mine), a = __syncthreads_and(mine);
    int o = __syncthreads_or(mine);
    if (threadIdx.x == blockDim.x - 1) {
        to[0] = n;
        to[1] = a != 0;
        to[2] = o != 0;
    }
}

START_TEST(barriers_count_and_combine_predicates)
{
    Device<int> to(3);
    for (int below : {0, 1, 50, 100}) {
        LAUNCH(counted, 1, 100, 0, 0, to.data, below);
        std::vector<int> got = to.read();
        ck_assert_int_eq(got[0], below);
        ck_assert_int_eq(got[1], below == 100);
        ck_assert_int_eq(got[2], below > 0);
    }
}
END_TEST

__global__ static void through_shared(int *to)
{
    __shared__ int room[64];
    int warp = (int)threadIdx.x / 32, lane = (int)threadIdx.x % 32;
    room[threadIdx.x] = (int)threadIdx.x;
    __syncwarp();
    to[threadIdx.x] = room[warp * 32 + 31 - lane];
}

START_TEST(syncwarp_waits_for_the_warp)
{
    Device<int> to(64);
    LAUNCH(through_shared, 1, 64, 0, 0, to.data);
    std::vector<int> got = to.read();
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(got[(size_t)i], i / 32 * 32 + 31 - i % 32);
}
END_TEST

// ---- Atomics

__global__ static void count_up(unsigned *sum, int *most, int *least,
                                unsigned long long *wide)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    atomicAdd(sum, 1u);
    atomicMax(most, i);
    atomicMin(least, -i);
    atomicAdd(wide, 1ull << 33);
}

START_TEST(atomics_lose_nothing)
{
    Device<unsigned> sum(std::vector<unsigned>{0});
    Device<int> most(std::vector<int>{0}), least(std::vector<int>{0});
    Device<unsigned long long> wide(std::vector<unsigned long long>{0});
    LAUNCH(count_up, 7, 100, 0, 0, sum.data, most.data, least.data, wide.data);
    ck_assert_uint_eq(sum.read()[0], 700);
    ck_assert_int_eq(most.read()[0], 699);
    ck_assert_int_eq(least.read()[0], -699);
    ck_assert(wide.read()[0] == 700ull << 33);
}
END_TEST

__global__ static void claim(int *owner, int *failures)
{
    int old = atomicCAS(owner, -1, (int)threadIdx.x);
    if (old != -1)
        atomicAdd(failures, 1);
}

START_TEST(compare_and_swap_succeeds_once)
{
    Device<int> owner(std::vector<int>{-1}), failures(std::vector<int>{0});
    LAUNCH(claim, 1, 64, 0, 0, owner.data, failures.data);
    int winner = owner.read()[0];
    ck_assert(winner >= 0 && winner < 64);
    ck_assert_int_eq(failures.read()[0], 63);
}
END_TEST

// ---- Built-in variables, vectors, constants

__global__ static void where_am_i(uint4 *to)
{
    unsigned block =
        blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    unsigned thread =
        threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    unsigned threads = blockDim.x * blockDim.y * blockDim.z;
    to[block * threads + thread] =
        make_uint4(threadIdx.z, blockIdx.z, thread, block);
}

START_TEST(indices_cover_a_grid_of_three_dimensions)
{
    Device<uint4> to(2 * 3 * 4 * 5 * 2 * 3);
    LAUNCH(where_am_i, dim3(2, 3, 4), dim3(5, 2, 3), 0, 0, to.data);
    std::vector<uint4> got = to.read();
    for (size_t i = 0; i < got.size(); i++) {
        ck_assert_uint_eq(got[i].z, i % 30);
        ck_assert_uint_eq(got[i].w, i / 30);
        ck_assert_uint_eq(got[i].x, i % 30 / 10);
        ck_assert_uint_eq(got[i].y, i / 30 / 6);
    }
}
END_TEST

START_TEST(vector_types_have_cudas_sizes_and_alignments)
{
    ck_assert_uint_eq(sizeof(float3), 12);
    ck_assert_uint_eq(alignof(float3), 4);
    ck_assert_uint_eq(alignof(float2), 8);
    ck_assert_uint_eq(alignof(float4), 16);
    ck_assert_uint_eq(alignof(int4), 16);
    ck_assert_uint_eq(alignof(uint4), 16);
    ck_assert_uint_eq(alignof(double2), 16);
    ck_assert_uint_eq(sizeof(uchar4), 4);
    ck_assert_uint_eq(alignof(uchar4), 4);
}
END_TEST

__constant__ float table[4];

__global__ static void look_up(float *to)
{
    to[threadIdx.x] = table[3 - threadIdx.x];
}

START_TEST(constants_are_written_by_the_host)
{
    float values[4] = {1, 2, 3, 4};
    OK(cudaMemcpyToSymbol(table, values, sizeof values));
    FAILS(cudaMemcpyToSymbol(table, values, sizeof values, 4),
          cudaErrorInvalidValue);
    Device<float> to(4);
    LAUNCH(look_up, 1, 4, 0, 0, to.data);
    ck_assert(to.read()[0] == 4 && to.read()[3] == 1);
}
END_TEST

__global__ static void intrinsics(float *f, unsigned *u, int *i)
{
    f[0] = rsqrtf(4.0f);
    f[1] = __saturatef(-1.0f) + __saturatef(2.0f);
    f[2] = max(1.0f, NAN);
    f[3] = __int_as_float(__float_as_int(-0.5f));
    u[0] = __umulhi(0x80000000u, 6u);
    u[1] = __brev(1u);
    i[0] = __popc(0xf0f0u);
    i[1] = __clz(1);
    i[2] = __clz(0);
    i[3] = __ffs(0x10);
    i[4] = __float2int_rn(2.5f);
    i[5] = min(-3, 2);
}

START_TEST(intrinsics_compute_what_cuda_says)
{
    Device<float> f(4);
    Device<unsigned> u(2);
    Device<int> i(6);
    LAUNCH(intrinsics, 1, 1, 0, 0, f.data, u.data, i.data);
    std::vector<float> a = f.read();
    ck_assert(a[0] == 0.5f && a[1] == 1.0f && a[2] == 1.0f && a[3] == -0.5f);
    ck_assert_uint_eq(u.read()[0], 3);
    ck_assert_uint_eq(u.read()[1], 0x80000000u);
    std::vector<int> b = i.read();
    const int want[] = {8, 31, 32, 5, 2, -3};
    for (size_t k = 0; k < 6; k++)
        ck_assert_int_eq(b[k], want[k]);
}
END_TEST

// ---- What the scheduler objects to

__global__ static void divergent(int *to)
{
    if (threadIdx.x < 5)
        __syncthreads();
    else {
        to[0] = 1;
        __syncthreads();
    }
}

__global__ static void early(void)
{
    if (threadIdx.x < 3)
        return;
    __syncthreads();
}

__global__ static void absent_lane(float *to)
{
    to[threadIdx.x] = __shfl_down_sync(ALL, 1.0f, 1);
}

__global__ static void odd_width(int *to)
{
    to[threadIdx.x] = __shfl_xor_sync(ALL, 1, 1, 12);
}

START_TEST(barriers_in_two_places_are_a_problem)
{
    Device<int> to(1);
    Tolerant tolerant;
    LAUNCH(divergent, 1, 32, 0, 0, to.data);
    OK(cudaDeviceSynchronize());
    ck_assert_int_gt(tolerant.problems(), 0);
    ck_assert_ptr_nonnull(
        strstr(cuda_on_cpu_last_problem(), "different __syncthreads()"));
    ck_assert_ptr_nonnull(strstr(cuda_on_cpu_last_problem(), "divergent"));
}
END_TEST

START_TEST(a_barrier_after_an_early_return_is_a_problem)
{
    Tolerant tolerant;
    LAUNCH(early, 1, 32, 0, 0);
    OK(cudaDeviceSynchronize());
    ck_assert_int_gt(tolerant.problems(), 0);
}
END_TEST

START_TEST(a_lane_that_takes_no_part_gives_nan_and_a_problem)
{
    Device<float> to(40);
    Tolerant tolerant;
    LAUNCH(absent_lane, 1, 40, 0, 0, to.data);
    ck_assert_float_nan(to.read()[39]);
    ck_assert_int_eq(tolerant.problems(), 1);
}
END_TEST

START_TEST(a_width_that_is_no_power_of_two_is_a_problem)
{
    Device<int> to(32);
    Tolerant tolerant;
    LAUNCH(odd_width, 1, 32, 0, 0, to.data);
    OK(cudaDeviceSynchronize());
    ck_assert_int_gt(tolerant.problems(), 0);
}
END_TEST

__global__ static void locked(void)
{
    if (threadIdx.x & 1)
        __syncthreads();
    else
        __shfl_xor_sync(ALL, 1, 1);
}

START_TEST(a_deadlock_ends_the_launch_and_loses_the_device)
{
    Tolerant tolerant;
    LAUNCH(locked, 1, 32, 0, 0);
    ck_assert_int_eq(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
    ck_assert_int_eq(tolerant.problems(), 1);
    ck_assert_ptr_nonnull(strstr(cuda_on_cpu_last_problem(), "deadlock"));
    int *p;
    ck_assert_int_eq(cudaMalloc(&p, 4), cudaErrorLaunchFailure);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorLaunchFailure);
    ck_assert_int_eq(cudaGetLastError(), cudaErrorLaunchFailure);
    OK(cudaDeviceReset());
    OK(cudaGetLastError());
    Device<int> to(64); // and the next block runs
    LAUNCH(through_shared, 1, 64, 0, 0, to.data);
    ck_assert_int_eq(to.read()[0], 31);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("language");
    TCase *c = tcase_create("language");
    tcase_add_test(c, a_barrier_waits_for_the_whole_block);
    tcase_add_test(c, barriers_count_and_combine_predicates);
    tcase_add_test(c, syncwarp_waits_for_the_warp);
    tcase_add_test(c, atomics_lose_nothing);
    tcase_add_test(c, compare_and_swap_succeeds_once);
    tcase_add_test(c, indices_cover_a_grid_of_three_dimensions);
    tcase_add_test(c, vector_types_have_cudas_sizes_and_alignments);
    tcase_add_test(c, constants_are_written_by_the_host);
    tcase_add_test(c, intrinsics_compute_what_cuda_says);
    tcase_add_test(c, barriers_in_two_places_are_a_problem);
    tcase_add_test(c, a_barrier_after_an_early_return_is_a_problem);
    tcase_add_test(c, a_lane_that_takes_no_part_gives_nan_and_a_problem);
    tcase_add_test(c, a_width_that_is_no_power_of_two_is_a_problem);
    tcase_add_test(c, a_deadlock_ends_the_launch_and_loses_the_device);
    suite_add_tcase(suite, c);
    return run_tests(suite);
}
