/* cpu.h - what this machine's processor can do, asked at run time. */
#ifndef HG_CPU_H
#define HG_CPU_H

enum {
    HG_ISA_BASE = 0, /* what the compiler was told: x86-64, aarch64, ... */
    HG_ISA_V3 = 1,   /* x86-64-v3: AVX2, FMA */
    HG_ISA_V4 = 2,   /* x86-64-v4: AVX-512 F, BW, CD, DQ, VL */
    HG_ISA_COUNT = 3
};

int hg_cpu_isa(void);
const char *hg_cpu_isa_name(int isa);
/* Cores this process may run on. */
int hg_cpu_cores(void);

#endif
