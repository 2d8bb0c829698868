/* cuda_echo.c - values that come from the device by themselves: a copy behind
 * what is queued, into page-locked memory, and an event that tells of its
 * arrival. The host asks now and then, and never stops the queue. */
#include "tensor/cuda.h"

/* Slots are made when they are first used. */
static bool open_slot(hg_context *context, hg_echo *e)
{
    cudaError_t error = cudaSuccess;
    if (e->arrived)
        return true;
    if (!e->here)
        error = cudaMallocHost(&e->here, HG_ECHO_BYTES);
    if (error == cudaSuccess)
        error = cudaEventCreateWithFlags(&e->arrived, cudaEventDisableTiming);
    return error == cudaSuccess ||
           hg_cuda_fail(context, "page-locked memory", error);
}

bool hg_device_echo(hg_context *context, int slot, const void *from,
                    size_t bytes)
{
    hg_device *d = context->gpu;
    hg_echo *e = &d->echo[slot];
    cudaStream_t stream = (cudaStream_t)d->stream.handle;
    cudaSetDevice(d->ordinal); /* an event belongs to the one that is current */
    if (!hg_flush(context) || !open_slot(context, e))
        return false;
    cudaError_t error =
        cudaMemcpyAsync(e->here, from, bytes, cudaMemcpyDeviceToHost, stream);
    if (error == cudaSuccess)
        error = cudaEventRecord(e->arrived, stream);
    return error == cudaSuccess || hg_cuda_fail(context, "a copy from", error);
}

const void *hg_device_echoed(hg_context *context, int slot, bool wait)
{
    hg_echo *e = &context->gpu->echo[slot];
    cudaSetDevice(context->gpu->ordinal);
    cudaError_t error = cudaEventQuery(e->arrived);
    if (error == cudaErrorNotReady) {
        cudaGetLastError();
        if (!wait)
            return NULL;
        context->waits++;
        error = cudaEventSynchronize(e->arrived);
    }
    if (error == cudaSuccess)
        return e->here;
    hg_cuda_fail(context, "a copy from, or a kernel before it,", error);
    return NULL;
}

void hg_cuda_echo_close(hg_device *d)
{
    for (int i = 0; i < HG_ECHOES; i++) {
        if (d->echo[i].arrived)
            cudaEventDestroy(d->echo[i].arrived);
        if (d->echo[i].here)
            cudaFreeHost(d->echo[i].here);
    }
}
