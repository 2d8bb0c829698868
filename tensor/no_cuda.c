/* no_cuda.c - stands in for the GPU in a build without CUDA: there is no
 * device, which a sentence says; nothing else here is ever reached, since no
 * context of such a build has a device. */
#include "tensor/device.h"

#include <string.h>

#define REASON "this build has no CUDA kernels (nvcc was not found)"

int hg_device_count(char *reason, size_t size)
{
    snprintf(reason, size, "%s", REASON);
    return 0;
}

bool hg_device_ask(int ordinal, hg_device_facts *facts)
{
    (void)ordinal;
    memset(facts, 0, sizeof *facts);
    return false;
}

const char *hg_device_version(void)
{
    return "not in this build";
}

const char *hg_device_products(void)
{
    return "none";
}

bool hg_device_open(hg_context *context, int ordinal)
{
    (void)ordinal;
    return hg_fail(HG_ERROR_DEVICE, "device %s: %s; use --device cpu",
                   context->device, REASON);
}

void hg_device_close(hg_context *context)
{
    (void)context;
}

void *hg_device_allocate(hg_context *context, size_t bytes)
{
    (void)context, (void)bytes;
    return NULL;
}

void hg_device_release(hg_context *context, void *p, size_t bytes)
{
    (void)context, (void)p, (void)bytes;
}

size_t hg_device_free(hg_context *context)
{
    (void)context;
    return 0;
}

bool hg_device_upload(hg_context *context, void *to, const void *from,
                      size_t bytes)
{
    (void)context, (void)to, (void)from, (void)bytes;
    return false;
}

bool hg_device_download(hg_context *context, void *to, const void *from,
                        size_t bytes)
{
    return hg_device_upload(context, to, from, bytes);
}

bool hg_device_echo(hg_context *context, int slot, const void *from,
                    size_t bytes)
{
    (void)slot;
    return hg_device_upload(context, NULL, from, bytes);
}

const void *hg_device_echoed(hg_context *context, int slot, bool wait)
{
    (void)context, (void)slot, (void)wait;
    return NULL;
}

bool hg_device_copy(hg_context *context, void *to, const void *from,
                    size_t bytes)
{
    return hg_device_upload(context, to, from, bytes);
}

bool hg_device_write(hg_context *context, void *to, const void *from,
                     size_t bytes)
{
    return hg_device_upload(context, to, from, bytes);
}

bool hg_device_copy_strided(hg_context *context, void *to, const void *from,
                            hg_shape shape, const int64_t *stride, size_t size)
{
    (void)shape, (void)stride;
    return hg_device_upload(context, to, from, size);
}

bool hg_device_fill(hg_context *context, hg_real *to, int64_t n, hg_real value)
{
    (void)n, (void)value;
    return hg_device_upload(context, to, NULL, 0);
}

bool hg_device_add(hg_context *context, double *sum, const hg_real *x,
                   int64_t n)
{
    (void)x, (void)n;
    return hg_device_upload(context, sum, NULL, 0);
}

void *hg_device_scratch(hg_context *context, size_t bytes)
{
    return hg_device_allocate(context, bytes);
}

bool hg_queue(hg_context *context, const char *name, const hg_work *work,
              const void *arguments, size_t bytes, const void *more,
              size_t more_bytes)
{
    (void)name, (void)work, (void)more, (void)more_bytes;
    return hg_device_upload(context, NULL, arguments, bytes);
}

void *hg_part_room(hg_context *context, size_t bytes)
{
    (void)context, (void)bytes;
    return NULL;
}

void *hg_control_put(hg_context *context, const void *values, size_t bytes)
{
    (void)values;
    return hg_device_allocate(context, bytes);
}

const uint64_t *hg_control_step(hg_context *context)
{
    (void)context;
    return NULL;
}

size_t hg_control_room(void)
{
    return 0;
}

bool hg_flush(hg_context *context)
{
    (void)context;
    return true;
}

hg_queued hg_queue_end(const hg_context *context)
{
    (void)context;
    return (hg_queued){0, 0};
}

bool hg_queue_ran(const hg_context *context, hg_queued entry)
{
    (void)context, (void)entry;
    return true;
}
