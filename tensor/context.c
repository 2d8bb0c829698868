/* context.c - device, seed, counters, and the list of what is owned. */
#include "tensor/device.h"
#include "tensor/cpu.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct hg_slab {
    hg_slab *next;
    hg_block block[64];
};

static void *libc_allocate(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void libc_release(void *user, void *pointer, size_t size)
{
    (void)user;
    (void)size;
    free(pointer);
}

hg_context *hg_context_new(const char *device, uint64_t seed)
{
    return hg_context_new_with(
        device, seed, (hg_allocator){libc_allocate, libc_release, NULL});
}

/* The N of "cuda:N" (0 for "cuda"); -1 for other devices. */
static int ordinal_of(const char *device)
{
    if (strncmp(device, "cuda", 4))
        return -1;
    if (!device[4])
        return 0;
    char *end;
    long n = strtol(device + 5, &end, 10);
    bool number = device[4] == ':' && device[5] >= '0' && device[5] <= '9';
    return number && !*end && n < 1024 ? (int)n : -1;
}

static bool device_known(const char *device)
{
    if (!device)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_context_new: the device is NULL; pass \"cpu\"");
    if (!strcmp(device, "cpu") || !strcmp(device, "auto"))
        return true;
    if (ordinal_of(device) >= 0)
        return true;
    return hg_fail(HG_ERROR_ARGUMENT,
                   "device %s is not known; try cpu, auto, cuda or cuda:N",
                   device);
}

/* "auto" is the first GPU, if there is one. */
static const char *device_chosen(const char *device)
{
    char reason[256];
    if (strcmp(device, "auto"))
        return device;
    return hg_device_count(reason, sizeof reason) ? "cuda:0" : "cpu";
}

static void forget_freed(const hg_context *context)
{
    hg_ambient *here = hg_ambient_here();
    for (int i = 0; i < 8; i++)
        if (here->freed[i] == context)
            here->freed[i] = NULL;
}

hg_context *hg_context_new_with(const char *device, uint64_t seed,
                                hg_allocator allocator)
{
    if (hg_error() || !device_known(device))
        return NULL;
    hg_context *context =
        allocator.allocate(allocator.user, sizeof(hg_context));
    if (!context) {
        hg_fail(HG_ERROR_MEMORY, "a context could not be allocated");
        return NULL;
    }
    memset(context, 0, sizeof *context);
    context->allocator = allocator;
    snprintf(context->device, sizeof context->device, "%s",
             device_chosen(device));
    context->control.seed = seed;
    context->region.context = context->there.context = context;
    context->there.there = true;
    context->bytes = context->peak = sizeof *context;
    context->isa = hg_cpu_isa();
    context->threads = hg_cpu_cores();
    const char *anomaly = getenv("HOURGLASS_ANOMALY");
    context->anomaly = anomaly && !strcmp(anomaly, "1");
    const char *replay = getenv("HOURGLASS_REPLAY");
    context->replay = !replay || strcmp(replay, "0");
    context->verify = replay && !strcmp(replay, "verify");
    const char *fuse = getenv("HOURGLASS_FUSE");
    context->fuse = !fuse || strcmp(fuse, "0");
    context->maker = hg_ambient_here();
    forget_freed(context);
    int ordinal = ordinal_of(context->device);
    if (ordinal < 0 || hg_device_open(context, ordinal))
        return context;
    allocator.release(allocator.user, context, sizeof *context);
    return NULL;
}

static void close_scopes_of(const hg_context *context)
{
    hg_ambient *here = hg_ambient_here();
    hg_scope *outermost = NULL;
    for (hg_scope *s = here->scope; s; s = s->parent)
        if (s->owner.context == context)
            outermost = s;
    if (outermost) {
        hg_scope_close(outermost);
        here->scope_lost = !here->scope;
    }
}

void hg_context_free(hg_context *context)
{
    if (!context)
        return;
    if (hg_context_was_freed(context)) {
        hg_fail(HG_ERROR_STATE, "hg_context_free: the context was freed "
                                "already; free it once");
        return;
    }
    close_scopes_of(context);
    for (hg_owned *o; (o = context->owned);) {
        context->owned = o->next;
        o->destroy(o->object);
    }
    for (hg_scope *s; (s = context->free_scopes);) {
        context->free_scopes = s->parent;
        hg_memory_release(context, s, sizeof *s);
    }
    for (hg_slab *slab; (slab = context->slabs);) {
        context->slabs = slab->next;
        hg_memory_release(context, slab, sizeof *slab);
    }
    hg_region_free(&context->there);
    hg_region_free(&context->region);
    hg_device_close(context);
    hg_chunks_release(context);
    hg_ambient *here = hg_ambient_here();
    if (context->maker == here)
        here->freed[here->freed_next++ % 8] = context;
    hg_allocator allocator = context->allocator;
    allocator.release(allocator.user, context, sizeof *context);
}

bool hg_context_own(hg_context *context, void *object,
                    void (*destroy)(void *object))
{
    hg_owned *o = hg_region_take(&context->region, sizeof *o);
    if (!o)
        return false;
    *o = (hg_owned){context->owned, object, destroy};
    context->owned = o;
    return true;
}

void hg_message(hg_context *context, const char *format, ...)
{
    char text[1024];
    if (!context->message)
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    context->message(context->message_user, text);
}

/* ---- Blocks: headers that are only ever headers ------------------------- */

static bool more_blocks(hg_context *context)
{
    hg_slab *slab = hg_memory_allocate(context, sizeof *slab);
    if (!slab)
        return false;
    memset(slab, 0, sizeof *slab);
    slab->next = context->slabs;
    context->slabs = slab;
    for (int i = 63; i >= 0; i--) {
        slab->block[i].older = context->free_blocks;
        context->free_blocks = &slab->block[i];
    }
    return true;
}

hg_tensor *hg_tensor_header(hg_owner *owner)
{
    hg_context *context = owner->context;
    if (!context->free_blocks && !more_blocks(context))
        return NULL;
    hg_block *b = context->free_blocks;
    context->free_blocks = b->older;
    memset(b, 0, sizeof *b);
    b->alive = HG_ALIVE;
    b->owner = owner;
    b->older = owner->newest;
    if (owner->newest)
        owner->newest->newer = b;
    owner->newest = b;
    return &b->t;
}

static void retire(hg_block **list, hg_block *b)
{
    b->alive = 0;
    b->older = *list;
    *list = b;
}

static void wake_resting(hg_context *context)
{
    for (hg_block *b; (b = context->resting_blocks);) {
        context->resting_blocks = b->older;
        retire(&context->free_blocks, b);
    }
}

void hg_tensor_drop(hg_tensor *t)
{
    hg_block *b = hg_block_of(t);
    hg_owner *owner = b->owner;
    if (b->newer)
        b->newer->older = b->older;
    else
        owner->newest = b->older;
    if (b->older)
        b->older->newer = b->newer;
    if (t->storage == &b->storage && b->storage.own)
        hg_region_give(owner->values, b->storage.data, b->storage.bytes);
    retire(&owner->context->free_blocks, b);
}

void hg_owner_init(hg_owner *owner, hg_context *context, hg_scope *scope)
{
    *owner = (hg_owner){.context = context,
                        .region = {.context = context},
                        .there = {.context = context, .there = true},
                        .scope = scope};
    owner->values = context->gpu ? &owner->there : &owner->region;
}

void hg_owner_free(hg_owner *owner)
{
    hg_context *context = owner->context;
    if (owner->scope)
        wake_resting(context);
    for (hg_block *b; (b = owner->newest);) {
        owner->newest = b->older;
        retire(owner->scope ? &context->resting_blocks : &context->free_blocks,
               b);
    }
    hg_region_free(&owner->there);
    hg_region_free(&owner->region);
}

/* More would not help, and OpenMP aborts the program where the system refuses
 * a thread. */
enum { MOST_THREADS = 1024 };

/* ---- Settings ----------------------------------------------------------- */

/* Settings work while an error is pending, like all that cannot fail. */
#define given(context) hg_context_given(context, __func__)

const char *hg_context_device(const hg_context *context)
{
    return given(context) ? context->device : "";
}

const char *hg_context_instructions(const hg_context *context)
{
    return given(context) ? hg_cpu_isa_name(context->isa) : "";
}

uint64_t hg_context_seed(const hg_context *context)
{
    return given(context) ? context->control.seed : 0;
}

void hg_context_set_threads(hg_context *context, int threads)
{
    if (given(context))
        context->threads = threads < 1              ? hg_cpu_cores()
                           : threads < MOST_THREADS ? threads
                                                    : MOST_THREADS;
}

int hg_context_threads(const hg_context *context)
{
    return given(context) ? context->threads : 0;
}

void hg_context_set_reference(hg_context *context, bool on)
{
    if (given(context))
        context->reference = on;
}

bool hg_context_set_precision(hg_context *context, hg_precision precision)
{
    static const char *const names[] = {"fp32", "tf32", "bf16"};
    if (!hg_context_usable(context, "hg_context_set_precision"))
        return false;
    if (precision < HG_FP32 || precision > HG_BF16)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "precision %d is not known; use "
                       "HG_FP32, HG_TF32 or HG_BF16",
                       (int)precision);
    if (precision != HG_FP32 && !context->gpu)
        return hg_fail(HG_ERROR_DEVICE,
                       "precision %s: device %s computes in fp32 only; use "
                       "fp32, or a GPU",
                       names[precision], context->device);
    context->precision = precision;
    return true;
}

void hg_context_set_anomaly(hg_context *context, bool on)
{
    if (given(context))
        context->anomaly = on;
}

void hg_context_on_message(hg_context *context,
                           void (*message)(void *, const char *), void *user)
{
    if (!given(context))
        return;
    context->message = message;
    context->message_user = user;
}

void hg_context_steps(const hg_context *context, uint64_t steps[2])
{
    memset(steps, 0, 2 * sizeof steps[0]);
    if (given(context))
        memcpy(steps, context->steps, sizeof context->steps);
}

void hg_context_set_steps(hg_context *context, const uint64_t steps[2])
{
    if (given(context))
        memcpy(context->steps, steps, sizeof context->steps);
}

size_t hg_context_bytes(const hg_context *context)
{
    return given(context) ? context->bytes + context->device_bytes : 0;
}

size_t hg_context_peak_bytes(const hg_context *context)
{
    return given(context) ? context->peak + context->device_peak : 0;
}

uint64_t hg_context_launches(const hg_context *context)
{
    return given(context) ? context->launches : 0;
}
