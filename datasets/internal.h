/* internal.h - what the files of datasets/ share. */
#ifndef HG_DATASETS_INTERNAL_H
#define HG_DATASETS_INTERNAL_H

#include "datasets/data.h"
#include "datasets/transform.h"
#include "tensor/internal.h"
#include "tensor/random.h"

/* How the values lie in memory. */
typedef enum { HG_BYTES, HG_FLOATS, HG_DOUBLES } hg_data_kind;

/* The stream of hg_permuted that chooses the validation part; training order
 * uses the epoch's number. */
#define HG_SPLIT_STREAM 0xFFFFFFFFu
/* And of hg_data_spread. */
#define HG_SPREAD_STREAM 0x100000000u

/* A set is a window [first, first + size) on an array of `rows` items: in the
 * array's order, in the split's, or in that of the items' hashes, whose `held`
 * first are the test part (order.c). */
struct hg_data {
    hg_context *context;
    hg_data *test;          /* the set's own test part, or NULL */
    hg_data *splits, *next; /* of this set, and its fellow */
    char name[64];
    bool is_split, permuted;
    hg_permutation split; /* of the rows, where permuted */
    int64_t rows, first, size;
    hg_shape item; /* [c, h, w] */
    int64_t features;
    hg_data_kind kind;
    const void *values;    /* [rows, features] */
    const int32_t *labels; /* [rows] or NULL */
    int classes;
    /* A batch holds (value - low) / span. */
    double low, span, range[2];
    void *own_values, *own_labels; /* to be released, or NULL */
    size_t value_bytes, label_bytes;
    hg_region region;     /* of what follows; empty in a split */
    const uint32_t *hash; /* [rows], rising, or NULL */
    const int32_t *order; /* [rows], the row with that hash */
    int64_t held;
    const char *const *names; /* [rows], the items' files, or NULL */
    const char *const *class_names;
    int named_classes;
    hg_transforms transforms;
    void *mapping; /* of a packed set, or NULL */
    size_t mapping_bytes;
    bool mapped;   /* values lie in a mapping, its own or another set's */
    bool streamed; /* which memory may not hold */
};

size_t hg_value_size(hg_data_kind);
/* An empty set, owned by the context. */
hg_data *hg_data_new(hg_context *, const char *name);
/* Releases the arrays; the empty set remains with the context. */
void hg_data_clear(hg_data *);
/* Of an array that is there, or will be. */
void hg_data_set_shape(hg_data *, hg_shape item, int64_t rows, hg_data_kind);
/* Room for `rows` items of bytes that the set owns; NULL on failure. */
void *hg_data_room(hg_data *, hg_shape item, int64_t rows, hg_data_kind);
int32_t *hg_data_label_room(hg_data *);
/* Makes the first a set over the arrays of the second, without owning them. */
void hg_data_share(hg_data *, const hg_data *of);
/* Checks values and labels against the options; sets range and classes. */
bool hg_data_finish(hg_data *, hg_data_options);

/* ---- Test parts by hash ------------------------------------------------- */

uint32_t hg_item_hash(const char *name);
/* Makes one item in ten the test part; hash: of each row, or NULL for those of
 * the row's number. */
bool hg_data_hold_out(hg_data *, const uint32_t *hash);
/* Items of the rest that make up this fraction, at least one. */
int64_t hg_data_hashed_val(const hg_data *, double fraction);

/* ---- Files -------------------------------------------------------------- */

/* Calls `write` for a file that takes the place of `path` when it is complete;
 * false, with a sentence, where it could not be written. */
bool hg_write_whole(const char *path, bool (*write)(FILE *, const void *),
                    const void *user);

/* Reads an IDX file of bytes, plain or gzip, as images (rank 2 to 4) into a
 * set without rows, or as labels of a set that has its images. sha256: of the
 * uncompressed file, in hexadecimal digits, or NULL not to check. */
bool hg_idx_images(hg_data *, const char *path, const char *sha256);
bool hg_idx_labels(hg_data *, const char *path, const char *sha256);

/* Has it the first of MNIST's four files? Then all four are read. */
bool hg_data_is_mnist_folder(const char *folder);
hg_data *hg_data_open_mnist_folder(hg_context *, const char *folder,
                                   const char *name);
hg_data *hg_data_open_path(hg_context *, const char *path,
                           const hg_data_options *);
hg_data *hg_data_open_pictures(hg_context *, const char *root, const char *name,
                               const hg_data_options *);

/* ---- Packed sets -------------------------------------------------------- */

bool hg_pack_read(hg_data *, const char *path);
void hg_pack_close(hg_data *);
/* A row of the array that will be wanted soon. */
void hg_pack_expect(const hg_data *, int64_t row);

/* ---- Points in the plane ------------------------------------------------ */

bool hg_data_is_points(const char *name);
hg_data *hg_data_open_points(hg_context *, const char *name);

/* ---- Synthetic digits --------------------------------------------------- */

/* name: "synthetic" or "synthetic:N". */
hg_data *hg_data_open_synthetic(hg_context *, const char *name);

#endif
