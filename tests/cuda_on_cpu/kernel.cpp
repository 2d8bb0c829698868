// Launches: what a GPU refuses, the order of the blocks, attributes.
#include "emulator.h"

#include <string.h>

#include <algorithm>
#include <map>
#include <numeric>

#if CUDA_ON_CPU_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace cuda_on_cpu
{
// Dynamic shared memory that a kernel asked for (cudaFuncSetAttribute).
static std::map<const void *, int> shared_limits;

static size_t shared_limit(const void *function)
{
    auto found = shared_limits.find(function);
    return found == shared_limits.end() ? (size_t)default_dynamic_shared
                                        : (size_t)found->second;
}

cudaError_t set_function_attribute(const void *function,
                                   cudaFuncAttribute attribute, int value)
{
    Lock lock;
    if (attribute == cudaFuncAttributePreferredSharedMemoryCarveout)
        return cudaSuccess;
    if (value < 0 || value > max_dynamic_shared)
        return fail(cudaErrorInvalidValue);
    shared_limits[function] = std::max(value, (int)default_dynamic_shared);
    return cudaSuccess;
}

cudaError_t blocks_per_multiprocessor(int *blocks, const void *function,
                                      int threads, size_t shared_bytes)
{
    Lock lock;
    if (!blocks || threads < 1)
        return fail(cudaErrorInvalidValue);
    bool fits =
        threads <= max_threads && shared_bytes <= shared_limit(function);
    *blocks = fits ? 2 : 0;
    return cudaSuccess;
}

static bool valid(const Launch &l)
{
    uint64_t threads = (uint64_t)l.block.x * l.block.y * l.block.z;
    bool full = l.grid.x && l.grid.y && l.grid.z && threads;
    return full && threads <= max_threads && l.block.z <= 64 &&
           l.grid.x <= 0x7fffffff && l.grid.y <= 65535 && l.grid.z <= 65535;
}

cudaError_t submit(const Launch &launch)
{
    Lock lock;
    std::shared_ptr<Arguments> arguments(launch.arguments);
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    if (!valid(launch))
        return fail(cudaErrorInvalidConfiguration);
    if (launch.shared_bytes > shared_limit(launch.function))
        return fail(cudaErrorInvalidValue);
    Work work;
    work.kind = Kind::kernel;
    work.function = launch.function;
    work.run = [launch, arguments] { run_kernel(launch, *arguments); };
    return enqueue(launch.stream, std::move(work));
}

// The blocks' numbers in the schedule's order.
static std::vector<uint32_t> order_of_blocks(uint32_t n)
{
    std::vector<uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    if (settings().order == Order::reverse)
        std::reverse(order.begin(), order.end());
    if (settings().order == Order::random)
        for (uint32_t i = n - 1; i > 0; i--)
            std::swap(order[i], order[random_below(i + 1)]);
    return order;
}

static void place_shared_memory(size_t bytes)
{
#if CUDA_ON_CPU_ASAN
    ASAN_POISON_MEMORY_REGION(dynamic_memory, max_dynamic_shared);
    ASAN_UNPOISON_MEMORY_REGION(dynamic_memory, bytes);
#endif
    now.shared_bytes = bytes;
}

void run_kernel(const Launch &launch, const Arguments &arguments)
{
    if (lost_device())
        return;
    now.kernel = launch.name;
    now.launch++;
    now.arguments = (const char *)&arguments;
    now.argument_bytes = arguments.bytes;
    place_shared_memory(launch.shared_bytes);
    seed_random(settings().seed + now.launch * 0x100000001ull);
    prepare_block(launch.grid, launch.block, arguments);
    uint32_t blocks = launch.grid.x * launch.grid.y * launch.grid.z;
    for (uint32_t number : order_of_blocks(blocks))
        if (!run_block(number)) {
            lose_device(cudaErrorLaunchFailure);
            return;
        }
}

void atomic_access(void *address, size_t bytes, const void *caller)
{
    if (cuda_on_cpu_checker_atomic)
        cuda_on_cpu_checker_atomic(address, bytes, caller);
}
} // namespace cuda_on_cpu
