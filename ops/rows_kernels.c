/* rows_kernels.c - see rows.h. Compiled once an instruction set (HG_ISA). */
#include "ops/rows.h"
#include "ops/vocabulary.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

enum {
    LANES = 16,
    WIDE = 64 /* a loop that compilers do not unroll away, but vectorise */
};

/* In LANES partial sums, which compilers turn into vectors. */
static hg_real sum(const hg_real *in, int64_t n)
{
    hg_real lane[LANES] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += in[i + l];
    for (; i < n; i++)
        rest += in[i];
    for (int half = LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0] + rest;
}

static void add(hg_real *restrict to, const hg_real *restrict in, int64_t step,
                int64_t n)
{
    if (step == 1)
        for (int64_t j = 0; j < n; j++)
            to[j] += in[j];
    else
        for (int64_t j = 0; j < n; j++)
            to[j] += in[j * step];
}

static inline hg_real larger_of(hg_real best, hg_real x)
{
    return ((x > best) | (x != x)) ? x : best;
}

static void larger(hg_real *restrict best, const hg_real *restrict in,
                   int64_t step, int64_t n, hg_real sign)
{
    if (step == 1)
        for (int64_t j = 0; j < n; j++)
            best[j] = larger_of(best[j], sign * in[j]);
    else
        for (int64_t j = 0; j < n; j++)
            best[j] = larger_of(best[j], sign * in[j * step]);
}

/* Of the first n / WIDE * WIDE neighbours. */
static hg_real largest_dense(const hg_real *in, int64_t n, hg_real sign,
                             hg_real best)
{
    hg_real lane[WIDE];
    for (int l = 0; l < WIDE; l++)
        lane[l] = best;
    for (int64_t i = 0; i + WIDE <= n; i += WIDE)
        for (int l = 0; l < WIDE; l++)
            lane[l] = larger_of(lane[l], sign * in[i + l]);
    for (int l = 0; l < WIDE; l++)
        best = larger_of(best, lane[l]);
    return best;
}

static hg_real largest(const hg_real *in, int64_t step, int64_t n, hg_real sign,
                       hg_real best)
{
    int64_t i = 0;
    if (step == 1 && n >= WIDE) {
        best = largest_dense(in, n, sign, best);
        i = n / WIDE * WIDE;
    }
    for (; i < n; i++)
        best = larger_of(best, sign * in[i * step]);
    return best;
}

static void decay(hg_real *restrict to, const hg_real *restrict in,
                  int64_t step, int64_t n, const hg_real *restrict shift,
                  int64_t shift_step)
{
    if (step == 1 && shift_step == 0)
        for (int64_t j = 0; j < n; j++)
            to[j] = DECAY(in[j] - shift[0]);
    else if (step == 1 && shift_step == 1)
        for (int64_t j = 0; j < n; j++)
            to[j] = DECAY(in[j] - shift[j]);
    else
        for (int64_t j = 0; j < n; j++)
            to[j] = DECAY(in[j * step] - shift[j * shift_step]);
}

const hg_rows JOIN(hg_rows_, HG_ISA) = {sum, add, largest, larger, decay};
