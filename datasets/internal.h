/* internal.h - what the files of datasets/ share. */
#ifndef HG_DATASETS_INTERNAL_H
#define HG_DATASETS_INTERNAL_H

#include "datasets/data.h"
#include "tensor/internal.h"

/* How the values lie in memory. */
typedef enum { HG_BYTES, HG_FLOATS, HG_DOUBLES } hg_data_kind;

/* The stream of hg_permuted that chooses the validation part; training order
 * uses the epoch's number. */
#define HG_SPLIT_STREAM 0xFFFFFFFFu

/* A set is a window [first, first + size) on an array of `rows` items, in the
 * array's order or in the split's. */
struct hg_data {
    hg_context *context;
    hg_data *test; /* the set's own test part, or NULL */
    char name[64];
    bool is_split, permuted;
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
};

size_t hg_value_size(hg_data_kind);
/* An empty set, owned by the context. */
hg_data *hg_data_new(hg_context *, const char *name);
/* Releases the arrays; the empty set remains with the context. */
void hg_data_clear(hg_data *);
/* Room for `rows` items of bytes that the set owns; NULL on failure. */
void *hg_data_room(hg_data *, hg_shape item, int64_t rows, hg_data_kind);
int32_t *hg_data_label_room(hg_data *);
/* Checks values and labels against the options; sets range and classes. */
bool hg_data_finish(hg_data *, hg_data_options);

/* ---- Files -------------------------------------------------------------- */

/* Reads an IDX file of bytes, plain or gzip, as images (rank 2 to 4) into a
 * set without rows, or as labels of a set that has its images. sha256: of the
 * uncompressed file, in hexadecimal digits, or NULL not to check. */
bool hg_idx_images(hg_data *, const char *path, const char *sha256);
bool hg_idx_labels(hg_data *, const char *path, const char *sha256);

hg_data *hg_data_open_mnist(hg_context *, const char *data_dir);
hg_data *hg_data_open_path(hg_context *, const char *path);

/* ---- Synthetic digits --------------------------------------------------- */

/* name: "synthetic" or "synthetic:N". */
hg_data *hg_data_open_synthetic(hg_context *, const char *name);

#endif
