/* parallel.c - one parallel loop for all kernels, and what the CPU can do.
 *
 * A loop is cut into a few pieces a thread. Each thread works through its own,
 * which it had last time too and may still have in its cache, and then takes
 * what others have not begun: a thread whose core is slower, or wanted by
 * another program, keeps nobody waiting (bench/log.md).
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
#include <stdatomic.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#define FLUSH_BITS 0x8040u /* FTZ and DAZ */
#endif

#define PIECES      4 /* a thread */
#define MOST_SHARES 64

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

/* What a thread begins with: pieces from `next` to before `end`. A line of the
 * cache each. */
typedef struct share {
    _Alignas(64) _Atomic int64_t next;
    int64_t end;
} share;

typedef struct loop {
    void (*body)(void *argument, int64_t from, int64_t to);
    void *argument;
    int64_t n, pieces;
    int count; /* of shares */
    share shares[MOST_SHARES];
} loop;

static void cut(loop *l, int team, int64_t useful)
{
    l->count = team < MOST_SHARES ? team : MOST_SHARES;
    l->pieces = (int64_t)l->count * PIECES;
    if (l->pieces > useful)
        l->pieces = useful;
    for (int i = 0; i < l->count; i++) {
        atomic_init(&l->shares[i].next, l->pieces * i / l->count);
        l->shares[i].end = l->pieces * (i + 1) / l->count;
    }
}

/* The share of thread `me` first, then those of its neighbours. */
static void run_pieces(loop *l, int me)
{
    for (int i = 0; i < l->count; i++) {
        share *s = &l->shares[(me + i) % l->count];
        int64_t piece;
        while ((piece = atomic_fetch_add_explicit(
                    &s->next, 1, memory_order_relaxed)) < s->end)
            l->body(l->argument, l->n * piece / l->pieces,
                    l->n * (piece + 1) / l->pieces);
    }
}

static void run_flushed(loop *l, int me)
{
#if defined(__x86_64__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | FLUSH_BITS);
    run_pieces(l, me);
    _mm_setcsr(before);
#elif defined(__aarch64__)
    uint64_t before, flushed;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    flushed = before | (1u << 24);
    __asm__ volatile("msr fpcr, %0" : : "r"(flushed));
    run_pieces(l, me);
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    run_pieces(l, me);
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
    loop l; /* not cleared: a small loop needs one share of the many */
    l.body = body, l.argument = argument, l.n = n;
#ifdef _OPENMP
    if (team > 1 && !omp_in_parallel()) {
        cut(&l, team, useful);
#pragma omp parallel num_threads(team)
        run_flushed(&l, omp_get_thread_num());
        return;
    }
#else
    (void)team;
#endif
    cut(&l, 1, 1);
    run_flushed(&l, 0);
}
