/* pixel_kernels.c - what the transforms do pixel by pixel. Compiled once an
 * instruction set, without fused multiplications: all have the same bits.
 */
#include "datasets/pixel_kernels.h"
#include "datasets/pixel.h"

#include <string.h>

static void binarize(hg_real *x, int64_t n, uint32_t key)
{
    for (int64_t i = 0; i < n; i++)
        x[i] =
            (hg_real)hg_word_uniform(hg_pixel_number(key, (uint32_t)i)) < x[i];
}

static void dequantize(hg_real *x, int64_t n, uint32_t key)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (255 * x[i] +
                (hg_real)hg_word_uniform(hg_pixel_number(key, (uint32_t)i))) /
               256;
}

/* Normal draws of 64 pixels from `from` on. */
static void draw_normals(uint32_t key, int64_t from, const float *quantile_of,
                         float z[64])
{
    uint32_t h[64];
    for (int i = 0; i < 64; i++)
        h[i] = hg_pixel_number(key, (uint32_t)from + (uint32_t)i);
    for (int i = 0; i < 64; i++) {
        const float *q = quantile_of + (h[i] >> 20);
        float part = (float)(int32_t)(h[i] & 0xFFFFF) * 0x1p-20f;
        z[i] = q[0] + part * (q[1] - q[0]);
    }
}

/* In loops that have no branch: half of the pixels of a dark picture would take
 * it, and no processor can tell which. */
static void add_noise(hg_real *x, int64_t n, uint32_t key, hg_real std,
                      const float *quantile_of)
{
    float z[64];
    hg_real v[64];
    for (int64_t from = 0; from < n; from += 64) {
        int64_t count = n - from < 64 ? n - from : 64;
        memset(v, 0, sizeof v);
        memcpy(v, x + from, (size_t)count * sizeof *v);
        draw_normals(key, from, quantile_of, z);
        for (int i = 0; i < 64; i++)
            v[i] += std * (hg_real)z[i];
        for (int i = 0; i < 64; i++)
            v[i] = v[i] > 0 ? v[i] : 0;
        for (int i = 0; i < 64; i++)
            v[i] = v[i] < 1 ? v[i] : 1;
        memcpy(x + from, v, (size_t)count * sizeof *v);
    }
}

static void mask(hg_real *x, int64_t n, uint32_t key, float share)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = hg_word_uniform(hg_pixel_number(key, (uint32_t)i)) < share
                   ? 0
                   : x[i];
}

static void salt_and_pepper(hg_real *x, int64_t n, uint32_t key, float share)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t h = hg_pixel_number(key, (uint32_t)i);
        if (hg_word_uniform(h) < share)
            x[i] = (hg_real)(h & 1);
    }
}

const hg_pixels HG_ISA_NAME(hg_pixels) = {binarize, dequantize, add_noise, mask,
                                          salt_and_pepper};
