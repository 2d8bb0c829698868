// Device and pinned memory. Fresh memory holds NaNs, never zeros by luck.
#include "emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <map>

namespace cuda_on_cpu
{
enum { alignment = 256, gap = 256 };

namespace
{
// One kind of memory. Blocks given back are taken again only when the range
// is used up (under the checker) or when they fit well.
struct Pool {
    Range range{nullptr, 0};
    size_t top = 0, used = 0;
    std::map<char *, size_t> live;
    std::multimap<size_t, char *> spare;

    void reserve(size_t bytes);
    char *take(size_t bytes);
    char *take_spare(size_t slot, size_t most);
    bool give(char *p);
    bool holds(const void *p, size_t bytes) const;
};
Pool device, pinned;
int open_depth;
} // namespace

const Range &device_range()
{
    return device.range;
}

const Range &pinned_range()
{
    return pinned.range;
}

bool is_device(const void *p, size_t bytes)
{
    return device.holds(p, bytes);
}

bool is_pinned(const void *p, size_t bytes)
{
    return pinned.holds(p, bytes);
}

// ---- The pools

static size_t slot_of(size_t bytes)
{
    return (bytes + alignment - 1) / alignment * alignment + gap;
}

void Pool::reserve(size_t bytes)
{
    if (range.base || CUDA_ON_CPU_ASAN)
        return;
    void *p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        perror("cuda on cpu: cannot reserve addresses for device memory");
        abort();
    }
    range = {(char *)p, bytes};
}

char *Pool::take_spare(size_t slot, size_t most)
{
    auto found = spare.lower_bound(slot);
    if (found == spare.end() || found->first > most)
        return nullptr;
    char *p = found->second;
    spare.erase(found);
    return p;
}

char *Pool::take(size_t bytes)
{
    char *p = nullptr;
    size_t slot = slot_of(bytes);
    if (CUDA_ON_CPU_ASAN) {
        void *block = nullptr;
        if (!posix_memalign(&block, alignment, std::max(bytes, (size_t)1)))
            p = (char *)block;
    } else {
        // The checker finds use after free: it wants addresses to stay free.
        if (!cuda_on_cpu_checker_allocated)
            p = take_spare(slot, 2 * slot);
        if (!p && slot <= range.size - top) {
            p = range.base + top;
            top += slot;
        }
        if (!p)
            p = take_spare(slot, (size_t)-1);
    }
    if (p) {
        live[p] = bytes;
        used += bytes;
    }
    return p;
}

bool Pool::give(char *p)
{
    auto found = live.find(p);
    if (found == live.end())
        return false;
    size_t bytes = found->second;
    live.erase(found);
    used -= bytes;
    if (CUDA_ON_CPU_ASAN) {
        free(p);
    } else {
        memset(p, 0xfe, bytes);
        spare.emplace(slot_of(bytes), p);
    }
    return true;
}

bool Pool::holds(const void *p, size_t bytes) const
{
    auto next = live.upper_bound((char *)p);
    if (next == live.begin())
        return false;
    --next;
    return (const char *)p + bytes <= next->first + next->second;
}

// ---- Protection against host code that uses device pointers

static void protect_device(int access)
{
    if (device.top > 0)
        mprotect(device.range.base, device.top, access);
}

OpenMemory::OpenMemory()
{
    if (settings().protect && open_depth++ == 0)
        protect_device(PROT_READ | PROT_WRITE);
}

OpenMemory::~OpenMemory()
{
    if (settings().protect && --open_depth == 0)
        protect_device(PROT_NONE);
}

// ---- Allocation

static bool told_to_fail()
{
    long &n = settings().fail_allocation;
    return n > 0 && --n == 0;
}

static char *take_device(size_t bytes)
{
    size_t memory = settings().memory;
    device.reserve(memory + memory / 4);
    if (told_to_fail() || bytes > memory || device.used > memory - bytes)
        return nullptr;
    OpenMemory open;
    char *p = device.take(bytes);
    if (!p)
        return nullptr;
    if (settings().protect) // the pool may have grown
        protect_device(PROT_READ | PROT_WRITE);
    memset(p, 0xff, bytes); // NaN
    counts.allocations++;
    counts.live_bytes = device.used;
    counts.peak_bytes = std::max(counts.peak_bytes, device.used);
    if (cuda_on_cpu_checker_allocated)
        cuda_on_cpu_checker_allocated(&device.range, p, bytes);
    return p;
}

static char *take_pinned(size_t bytes)
{
    pinned.reserve((size_t)1 << 30);
    if (told_to_fail())
        return nullptr;
    char *p = pinned.take(bytes);
    if (!p)
        return nullptr;
    memset(p, 0xff, bytes);
    counts.allocations++;
    if (cuda_on_cpu_checker_allocated)
        cuda_on_cpu_checker_allocated(&pinned.range, p, bytes);
    return p;
}

static cudaError_t allocate(void **pointer, size_t bytes, char *(*take)(size_t))
{
    if (!pointer)
        return fail(cudaErrorInvalidValue);
    *pointer = nullptr;
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    if (lost_device())
        return lost_device();
    if (capture_forbids())
        return fail(cudaErrorStreamCaptureUnsupported);
    if (bytes == 0)
        return cudaSuccess;
    *pointer = take(bytes);
    return *pointer ? cudaSuccess : fail(cudaErrorMemoryAllocation);
}

// Freeing waits for all work, as on a GPU.
static cudaError_t release(Pool &pool, void *pointer, const char *name)
{
    if (!pointer)
        return cudaSuccess;
    if (capture_forbids())
        return fail(cudaErrorStreamCaptureUnsupported);
    run_everything();
    OpenMemory open;
    auto found = pool.live.find((char *)pointer);
    if (found == pool.live.end()) {
        problem("%s of %p, which is not an allocation", name, pointer);
        return fail(cudaErrorInvalidValue);
    }
    if (cuda_on_cpu_checker_freed)
        cuda_on_cpu_checker_freed(pointer, found->second);
    pool.give((char *)pointer);
    counts.frees++;
    counts.live_bytes = device.used;
    return lost_device();
}
} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

extern "C" {
cudaError_t cudaMalloc(void **pointer, size_t bytes)
{
    Lock lock;
    return allocate(pointer, bytes, take_device);
}

cudaError_t cudaFree(void *pointer)
{
    Lock lock;
    return release(device, pointer, "cudaFree");
}

cudaError_t cudaMallocHost(void **pointer, size_t bytes)
{
    Lock lock;
    return allocate(pointer, bytes, take_pinned);
}

cudaError_t cudaHostAlloc(void **pointer, size_t bytes, unsigned)
{
    return cudaMallocHost(pointer, bytes);
}

cudaError_t cudaFreeHost(void *pointer)
{
    Lock lock;
    return release(pinned, pointer, "cudaFreeHost");
}

// Unified addressing: the device sees pinned memory where the host does.
cudaError_t cudaHostGetDevicePointer(void **to, void *host, unsigned)
{
    Lock lock;
    if (!is_pinned(host, 1))
        return fail(cudaErrorInvalidValue);
    *to = host;
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total_bytes)
{
    Lock lock;
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    size_t memory = settings().memory;
    *total_bytes = memory;
    *free_bytes = memory > device.used ? memory - device.used : 0;
    return cudaSuccess;
}
}
