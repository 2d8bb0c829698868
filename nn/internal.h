/* internal.h - what the files of this room share: the store behind its
 * cursors, and records of safetensors files. */
#ifndef HG_NN_INTERNAL_H
#define HG_NN_INTERNAL_H

#include "nn/nn.h"
#include "tensor/internal.h"

/* A named tensor of a store. Its block's `record` points here. */
typedef struct {
    hg_tensor *tensor;
    const char *path;
    int64_t number; /* in order of creation */
    bool buffer;
    uint64_t mark; /* of the last call that picked it, see hg_mark_sets */
} hg_entry;

/* Values, and gradients that outlive their scope, lie in regions of their own
 * in order of creation: an optimiser walks long ranges of memory. The buffers
 * for gradients are reserved but not touched before they are needed. */
typedef struct {
    hg_owner owner;
    hg_region values, grads;
    hg_entry **sorted; /* by path */
    int64_t count, capacity;
    struct hg_params *cursors;
} hg_store;

/* A cursor: all entries whose path begins with `prefix` ("" or "a.b."). */
struct hg_params {
    hg_store *store;
    const char *prefix;
    size_t length;
    hg_params *next;
};

static inline hg_entry *hg_entry_of(const hg_tensor *t)
{
    return hg_block_of(t)->record;
}

/* The entries below a cursor are sorted[from ... to - 1]. */
typedef struct {
    int64_t from, to;
} hg_entries;
hg_entries hg_entries_below(const hg_params *);

/* False with a sentence for NULL cursors. */
bool hg_params_usable(const hg_params *, const char *who);
/* "prefix" + "name", in the store's memory; NULL on failure. */
char *hg_params_path(hg_params *, const char *name);

/* Fills t by `init`; draws are keyed by (seed, path). */
bool hg_init_fill(hg_tensor *t, const char *path, hg_init init, uint64_t seed);

/* ---- Sets of parameters ------------------------------------------------- */

/* Marks the trainable parameters of one set with a number that no other call
 * has used; a filter then compares one number a leaf. */
void hg_mark_set(const hg_params *, uint64_t mark);
bool hg_is_marked(const hg_tensor *leaf, void *mark); /* for hg_leaves */

/* Adds name number `count` to a list that may be too long to be shown whole. */
void hg_add_name(char *text, size_t size, const char *name, int count);

/* ---- Gradients ---------------------------------------------------------- */

/* The gradient's values, dense: its own, or copied home if it is a view. */
const hg_real *hg_dense_gradient(hg_tensor *leaf);
/* The sum of squares, each value first cut to [-most, most]. The same bits
 * for any number of threads. */
double hg_sum_of_squares(hg_context *, const hg_real *, int64_t n,
                         hg_real most);
/* What PyTorch multiplies gradients with whose joint norm is to be at most
 * `most`. */
hg_real hg_clip_factor(hg_real norm, hg_real most);

#endif
