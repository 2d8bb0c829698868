/* CUDA's vector types and dim3, with their alignments. */
#ifndef CUDA_ON_CPU_VECTOR_TYPES_H
#define CUDA_ON_CPU_VECTOR_TYPES_H

#define CUDA_ON_CPU_VECTORS(T, name, align2, align4)                           \
    struct name##1                                                             \
    {                                                                          \
        T x;                                                                   \
    };                                                                         \
    struct alignas(align2) name##2                                             \
    {                                                                          \
        T x, y;                                                                \
    };                                                                         \
    struct name##3                                                             \
    {                                                                          \
        T x, y, z;                                                             \
    };                                                                         \
    struct alignas(align4) name##4                                             \
    {                                                                          \
        T x, y, z, w;                                                          \
    };                                                                         \
    static inline name##1 make_##name##1(T x)                                  \
    {                                                                          \
        return {x};                                                            \
    }                                                                          \
    static inline name##2 make_##name##2(T x, T y)                             \
    {                                                                          \
        return {x, y};                                                         \
    }                                                                          \
    static inline name##3 make_##name##3(T x, T y, T z)                        \
    {                                                                          \
        return {x, y, z};                                                      \
    }                                                                          \
    static inline name##4 make_##name##4(T x, T y, T z, T w)                   \
    {                                                                          \
        return {x, y, z, w};                                                   \
    }
CUDA_ON_CPU_VECTORS(signed char, char, 2, 4)
CUDA_ON_CPU_VECTORS(unsigned char, uchar, 2, 4)
CUDA_ON_CPU_VECTORS(short, short, 4, 8)
CUDA_ON_CPU_VECTORS(unsigned short, ushort, 4, 8)
CUDA_ON_CPU_VECTORS(int, int, 8, 16)
CUDA_ON_CPU_VECTORS(unsigned, uint, 8, 16)
CUDA_ON_CPU_VECTORS(long long, longlong, 16, 16)
CUDA_ON_CPU_VECTORS(unsigned long long, ulonglong, 16, 16)
CUDA_ON_CPU_VECTORS(float, float, 8, 16)
CUDA_ON_CPU_VECTORS(double, double, 16, 16)
#undef CUDA_ON_CPU_VECTORS

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned width = 1, unsigned height = 1, unsigned depth = 1)
        : x(width), y(height), z(depth)
    {
    }
};

#endif
