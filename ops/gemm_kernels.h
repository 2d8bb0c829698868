/* gemm_kernels.h - the products' inner loops, one set an instruction set. */
#ifndef HG_GEMM_KERNELS_H
#define HG_GEMM_KERNELS_H

#include "ops/gemm.h"
#include "ops/isa.h"

typedef struct {
    int64_t width; /* columns of a panel */
    int64_t rows;  /* most rows of a tile */
    /* Rows [from, to) of the panels [first, last) of C. */
    void (*panels)(const hg_gemm_job *, int64_t first, int64_t last,
                   int64_t from, int64_t to);
    /* C, where the panels of B are packed already, [k, width] each, b_col
     * from panel to panel. */
    void (*packed)(const hg_gemm_job *);
} hg_gemm_kernels;

HG_ISA_TABLE(hg_gemm_kernels, hg_gemm)

#endif
