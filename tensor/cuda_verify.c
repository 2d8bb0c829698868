/* cuda_verify.c - HOURGLASS_REPLAY=verify: what is about to be replayed first
 * runs one operation after another, from the same memory, and both must leave
 * the same bits. Memory of the context is copied to the host for that, all but
 * the working memory of kernels: slow, for tests and for doubts. */
#include "tensor/cuda.h"

#include <string.h>

/* ---- The memory that is compared ---------------------------------------- */

struct hg_watched {
    hg_watched *next;
    char *data;
    size_t bytes;
};

/* What is allocated while a queue runs is working memory. */
bool hg_verify_watch(hg_device *d, void *p, size_t bytes)
{
    if (!d->context->verify || d->context->flushing)
        return true;
    hg_watched *w = hg_memory_allocate(d->context, sizeof *w);
    if (!w)
        return false;
    *w = (hg_watched){d->verifier.watched, p, bytes};
    d->verifier.watched = w;
    return true;
}

void hg_verify_forget(hg_device *d, const void *p)
{
    for (hg_watched **at = &d->verifier.watched; *at; at = &(*at)->next)
        if ((*at)->data == p) {
            hg_watched *w = *at;
            *at = w->next;
            hg_memory_release(d->context, w, sizeof *w);
            return;
        }
}

void hg_verify_close(hg_device *d)
{
    hg_verifier *v = &d->verifier;
    while (v->watched)
        hg_verify_forget(d, v->watched->data);
    hg_memory_release(d->context, v->copies, 2 * v->room);
    *v = (hg_verifier){0};
}

/* ---- Copies of it ------------------------------------------------------- */

static size_t bytes_watched(const hg_verifier *v)
{
    size_t bytes = 0;
    for (const hg_watched *w = v->watched; w; w = w->next)
        bytes += w->bytes;
    return bytes;
}

static bool room_for_copies(hg_device *d)
{
    hg_verifier *v = &d->verifier;
    size_t bytes = bytes_watched(v);
    if (v->room >= bytes)
        return true;
    hg_memory_release(d->context, v->copies, 2 * v->room);
    v->copies = hg_memory_allocate(d->context, 2 * bytes);
    v->room = v->copies ? bytes : 0;
    return v->copies;
}

/* To the host, or back; the pointers tell where to, so that the emulated device
 * sees that the program asked for none of it. */
static bool copy(hg_device *d, char *here, bool back)
{
    cudaStream_t stream = (cudaStream_t)d->stream.handle;
    cudaError_t error = cudaSuccess;
    for (const hg_watched *w = d->verifier.watched; w && error == cudaSuccess;
         w = w->next) {
        error = cudaMemcpyAsync(back ? w->data : here, back ? here : w->data,
                                w->bytes, cudaMemcpyDefault, stream);
        here += w->bytes;
    }
    if (error == cudaSuccess)
        error = cudaStreamSynchronize(stream);
    return error == cudaSuccess ||
           hg_cuda_fail(d->context, "verifying a replay", error);
}

/* ---- Side by side ------------------------------------------------------- */

bool hg_verify_before(hg_device *d, bool (*run)(hg_device *))
{
    hg_verifier *v = &d->verifier;
    uint64_t launches = d->stream.launches;
    if (!room_for_copies(d) || !copy(d, v->copies, false) || !run(d) ||
        !copy(d, v->copies + v->room, false) || !copy(d, v->copies, true))
        return false;
    d->stream.launches = launches;
    return true;
}

bool hg_verify_after(hg_device *d)
{
    hg_verifier *v = &d->verifier;
    size_t bytes = bytes_watched(v), differing = 0;
    if (!copy(d, v->copies, false))
        return false;
    for (size_t i = 0; i < bytes; i++)
        differing += v->copies[i] != v->copies[v->room + i];
    d->context->verified++;
    return !differing ||
           hg_fail(HG_ERROR_DEVICE,
                   "replaying a step on device %s: %zu of %zu bytes are not "
                   "those that its %d operations leave one by one; "
                   "HOURGLASS_REPLAY=0 does without",
                   d->context->device, differing, bytes, d->entries);
}
