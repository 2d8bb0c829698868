/* inline.h - functions that the host and kernels on a GPU share. */
#ifndef HG_INLINE_H
#define HG_INLINE_H

#ifdef __CUDACC__
#define HG_INLINE static inline __host__ __device__
#else
#define HG_INLINE static inline
#endif

#endif
