/* named.h - data sets by name: which files they are made of, where these lie or
 * come from, and how they are told from others. */
#ifndef HG_NAMED_H
#define HG_NAMED_H

#include "datasets/input.h"
#include "datasets/internal.h"

typedef char hg_location[4096];

enum { HG_MOST_FILES = 4, HG_MOST_MIRRORS = 3 };

typedef struct {
    const char *name;   /* in the set's folder, and below a mirror */
    const char *sha256; /* of the unpacked bytes; or NULL */
    const char *packed; /* of the file as it is fetched; or NULL */
    int64_t size;       /* in bytes, as it is fetched; 0: not known */
} hg_remote_file;

typedef struct {
    const char *name, *about;
    const char *other;                   /* torchvision's folder, or NULL */
    const char *mirror[HG_MOST_MIRRORS]; /* tried in this order */
    hg_remote_file file[HG_MOST_FILES];  /* ended by a NULL name */
    /* Reads the files, at these places. */
    hg_data *(*read)(hg_context *, const char *name, hg_location *at,
                     const hg_remote_file *);
} hg_named;

const hg_named *hg_named_find(const char *name);
/* Where it was looked for, and what is not there: a line a place. */
void hg_named_tried(const hg_named *, const char *data_dir, char text[512]);
/* The folder that files are fetched into: a root that can be written; where
 * it is to be made, it is. */
bool hg_named_folder(const hg_named *, const char *data_dir, bool make,
                     hg_location);
hg_data *hg_named_open(hg_context *, const hg_named *, const hg_data_options *);

/* ---- fetch.c ------------------------------------------------------------ */

/* Fetches what is missing into the folder: from mirror after mirror, each file
 * under a temporary name, checked, then renamed; one process at a time. */
bool hg_named_fetch(hg_context *, const hg_named *, const hg_data_options *);

/* ---- Readers ------------------------------------------------------------ */

hg_data *hg_mnist_read(hg_context *, const char *name, hg_location *at,
                       const hg_remote_file *);
hg_data *hg_amat_read(hg_context *, const char *name, hg_location *at,
                      const hg_remote_file *);
hg_data *hg_cifar_read(hg_context *, const char *name, hg_location *at,
                       const hg_remote_file *);

/* 64 hexadecimal digits of a file as it lies, or "" in a build without nettle;
 * false with an error. */
bool hg_file_sha256(const char *path, char text[65]);

#endif
