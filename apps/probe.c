/* probe.c - the fused multiply-adds that this processor can do in a second,
 * measured now: the ceiling beside which a benchmark is read. */
#include "apps/probe.h"
#include "apps/app.h"

#include <string.h>
#include <sys/resource.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

enum { ROUNDS = 1 << 20, CHAINS = 12 };

#if defined(__x86_64__)

__attribute__((target("avx512f"))) static double spin_512(void)
{
    __m512 sum[CHAINS], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
    for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm512_set1_ps((float)i);
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < CHAINS; i++)
            sum[i] = _mm512_fmadd_ps(sum[i], a, b);
    for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm512_add_ps(sum[0], sum[i]);
    return (double)_mm512_reduce_add_ps(sum[0]);
}

__attribute__((target("avx2,fma"))) static double spin_256(void)
{
    __m256 sum[CHAINS], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
    float out[8];
    for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm256_set1_ps((float)i);
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < CHAINS; i++)
            sum[i] = _mm256_fmadd_ps(sum[i], a, b);
    for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm256_add_ps(sum[0], sum[i]);
    _mm256_storeu_ps(out, sum[0]);
    return (double)out[0];
}

#endif

static double spin_scalar(void)
{
    float sum[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        sum[i] = (float)i;
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < CHAINS; i++)
            sum[i] = sum[i] * 0.999f + 1e-3f;
    return (double)sum[0];
}

/* Adds what was computed to `sink`, so that it has to be; returns the lanes. */
static int spin(double *sink)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        *sink += spin_512();
        return 16;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        *sink += spin_256();
        return 8;
    }
#endif
    *sink += spin_scalar();
    return 1;
}

double probe_peak_gflops(int threads)
{
    double best = 0, sink = 0;
    int lanes = 1;
    for (int repeat = 0; repeat < 5; repeat++) {
        double started = seconds_now();
#ifdef _OPENMP
#pragma omp parallel num_threads(threads) reduction(+ : sink)
#endif
        {
            int mine = spin(&sink);
#ifdef _OPENMP
#pragma omp single
#endif
            lanes = mine;
        }
        double seconds = seconds_now() - started;
        double flops = 2.0 * ROUNDS * CHAINS * lanes * threads;
        if (flops / seconds > best)
            best = flops / seconds;
    }
    return sink == -1 ? 0 : 1e-9 * best;
}

double probe_peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}
