// Events: points of a stream that others wait for; recorded in a stream that
// is being captured, they fork and join its graph.
#include "stream.h"

#include <time.h>

namespace cuda_on_cpu
{
static double clock_milliseconds()
{
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static bool is_pending(cudaEvent_t e)
{
    return e->stream && e->stream->done < e->number;
}

static cudaError_t wait_in_capture(cudaStream_t stream, cudaEvent_t event)
{
    if (event->capture->ended)
        return fail(cudaErrorCapturedEvent);
    if (stream->capture && stream->capture != event->capture) {
        stream->capture->invalid = event->capture->invalid = true;
        return fail(cudaErrorStreamCaptureMerge);
    }
    if (!stream->capture) {
        stream->capture = event->capture;
        stream->tail.clear();
    }
    stream->tail.insert(stream->tail.end(), event->nodes.begin(),
                        event->nodes.end());
    return cudaSuccess;
}

// Waiting for what is being captured would never end.
static cudaError_t refuse_captured(cudaEvent_t event)
{
    event->capture->invalid = true;
    return fail(cudaErrorCapturedEvent);
}
} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

extern "C" {
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned)
{
    Lock lock;
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    *event = new CUevent_st;
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    Lock lock;
    if (event->stream)
        run_until(event->stream, event->number);
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    Lock lock;
    stream = real_stream(stream);
    if (!stream)
        return fail(cudaErrorInvalidResourceHandle);
    event->capture = stream->capture;
    event->nodes = stream->tail;
    if (stream->capture)
        return cudaSuccess;
    if (event->stream) // the earlier marker writes into the same event
        run_until(event->stream, event->number);
    Work work;
    work.run = [event] { event->milliseconds = clock_milliseconds(); };
    cudaError_t error = enqueue(stream, std::move(work));
    event->stream = stream;
    event->number = stream->submitted;
    return error;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    Lock lock;
    if (event->capture)
        return refuse_captured(event);
    counts.waits++;
    if (event->stream)
        run_until(event->stream, event->number);
    return lost_device();
}

// As cudaStreamQuery: "not ready" is said once.
cudaError_t cudaEventQuery(cudaEvent_t event)
{
    Lock lock;
    if (event->capture)
        return refuse_captured(event);
    bool ready = !is_pending(event);
    if (!ready)
        run_until(event->stream, event->number);
    return lost_device() ? lost_device()
           : ready       ? cudaSuccess
                         : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start,
                                 cudaEvent_t end)
{
    Lock lock;
    if (!start->stream || !end->stream)
        return fail(cudaErrorInvalidResourceHandle);
    if (is_pending(start) || is_pending(end))
        return fail(cudaErrorNotReady);
    *milliseconds = (float)(end->milliseconds - start->milliseconds);
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event,
                                unsigned)
{
    Lock lock;
    stream = real_stream(stream);
    if (!stream)
        return fail(cudaErrorInvalidResourceHandle);
    if (event->capture)
        return wait_in_capture(stream, event);
    if (stream->capture) {
        stream->capture->invalid = true;
        return fail(cudaErrorStreamCaptureIsolation);
    }
    if (event->stream && event->stream != stream)
        stream->after.push_back({event->stream, event->number});
    return cudaSuccess;
}
}
