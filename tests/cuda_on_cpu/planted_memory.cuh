// planted_memory.cuh - places, values and threads that kernels get wrong.
#ifndef CUDA_ON_CPU_PLANTED_MEMORY_CUH
#define CUDA_ON_CPU_PLANTED_MEMORY_CUH

#include "planted.cuh"

// ---- Out of bounds, never written

__global__ void copy(float *y, const float *x)
{
    y[threadIdx.x] = x[threadIdx.x];
}

__global__ void copy_some(float *y, const float *x, int n)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i <= n)
        y[i % n] = x[i];
}

static void global_off_by_one(Bench &t)
{
    LAUNCH(copy_some, 5, N, 0, 0, t.y, t.x, (int)INPUTS);
}

__global__ void next_shared(float *y, const float *x)
{
    __shared__ float room[N];
    room[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = room[threadIdx.x + 1];
}

static void static_shared_overrun(Bench &t)
{
    LAUNCH(next_shared, 1, N, 0, 0, t.y, t.x);
}

__global__ void swap_pairs(float *y, const float *x)
{
    SHARED(float, room);
    room[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = room[threadIdx.x ^ 1];
}

static void dynamic_shared_too_small(Bench &t)
{
    LAUNCH(swap_pairs, 1, N, (N - 2) * sizeof(float), 0, t.y, t.x);
}

__global__ void local_array(float *y, const float *x, int n)
{
    float local[8];
    for (int i = 0; i < n; i++)
        local[i] = x[i];
    y[threadIdx.x] = local[threadIdx.x & 7];
}

static void local_overrun(Bench &t)
{
    LAUNCH(local_array, 1, N, 0, 0, t.y, t.x, 9);
}

static void use_after_free(Bench &t)
{
    float *p;
    cudaMalloc(&p, N * sizeof(float));
    cudaMemset(p, 0, N * sizeof(float));
    cudaFree(p);
    LAUNCH(copy, 1, N, 0, 0, t.y, p);
}

__global__ void accumulate(int *y, const float *x)
{
    atomicAdd(&y[threadIdx.x & 7], (int)x[threadIdx.x]);
}

static void accumulate_into_unwritten(Bench &t)
{
    LAUNCH(accumulate, 1, N, 0, 0, (int *)t.u, t.x);
    LAUNCH(copy, 1, 8, 0, 0, t.y, t.u);
}

static void read_unwritten(Bench &t)
{
    LAUNCH(copy, 1, N, 0, 0, t.y, t.u);
}

static void read_copy_of_unwritten(Bench &t)
{
    cudaMemcpy(t.x, t.u, N * sizeof(float), cudaMemcpyDeviceToDevice);
    LAUNCH(copy, 1, N, 0, 0, t.y, t.x);
}

__global__ void half_written(float *y, const float *x)
{
    __shared__ float room[N];
    if (threadIdx.x < N / 2)
        room[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = room[threadIdx.x];
}

static void read_unwritten_shared(Bench &t)
{
    LAUNCH(half_written, 1, N, 0, 0, t.y, t.x);
}

__global__ void first_block_writes(float *y, const float *x)
{
    __shared__ float room[N];
    if (blockIdx.x == 0)
        room[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    if (blockIdx.x == 1)
        y[threadIdx.x] = room[threadIdx.x];
}

static void shared_of_another_block(Bench &t)
{
    LAUNCH(first_block_writes, 2, N, 0, 0, t.y, t.x);
}

static void copy_too_long(Bench &t)
{
    cudaMemcpy(t.y, t.x, N * sizeof(float) + 4, cudaMemcpyDeviceToDevice);
}

// ---- Races on device memory

__global__ void scatter(float *y, const float *x)
{
    y[threadIdx.x % 8] += x[threadIdx.x];
}

static void scatter_without_atomics(Bench &t)
{
    LAUNCH(scatter, 1, N, 0, 0, t.y, t.x);
}

__global__ void add_block(float *y, const float *x)
{
    y[threadIdx.x] += x[blockIdx.x * blockDim.x + threadIdx.x];
}

static void blocks_without_atomics(Bench &t)
{
    LAUNCH(add_block, 4, N, 0, 0, t.y, t.x);
}

__global__ void all_write_one(float *y)
{
    y[0] = 1;
}

static void many_write_the_same(Bench &t)
{
    LAUNCH(all_write_one, 1, 64, 0, 0, t.y);
}

__global__ void plain_beside_atomic(int *y)
{
    if (threadIdx.x == 40)
        y[0] = 0;
    else
        atomicAdd(y, 1);
}

static void store_beside_atomics(Bench &t)
{
    LAUNCH(plain_beside_atomic, 1, 64, 0, 0, (int *)t.y);
    cudaMemset(t.y, 0, 4);
}

__global__ void flag_between_blocks(float *y, const float *x)
{
    if (blockIdx.x == 0)
        y[threadIdx.x] = x[threadIdx.x];
    else
        y[N / 2 + threadIdx.x] = y[threadIdx.x] + 1;
}

static void blocks_that_count_on_order(Bench &t)
{
    LAUNCH(flag_between_blocks, 2, N / 2, 0, 0, t.y, t.x);
}

// ---- Pointers of the wrong side, alignment, arithmetic

static void host_pointer_in_kernel(Bench &t)
{
    LAUNCH(copy, 1, N, 0, 0, t.y, (const float *)t.host.data());
}

static void device_pointer_in_host_code(Bench &t)
{
    t.result = t.x[3];
}

__global__ void load_four(float *y, const float *x)
{
    float4 v = *reinterpret_cast<const float4 *>(x + 1 + 4 * threadIdx.x);
    y[threadIdx.x] = v.x + v.w;
}

static void misaligned_float4(Bench &t)
{
    LAUNCH(load_four, 1, N - 1, 0, 0, t.y, t.x);
}

__global__ void square_index(float *y, const float *x, int big)
{
    int i = big * big + (int)threadIdx.x;
    y[threadIdx.x] = x[(unsigned)i % N];
}

static void int_overflow(Bench &t)
{
    LAUNCH(square_index, 1, N, 0, 0, t.y, t.x, 50000);
}

__constant__ float constants[4] = {1, 2, 3, 4};

__global__ void write_constant(float *y)
{
    const_cast<volatile float *>(constants)[threadIdx.x] = 5;
    y[threadIdx.x] = constants[threadIdx.x];
}

static void write_to_constant(Bench &t)
{
    LAUNCH(write_constant, 1, 1, 0, 0, t.y);
}

#endif
