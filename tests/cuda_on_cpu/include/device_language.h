/* The language of kernels for a host compiler: qualifiers, built-in
 * variables, barriers, warp operations, atomics, launch. C++ only, included by
 * cuda_runtime.h. */
#ifndef CUDA_ON_CPU_DEVICE_LANGUAGE_H
#define CUDA_ON_CPU_DEVICE_LANGUAGE_H

#include <string.h>

#include <tuple>
#include <utility>

/* ---- Qualifiers. One block runs at a time, on one system thread: "shared by
 * the block" is "static". (No section of its own: g++ 12 rejects one section
 * for the statics of templates and of ordinary functions.) __noinline__ is no
 * macro: the standard headers write __attribute__((__noinline__)). */
#define __global__
#define __device__
#define __host__
#define __managed__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__   static
#define __constant__ __attribute__((section("cuda_constant"), used))
#ifndef __restrict__
#define __restrict__ __restrict
#endif

#include "vector_types_on_cpu.h"

/* ---- Built-in variables: plain globals that the scheduler sets whenever it
 * switches threads, so that a debugger's conditions work as they stand */
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
static constexpr int warpSize = 32;

namespace cuda_on_cpu
{
/* Where a call stands, as default arguments. (Return addresses do not tell
 * barriers apart: compilers merge the two of if (c) { a; __syncthreads(); }
 * else { b; __syncthreads(); }.) */
struct Place {
    const char *file;
    int line;
};
#define CUDA_ON_CPU_PLACE                                                      \
    const char *file = __builtin_FILE(), int line = __builtin_LINE()

enum class Vote { sum, all, any };
enum class Warp : unsigned char { sync, shuffle, ballot, any, all };

int barrier(int predicate, Vote vote, Place place);
/* Returns what the lane receives: a shuffle's value, or a vote's result. */
uint64_t warp(Warp operation, unsigned mask, uint64_t value, int source,
              Place place);
int lane();
void shuffle_width(int width, Place place);
void *dynamic_shared();

template <class T> uint64_t to_bits(T value)
{
    static_assert(sizeof(T) <= 8, "a shuffle carries at most 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    return bits;
}

template <class T> T from_bits(uint64_t bits)
{
    T value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

template <class T> T shuffle(unsigned mask, T value, int source, Place place)
{
    return from_bits<T>(
        warp(Warp::shuffle, mask, to_bits(value), source, place));
}
} // namespace cuda_on_cpu

/* ---- Barriers */
static inline void __syncthreads(CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::barrier(0, cuda_on_cpu::Vote::sum, {file, line});
}

static inline int __syncthreads_count(int predicate, CUDA_ON_CPU_PLACE)
{
    return cuda_on_cpu::barrier(predicate, cuda_on_cpu::Vote::sum,
                                {file, line});
}

static inline int __syncthreads_and(int predicate, CUDA_ON_CPU_PLACE)
{
    return cuda_on_cpu::barrier(predicate, cuda_on_cpu::Vote::all,
                                {file, line});
}

static inline int __syncthreads_or(int predicate, CUDA_ON_CPU_PLACE)
{
    return cuda_on_cpu::barrier(predicate, cuda_on_cpu::Vote::any,
                                {file, line});
}

static inline void __syncwarp(unsigned mask = 0xffffffffu, CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::warp(cuda_on_cpu::Warp::sync, mask, 0, 0, {file, line});
}

/* ---- Votes */
static inline unsigned __ballot_sync(unsigned mask, int predicate,
                                     CUDA_ON_CPU_PLACE)
{
    return (unsigned)cuda_on_cpu::warp(cuda_on_cpu::Warp::ballot, mask,
                                       predicate != 0, 0, {file, line});
}

static inline int __any_sync(unsigned mask, int predicate, CUDA_ON_CPU_PLACE)
{
    return (int)cuda_on_cpu::warp(cuda_on_cpu::Warp::any, mask, predicate != 0,
                                  0, {file, line});
}

static inline int __all_sync(unsigned mask, int predicate, CUDA_ON_CPU_PLACE)
{
    return (int)cuda_on_cpu::warp(cuda_on_cpu::Warp::all, mask, predicate != 0,
                                  0, {file, line});
}

/* ---- Shuffles. The warp falls into segments of `width` lanes; a source
 * outside the segment gives the lane its own value back, but for the index
 * form, which wraps, and for xor, which may read an earlier segment. */
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32,
              CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::shuffle_width(width, {file, line});
    int first = cuda_on_cpu::lane() & ~(width - 1);
    return cuda_on_cpu::shuffle(mask, value, first + (source & (width - 1)),
                                {file, line});
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                 CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::shuffle_width(width, {file, line});
    int lane = cuda_on_cpu::lane(), first = lane & ~(width - 1);
    int source = lane - (int)delta;
    return cuda_on_cpu::shuffle(mask, value, source < first ? lane : source,
                                {file, line});
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                   CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::shuffle_width(width, {file, line});
    int lane = cuda_on_cpu::lane(), end = (lane & ~(width - 1)) + width;
    int source = lane + (int)delta;
    return cuda_on_cpu::shuffle(mask, value, source >= end ? lane : source,
                                {file, line});
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32,
                  CUDA_ON_CPU_PLACE)
{
    cuda_on_cpu::shuffle_width(width, {file, line});
    int lane = cuda_on_cpu::lane(), end = (lane & ~(width - 1)) + width;
    int source = lane ^ lanes;
    return cuda_on_cpu::shuffle(mask, value, source >= end ? lane : source,
                                {file, line});
}

/* Threads never run at once, so memory is always in order. */
static inline void __threadfence()
{
}

static inline void __threadfence_block()
{
}

static inline void __threadfence_system()
{
}

#include "atomics_on_cpu.h"
#include "math_on_cpu.h"
#include "runtime_templates.h"
#endif
