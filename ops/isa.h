/* isa.h - kernels that are compiled once an instruction set, and the choice
 * among them at a call. */
#ifndef HG_ISA_H
#define HG_ISA_H

#include "autograd/op.h"
#include "tensor/isa.h"

/* HG_ISA_TABLE(type, name) declares name_base, name_v3, name_v4, and
 * name_of(k), the one that suits a kernel's machine. */
#define HG_ISA_TABLE(type, name)                                               \
    HG_ISA_CHOICE(type, name)                                                  \
    static inline const type *name##_of(const hg_kernel *k)                    \
    {                                                                          \
        return name##_at(k->reference ? HG_ISA_BASE : k->isa);                 \
    }

#endif
