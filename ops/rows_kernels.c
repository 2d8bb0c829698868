/* rows_kernels.c - see rows.h. Compiled once an instruction set (HG_ISA). */
#include "ops/rows.h"
#include "ops/vocabulary.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

enum { LANES = 16 };

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
    return x > best || x != x ? x : best;
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

static hg_real largest(const hg_real *in, int64_t step, int64_t n, hg_real sign,
                       hg_real best)
{
    hg_real lane[LANES];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++)
        lane[l] = best;
    for (; i + LANES <= n; i += LANES)
        larger(lane, in + i * step, step, LANES, sign);
    larger(lane, in + i * step, step, n - i, sign);
    for (int l = 0; l < LANES; l++)
        best = larger_of(best, lane[l]);
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
