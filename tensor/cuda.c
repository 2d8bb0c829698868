/* cuda.c - finding a GPU, its memory, and copies to and from it, with the CUDA
 * runtime. What is queued for it is in cuda_queue.c. */
#include "tensor/cuda.h"

#include <stdio.h>
#include <string.h>

bool hg_cuda_fail(hg_context *context, const char *what, cudaError_t error)
{
    return hg_fail(HG_ERROR_DEVICE, "%s on device %s failed: %s (%s)", what,
                   context->device, cudaGetErrorString(error),
                   cudaGetErrorName(error));
}

/* ---- What there is ------------------------------------------------------ */

int hg_device_count(char *reason, size_t size)
{
    int count = 0, driver = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
        bool none = cudaDriverGetVersion(&driver) == cudaSuccess && !driver;
        snprintf(reason, size, "%s",
                 none ? "no NVIDIA driver was found"
                      : cudaGetErrorString(error));
        cudaGetLastError(); /* errors of the runtime stick, too */
        return 0;
    }
    if (!count)
        snprintf(reason, size, "no CUDA device is visible");
    return count;
}

bool hg_device_ask(int ordinal, hg_device_facts *facts)
{
    struct cudaDeviceProp p;
    int before = 0;
    memset(facts, 0, sizeof *facts);
    if (cudaGetDeviceProperties(&p, ordinal) != cudaSuccess ||
        cudaGetDevice(&before) != cudaSuccess ||
        cudaSetDevice(ordinal) != cudaSuccess) {
        cudaGetLastError();
        return false;
    }
    snprintf(facts->name, sizeof facts->name, "%.100s", p.name);
    facts->major = p.major;
    facts->minor = p.minor;
    cudaMemGetInfo(&facts->free, &facts->memory);
    cudaSetDevice(before);
    return true;
}

const char *hg_device_version(void)
{
    return HG_CUDA_TOOLKIT;
}

/* ---- Taking and leaving it ---------------------------------------------- */

static bool open_fails(hg_context *context, int ordinal)
{
    char reason[256];
    int count = hg_device_count(reason, sizeof reason);
    if (!count)
        return hg_fail(HG_ERROR_DEVICE,
                       "device %s: %s; use --device cpu, and see hourglass "
                       "doctor",
                       context->device, reason);
    return hg_fail(HG_ERROR_DEVICE,
                   "device %s: there %s %d, number %d is not among them; use "
                   "cuda:0 to cuda:%d",
                   context->device, count == 1 ? "is" : "are", count, ordinal,
                   count - 1);
}

bool hg_device_open(hg_context *context, int ordinal)
{
    hg_device *d = hg_memory_allocate(context, sizeof *d);
    if (!d)
        return false;
    memset(d, 0, sizeof *d);
    d->context = context;
    d->ordinal = ordinal;
    cudaError_t error = cudaSetDevice(ordinal);
    if (error == cudaSuccess)
        error = cudaStreamCreateWithFlags((cudaStream_t *)&d->stream.handle,
                                          cudaStreamNonBlocking);
    if (error != cudaSuccess) {
        cudaGetLastError();
        hg_memory_release(context, d, sizeof *d);
        return open_fails(context, ordinal);
    }
    context->gpu = d;
    if (hg_cuda_control_open(d))
        return true;
    hg_device_close(context);
    return false;
}

void hg_device_close(hg_context *context)
{
    hg_device *d = context->gpu;
    if (!d)
        return;
    cudaSetDevice(d->ordinal);
    cudaStreamSynchronize((cudaStream_t)d->stream.handle);
    hg_cuda_queue_close(d);
    hg_cuda_echo_close(d);
    for (hg_device_slab *s; (s = d->scratch);) {
        d->scratch = s->next;
        hg_device_release(context, s->data, s->bytes);
        hg_memory_release(context, s, sizeof *s);
    }
    if (d->stream.blas)
        hg_cublas_close(context);
    hg_verify_close(d);
    cudaStreamDestroy((cudaStream_t)d->stream.handle);
    cudaGetLastError();
    hg_memory_release(context, d, sizeof *d);
    context->gpu = NULL;
}

/* ---- Memory ------------------------------------------------------------- */

static size_t bytes_in(const hg_chunk *c)
{
    size_t bytes = 0;
    for (; c; c = c->next)
        bytes += c->size;
    return bytes;
}

static bool fail_memory(hg_context *context, size_t bytes)
{
    size_t available = 0, total = 0, open = 0;
    for (const hg_scope *s = hg_ambient_here()->scope; s; s = s->parent)
        if (s->owner.context == context)
            open += bytes_in(s->owner.there.chunks);
    cudaGetLastError();
    cudaMemGetInfo(&available, &total);
    return hg_fail(HG_ERROR_MEMORY,
                   "%zu bytes could not be allocated on device %s: this "
                   "context holds %zu there (%zu in the tensors of open "
                   "scopes, %zu in data sets, %zu to spare, the rest in "
                   "parameters, their gradients and optimisers), %zu of %zu "
                   "are free; try a smaller batch or model",
                   bytes, context->device, context->device_bytes, open,
                   context->device_data, bytes_in(context->free_chunks[1]),
                   available, total);
}

/* Chunks that nobody uses may be too small, or too many, for what is asked. A
 * queue that is run may have work for them yet: they are given back after it.
 */
static void *allocate(hg_context *context, size_t bytes)
{
    void *p = NULL;
    cudaSetDevice(context->gpu->ordinal);
    if (cudaMalloc(&p, bytes) == cudaSuccess)
        return p;
    cudaGetLastError();
    if (context->flushing || !hg_spare_release(context, true))
        return NULL;
    return cudaMalloc(&p, bytes) == cudaSuccess ? p : NULL;
}

void *hg_device_allocate(hg_context *context, size_t bytes)
{
    void *p = allocate(context, bytes);
    if (!p) {
        fail_memory(context, bytes);
        return NULL;
    }
    context->device_bytes += bytes;
    if (context->device_bytes > context->device_peak)
        context->device_peak = context->device_bytes;
    if (hg_verify_watch(context->gpu, p, bytes))
        return p;
    hg_device_release(context, p, bytes);
    return NULL;
}

void hg_device_release(hg_context *context, void *p, size_t bytes)
{
    if (!p)
        return;
    (void)hg_flush(context); /* what is queued may use it */
    if (context->gpu)
        hg_verify_forget(context->gpu, p);
    cudaFree(p); /* waits for what may still use it */
    context->device_bytes -= bytes;
}

size_t hg_device_free(hg_context *context)
{
    size_t available = 0, total = 0;
    cudaSetDevice(context->gpu->ordinal);
    return cudaMemGetInfo(&available, &total) == cudaSuccess ? available : 0;
}

void *hg_device_scratch(hg_context *context, size_t bytes)
{
    hg_device *d = context->gpu;
    if (d->scratch && d->scratch->bytes >= bytes)
        return d->scratch->data;
    size_t size = bytes + bytes / 2 + 65536;
    hg_device_slab *s = hg_memory_allocate(context, sizeof *s);
    if (!s)
        return NULL;
    *s = (hg_device_slab){d->scratch, hg_device_allocate(context, size), size};
    if (!s->data) {
        hg_memory_release(context, s, sizeof *s);
        return NULL;
    }
    hg_verify_forget(d, s->data);
    d->scratch = s;
    return s->data;
}

/* ---- Copies that have happened at the end ------------------------------- */

static bool copy_now(hg_context *context, void *to, const void *from,
                     size_t bytes, enum cudaMemcpyKind kind)
{
    if (!bytes)
        return true;
    if (!hg_flush(context))
        return false;
    context->waits++;
    cudaStream_t stream = (cudaStream_t)context->gpu->stream.handle;
    cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, stream);
    if (error == cudaSuccess)
        error = cudaStreamSynchronize(stream);
    return error == cudaSuccess ||
           hg_cuda_fail(context,
                        kind == cudaMemcpyHostToDevice
                            ? "a copy to, or a kernel before it,"
                            : "a copy from, or a kernel before it,",
                        error);
}

bool hg_device_upload(hg_context *context, void *to, const void *from,
                      size_t bytes)
{
    context->queued++;
    return copy_now(context, to, from, bytes, cudaMemcpyHostToDevice);
}

bool hg_device_download(hg_context *context, void *to, const void *from,
                        size_t bytes)
{
    return copy_now(context, to, from, bytes, cudaMemcpyDeviceToHost) &&
           hg_device_heard(context);
}

/* ---- Complaints of kernels ---------------------------------------------- */

hg_complaint *hg_device_complaint(hg_context *context)
{
    context->gpu->listening = true;
    return context->gpu->complaint;
}

bool hg_device_heard(hg_context *context)
{
    hg_device *d = context->gpu;
    hg_complaint c;
    if (!d->listening)
        return true;
    if (!copy_now(context, &c, d->complaint, sizeof c, cudaMemcpyDeviceToHost))
        return false;
    if (!c.call)
        return true;
    hg_device_upload(context, d->complaint, &hg_no_complaint, sizeof c);
    return hg_complaint_fails(&c);
}
