/* onednn.c - everything of oneDNN. The functions used here are the same in its
 * versions 2 and 3. Its bits may depend on the number of threads. */
#include "ops/onednn.h"

#include <stdio.h>

#ifdef HG_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_version.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

const char *hg_onednn_version(char text[32])
{
#ifdef HG_HAVE_ONEDNN
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, 32, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
#else
    text[0] = 0;
    return NULL;
#endif
}

#if defined(HG_HAVE_ONEDNN) && !defined(HG_DOUBLE)

/* Multiply-adds from which oneDNN's blocking for the outer caches pays. */
#define LARGE ((double)(1 << 28))

/* 'N' for dense rows, 'T' for dense columns, 0 for neither. */
static char layout_of(int64_t row, int64_t col, int64_t rows, int64_t cols,
                      dnnl_dim_t *leading)
{
    if (col == 1 && row >= cols) {
        *leading = row;
        return 'N';
    }
    *leading = col;
    return row == 1 && col >= rows ? 'T' : 0;
}

static dnnl_status_t run(const hg_kernel *k, char ta, char tb,
                         const hg_gemm_job *j, dnnl_dim_t lda, dnnl_dim_t ldb)
{
#ifdef _OPENMP
    int before = omp_get_max_threads();
    omp_set_num_threads(k->threads);
#else
    (void)k;
#endif
    dnnl_status_t status = dnnl_sgemm(ta, tb, j->m, j->n, j->k, 1, j->a, lda,
                                      j->b, ldb, 0, j->c, j->c_row);
#ifdef _OPENMP
    omp_set_num_threads(before);
#endif
    return status;
}

bool hg_onednn_gemm(const hg_kernel *k, const hg_gemm_job *j)
{
    dnnl_dim_t lda, ldb;
    if (j->bias || j->c_col != 1 || j->c_row < j->n ||
        (double)j->m * (double)j->n * (double)j->k < LARGE)
        return false;
    char ta = layout_of(j->a_row, j->a_col, j->m, j->k, &lda);
    char tb = layout_of(j->b_row, j->b_col, j->k, j->n, &ldb);
    return ta && tb && run(k, ta, tb, j, lda, ldb) == dnnl_success;
}

#else

bool hg_onednn_gemm(const hg_kernel *k, const hg_gemm_job *job)
{
    (void)k;
    (void)job;
    return false;
}

#endif
