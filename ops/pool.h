/* pool.h - windows of images, as pool.c and pool.cu read them. */
#ifndef HG_POOL_H
#define HG_POOL_H

#include "autograd/op.h"
#include "tensor/inline.h"

typedef struct {
    int64_t kernel, stride, padding;
    int64_t height, width; /* of the images; for the mirrors */
} hg_pool_attr;
HG_NO_PADDING(hg_pool_attr, 5 * 8);

typedef struct {
    int64_t top, bottom, left, right; /* half open, inside the image */
} hg_window;

/* The window at place (i, j) of an image of height x width. */
HG_INLINE hg_window hg_window_at(const hg_pool_attr *a, int64_t height,
                                 int64_t width, int64_t i, int64_t j)
{
    int64_t h = i * a->stride - a->padding, w = j * a->stride - a->padding;
    hg_window at;
    at.top = h < 0 ? 0 : h;
    at.left = w < 0 ? 0 : w;
    at.bottom = h + a->kernel < height ? h + a->kernel : height;
    at.right = w + a->kernel < width ? w + a->kernel : width;
    return at;
}

/* Index of the first maximum of a window of x; a NaN counts as the largest. */
HG_INLINE int64_t hg_maximum_at(const hg_real *x, int64_t width, hg_window at)
{
    int64_t best = at.top * width + at.left;
    for (int64_t h = at.top; h < at.bottom; h++)
        for (int64_t i = h * width + at.left; i < h * width + at.right; i++)
            if (x[i] > x[best] || (x[i] != x[i] && x[best] == x[best]))
                best = i;
    return best;
}

HG_INLINE hg_real hg_window_sum(const hg_real *x, int64_t width, hg_window at)
{
    hg_real sum = 0;
    for (int64_t h = at.top; h < at.bottom; h++)
        for (int64_t w = at.left; w < at.right; w++)
            sum += x[h * width + w];
    return sum;
}

#endif
