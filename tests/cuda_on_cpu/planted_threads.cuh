// planted_threads.cuh - barriers and warp operations missing or out of step.
#ifndef CUDA_ON_CPU_PLANTED_THREADS_CUH
#define CUDA_ON_CPU_PLANTED_THREADS_CUH

#include "planted.cuh"

// ---- Missing barriers

__global__ void reverse(float *y, const float *x, bool barrier)
{
    __shared__ float room[N];
    room[threadIdx.x] = x[threadIdx.x];
    if (barrier)
        __syncthreads();
    y[threadIdx.x] = room[N - 1 - threadIdx.x];
}

static void no_barrier(Bench &t)
{
    LAUNCH(reverse, 1, N, 0, 0, t.y, t.x, false);
}

__global__ void tiles(float *y, const float *x, bool barrier)
{
    __shared__ float room[N];
    float sum = 0;
    for (int tile = 0; tile < 4; tile++) {
        room[threadIdx.x] = x[tile * N + threadIdx.x];
        __syncthreads();
        sum += room[(threadIdx.x + 37) % N] * (float)(tile + 1);
        if (barrier)
            __syncthreads();
    }
    y[threadIdx.x] = sum;
}

static void no_second_barrier(Bench &t)
{
    LAUNCH(tiles, 1, N, 0, 0, t.y, t.x, false);
}

__global__ void reverse_warp(float *y, const float *x, bool barrier)
{
    __shared__ float room[32];
    room[threadIdx.x] = x[threadIdx.x];
    if (barrier)
        __syncwarp();
    y[threadIdx.x] = room[31 - threadIdx.x];
}

static void no_syncwarp(Bench &t)
{
    LAUNCH(reverse_warp, 1, 32, 0, 0, t.y, t.x, false);
}

// The largest of x, twice: the racing values are equal, so no order shows it.
__device__ static float block_max(float value, float *room, bool barrier)
{
    if (barrier)
        __syncthreads();
    for (int step = 16; step > 0; step /= 2)
        value = fmaxf(value, __shfl_xor_sync(ALL, value, step));
    if (threadIdx.x % 32 == 0)
        room[threadIdx.x / 32] = value;
    __syncthreads();
    value = room[threadIdx.x % (N / 32)];
    for (int step = 16; step > 0; step /= 2)
        value = fmaxf(value, __shfl_xor_sync(ALL, value, step));
    return value;
}

__global__ void max_twice(float *y, const float *x, bool barrier)
{
    __shared__ float room[N / 32];
    float first = block_max(x[threadIdx.x], room, barrier);
    y[threadIdx.x] = block_max(first, room, barrier) + first;
}

static void no_barrier_between_equal_values(Bench &t)
{
    LAUNCH(max_twice, 1, N, 0, 0, t.y, t.x, false);
}

// ---- Barriers and warp operations out of step

__global__ void two_barriers(float *y, const float *x)
{
    y[threadIdx.x] = x[threadIdx.x];
    if (threadIdx.x < 16) {
        __syncthreads();
    } else {
        y[threadIdx.x] += 1;
        __syncthreads();
    }
}

static void divergent_barrier(Bench &t)
{
    LAUNCH(two_barriers, 1, N, 0, 0, t.y, t.x);
}

__global__ void returns_early(float *y, const float *x, int n)
{
    if ((int)threadIdx.x >= n)
        return;
    y[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    y[threadIdx.x] += 1;
}

static void early_return_before_barrier(Bench &t)
{
    LAUNCH(returns_early, 1, N, 0, 0, t.y, t.x, 200);
}

__global__ void uneven_loop(float *y, const float *x)
{
    float sum = 0;
    for (unsigned i = threadIdx.x; i < N + 10; i += N) {
        sum += x[i];
        __syncthreads();
    }
    y[threadIdx.x] = sum;
}

static void barrier_in_uneven_loop(Bench &t)
{
    LAUNCH(uneven_loop, 1, N, 0, 0, t.y, t.x);
}

__global__ void barrier_or_shuffle(float *y, const float *x)
{
    float v = x[threadIdx.x];
    if (threadIdx.x & 1)
        __syncthreads();
    else
        v = __shfl_xor_sync(ALL, v, 1);
    y[threadIdx.x] = v;
}

static void deadlock(Bench &t)
{
    LAUNCH(barrier_or_shuffle, 1, N, 0, 0, t.y, t.x);
}

__global__ void warp_sum(float *y, const float *x)
{
    float v = x[threadIdx.x];
    for (int step = 16; step > 0; step /= 2)
        v += __shfl_down_sync(ALL, v, (unsigned)step);
    y[threadIdx.x] = v;
}

static void shuffle_in_partial_warp(Bench &t)
{
    LAUNCH(warp_sum, 1, 48, 0, 0, t.y, t.x);
}

__global__ void odd_lanes_shuffle(float *y, const float *x)
{
    float v = x[threadIdx.x];
    if (threadIdx.x & 1)
        v = __shfl_xor_sync(ALL, v, 1);
    y[threadIdx.x] = v;
}

static void shuffle_in_branch(Bench &t)
{
    LAUNCH(odd_lanes_shuffle, 1, N, 0, 0, t.y, t.x);
}

#endif
