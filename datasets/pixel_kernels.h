/* pixel_kernels.h - noise and binarising, one way an instruction set. */
#ifndef HG_PIXEL_KERNELS_H
#define HG_PIXEL_KERNELS_H

#include "tensor/isa.h"
#include "tensor/tensor.h"

/* x holds n pixels of one item; the key is the transform's and the item's. */
typedef struct {
    void (*binarize)(hg_real *x, int64_t n, uint32_t key);
    void (*dequantize)(hg_real *x, int64_t n, uint32_t key);
    void (*add_noise)(hg_real *x, int64_t n, uint32_t key, hg_real std,
                      const float *quantile);
    void (*mask)(hg_real *x, int64_t n, uint32_t key, float share);
    void (*salt_and_pepper)(hg_real *x, int64_t n, uint32_t key, float share);
} hg_pixels;

HG_ISA_CHOICE(hg_pixels, hg_pixels)

#endif
