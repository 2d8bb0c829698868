/* random_kernels.h - filling an array with draws, one way an instruction set.
 */
#ifndef HG_RANDOM_KERNELS_H
#define HG_RANDOM_KERNELS_H

#include "ops/draw.h"
#include "ops/isa.h"
#include "tensor/random.h"

/* Elements 4 * block ... 4 * block + n - 1 of the stream. */
typedef struct {
    void (*fill)(hg_real *out, const hg_philox *stream, uint64_t block,
                 int64_t n, hg_draw kind);
} hg_draws;

HG_ISA_TABLE(hg_draws, hg_draws)

#endif
