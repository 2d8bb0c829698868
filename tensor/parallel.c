/* parallel.c - one parallel loop for all kernels, and what the CPU can do.
 *
 * Flush-to-zero is a per-thread setting of the processor: it is set on entry
 * of every range and restored after it, so that neither the user's code nor
 * the library's own scalar code ever sees it. Adam's second moments and dying
 * activations are where denormals come from; they cost 100 times an ordinary
 * operation. */
#define _GNU_SOURCE
#include "tensor/internal.h"
#include "tensor/cpu.h"

#include <sched.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#define FLUSH_BITS 0x8040u /* FTZ and DAZ */
#endif

int hg_cpu_isa(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return HG_ISA_V4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        return HG_ISA_V3;
#endif
    return HG_ISA_BASE;
}

const char *hg_cpu_isa_name(int isa)
{
    static const char *const names[] = {"baseline", "x86-64-v3 (AVX2)",
                                        "x86-64-v4 (AVX-512)"};
    return isa >= 0 && isa < HG_ISA_COUNT ? names[isa] : "unknown";
}

int hg_cpu_cores(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set))
        return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

static void run_flushed(int64_t from, int64_t to,
                        void (*body)(void *, int64_t, int64_t), void *argument)
{
#if defined(__x86_64__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | FLUSH_BITS);
    body(argument, from, to);
    _mm_setcsr(before);
#elif defined(__aarch64__)
    uint64_t before, flushed;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    flushed = before | (1u << 24);
    __asm__ volatile("msr fpcr, %0" : : "r"(flushed));
    body(argument, from, to);
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    body(argument, from, to);
#endif
}

void hg_parallel_for(int threads, int64_t n, int64_t grain,
                     void (*body)(void *argument, int64_t from, int64_t to),
                     void *argument)
{
    if (n <= 0)
        return;
    if (grain < 1)
        grain = 1;
    int64_t useful = (n + grain - 1) / grain;
    int team = useful < threads ? (int)useful : threads;
#ifdef _OPENMP
    if (team > 1 && !omp_in_parallel()) {
#pragma omp parallel num_threads(team)
        {
            int64_t count = omp_get_num_threads();
            int64_t me = omp_get_thread_num();
            run_flushed(n * me / count, n * (me + 1) / count, body, argument);
        }
        return;
    }
#else
    (void)team;
#endif
    run_flushed(0, n, body, argument);
}
