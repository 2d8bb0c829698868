/* gemm_reference.c - the textbook product, the oracle of the fast ones. */
#include "ops/gemm.h"
#include "ops/internal.h"

/* Row i of C: the sum over l of A[i, l] times row l of B. */
static void row_of(const hg_gemm_job *j, int64_t i)
{
    hg_real *c = j->c + i * j->c_row;
    for (int64_t o = 0; o < j->n; o++)
        c[o * j->c_col] =
            j->bias ? j->bias[i * j->bias_row + o * j->bias_col] : 0;
    for (int64_t l = 0; l < j->k; l++) {
        hg_real a = j->a[i * j->a_row + l * j->a_col];
        const hg_real *b = j->b + l * j->b_row;
        for (int64_t o = 0; o < j->n; o++)
            c[o * j->c_col] += a * b[o * j->b_col];
    }
}

static void rows_of(void *argument, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++)
        row_of(argument, i);
}

void hg_gemm_reference(const hg_kernel *k, const hg_gemm_job *job)
{
    int64_t grain = (1 << 16) / (job->n * job->k + 1) + 1;
    hg_parallel_for(k->threads, job->m, grain, rows_of, (void *)(uintptr_t)job);
}
