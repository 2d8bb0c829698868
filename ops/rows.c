/* rows.c - which of the inner loops to use; those with libm's exp. */
#define HG_ISA reference
#include "ops/rows_kernels.c"
#include "tensor/cpu.h"

const hg_rows *hg_rows_of(const hg_kernel *k)
{
    if (k->reference)
        return &hg_rows_reference;
#if defined(__x86_64__) && !defined(HG_DOUBLE)
    if (k->isa == HG_ISA_V4)
        return &hg_rows_v4;
    if (k->isa == HG_ISA_V3)
        return &hg_rows_v3;
#endif
    return &hg_rows_base;
}
