/* cuda_queue.c - work waits in a queue until someone needs a value or a scope
 * ends; a queue that was seen before is replayed as one CUDA graph.
 *
 * The queue is a row of bytes: what to run and its arguments, addresses
 * included. Two steps whose bytes are equal do the same work on the same
 * memory, so a replay gives the bits of a run without one by construction.
 * Steps come out equal because scopes take their memory from recycled chunks
 * in the same order each time. What may differ from step to step lies in the
 * control block, which every flush copies over first. */
#include "tensor/cuda.h"

#include <string.h>

enum {
    ALIGN = 16,
    CONTROL_BYTES = 1 << 17,
    OWN_CONTROL = 64,
    THERE_BYTES = CONTROL_BYTES + sizeof(hg_complaint)
};

static size_t rounded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* ---- The control block -------------------------------------------------- */

bool hg_cuda_control_open(hg_device *d)
{
    d->control_used = OWN_CONTROL;
    d->control_there = hg_device_allocate(d->context, THERE_BYTES);
    if (!d->control_there)
        return false;
    d->complaint = (hg_complaint *)(d->control_there + CONTROL_BYTES);
    for (int i = 0; i < HG_CONTROL_RING; i++) {
        cudaError_t error =
            cudaMallocHost((void **)&d->control[i], CONTROL_BYTES);
        if (error == cudaSuccess)
            error = cudaEventCreateWithFlags(&d->control_free[i],
                                             cudaEventDisableTiming);
        if (error != cudaSuccess)
            return hg_cuda_fail(d->context, "page-locked memory", error);
        memset(d->control[i], 0, CONTROL_BYTES);
    }
    return hg_device_upload(d->context, d->complaint, &hg_no_complaint,
                            sizeof hg_no_complaint);
}

static void control_close(hg_device *d)
{
    for (int i = 0; i < HG_CONTROL_RING; i++) {
        if (d->control_free[i])
            cudaEventDestroy(d->control_free[i]);
        if (d->control[i])
            cudaFreeHost(d->control[i]);
    }
    hg_device_release(d->context, d->control_there, THERE_BYTES);
}

size_t hg_control_room(void)
{
    return CONTROL_BYTES - OWN_CONTROL;
}

void *hg_control_put(hg_context *context, const void *values, size_t bytes)
{
    hg_device *d = context->gpu;
    if (d->control_used + bytes > CONTROL_BYTES && !hg_flush(context))
        return NULL;
    if (d->control_used + bytes > CONTROL_BYTES) {
        hg_fail(HG_ERROR_ARGUMENT,
                "%zu bytes are more than a control block of %d holds", bytes,
                (int)CONTROL_BYTES);
        return NULL;
    }
    size_t at = d->control_used;
    memcpy(d->control[d->control_slot] + at, values, bytes);
    d->control_used = rounded(at + bytes);
    return d->control_there + at;
}

const uint64_t *hg_control_step(hg_context *context)
{
    return (const uint64_t *)context->gpu->control_there;
}

/* The block travels before the work that reads it. */
static cudaError_t send_control(hg_device *d)
{
    cudaStream_t stream = (cudaStream_t)d->stream.handle;
    int slot = d->control_slot;
    memcpy(d->control[slot], &d->context->control.step, sizeof(uint64_t));
    cudaError_t error =
        cudaMemcpyAsync(d->control_there, d->control[slot], d->control_used,
                        cudaMemcpyHostToDevice, stream);
    if (error == cudaSuccess)
        error = cudaEventRecord(d->control_free[slot], stream);
    d->control_slot = (slot + 1) % HG_CONTROL_RING;
    d->control_used = OWN_CONTROL;
    if (error == cudaSuccess)
        error = cudaEventSynchronize(d->control_free[d->control_slot]);
    return error;
}

/* ---- The queue ---------------------------------------------------------- */

static bool grow(hg_device *d, size_t bytes)
{
    if (d->used + bytes <= d->room)
        return true;
    size_t room = 2 * d->room + bytes + 65536;
    char *queue = hg_memory_allocate(d->context, room);
    if (!queue)
        return false;
    if (d->used)
        memcpy(queue, d->queue, d->used);
    hg_memory_release(d->context, d->queue, d->room);
    d->queue = queue;
    d->room = room;
    return true;
}

bool hg_queue(hg_context *context, const char *name, const hg_work *work,
              const void *arguments, size_t bytes, const void *more,
              size_t more_bytes)
{
    hg_device *d = context->gpu;
    size_t first = rounded(bytes);
    size_t size = HG_ENTRY_HEAD + first + rounded(more_bytes);
    if (!grow(d, size))
        return false;
    char *at = d->queue + d->used;
    memset(at, 0, size);
    memcpy(at, &(hg_entry_head){name, work, size}, sizeof(hg_entry_head));
    memcpy(at + HG_ENTRY_HEAD, arguments, bytes);
    if (more_bytes)
        memcpy(at + HG_ENTRY_HEAD + first, more, more_bytes);
    d->used += size;
    d->entries++;
    context->queued++;
    return !context->eager || hg_flush(context);
}

/* ---- Running ------------------------------------------------------------ */

/* With an error pending from before, what was queued earlier still runs:
 * reads work. */
static bool run_entries(hg_device *d)
{
    bool before = hg_error() != NULL;
    hg_entry_head e;
    for (d->ran = 0; d->ran < d->used; d->ran += e.bytes) {
        memcpy(&e, d->queue + d->ran, sizeof e);
        e.work->run(&d->stream, d->queue + d->ran + HG_ENTRY_HEAD);
        cudaError_t error = cudaGetLastError();
        if (error != cudaSuccess)
            return hg_cuda_fail(d->context, e.name, error);
        if (!before && hg_error())
            return false;
    }
    return true;
}

static bool run_or_fuse(hg_device *d)
{
    return d->fused ? hg_run_fused(d) : run_entries(d);
}

static void forget_run(hg_device *d)
{
    d->ran = 0;
    d->fuser.launched = 0;
}

static bool run_once(hg_device *d, int slot)
{
    d->fused = hg_fuse_queue(d, slot);
    return run_or_fuse(d);
}

static hg_plan *find(hg_device *d)
{
    for (int i = 0; i < HG_PLANS; i++) {
        hg_plan *p = &d->plans[i];
        if (p->size == d->used && !memcmp(p->bytes, d->queue, d->used))
            return p;
    }
    return NULL;
}

static void forget(hg_device *d, hg_plan *p)
{
    if (p->graph)
        cudaGraphExecDestroy(p->graph);
    hg_memory_release(d->context, p->bytes, p->room);
    *p = (hg_plan){0};
}

/* Puts the queue in the place of the plan that was unused for longest. */
static hg_plan *remember(hg_device *d)
{
    hg_plan *oldest = &d->plans[0];
    for (int i = 1; i < HG_PLANS; i++)
        if (d->plans[i].used < oldest->used)
            oldest = &d->plans[i];
    if (oldest->room < d->used) {
        forget(d, oldest);
        size_t room = d->used + d->used / 4;
        oldest->bytes = hg_memory_try(d->context, room);
        if (!oldest->bytes)
            return NULL;
        oldest->room = room;
    } else if (oldest->graph) {
        cudaGraphExecDestroy(oldest->graph);
        oldest->graph = NULL;
    }
    oldest->seen = 0;
    oldest->size = d->used;
    memcpy(oldest->bytes, d->queue, d->used);
    return oldest;
}

static cudaError_t capture(hg_device *d, hg_plan *p)
{
    cudaStream_t stream = (cudaStream_t)d->stream.handle;
    cudaGraph_t graph = NULL;
    uint64_t before = d->stream.launches;
    d->fused = hg_fuse_queue(d, (int)(p - d->plans));
    cudaError_t error =
        cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    if (error != cudaSuccess)
        return error;
    bool ran = run_or_fuse(d);
    forget_run(d); /* it was written down only */
    p->launches = d->stream.launches - before;
    d->stream.launches = before;
    error = cudaStreamEndCapture(stream, &graph);
    if (ran && error == cudaSuccess)
        error = cudaGraphInstantiate(&p->graph, graph, 0);
    if (graph)
        cudaGraphDestroy(graph);
    return error;
}

/* One by one, whatever shares a launch in the graph. */
static bool run_apart(hg_device *d)
{
    bool fused = d->fused;
    d->fused = false;
    if (!run_entries(d))
        return false;
    d->fused = fused;
    forget_run(d);
    return true;
}

static bool replay(hg_device *d, hg_plan *p)
{
    cudaError_t error = p->graph ? cudaSuccess : capture(d, p);
    bool verify = d->context->verify && error == cudaSuccess;
    if (error == cudaSuccess && !p->graph)
        return false; /* an entry has said why */
    if (verify && !hg_verify_before(d, run_apart))
        return false;
    if (error == cudaSuccess)
        error = cudaGraphLaunch(p->graph, (cudaStream_t)d->stream.handle);
    if (error != cudaSuccess)
        return hg_cuda_fail(d->context, "replaying a step", error);
    d->stream.launches += p->launches;
    d->context->replays++;
    return !verify || hg_verify_after(d);
}

/* Single operations between two reads are not worth a graph, nor a look at
 * who can share a launch. */
enum { FEWEST_ENTRIES = 4 };

static bool run_queue(hg_device *d)
{
    uint64_t *ran = d->context->ran;
    bool few = d->entries < FEWEST_ENTRIES;
    bool plans = d->context->replay && !few;
    hg_plan *p = plans ? find(d) : NULL;
    if (plans && !p)
        p = remember(d); /* NULL without memory for it */
    ran[!plans           ? HG_RAN_AT_ONCE
        : !p || !p->seen ? HG_RAN_NEW
        : p->graph       ? HG_RAN_REPLAYED
                         : HG_RAN_CAPTURED]++;
    if (!p)
        return few ? run_entries(d) : run_once(d, HG_PLANS);
    p->used = d->flushes;
    return p->seen++ ? replay(d, p) : run_once(d, (int)(p - d->plans));
}

bool hg_flush(hg_context *context)
{
    hg_device *d = context->gpu;
    if (!d || !d->used)
        return true;
    cudaSetDevice(d->ordinal);
    d->flushes++;
    d->fused = false;
    forget_run(d);
    context->flushing = true;
    cudaError_t error = send_control(d);
    bool ok = error == cudaSuccess ? run_queue(d)
                                   : hg_cuda_fail(context, "a copy", error);
    if (!ok)
        hg_undo_void(context);
    d->used = 0;
    d->entries = 0;
    context->launches = d->stream.launches;
    context->flushing = false;
    if (!ok) {
        hg_undo_all(context);
        hg_spare_release(context, true); /* room for the next try */
    }
    return ok;
}

hg_queued hg_queue_end(const hg_context *context)
{
    const hg_device *d = context->gpu;
    return d ? (hg_queued){d->flushes + 1, d->used} : (hg_queued){0};
}

bool hg_queue_ran(const hg_context *context, hg_queued entry)
{
    const hg_device *d = context->gpu;
    if (entry.queue != d->flushes)
        return true;
    return d->fused ? hg_fused_ran(d, d->queue + entry.at + HG_ENTRY_HEAD)
                    : entry.at < d->ran;
}

void hg_cuda_queue_close(hg_device *d)
{
    d->used = 0; /* nobody will look at what it would compute */
    d->entries = 0;
    for (int i = 0; i < HG_PLANS; i++)
        forget(d, &d->plans[i]);
    hg_memory_release(d->context, d->queue, d->room);
    hg_fuser_close(d);
    control_close(d);
}
