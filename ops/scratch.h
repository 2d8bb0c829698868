/* scratch.h - working memory of kernels, kept by the context between calls,
 * so that a steady state allocates nothing. */
#ifndef HG_SCRATCH_H
#define HG_SCRATCH_H

#include "tensor/internal.h"

/* At least so many bytes, 64-byte aligned, until the next call; NULL and the
 * memory error on failure. */
void *hg_scratch(hg_context *, size_t bytes);

/* One piece of it, cut up; without a base it only measures. */
typedef struct {
    char *base;
    size_t used;
} hg_arena;

static inline void *hg_take(hg_arena *a, int64_t count, size_t size)
{
    void *here = a->base ? a->base + a->used : NULL;
    size_t bytes = (size_t)count * size;
    a->used += (bytes + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN;
    return here;
}

static inline int32_t *hg_take_table(hg_arena *a, int64_t count)
{
    return hg_take(a, count, sizeof(int32_t));
}

static inline hg_real *hg_take_reals(hg_arena *a, int64_t count)
{
    return hg_take(a, count, sizeof(hg_real));
}

#endif
