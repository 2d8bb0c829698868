// Errors, settings, counters, and what the device says of itself.
#include "emulator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace cuda_on_cpu
{
cuda_on_cpu_counts counts;

// ---- Problems

enum { most_printed = 200 };
static long problems;
static char last_problem[1024];

void problem(const char *format, ...)
{
    va_list arguments;
    char text[sizeof last_problem];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    // The same from every thread of a block is said once.
    if (strcmp(text, last_problem) && problems < most_printed)
        fprintf(stderr, "cuda on cpu: %s\n", text);
    strcpy(last_problem, text);
    problems++;
    if (settings().abort)
        abort();
}

// ---- Errors

static cudaError_t last_error, lost;

cudaError_t fail(cudaError_t error)
{
    if (error != cudaSuccess)
        last_error = error;
    return error;
}

void lose_device(cudaError_t error)
{
    lost = last_error = error;
}

cudaError_t lost_device()
{
    return lost;
}

// ---- Settings

static bool is_on(const char *variable)
{
    const char *value = getenv(variable);
    return value && !strcmp(value, "1");
}

static bool read_schedule(Settings &s, const char *text)
{
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    if (!colon && !strcmp(text, "forward"))
        s.order = Order::forward;
    else if (!colon && !strcmp(text, "reverse"))
        s.order = Order::reverse;
    else if (length == 6 && !strncmp(text, "random", length))
        s.order = Order::random;
    else
        return false;
    s.seed = colon ? strtoull(colon + 1, nullptr, 0) : 1;
    return true;
}

static Settings read_environment()
{
    Settings s;
    const char *value = getenv("CUDA_ON_CPU_SCHEDULE");
    if (value && !read_schedule(s, value)) {
        fprintf(stderr,
                "cuda on cpu: CUDA_ON_CPU_SCHEDULE=%s; try forward, reverse, "
                "random or random:SEED\n",
                value);
        exit(2);
    }
    s.async = is_on("CUDA_ON_CPU_ASYNC");
    s.protect = !CUDA_ON_CPU_ASAN && is_on("CUDA_ON_CPU_PROTECT");
    if ((value = getenv("CUDA_ON_CPU_ABORT")))
        s.abort = strcmp(value, "0") != 0;
    if (cuda_on_cpu_checker_allocated) // whose shadow is 16 times as large
        s.memory = (size_t)1 << 30;
    if ((value = getenv("CUDA_ON_CPU_MEMORY")))
        s.memory = strtoull(value, nullptr, 0);
    if ((value = getenv("CUDA_ON_CPU_DEVICES")))
        s.devices = strcmp(value, "0") != 0;
    return s;
}

Settings &settings()
{
    static Settings s = read_environment();
    return s;
}

static std::recursive_mutex &mutex()
{
    static std::recursive_mutex m;
    return m;
}

Lock::Lock()
{
    mutex().lock();
}

Lock::~Lock()
{
    mutex().unlock();
}

static cudaError_t only_device(int device)
{
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    return device == 0 ? cudaSuccess : fail(cudaErrorInvalidDevice);
}

// A GPU of the least compute capability that the project supports.
static bool attribute_value(cudaDeviceAttr attribute, int *value)
{
    static const struct {
        cudaDeviceAttr attribute;
        int value;
    } table[] = {
        {cudaDevAttrMaxThreadsPerBlock, max_threads},
        {cudaDevAttrMaxSharedMemoryPerBlock, default_dynamic_shared},
        {cudaDevAttrWarpSize, warp_size},
        {cudaDevAttrClockRate, 1000000},
        {cudaDevAttrMultiProcessorCount, multiprocessors},
        {cudaDevAttrCanMapHostMemory, 1},
        {cudaDevAttrMemoryClockRate, 1000000},
        {cudaDevAttrGlobalMemoryBusWidth, 64},
        {cudaDevAttrL2CacheSize, 1 << 20},
        {cudaDevAttrMaxThreadsPerMultiProcessor, 2 * max_threads},
        {cudaDevAttrComputeCapabilityMajor, 7},
        {cudaDevAttrComputeCapabilityMinor, 5},
        {cudaDevAttrMaxSharedMemoryPerMultiprocessor, max_dynamic_shared},
        {cudaDevAttrMaxSharedMemoryPerBlockOptin, max_dynamic_shared},
    };
    for (const auto &row : table)
        if (row.attribute == attribute) {
            *value = row.value;
            return true;
        }
    return false;
}

static void describe(cudaDeviceProp *p)
{
    *p = cudaDeviceProp();
    strcpy(p->name, "CUDA on the CPU");
    p->totalGlobalMem = settings().memory;
    p->sharedMemPerBlock = default_dynamic_shared;
    p->sharedMemPerBlockOptin = max_dynamic_shared;
    p->sharedMemPerMultiprocessor = max_dynamic_shared;
    p->totalConstMem = 64 << 10;
    p->regsPerBlock = 64 << 10;
    p->warpSize = warp_size;
    p->maxThreadsPerBlock = p->maxThreadsDim[0] = p->maxThreadsDim[1] =
        max_threads;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 0x7fffffff;
    p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->major = 7;
    p->minor = 5;
    p->multiProcessorCount = multiprocessors;
    p->maxThreadsPerMultiProcessor = 2 * max_threads;
    p->l2CacheSize = 1 << 20;
    p->memoryBusWidth = 64;
    p->concurrentKernels = p->canMapHostMemory = p->unifiedAddressing = 1;
}
} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

extern "C" {
cudaError_t cudaGetLastError(void)
{
    Lock lock;
    cudaError_t error = last_error;
    last_error = lost;
    return error;
}

cudaError_t cudaPeekAtLastError(void)
{
    Lock lock;
    return last_error;
}

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
#define ERROR(name, number, text)                                              \
    case cuda##name:                                                           \
        return "cuda" #name;
#include "errors_on_cpu.def"
#undef ERROR
    }
    return "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
#define ERROR(name, number, text)                                              \
    case cuda##name:                                                           \
        return text;
#include "errors_on_cpu.def"
#undef ERROR
    }
    return "unrecognized error code";
}

cudaError_t cudaGetDeviceCount(int *count)
{
    Lock lock;
    *count = settings().devices;
    return *count > 0 ? cudaSuccess : fail(cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device)
{
    Lock lock;
    return only_device(device);
}

cudaError_t cudaGetDevice(int *device)
{
    Lock lock;
    *device = 0;
    return only_device(0);
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute,
                                   int device)
{
    Lock lock;
    cudaError_t error = only_device(device);
    if (error != cudaSuccess)
        return error;
    return attribute_value(attribute, value) ? cudaSuccess
                                             : fail(cudaErrorInvalidValue);
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *properties,
                                    int device)
{
    Lock lock;
    cudaError_t error = only_device(device);
    if (error == cudaSuccess)
        describe(properties);
    return error;
}

cudaError_t cudaDeviceReset(void)
{
    Lock lock;
    run_everything();
    lost = last_error = cudaSuccess;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = settings().devices > 0 ? CUDA_ON_CPU_VERSION : 0;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDA_ON_CPU_VERSION;
    return cudaSuccess;
}

int cuda_on_cpu_set_schedule(const char *schedule)
{
    Lock lock;
    return read_schedule(settings(), schedule);
}

void cuda_on_cpu_set_async(int on)
{
    Lock lock;
    run_everything();
    settings().async = on;
}

void cuda_on_cpu_set_abort(int on)
{
    Lock lock;
    settings().abort = on;
}

long cuda_on_cpu_problems(void)
{
    Lock lock;
    return problems;
}

const char *cuda_on_cpu_last_problem(void)
{
    return last_problem;
}

void cuda_on_cpu_fail_allocation(long n)
{
    Lock lock;
    settings().fail_allocation = n;
}

void cuda_on_cpu_set_memory(size_t bytes)
{
    Lock lock;
    settings().memory = bytes;
}

cuda_on_cpu_counts cuda_on_cpu_count(void)
{
    Lock lock;
    return counts;
}
}
