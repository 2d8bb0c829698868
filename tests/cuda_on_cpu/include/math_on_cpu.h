/* Device mathematics and bit operations for a host compiler. The C library's
 * functions serve where CUDA's have the same name; results differ from a GPU's
 * in the last places (no contraction, another expf). */
#ifndef CUDA_ON_CPU_MATH_H
#define CUDA_ON_CPU_MATH_H

#include <math.h>
#include <stdlib.h>

template <class T> static inline T __ldg(const T *address)
{
    return *address;
}

template <class T> static inline T __ldcs(const T *address)
{
    return *address;
}

template <class T> static inline void __stcs(T *address, T value)
{
    *address = value;
}

/* Macros, as glibc declares functions of these names. */
#define __expf   expf
#define __logf   logf
#define __log2f  log2f
#define __log10f log10f
#define __sinf   sinf
#define __cosf   cosf
#define __tanf   tanf
#define __powf   powf
#define __sincosf(angle, sine, cosine)                                         \
    (*(sine) = sinf(angle), *(cosine) = cosf(angle), (void)0)

static inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}

static inline double rsqrt(double x)
{
    return 1.0 / sqrt(x);
}

static inline float rsqrt(float x)
{
    return rsqrtf(x);
}

static inline float sinpif(float x)
{
    return (float)sin(M_PI * x);
}

static inline float cospif(float x)
{
    return (float)cos(M_PI * x);
}

static inline double sinpi(double x)
{
    return sin(M_PI * x);
}

static inline double cospi(double x)
{
    return cos(M_PI * x);
}

static inline void sincospif(float x, float *sine, float *cosine)
{
    *sine = sinpif(x);
    *cosine = cospif(x);
}

static inline void sincospi(double x, double *sine, double *cosine)
{
    *sine = sinpi(x);
    *cosine = cospi(x);
}

static inline double normcdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

static inline float normcdff(float x)
{
    return (float)normcdf(x);
}

static inline float __saturatef(float x)
{
    return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f;
}

static inline float __fdividef(float a, float b)
{
    return a / b;
}

static inline float __frcp_rn(float a)
{
    return 1.0f / a;
}

static inline float __fsqrt_rn(float a)
{
    return sqrtf(a);
}

static inline float __fmaf_rn(float a, float b, float c)
{
    return fmaf(a, b, c);
}

static inline double __fma_rn(double a, double b, double c)
{
    return fma(a, b, c);
}

#define CUDA_ON_CPU_ROUNDED(name, T, operator)                                 \
    static inline T name(T a, T b)                                             \
    {                                                                          \
        return a operator b;                                                   \
    }
CUDA_ON_CPU_ROUNDED(__fadd_rn, float, +)
CUDA_ON_CPU_ROUNDED(__fsub_rn, float, -)
CUDA_ON_CPU_ROUNDED(__fmul_rn, float, *)
CUDA_ON_CPU_ROUNDED(__fdiv_rn, float, /)
CUDA_ON_CPU_ROUNDED(__dadd_rn, double, +)
CUDA_ON_CPU_ROUNDED(__dsub_rn, double, -)
CUDA_ON_CPU_ROUNDED(__dmul_rn, double, *)
CUDA_ON_CPU_ROUNDED(__ddiv_rn, double, /)
#undef CUDA_ON_CPU_ROUNDED

/* ---- Bits */
static inline unsigned __umulhi(unsigned a, unsigned b)
{
    return (unsigned)(((uint64_t)a * b) >> 32);
}

static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}

static inline int __clz(int x)
{
    return x ? __builtin_clz((unsigned)x) : 32;
}

static inline int __ffs(int x)
{
    return __builtin_ffs(x);
}

static inline unsigned __brev(unsigned x)
{
    unsigned y = 0;
    for (int i = 0; i < 32; i++)
        y |= (x >> i & 1u) << (31 - i);
    return y;
}

#define CUDA_ON_CPU_BITS(name, From, To)                                       \
    static inline To name(From value)                                          \
    {                                                                          \
        To bits;                                                               \
        static_assert(sizeof bits == sizeof value, "the same bits");           \
        memcpy(&bits, &value, sizeof bits);                                    \
        return bits;                                                           \
    }
CUDA_ON_CPU_BITS(__float_as_uint, float, unsigned)
CUDA_ON_CPU_BITS(__float_as_int, float, int)
CUDA_ON_CPU_BITS(__uint_as_float, unsigned, float)
CUDA_ON_CPU_BITS(__int_as_float, int, float)
CUDA_ON_CPU_BITS(__double_as_longlong, double, long long)
CUDA_ON_CPU_BITS(__longlong_as_double, long long, double)
#undef CUDA_ON_CPU_BITS

static inline int __float2int_rn(float x)
{
    return (int)lrintf(x);
}

static inline int __float2int_rz(float x)
{
    return (int)x;
}

static inline float __int2float_rn(int x)
{
    return (float)x;
}

static inline float __uint2float_rn(unsigned x)
{
    return (float)x;
}

static inline double __hiloint2double(int high, int low)
{
    uint64_t bits = (uint64_t)(unsigned)high << 32 | (unsigned)low;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- min and max, overloaded as in CUDA */
#define CUDA_ON_CPU_MIN_MAX(T)                                                 \
    static inline T min(T a, T b)                                              \
    {                                                                          \
        return b < a ? b : a;                                                  \
    }                                                                          \
    static inline T max(T a, T b)                                              \
    {                                                                          \
        return a < b ? b : a;                                                  \
    }
CUDA_ON_CPU_MIN_MAX(int)
CUDA_ON_CPU_MIN_MAX(unsigned)
CUDA_ON_CPU_MIN_MAX(long)
CUDA_ON_CPU_MIN_MAX(unsigned long)
CUDA_ON_CPU_MIN_MAX(long long)
CUDA_ON_CPU_MIN_MAX(unsigned long long)
#undef CUDA_ON_CPU_MIN_MAX

static inline float min(float a, float b)
{
    return fminf(a, b);
}

static inline float max(float a, float b)
{
    return fmaxf(a, b);
}

static inline double min(double a, double b)
{
    return fmin(a, b);
}

static inline double max(double a, double b)
{
    return fmax(a, b);
}

#endif
