/* Internal: what the parts of the emulation share. One machine a process, so
 * its state is global; every call of the runtime holds one lock. */
#ifndef CUDA_ON_CPU_EMULATOR_H
#define CUDA_ON_CPU_EMULATOR_H

#include <cuda_runtime.h>
#include <cuda_on_cpu.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define CUDA_ON_CPU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUDA_ON_CPU_ASAN 1
#endif
#endif
#ifndef CUDA_ON_CPU_ASAN
#define CUDA_ON_CPU_ASAN 0
#endif

namespace cuda_on_cpu
{
enum {
    max_threads = 1024, /* of a block */
    warp_size = 32,
    max_dynamic_shared = 227 << 10, /* bytes, when asked for */
    default_dynamic_shared = 48 << 10,
    multiprocessors = 4 /* few: grids sized by it stay small */
};

/* ---- Errors */

/* What the emulation objects to: printed, counted, and fatal unless told
 * otherwise. */
void problem(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Remembers the error for cudaGetLastError and returns it. */
cudaError_t fail(cudaError_t error);
/* The device is lost: every later call returns this error. */
void lose_device(cudaError_t error);
cudaError_t lost_device();

/* ---- Settings, from the environment and cuda_on_cpu.h */

enum class Order { forward, reverse, random };
struct Settings {
    Order order = Order::forward;
    uint64_t seed = 1;
    bool async = false;
    bool protect = false;
    bool abort = true;
    int devices = 1;
    size_t memory = (size_t)4 << 30;
    long fail_allocation = 0;
};
Settings &settings();
extern cuda_on_cpu_counts counts;

/* Held by every call of the runtime; kernels run under it. */
struct Lock {
    Lock();
    ~Lock();
};

/* ---- Where execution is; the checker stamps accesses with it */

struct Position {
    bool in_kernel;
    const char *kernel;
    uint32_t launch, block, thread;   /* linear numbers */
    uint32_t barriers;                /* that the block has passed */
    uint32_t warp_syncs[max_threads]; /* that the thread has passed */
    size_t shared_bytes;              /* dynamic, of this launch */
    const char *arguments;
    size_t argument_bytes;
};
extern Position now;
extern char dynamic_memory[];

/* ---- Kernels */

void run_kernel(const Launch &launch, const Arguments &arguments);
/* Runs the blocks of a grid; false where one could not go on. */
bool run_block(uint32_t block);
void prepare_block(dim3 grid, dim3 block, const Arguments &arguments);
uint32_t random_below(uint32_t n);
void seed_random(uint64_t seed);

/* ---- Memory. Device and pinned memory are one reserved range of addresses
 * each, so that "is this a device pointer" is a comparison; under
 * AddressSanitizer they come from the heap, for its red zones. */

struct Range {
    char *base;
    size_t size;
    bool holds(const void *p) const
    {
        return (uintptr_t)p - (uintptr_t)base < size;
    }
};
const Range &device_range();
const Range &pinned_range();
/* Is all of it inside one allocation? */
bool is_device(const void *p, size_t bytes);
bool is_pinned(const void *p, size_t bytes);

/* While one lives, device memory may be touched (Settings::protect). */
struct OpenMemory {
    OpenMemory();
    ~OpenMemory();
};

/* ---- Streams: queues of work */

enum class Kind { kernel, copy, set, library, host, marker };
struct Work {
    std::function<void()> run;
    Kind kind = Kind::marker;
    const void *function = nullptr; /* the kernel's, compared by updates */
};

/* Runs the work now, later, or puts it into the graph being captured. */
cudaError_t enqueue(cudaStream_t stream, Work work);
/* Runs one piece of work and counts it. */
void perform(const Work &work);
/* All that was enqueued, the youngest stream first. */
void run_everything();
cudaError_t run_stream(cudaStream_t stream);
/* Notes what came to the host, see bits.cpp. */
void brought(const void *bytes, size_t count);
bool is_capturing(cudaStream_t stream);
/* True, and the captures are invalid, while one forbids unsafe calls. */
bool capture_forbids();

/* ---- The checker, linked into the checked build only */

extern "C" {
__attribute__((weak)) void cuda_on_cpu_checker_allocated(const Range *range,
                                                         void *p, size_t n);
__attribute__((weak)) void cuda_on_cpu_checker_freed(void *p, size_t n);
__attribute__((weak)) void cuda_on_cpu_checker_copied(void *to,
                                                      const void *from,
                                                      size_t n);
__attribute__((weak)) void cuda_on_cpu_checker_written(void *p, size_t n,
                                                       const char *who);
__attribute__((weak)) void cuda_on_cpu_checker_read(const void *p, size_t n,
                                                    const char *who);
__attribute__((weak)) void cuda_on_cpu_checker_atomic(void *p, size_t n,
                                                      const void *caller);
}
} // namespace cuda_on_cpu

#endif
