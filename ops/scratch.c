/* scratch.c - one buffer a context, which grows and is freed with it. */
#include "ops/scratch.h"

typedef struct {
    hg_context *context;
    void *data;
    size_t size;
} scratch;

static void destroy(void *object)
{
    scratch *s = object;
    hg_memory_release(s->context, s->data, s->size);
    s->context->library = NULL;
}

static scratch *scratch_of(hg_context *context)
{
    if (context->library)
        return context->library;
    scratch *s = hg_region_take_zeroed(&context->region, sizeof *s);
    if (!s)
        return NULL;
    s->context = context;
    if (!hg_context_own(context, s, destroy))
        return NULL;
    context->library = s;
    return s;
}

void *hg_scratch(hg_context *context, size_t bytes)
{
    scratch *s = scratch_of(context);
    if (!s)
        return NULL;
    size_t size = bytes + HG_ALIGN;
    if (s->size < size) {
        hg_memory_release(context, s->data, s->size);
        s->size = 0;
        s->data = hg_memory_allocate(context, size);
        if (!s->data)
            return NULL;
        s->size = size;
    }
    return (void *)(((uintptr_t)s->data + HG_ALIGN - 1) / HG_ALIGN * HG_ALIGN);
}
