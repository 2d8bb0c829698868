/* scratch.h - working memory of kernels, kept by the context between calls,
 * so that a steady state allocates nothing. */
#ifndef HG_SCRATCH_H
#define HG_SCRATCH_H

#include "tensor/internal.h"

/* At least so many bytes, 64-byte aligned, until the next call; NULL and the
 * memory error on failure. */
void *hg_scratch(hg_context *, size_t bytes);

#endif
