/* The spellings of tensor/launch.cuh as the emulation understands them. A
 * kernel template with a comma goes in parentheses:
 * HG_LAUNCH_ON_CPU((fill<float, 4>), ...). */
#ifndef CUDA_ON_CPU_LAUNCH_H
#define CUDA_ON_CPU_LAUNCH_H

#include <cuda_runtime.h>

#define HG_LAUNCH_ON_CPU(kernel, grid, block, shared_bytes, stream, ...)       \
    cuda_on_cpu::launch(#kernel, kernel, grid, block, shared_bytes, stream,    \
                        ##__VA_ARGS__)
#define HG_DYNAMIC_SHARED_ON_CPU(type, name)                                   \
    type *name = static_cast<type *>(cuda_on_cpu::dynamic_shared())

#endif
