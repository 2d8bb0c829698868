// Copies and fills. From and to pageable host memory they are staged, as the
// real runtime does it; pinned memory is read and written when the stream gets
// there.
#include "emulator.h"

#include <string.h>

namespace cuda_on_cpu
{
static void copy_bytes(void *to, const void *from, size_t bytes)
{
    if (cuda_on_cpu_checker_copied)
        cuda_on_cpu_checker_copied(to, from, bytes);
    memmove(to, from, bytes);
}

static bool in_place(const char *what, const void *p, size_t bytes,
                     bool on_device)
{
    bool device = is_device(p, bytes);
    if (device == on_device)
        return true;
    problem("%s: %p (%zu bytes) is %s", what, p, bytes,
            device ? "device memory, host memory is expected"
                   : "not inside one device allocation");
    return false;
}

static cudaMemcpyKind resolve(cudaMemcpyKind kind, const void *to,
                              const void *from)
{
    if (kind != cudaMemcpyDefault)
        return kind;
    bool t = is_device(to, 1), f = is_device(from, 1);
    return f ? (t ? cudaMemcpyDeviceToDevice : cudaMemcpyDeviceToHost)
             : (t ? cudaMemcpyHostToDevice : cudaMemcpyHostToHost);
}

static bool valid_copy(void *to, const void *from, size_t bytes,
                       cudaMemcpyKind kind)
{
    bool to_device =
        kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    bool from_device =
        kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    return in_place("cudaMemcpy's destination", to, bytes, to_device) &&
           in_place("cudaMemcpy's source", from, bytes, from_device);
}

static Work copy_work(void *to, const void *from, size_t bytes, bool staged,
                      bool counted)
{
    Work work;
    work.kind = Kind::copy;
    if (staged) {
        const char *begin = (const char *)from;
        auto stage = std::make_shared<std::vector<char>>(begin, begin + bytes);
        work.run = [=] { copy_bytes(to, stage->data(), bytes); };
    } else {
        work.run = [=] {
            copy_bytes(to, from, bytes);
            if (counted)
                brought(to, bytes);
        };
    }
    return work;
}

static cudaError_t copy(void *to, const void *from, size_t bytes,
                        cudaMemcpyKind kind, cudaStream_t stream, bool wait)
{
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    if (lost_device())
        return lost_device();
    if (bytes == 0)
        return cudaSuccess;
    bool counted = kind == cudaMemcpyDeviceToHost;
    kind = resolve(kind, to, from);
    if (!valid_copy(to, from, bytes, kind))
        return fail(cudaErrorInvalidValue);
    if (wait && capture_forbids())
        return fail(cudaErrorStreamCaptureUnsupported);
    bool captured = is_capturing(stream);
    bool upload = kind == cudaMemcpyHostToDevice;
    const void *host = upload                           ? from
                       : kind == cudaMemcpyDeviceToHost ? to
                                                        : nullptr;
    bool pageable = host && !captured && !is_pinned(host, bytes);
    cudaError_t error = enqueue(
        stream, copy_work(to, from, bytes, pageable && upload, counted));
    bool waits = wait || (pageable && !upload) || kind == cudaMemcpyHostToHost;
    if (error != cudaSuccess || !waits || captured)
        return error;
    counts.waits++;
    return run_stream(stream);
}

static cudaError_t fill(void *to, int value, size_t bytes, cudaStream_t stream)
{
    if (settings().devices == 0)
        return fail(cudaErrorNoDevice);
    if (bytes == 0)
        return cudaSuccess;
    if (!is_pinned(to, bytes) && !in_place("cudaMemset", to, bytes, true))
        return fail(cudaErrorInvalidValue);
    Work work;
    work.kind = Kind::set;
    work.run = [=] {
        if (cuda_on_cpu_checker_written)
            cuda_on_cpu_checker_written(to, bytes, "cudaMemset");
        memset(to, value, bytes);
    };
    return enqueue(stream, std::move(work));
}

cudaError_t write_symbol(void *symbol, size_t symbol_bytes, const void *from,
                         size_t bytes, size_t offset, cudaStream_t stream,
                         bool wait)
{
    Lock lock;
    if (offset > symbol_bytes || bytes > symbol_bytes - offset)
        return fail(cudaErrorInvalidValue);
    if (wait && capture_forbids())
        return fail(cudaErrorStreamCaptureUnsupported);
    bool staged = !is_pinned(from, bytes);
    cudaError_t error = enqueue(
        stream, copy_work((char *)symbol + offset, from, bytes, staged, false));
    return error == cudaSuccess && wait ? run_stream(stream) : error;
}
} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

extern "C" {
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes,
                       enum cudaMemcpyKind kind)
{
    Lock lock;
    return copy(to, from, bytes, kind, 0, true);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                            enum cudaMemcpyKind kind, cudaStream_t stream)
{
    Lock lock;
    return copy(to, from, bytes, kind, stream, false);
}

cudaError_t cudaMemset(void *to, int value, size_t bytes)
{
    Lock lock;
    if (capture_forbids())
        return fail(cudaErrorStreamCaptureUnsupported);
    return fill(to, value, bytes, 0);
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes,
                            cudaStream_t stream)
{
    Lock lock;
    return fill(to, value, bytes, stream);
}
}
