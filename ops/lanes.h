/* lanes.h - vectors of hg_real as wide as the instruction set that a file is
 * compiled for, and the transpose of a square of them. */
#ifndef HG_LANES_H
#define HG_LANES_H

#include "tensor/tensor.h"

#if defined(__AVX512F__)
#define HG_LANE_BYTES 64
#elif defined(__AVX__)
#define HG_LANE_BYTES 32
#else
#define HG_LANE_BYTES 16
#endif

#ifdef HG_DOUBLE
#define HG_LANES (HG_LANE_BYTES / 8)
#else
#define HG_LANES (HG_LANE_BYTES / 4)
#endif

enum { LANES = HG_LANES };

typedef hg_real vec __attribute__((vector_size(HG_LANE_BYTES),
                                   aligned(sizeof(hg_real)), may_alias));

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* One stage of a transpose: rows i and i + step exchange the blocks of `step`
 * values beside the diagonal; LOW and HIGH say from where. */
#define HG_EXCHANGE(v, step, LOW, HIGH)                                        \
    UNROLL                                                                     \
    for (int i = 0; i < LANES; i++)                                            \
        if (!(i & (step))) {                                                   \
            vec a = v[i], b = v[i + (step)];                                   \
            v[i] = __builtin_shufflevector(a, b, LOW);                         \
            v[i + (step)] = __builtin_shufflevector(a, b, HIGH);               \
        }
#define HG_LIST(...) __VA_ARGS__

INLINE void transpose_lanes(vec *v)
{
#if HG_LANES == 16
    HG_EXCHANGE(
        v, 8, HG_LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
        HG_LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
    HG_EXCHANGE(
        v, 4, HG_LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
        HG_LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    HG_EXCHANGE(
        v, 2, HG_LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
        HG_LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    HG_EXCHANGE(
        v, 1,
        HG_LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
        HG_LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#elif HG_LANES == 8
    HG_EXCHANGE(v, 4, HG_LIST(0, 1, 2, 3, 8, 9, 10, 11),
                HG_LIST(4, 5, 6, 7, 12, 13, 14, 15))
    HG_EXCHANGE(v, 2, HG_LIST(0, 1, 8, 9, 4, 5, 12, 13),
                HG_LIST(2, 3, 10, 11, 6, 7, 14, 15))
    HG_EXCHANGE(v, 1, HG_LIST(0, 8, 2, 10, 4, 12, 6, 14),
                HG_LIST(1, 9, 3, 11, 5, 13, 7, 15))
#elif HG_LANES == 4
    HG_EXCHANGE(v, 2, HG_LIST(0, 1, 4, 5), HG_LIST(2, 3, 6, 7))
    HG_EXCHANGE(v, 1, HG_LIST(0, 4, 2, 6), HG_LIST(1, 5, 3, 7))
#else
    HG_EXCHANGE(v, 1, HG_LIST(0, 2), HG_LIST(1, 3))
#endif
}

#endif
