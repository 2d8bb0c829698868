/* cuda.h - a GPU behind the CUDA runtime, for the files that implement
 * device.h. */
#ifndef HG_CUDA_H
#define HG_CUDA_H

#include <cuda_runtime.h>

#include "tensor/complaint.h"
#include "tensor/fuse.h"

/* The toolkit this was compiled with. */
#define HG_CUDA_TEXT_(x) #x
#define HG_CUDA_TEXT(x)  HG_CUDA_TEXT_(x)
#ifdef CUDART_VERSION
#define HG_CUDA_TOOLKIT "CUDA runtime " HG_CUDA_TEXT(CUDART_VERSION)
#else
#define HG_CUDA_TOOLKIT "CUDA emulated on the CPU"
#endif

typedef struct hg_device_slab hg_device_slab;
struct hg_device_slab {
    hg_device_slab *next;
    void *data;
    size_t bytes;
};

/* A queue that was seen: its bytes, and from the second sight its graph. */
typedef struct {
    char *bytes;
    size_t size, room;
    uint64_t seen, used; /* how often, and when last (in flushes) */
    uint64_t launches;   /* kernels of one replay */
    cudaGraphExec_t graph;
} hg_plan;

/* A value on its way to the host. */
typedef struct {
    void *here; /* page-locked */
    cudaEvent_t arrived;
} hg_echo;

enum { HG_PLANS = 24, HG_CONTROL_RING = 4 };

/* Queued bytes follow each entry. */
typedef struct {
    const char *name;
    const hg_work *work;
    size_t bytes;
} hg_entry_head;

/* One launch of a queue that is fused: a part alone, or lines together. */
typedef struct {
    const char *name;
    hg_part *alone; /* or NULL */
    void (*joint)(hg_stream *, const hg_joint *);
    hg_joint lines;
} hg_launch;

/* How the queue is fused: its parts, its launches, and the tables that joint
 * kernels read. A plan has a table of its own on the device, since its graph
 * goes on reading it. */
typedef struct {
    hg_fuse_room *room;
    hg_part *parts;
    hg_place *place;
    hg_launch *launch;
    int part_room, part_count, launch_count, launched;
    char *table;
    size_t table_room, table_used;
    struct {
        char *table;
        size_t room;
    } there[HG_PLANS + 1];
    void (*joint)(hg_stream *, const hg_joint *);
    hg_device_slab *waiting; /* see hg_part_room; the newest is the largest */
    size_t waiting_used;
} hg_fuser;

/* What HOURGLASS_REPLAY=verify compares, and two copies of it: from before a
 * queue ran, and from after its operations ran one by one. */
typedef struct hg_watched hg_watched;
typedef struct {
    hg_watched *watched;
    char *copies;
    size_t room; /* of each copy */
} hg_verifier;

struct hg_device {
    hg_context *context;
    int ordinal;
    hg_stream stream;
    hg_device_slab *scratch; /* the newest is the largest */
    void *workspace;         /* of cuBLAS */
    /* What is queued. */
    char *queue;
    size_t used, room;
    int entries;
    hg_plan plans[HG_PLANS];
    hg_fuser fuser;
    hg_verifier verifier;
    uint64_t flushes;
    bool fused; /* the queue that is run; if not, so many bytes of it ran */
    size_t ran;
    /* What changes from step to step: written here, copied there. */
    char *control[HG_CONTROL_RING], *control_there;
    hg_complaint *complaint; /* there, behind the control block */
    bool listening;          /* a kernel may have complained */
    cudaEvent_t control_free[HG_CONTROL_RING];
    int control_slot;
    size_t control_used;
    hg_echo echo[HG_ECHOES];
};

bool hg_cuda_fail(hg_context *, const char *what, cudaError_t);
bool hg_cuda_control_open(hg_device *);
void hg_cuda_queue_close(hg_device *);
void hg_cuda_echo_close(hg_device *);
void hg_cublas_close(hg_context *);

/* Where an entry's arguments lie. */
#define HG_ENTRY_HEAD ((sizeof(hg_entry_head) + 15) / 16 * 16)

/* Prepares the queue to be run fused, with the tables of plan `slot`, or of
 * none (HG_PLANS); false, without an error, if it has to run as it is. */
bool hg_fuse_queue(hg_device *, int slot);
/* Runs what was prepared; may be captured. */
bool hg_run_fused(hg_device *);
/* Was all of the entry with these arguments run? */
bool hg_fused_ran(const hg_device *, const void *arguments);
void hg_fuser_close(hg_device *);

/* Memory that is handed out (false: no room to note it); that is taken back, or
 * only working memory. */
bool hg_verify_watch(hg_device *, void *, size_t bytes);
void hg_verify_forget(hg_device *, const void *);
/* Around a replay: runs the queue by `run` first and puts its memory back;
 * then false, with a sentence, if the replay has left other bits. */
bool hg_verify_before(hg_device *, bool (*run)(hg_device *));
bool hg_verify_after(hg_device *);
void hg_verify_close(hg_device *);

#endif
