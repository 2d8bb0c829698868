/* memory.c - one allocator, and regions made of chunks that are recycled.
 *
 * A training step takes buffers of the same sizes in the same order, so after
 * the first steps every chunk comes from the context's pool and the allocator
 * is not called again. */
#include "tensor/internal.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HG_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HG_ASAN 1
#endif
#endif
#ifdef HG_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define CHUNK_BYTES  ((size_t)1 << 20)
#define CHUNK_HEADER ((sizeof(hg_chunk) + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN)
#define MOST_HOLES   256

void *hg_memory_allocate(hg_context *context, size_t size)
{
    const hg_allocator *a = &context->allocator;
    void *p = a->allocate(a->user, size);
    if (!p) {
        hg_fail(HG_ERROR_MEMORY,
                "%zu bytes could not be allocated (%zu held already); try a "
                "smaller batch or model",
                size, context->bytes);
        return NULL;
    }
    context->bytes += size;
    if (context->bytes > context->peak)
        context->peak = context->bytes;
    return p;
}

void hg_memory_release(hg_context *context, void *p, size_t size)
{
    if (!p)
        return;
    context->bytes -= size;
    context->allocator.release(context->allocator.user, p, size);
}

/* The smallest pooled chunk that fits and is not wastefully large. */
static hg_chunk *recycled(hg_context *context, size_t size)
{
    hg_chunk **best = NULL;
    for (hg_chunk **c = &context->free_chunks; *c; c = &(*c)->next)
        if ((*c)->size >= size && (*c)->size <= 2 * size + CHUNK_BYTES &&
            (!best || (*c)->size < (*best)->size))
            best = c;
    if (!best)
        return NULL;
    hg_chunk *chunk = *best;
    *best = chunk->next;
    return chunk;
}

static hg_chunk *chunk_new(hg_context *context, size_t size)
{
    if (size > SIZE_MAX - 2 * CHUNK_HEADER) {
        hg_fail(HG_ERROR_MEMORY, "%zu bytes are more than can be addressed",
                size);
        return NULL;
    }
    hg_chunk *chunk = hg_memory_allocate(context, size + 2 * CHUNK_HEADER);
    if (chunk)
        chunk->size = size;
    return chunk;
}

static char *chunk_start(hg_chunk *chunk)
{
    uintptr_t p = (uintptr_t)chunk + CHUNK_HEADER;
    return (char *)((p + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN);
}

static bool grow(hg_region *r, size_t size)
{
    size_t want = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    hg_chunk *chunk = recycled(r->context, want);
    if (!chunk)
        chunk = chunk_new(r->context, want);
    if (!chunk)
        return false;
    chunk->next = r->chunks;
    r->chunks = chunk;
    if (size > CHUNK_BYTES) { /* a chunk of its own; keep bumping the other */
        if (r->chunks->next) {
            r->chunks = chunk->next;
            chunk->next = r->chunks->next;
            r->chunks->next = chunk;
        }
        POISON(chunk_start(chunk), chunk->size);
        return true;
    }
    r->cursor = chunk_start(chunk);
    r->left = chunk->size;
    POISON(r->cursor, r->left);
    return true;
}

static void *from_hole(hg_region *r, size_t size)
{
    int seen = 0;
    for (hg_hole **h = &r->holes; *h && seen < MOST_HOLES;
         h = &(*h)->next, seen++) {
        if ((*h)->size != size)
            continue;
        hg_hole *hole = *h;
        *h = hole->next;
        UNPOISON(hole, size);
        return hole;
    }
    return NULL;
}

static void *from_own_chunk(hg_region *r, size_t size)
{
    bool first = !r->chunks;
    if (!grow(r, size))
        return NULL;
    hg_chunk *chunk = first ? r->chunks : r->chunks->next;
    UNPOISON(chunk_start(chunk), size);
    return chunk_start(chunk);
}

void *hg_region_take(hg_region *r, size_t bytes)
{
    if (bytes > SIZE_MAX - HG_ALIGN) {
        hg_fail(HG_ERROR_MEMORY, "%zu bytes are more than can be addressed",
                bytes);
        return NULL;
    }
    size_t size =
        bytes ? (bytes + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN : HG_ALIGN;
    void *p = from_hole(r, size);
    if (p)
        return p;
    if (size > CHUNK_BYTES)
        return from_own_chunk(r, size);
    if (r->left < size && !grow(r, size))
        return NULL;
    p = r->cursor;
    r->cursor += size;
    r->left -= size;
    UNPOISON(p, bytes ? bytes : 1);
    return p;
}

void *hg_region_take_zeroed(hg_region *r, size_t bytes)
{
    void *p = hg_region_take(r, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

char *hg_region_text(hg_region *r, const char *text)
{
    size_t size = strlen(text) + 1;
    char *p = hg_region_take(r, size);
    return p ? memcpy(p, text, size) : NULL;
}

void hg_region_give(hg_region *r, void *p, size_t bytes)
{
    size_t size =
        bytes ? (bytes + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN : HG_ALIGN;
    hg_hole *hole = p;
    UNPOISON(hole, size);
    hole->size = size;
    hole->next = r->holes;
    r->holes = hole;
    POISON((char *)p + sizeof *hole, size - sizeof *hole);
}

void hg_region_free(hg_region *r)
{
    while (r->chunks) {
        hg_chunk *chunk = r->chunks;
        r->chunks = chunk->next;
        POISON(chunk_start(chunk), chunk->size);
        chunk->next = r->context->free_chunks;
        r->context->free_chunks = chunk;
    }
    r->cursor = NULL;
    r->left = 0;
    r->holes = NULL;
}

void hg_chunks_release(hg_context *context)
{
    while (context->free_chunks) {
        hg_chunk *chunk = context->free_chunks;
        context->free_chunks = chunk->next;
        UNPOISON(chunk_start(chunk), chunk->size);
        hg_memory_release(context, chunk, chunk->size + 2 * CHUNK_HEADER);
    }
}
