// Streams: queues of work that run at once, or (settings().async) only when
// something waits for them, the youngest stream first: missing
// synchronisation then shows every time.
#include "stream.h"

#include <algorithm>

namespace cuda_on_cpu
{
namespace
{
CUstream_st legacy;
// Destroyed streams are kept to the end, as events may name them; those never
// destroyed are then leaks that a leak checker sees.
struct Streams : std::vector<cudaStream_t> {
    ~Streams()
    {
        for (cudaStream_t s : *this)
            if (s->destroyed)
                delete s;
    }
} streams;
} // namespace

std::vector<cudaStream_t> &all_streams()
{
    return streams;
}

cudaStream_t real_stream(cudaStream_t stream)
{
    if (!stream || stream == cudaStreamLegacy || stream == cudaStreamPerThread)
        return &legacy;
    return stream->destroyed ? nullptr : stream;
}

static void count(Kind kind)
{
    counts.launches += kind == Kind::kernel;
    counts.copies += kind == Kind::copy;
    counts.memsets += kind == Kind::set;
    counts.library_calls += kind == Kind::library;
}

void perform(const Work &work)
{
    if (lost_device())
        return;
    count(work.kind);
    OpenMemory open;
    work.run();
}

void run_until(cudaStream_t stream, uint64_t number)
{
    while (stream->done < number && !stream->queue.empty()) {
        Item item = std::move(stream->queue.front());
        stream->queue.pop_front();
        for (const Point &p : item.after)
            run_until(p.stream, p.number);
        perform(item.work);
        stream->done++;
    }
}

void run_everything()
{
    for (size_t i = streams.size(); i-- > 0;)
        run_until(streams[i], streams[i]->submitted);
    run_until(&legacy, legacy.submitted);
}

// The legacy stream waits for the blocking streams and they for it.
static void order_with_legacy(cudaStream_t stream, Item &item)
{
    if (stream == &legacy) {
        for (cudaStream_t s : streams)
            if (s->blocking && s->submitted > s->done)
                item.after.push_back({s, s->submitted});
    } else if (stream->blocking && legacy.submitted > legacy.done) {
        item.after.push_back({&legacy, legacy.submitted});
    }
}

// Work in the legacy stream would depend on a captured blocking stream.
static bool legacy_is_captured()
{
    bool captured = false;
    for (cudaStream_t s : streams)
        if (s->blocking && s->capture) {
            s->capture->invalid = true;
            captured = true;
        }
    return captured;
}

cudaError_t enqueue(cudaStream_t stream, Work work)
{
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    stream = real_stream(stream);
    if (!stream)
        return fail(cudaErrorInvalidResourceHandle);
    if (lost_device())
        return lost_device();
    if (stream->capture) {
        if (stream->capture->invalid)
            return fail(cudaErrorStreamCaptureInvalidated);
        capture_work(stream, std::move(work));
        return cudaSuccess;
    }
    if (stream == &legacy && legacy_is_captured())
        return fail(cudaErrorStreamCaptureImplicit);
    Item item{std::move(work), std::move(stream->after)};
    stream->after.clear();
    order_with_legacy(stream, item);
    stream->queue.push_back(std::move(item));
    stream->submitted++;
    if (!settings().async)
        run_until(stream, stream->submitted);
    return lost_device();
}

cudaError_t run_stream(cudaStream_t stream)
{
    stream = real_stream(stream);
    if (stream == &legacy)
        for (cudaStream_t s : streams)
            if (s->blocking)
                run_until(s, s->submitted);
    run_until(stream, stream->submitted);
    return lost_device();
}
} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

extern "C" {
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    Lock lock;
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    *stream = new CUstream_st;
    (*stream)->blocking = !(flags & cudaStreamNonBlocking);
    streams.push_back(*stream);
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    Lock lock;
    if (!stream || stream->destroyed)
        return fail(cudaErrorInvalidResourceHandle);
    run_until(stream, stream->submitted);
    if (stream->capture)
        stream->capture->invalid = true;
    stream->capture.reset();
    stream->destroyed = true;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    Lock lock;
    stream = real_stream(stream);
    if (!stream)
        return fail(cudaErrorInvalidResourceHandle);
    if (stream->capture) {
        stream->capture->invalid = true;
        return fail(cudaErrorStreamCaptureUnsupported);
    }
    counts.waits++;
    return run_stream(stream);
}

// "Not ready" is said once; then the work runs, so that polling ends.
cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    Lock lock;
    stream = real_stream(stream);
    if (!stream)
        return fail(cudaErrorInvalidResourceHandle);
    bool ready = stream->queue.empty();
    run_stream(stream);
    return lost_device() ? lost_device()
           : ready       ? cudaSuccess
                         : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize(void)
{
    Lock lock;
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    if (capture_forbids())
        return fail(cudaErrorStreamCaptureUnsupported);
    counts.waits++;
    run_everything();
    return lost_device();
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function,
                               void *user_data)
{
    Lock lock;
    Work work;
    work.kind = Kind::host;
    work.run = [=] { function(user_data); };
    return enqueue(stream, std::move(work));
}
}
