/* internal.h - what the rooms above tensor/ may see and users may not. */
#ifndef HG_TENSOR_INTERNAL_H
#define HG_TENSOR_INTERNAL_H

#include "tensor/tensor.h"

#define HG_ALIGN 64

typedef struct hg_device hg_device;

HG_BEGIN_DECLS

/* ---- Memory: one allocator, regions of recycled chunks ------------------ */

typedef struct hg_chunk hg_chunk;
struct hg_chunk {
    hg_chunk *next;
    char *start;
    size_t size; /* usable bytes from there */
};

/* A buffer given back inside a region; kept in the buffer itself, and beside
 * it where the buffer lies on a device. */
typedef struct hg_hole hg_hole;
struct hg_hole {
    hg_hole *next;
    void *start;
    size_t size;
};

/* Grows by chunks, never moves, is freed as a whole. */
typedef struct {
    hg_context *context;
    bool there; /* memory of the context's device, not of the host */
    hg_chunk *chunks;
    char *cursor;
    size_t left;
    hg_hole *holes;
} hg_region;

void *hg_memory_allocate(hg_context *, size_t);
/* The same without an error, for what is not needed. */
void *hg_memory_try(hg_context *, size_t);
void hg_memory_release(hg_context *, void *, size_t);
/* 64-byte aligned, not initialised; NULL and the memory error on failure. */
void *hg_region_take(hg_region *, size_t);
void *hg_region_take_zeroed(hg_region *, size_t);
char *hg_region_text(hg_region *, const char *);
/* Gives a buffer back, to be taken again at the same size. */
void hg_region_give(hg_region *, void *, size_t);
void hg_region_free(hg_region *);
/* Gives memory back that is kept for later: of the host, or there, on the
 * device. Was there any? */
bool hg_spare_release(hg_context *, bool there);
void hg_chunks_release(hg_context *);

/* ---- Tensors with their private half ------------------------------------ */

typedef struct hg_storage {
    hg_context *context;
    hg_region *region;
    void *data;
    size_t bytes;
    uint64_t version;
    int holds; /* kept tensors that look at it, see autograd/backward.c */
    bool own;  /* data came from the region (not a view of user memory) */
} hg_storage;

typedef struct hg_block hg_block;
/* Blocks are type-stable: their memory is only ever used for blocks. Those of a
 * closed scope rest until another closes, so that a pointer that was kept meets
 * `alive == 0` throughout the next step instead of somebody else's tensor. */
struct hg_block {
    hg_tensor t; /* first: a tensor pointer is a block pointer */
    hg_storage storage;
    uint32_t alive;
    bool recorded;   /* on the tape */
    bool spent;      /* a loss that was differentiated */
    bool retain;     /* hg_retain_grad */
    bool temporary;  /* made by a backward rule, dropped when not kept; the
                        user may make it permanent, see autograd/apply.c */
    uint8_t needs;   /* inputs whose gradient the running pass asks for */
    int kept;        /* references that keep a temporary */
    hg_mode mode;    /* of the scope when it was made */
    uint64_t serial; /* order of creation on the tape */
    uint64_t in_version[HG_MAX_INPUTS], out_version;
    hg_tensor *partial;        /* gradient so far, in the running pass */
    hg_tensor *grad_home;      /* where a leaf's gradient outlives the scope */
    hg_block *newer, *older;   /* all tensors of the owner */
    hg_block *later, *earlier; /* the tape */
    struct hg_scope *queued;   /* the scope whose `pending` has this leaf */
    struct hg_owner *owner;
    void *record; /* what the store knows of it, see nn/internal.h */
};

#define HG_ALIVE 0x48474c53u

static inline hg_block *hg_block_of(const hg_tensor *t)
{
    return (hg_block *)(uintptr_t)t;
}

/* The block whose buffer t looks at. */
static inline hg_block *hg_base_of(const hg_tensor *t)
{
    return (hg_block *)((char *)t->storage - offsetof(hg_block, storage));
}

/* What owns tensors: a scope, or a store. Headers and the like lie in
 * `region`, values in `values`: the same region on the CPU. */
typedef struct hg_owner {
    hg_context *context;
    hg_region region, there;
    hg_region *values;
    hg_block *newest;
    struct hg_scope *scope; /* NULL for a store */
} hg_owner;

/* A leaf whose gradient lives in a scope and may have to outlive it. */
typedef struct hg_pending hg_pending;
struct hg_pending {
    hg_pending *next;
    hg_block *leaf;
};

struct hg_scope {
    hg_owner owner; /* first */
    hg_scope *parent;
    hg_mode mode;
    hg_block *tape_newest, *tape_oldest;
    hg_pending *pending;
    bool open;
};

/* ---- The context -------------------------------------------------------- */

/* Step state that kernels read; in device memory on a GPU. */
typedef struct {
    uint64_t seed;
    uint64_t step;   /* of the recording or of the other kind of scopes */
    uint64_t domain; /* which kind, see random.h */
} hg_control;

typedef struct hg_slab hg_slab;
typedef struct hg_undo hg_undo;

/* Something a context owns beside tensors: stores, optimisers, data sets. */
typedef struct hg_owned hg_owned;
struct hg_owned {
    hg_owned *next;
    void *object;
    void (*destroy)(void *object);
};

/* What became of the queues that were flushed on a GPU. */
typedef enum {
    HG_RAN_AT_ONCE, /* replay is off, or hardly anything was queued */
    HG_RAN_NEW,     /* not seen before, or not for long */
    HG_RAN_CAPTURED,
    HG_RAN_REPLAYED,
    HG_RAN_KINDS
} hg_ran;

struct hg_context {
    hg_allocator allocator;
    char device[16];
    hg_control control;
    uint64_t steps[2];
    uint64_t draws; /* random operations since the outermost scope opened */
    uint64_t serial;
    int threads;
    hg_precision precision; /* of products */
    bool reference, anomaly, in_pass;
    bool create_graph; /* the running pass may be differentiated again */
    bool mute;         /* hg_report does nothing */
    const void *maker; /* the thread that made it, by its ambient state */
    int isa;           /* see cpu.h */
    hg_chunk *free_chunks[2]; /* of the host, of the device */
    hg_hole *free_holes;      /* of the device, spare */
    hg_scope *free_scopes;
    hg_slab *slabs;
    hg_block *free_blocks, *resting_blocks;
    hg_region region; /* freed with the context */
    hg_region there;  /* the same on its device */
    hg_owned *owned;
    hg_undo *undo; /* newest first, see undo.c */
    bool flushing; /* a queue is run: what fails there is undone after it */
    size_t bytes, peak;
    uint64_t launches;
    hg_device *gpu; /* NULL on the CPU */
    size_t device_bytes, device_peak, device_data;
    uint64_t queued, replays; /* entries and uploads; graphs */
    uint64_t ran[HG_RAN_KINDS];
    uint64_t waits;    /* of the host, for the device */
    uint64_t verified; /* replays, see cuda_verify.c */
    bool eager;        /* every operation runs at once */
    bool replay;       /* queues that were seen before run as graphs */
    bool verify;       /* and each is compared with a run without */
    bool fuse;         /* what is queued shares launches, see fuse.h */
    void (*message)(void *, const char *);
    void *message_user;
    void *residents; /* datasets: arrays on the device */
    void *reports;   /* autograd: named terms of the log */
    void *library;   /* ops: oneDNN engine and primitives */
};

/* Registers an object that hg_context_free destroys, newest first. */
bool hg_context_own(hg_context *, void *object, void (*destroy)(void *));
void hg_message(hg_context *, const char *format, ...) HG_PRINTF(2, 3);

/* ---- Ambient state ------------------------------------------------------ */

typedef struct {
    hg_scope *scope;
    const char *path; /* of the layer that is running, or NULL */
    const char *op;   /* name of the op that is being applied, or NULL */
    hg_error_code code;
    char text[1024];
    /* Contexts that this thread made and freed last, to name a use after
     * free. Not those of other threads, which make new ones in their place. */
    const hg_context *freed[8];
    unsigned freed_next;
    bool scope_lost; /* the open scope went with its context */
} hg_ambient;

hg_ambient *hg_ambient_here(void);
/* The open scope; NULL and a sentence if there is none. */
hg_scope *hg_scope_here(void);
/* False, with a sentence, for NULL and tensors of closed scopes. `what` names
 * the argument. Quiet about NULL while an error is pending. */
bool hg_usable(const hg_tensor *, const char *what);
/* False, with a sentence, for tensors of another context than the open scope's,
 * or where none is open. */
bool hg_of_scope(const hg_tensor *, const char *what);
/* False, with a sentence, for NULL and contexts freed on this thread; usable:
 * while an error is pending too. */
bool hg_context_given(const hg_context *, const char *what);
bool hg_context_usable(const hg_context *, const char *what);
/* Is it one of the contexts that this thread made and freed last? */
bool hg_context_was_freed(const hg_context *);

/* ---- Taking back -------------------------------------------------------- */

/* To be called before a forward pass changes a tensor of a store: should this
 * thread fail before the next hg_undo_forget, or before the outermost scope is
 * closed, its values are as they were now. False with an error. */
bool hg_undo_note(hg_tensor *);
/* What was noted stays changed: an optimiser's step is done. */
void hg_undo_forget(hg_context *);
/* This tensor stays as it is: it was given a value on purpose. */
void hg_undo_settle(const hg_tensor *);
/* Puts back what was noted; hg_fail does it. */
void hg_undo_all(hg_context *);
/* Forgets those whose copy was lost with a queue that failed. */
void hg_undo_void(hg_context *);

/* ---- Making tensors ----------------------------------------------------- */

/* A header with no storage, owned by `owner`. */
hg_tensor *hg_tensor_header(hg_owner *);
/* Contiguous, values not initialised. */
hg_tensor *hg_tensor_new(hg_owner *, hg_shape, hg_dtype);
/* Contiguous over memory of the caller's, which must live as long. */
hg_tensor *hg_tensor_over(hg_owner *, hg_shape, hg_dtype, void *data);
/* Shares t's storage; shape, strides and offset are t's to begin with. */
hg_tensor *hg_tensor_view(hg_owner *, hg_tensor *t);
/* Gives back header and buffer of a temporary that nothing refers to. */
void hg_tensor_drop(hg_tensor *);
void hg_owner_init(hg_owner *, hg_context *, hg_scope *);
void hg_owner_free(hg_owner *);

/* False with a sentence for ranks, sizes and counts out of range. */
bool hg_shape_legal(hg_shape);
void hg_strides_of(hg_shape, int64_t stride[HG_MAX_RANK]);
size_t hg_dtype_size(hg_dtype);
/* The first element, in the memory of the context's device. The short name is a
 * macro, since data sets have a type of that name. */
void *hg_tensor_data(const hg_tensor *);
#define hg_data(tensor) hg_tensor_data(tensor)
/* Copies values (any strides) into a dense array of the host, and back. */
bool hg_gather_values(const hg_tensor *, void *dense);
bool hg_scatter_values(hg_tensor *, const void *dense);
/* Where the host writes the values of a dense tensor: in it, or beside it in
 * the open scope, to be sent when they are complete. NULL and a sentence on
 * failure, as for a tensor that is NULL. */
void *hg_room_for(hg_tensor *);
bool hg_send_values(hg_tensor *, const void *room);
/* The values of a tensor, dense, where the host can read them; as above. */
const void *hg_fetch_values(const hg_tensor *);
/* Zeroes reals in the memory of the context's device. */
bool hg_zero_values(hg_context *, void *values, size_t bytes);
/* Copies values (any strides) into a contiguous tensor of the same shape and
 * context, without leaving the device. */
bool hg_copy_values(hg_tensor *to, const hg_tensor *from);
bool hg_write_data(hg_tensor *, const void *values, int64_t count);

/* Turns axes into a mask over `rank` axes; false with a sentence if one is
 * out of range or named twice. */
bool hg_axes_mask(hg_axes, int rank, bool mask[HG_MAX_RANK]);
/* A negative axis counts from the end; -1 with a sentence if out of range. */
int hg_axis_of(int axis, int rank);

/* ---- Texts -------------------------------------------------------------- */

/* strtod as in the C locale. */
double hg_number_of(const char *text, char **end);

/* ---- Threads ------------------------------------------------------------ */

/* Calls body(argument, from, to) over [0, n) cut into a few ranges a thread, of
 * about `grain` items or more, in parallel if n exceeds `grain`. Denormals are
 * flushed to zero inside. Bodies must give the same bits however [0, n) is cut
 * and whichever thread takes a range. */
void hg_parallel_for(int threads, int64_t n, int64_t grain,
                     void (*body)(void *argument, int64_t from, int64_t to),
                     void *argument);

HG_END_DECLS

#endif
