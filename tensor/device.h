/* device.h - a GPU as the engine uses it.
 *
 * Work for a GPU is queued, not launched one by one: hg_queue notes what to
 * run, hg_flush runs it. Whoever wants values on the host flushes first. A
 * queue that was seen before, byte by byte, is replayed as one CUDA graph;
 * what may change from step to step (rates, indices, the step's number) is no
 * part of the queue but lies in device memory, put there by hg_control_put.
 *
 * tensor/cuda.c implements this with the CUDA runtime; tensor/no_cuda.c says
 * that this build has no CUDA. A context on the CPU has no device.
 */
#ifndef HG_DEVICE_H
#define HG_DEVICE_H

#include "tensor/internal.h"

HG_BEGIN_DECLS

/* Where kernels are launched; see launch.cuh. */
typedef struct {
    void *handle; /* cudaStream_t */
    void *blas;   /* cublasHandle_t, made at the first product */
    uint64_t launches;
} hg_stream;

/* What was queued behind `bytes` of arguments. */
#define HG_QUEUED_AFTER(arguments, bytes)                                      \
    ((const char *)(arguments) + ((bytes) + 15) / 16 * 16)

/* Runs one entry of the queue: launches kernels, never waits. */
typedef void hg_run(hg_stream *, const void *arguments);

/* What an entry does: how it runs by itself, and which parts it has, so that
 * others can share its launch (fuse.h). `parts` returns how many; NULL or 0:
 * nothing is known of it, and nothing passes it. */
typedef struct hg_part hg_part;
typedef struct {
    hg_run *run;
    int (*parts)(const void *arguments, hg_part *);
} hg_work;

/* ---- The device --------------------------------------------------------- */

/* What was found, for hourglass doctor. */
typedef struct {
    char name[128];
    int major, minor; /* compute capability */
    size_t memory, free;
} hg_device_facts;

/* How many devices there are; 0 and the reason as text if there are none. */
int hg_device_count(char *reason, size_t size);
bool hg_device_ask(int ordinal, hg_device_facts *);
/* "13.0, cuBLAS 13.0" or "not in this build". */
const char *hg_device_version(void);

/* Where matrix products come from: cuBLAS, or what is missing for it. */
const char *hg_device_products(void);

/* Takes device `ordinal` for the context; false and a sentence. */
bool hg_device_open(hg_context *, int ordinal);
void hg_device_close(hg_context *);

/* Device memory, 256-byte aligned; NULL and the memory error. */
void *hg_device_allocate(hg_context *, size_t bytes);
void hg_device_release(hg_context *, void *, size_t bytes);

/* Bytes that could still be allocated. */
size_t hg_device_free(hg_context *);

/* Copies that have happened when the call returns. */
bool hg_device_upload(hg_context *, void *to, const void *from, size_t bytes);
bool hg_device_download(hg_context *, void *to, const void *from, size_t bytes);

/* Reads that nobody waits for. The first begins one of HG_ECHO_BYTES at most,
 * behind what is queued, into a slot; the second says where the bytes are, or
 * NULL while they are on their way. With `wait`, NULL means an error. */
enum { HG_ECHOES = 8, HG_ECHO_BYTES = 512 };
bool hg_device_echo(hg_context *, int slot, const void *from, size_t bytes);
const void *hg_device_echoed(hg_context *, int slot, bool wait);

/* Working memory of kernels, until the next call; what was handed out before
 * stays, since a graph may still use it. */
void *hg_device_scratch(hg_context *, size_t bytes);

/* ---- The queue ---------------------------------------------------------- */

/* Notes work->run(stream, arguments), of which `bytes` and then `more_bytes`
 * are copied; the work is constant. `name` is what messages call it. */
bool hg_queue(hg_context *, const char *name, const hg_work *,
              const void *arguments, size_t bytes, const void *more,
              size_t more_bytes);

/* For parts of an entry that go on with what others have made: memory on the
 * device until the queue has run; NULL, without an error, if there is none. */
void *hg_part_room(hg_context *, size_t bytes);

/* Where these bytes will lie on the device when the queue runs. The address
 * depends on what was put since the last flush, not on the values. NULL and a
 * sentence if there is no room even after a flush. */
void *hg_control_put(hg_context *, const void *values, size_t bytes);
/* Where the number of the step lies on the device: random kernels read it
 * there, so that a replayed step draws its own numbers. */
const uint64_t *hg_control_step(hg_context *);
/* Room of a control block, after the step's own numbers. */
size_t hg_control_room(void);

/* Runs what is queued. Does not wait. */
bool hg_flush(hg_context *);

/* Where the next entry will lie, and in which queue. */
typedef struct {
    uint64_t queue;
    size_t at;
} hg_queued;
hg_queued hg_queue_end(const hg_context *);
/* While a queue fails: was this entry, of it or of an earlier one, run? */
bool hg_queue_ran(const hg_context *, hg_queued);

/* ---- Values on the device ----------------------------------------------- */

/* Queued copies and fills; `to` is dense. `size` is that of one element. */
bool hg_device_copy(hg_context *, void *to, const void *from, size_t bytes);
bool hg_device_copy_strided(hg_context *, void *to, const void *from, hg_shape,
                            const int64_t *stride, size_t size);
bool hg_device_fill(hg_context *, hg_real *to, int64_t n, hg_real value);
/* *sum += x[0] + ... + x[n - 1], in double and in a fixed order. */
bool hg_device_add(hg_context *, double *sum, const hg_real *x, int64_t n);
/* Bytes of the host, queued if there are few. */
bool hg_device_write(hg_context *, void *to, const void *from, size_t bytes);

HG_END_DECLS

#endif
