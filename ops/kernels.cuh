/* kernels.cuh - what the kernels of the operations share on a GPU. Everything
 * is in a fixed order: no result depends on which thread comes first. */
#ifndef HG_KERNELS_CUH
#define HG_KERNELS_CUH

#include "autograd/op.h"
#include "ops/cuda.h"
#include "tensor/launch.cuh"

/* Launches for an operation: `k` is its hg_kernel. */
#define HG_RUN(kernel, grid, block, shared, k, ...)                            \
    HG_LAUNCH(kernel, grid, block, shared, (hg_stream *)(k)->stream,           \
              __VA_ARGS__)

/* ---- Sums over a warp and a block --------------------------------------- */

enum { HG_WARP = 32 };

/* Combines the values of all lanes by halving; every lane gets the result. */
template <typename T, typename F>
static __device__ inline T hg_warp_all(T x, F combine)
{
    for (int step = HG_WARP / 2; step > 0; step /= 2)
        x = combine(x, __shfl_xor_sync(0xffffffffu, x, step));
    return x;
}

/* The same over a block whose size is a multiple of 32; `room` holds one value
 * a warp. Every thread of the block must call it. */
template <typename T, typename F>
static __device__ inline T hg_block_all(T x, T none, F combine, T *room)
{
    int lane = threadIdx.x % HG_WARP, warp = threadIdx.x / HG_WARP;
    int warps = blockDim.x / HG_WARP;
    x = hg_warp_all(x, combine);
    if (warps == 1)
        return x;
    __syncthreads(); /* room may still be read from a call before */
    if (lane == 0)
        room[warp] = x;
    __syncthreads();
    x = lane < warps ? room[lane] : none;
    return hg_warp_all(x, combine);
}

struct hg_plus {
    template <typename T> __device__ T operator()(T a, T b) const
    {
        return a + b;
    }
};

template <typename T> static __device__ inline T hg_block_sum(T x, T *room)
{
    return hg_block_all(x, T(0), hg_plus(), room);
}

/* Threads of a block that works on `n` values: as many warps as useful. */
static inline unsigned hg_threads_for(int64_t n)
{
    return n <= 32 ? 32 : n <= 64 ? 64 : n <= 128 ? 128 : HG_BLOCK;
}

#endif
