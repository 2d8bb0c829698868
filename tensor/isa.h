/* isa.h - tables of functions that are compiled once an instruction set
 * (-DHG_ISA=base, v3, v4), and the choice among them at run time. */
#ifndef HG_TENSOR_ISA_H
#define HG_TENSOR_ISA_H

#include "tensor/cpu.h"

#define HG_ISA_JOIN_(a, b) a##_##b
#define HG_ISA_JOIN(a, b)  HG_ISA_JOIN_(a, b)
/* The name of this compilation's table. */
#define HG_ISA_NAME(name) HG_ISA_JOIN(name, HG_ISA)

/* HG_ISA_CHOICE(type, name) declares name_base, name_v3, name_v4, and
 * name_at(isa), the one that suits a context's machine. */
#if defined(__x86_64__) && !defined(HG_DOUBLE)
#define HG_ISA_CHOICE(type, name)                                              \
    extern const type name##_base, name##_v3, name##_v4;                       \
    static inline const type *name##_at(int isa)                               \
    {                                                                          \
        return isa == HG_ISA_BASE ? &name##_base                               \
               : isa == HG_ISA_V4 ? &name##_v4                                 \
                                  : &name##_v3;                                \
    }
#else
#define HG_ISA_CHOICE(type, name)                                              \
    extern const type name##_base;                                             \
    static inline const type *name##_at(int isa)                               \
    {                                                                          \
        (void)isa;                                                             \
        return &name##_base;                                                   \
    }
#endif

#endif
