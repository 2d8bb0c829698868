/* memory.c - one allocator, and regions made of chunks that are recycled.
 *
 * A training step takes buffers of the same sizes in the same order, so after
 * the first steps every chunk comes from the context's pool and the allocator
 * is not called again. */
#include "tensor/device.h"

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
#define REST_HOLES   16
#define REST_BYTES   ((size_t)1 << 20)

/* Device memory is no business of the host's AddressSanitizer. */
static void poison(const hg_region *r, const void *p, size_t n)
{
    (void)p, (void)n;
    if (!r->there)
        POISON(p, n);
}

static void unpoison(const hg_region *r, const void *p, size_t n)
{
    (void)p, (void)n;
    if (!r->there)
        UNPOISON(p, n);
}

void *hg_memory_try(hg_context *context, size_t size)
{
    const hg_allocator *a = &context->allocator;
    void *p = a->allocate(a->user, size);
    if (!p)
        return NULL;
    context->bytes += size;
    if (context->bytes > context->peak)
        context->peak = context->bytes;
    return p;
}

/* Chunks that nobody uses may be too small, or too many, for what is asked. */
void *hg_memory_allocate(hg_context *context, size_t size)
{
    void *p = hg_memory_try(context, size);
    if (!p && hg_spare_release(context, false))
        p = hg_memory_try(context, size);
    if (!p)
        hg_fail(HG_ERROR_MEMORY,
                "%zu bytes could not be allocated (%zu held already); try a "
                "smaller batch or model",
                size, context->bytes);
    return p;
}

void hg_memory_release(hg_context *context, void *p, size_t size)
{
    if (!p)
        return;
    context->bytes -= size;
    context->allocator.release(context->allocator.user, p, size);
}

/* The smallest pooled chunk that fits and is not wastefully large; of equals
 * the one at the lowest address, so that equal steps get equal memory. */
static hg_chunk *recycled(hg_chunk **pool, size_t size)
{
    hg_chunk **best = NULL;
    for (hg_chunk **c = pool; *c; c = &(*c)->next)
        if ((*c)->size >= size && (*c)->size <= 2 * size + CHUNK_BYTES &&
            (!best || (*c)->size < (*best)->size ||
             ((*c)->size == (*best)->size && (*c)->start < (*best)->start)))
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
    if (!chunk)
        return NULL;
    uintptr_t p = (uintptr_t)chunk + CHUNK_HEADER;
    chunk->start = (char *)((p + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN);
    chunk->size = size;
    return chunk;
}

/* Device memory under a header on the host. */
static hg_chunk *chunk_there(hg_context *context, size_t size)
{
    hg_chunk *chunk = hg_memory_allocate(context, sizeof *chunk);
    if (!chunk)
        return NULL;
    chunk->start = hg_device_allocate(context, size);
    chunk->size = size;
    if (chunk->start)
        return chunk;
    hg_memory_release(context, chunk, sizeof *chunk);
    return NULL;
}

static bool grow(hg_region *r, size_t size)
{
    size_t want = size > CHUNK_BYTES ? size : CHUNK_BYTES;
    hg_chunk *chunk = recycled(&r->context->free_chunks[r->there], want);
    if (!chunk)
        chunk = r->there ? chunk_there(r->context, want)
                         : chunk_new(r->context, want);
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
        poison(r, chunk->start, chunk->size);
        return true;
    }
    r->cursor = chunk->start;
    r->left = chunk->size;
    poison(r, r->cursor, r->left);
    return true;
}

/* ---- Holes -------------------------------------------------------------- */

/* On the host the hole is kept in the buffer itself. */
static hg_hole *hole_at(hg_region *r, void *p)
{
    if (!r->there)
        return p;
    hg_context *context = r->context;
    hg_hole *hole = context->free_holes;
    if (!hole)
        return hg_region_take(&context->region, sizeof *hole);
    context->free_holes = hole->next;
    return hole;
}

/* On a GPU small buffers rest a while: work on one that was given back just now
 * would have to wait for the work that used it before, and could not share its
 * launch (fuse.h). */
static bool rests(const hg_region *r, size_t size, int newer)
{
    return r->there && size <= REST_BYTES && newer < REST_HOLES;
}

static void *from_hole(hg_region *r, size_t size)
{
    int seen = 0;
    for (hg_hole **h = &r->holes; *h && seen < MOST_HOLES;
         h = &(*h)->next, seen++) {
        if ((*h)->size != size || rests(r, size, seen))
            continue;
        hg_hole *hole = *h;
        void *start = hole->start;
        *h = hole->next;
        if (r->there) {
            hole->next = r->context->free_holes;
            r->context->free_holes = hole;
        }
        unpoison(r, start, size);
        return start;
    }
    return NULL;
}

void hg_region_give(hg_region *r, void *p, size_t bytes)
{
    size_t size =
        bytes ? (bytes + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN : HG_ALIGN;
    unpoison(r, p, size);
    hg_hole *hole = hole_at(r, p);
    if (!hole)
        return; /* lost until the region ends */
    *hole = (hg_hole){r->holes, p, size};
    r->holes = hole;
    if (!r->there)
        poison(r, (char *)p + sizeof *hole, size - sizeof *hole);
}

/* ---- Taking ------------------------------------------------------------- */

static void *from_own_chunk(hg_region *r, size_t size)
{
    bool first = !r->chunks;
    if (!grow(r, size))
        return NULL;
    hg_chunk *chunk = first ? r->chunks : r->chunks->next;
    unpoison(r, chunk->start, size);
    return chunk->start;
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
    unpoison(r, p, bytes ? bytes : 1);
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

/* ---- The end ------------------------------------------------------------ */

static void free_holes(hg_region *r)
{
    for (hg_hole *hole; r->there && (hole = r->holes);) {
        r->holes = hole->next;
        hole->next = r->context->free_holes;
        r->context->free_holes = hole;
    }
    r->holes = NULL;
}

void hg_region_free(hg_region *r)
{
    free_holes(r);
    while (r->chunks) {
        hg_chunk *chunk = r->chunks, **pool;
        r->chunks = chunk->next;
        poison(r, chunk->start, chunk->size);
        pool = &r->context->free_chunks[r->there];
        chunk->next = *pool;
        *pool = chunk;
    }
    r->cursor = NULL;
    r->left = 0;
}

static void chunk_release(hg_context *context, hg_chunk *c, bool there)
{
    if (there)
        hg_device_release(context, c->start, c->size);
    else
        UNPOISON(c->start, c->size);
    hg_memory_release(context, c,
                      there ? sizeof *c : c->size + 2 * CHUNK_HEADER);
}

bool hg_spare_release(hg_context *context, bool there)
{
    hg_chunk **pool = &context->free_chunks[there];
    bool any = *pool != NULL;
    for (hg_chunk *c; (c = *pool);) {
        *pool = c->next;
        chunk_release(context, c, there);
    }
    return any;
}

void hg_chunks_release(hg_context *context)
{
    hg_spare_release(context, true);
    hg_spare_release(context, false);
}
