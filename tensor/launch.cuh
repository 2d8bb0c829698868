/* launch.cuh - the few spellings in which this project's kernels differ from
 * plain CUDA C++, so that the same files run on a GPU and, compiled as C++ for
 * the tests, on a CPU (tests/cuda_on_cpu).
 *
 *     HG_LAUNCH(kernel, grid, block, shared bytes, hg_stream *, arguments...)
 *     HG_DYNAMIC_SHARED(type, name)
 */
#ifndef HG_LAUNCH_CUH
#define HG_LAUNCH_CUH

#include <cuda_runtime.h>

#include "tensor/device.h"

#ifdef __CUDA_ON_CPU__
#include <launch_on_cpu.h> // stands beside the emulated cuda_runtime.h
#define HG_LAUNCH(kernel, grid, block, shared, stream, ...)                    \
    ((stream)->launches++,                                                     \
     HG_LAUNCH_ON_CPU(kernel, grid, block, shared,                             \
                      (cudaStream_t)(stream)->handle, __VA_ARGS__))
#define HG_DYNAMIC_SHARED(type, name) HG_DYNAMIC_SHARED_ON_CPU(type, name)
#else
#define HG_LAUNCH(kernel, grid, block, shared, stream, ...)                    \
    ((stream)->launches++,                                                     \
     kernel<<<(grid), (block), (shared), (cudaStream_t)(stream)->handle>>>(    \
         __VA_ARGS__))
#define HG_DYNAMIC_SHARED(type, name)                                          \
    extern __shared__ __align__(16) unsigned char hg_dynamic_shared[];         \
    type *name = reinterpret_cast<type *>(hg_dynamic_shared)
#endif

/* ---- Grids -------------------------------------------------------------- */

enum { HG_BLOCK = 256, HG_MOST_BLOCKS = 4096 };

/* Blocks for a loop over n elements in strides of the whole grid. */
static inline unsigned hg_blocks(int64_t n, int64_t block)
{
    int64_t blocks = (n + block - 1) / block;
    int64_t most = HG_MOST_BLOCKS;
    return (unsigned)(blocks < 1 ? 1 : blocks > most ? most : blocks);
}

#define HG_THREAD ((int64_t)blockIdx.x * blockDim.x + threadIdx.x)
/* for (HG_EACH(i, n)): every element once, by some thread of the grid. */
#define HG_EACH(i, n)                                                          \
    int64_t i = HG_THREAD, hg_step = (int64_t)gridDim.x * blockDim.x;          \
    i < (n);                                                                   \
    i += hg_step

#endif
