/* folder.h - a folder of pictures, between the file that looks what is there
 * and the one that reads it. */
#ifndef HG_FOLDER_H
#define HG_FOLDER_H

#include "datasets/image.h"
#include "datasets/internal.h"

enum { HG_MOST_KINDS = 8 };

/* A file that was found; its path is relative to the part's folder. */
typedef struct {
    const char *path;
    int32_t label;
} hg_entry;

/* One part: the folder itself, or its train/ or test/. */
typedef struct {
    hg_data *data;
    const hg_data_options *options;
    const char *root;
    hg_entry *list;
    int64_t count, room, flat; /* flat: not in a sub-folder */
    int64_t skipped, broken;
    char kind[HG_MOST_KINDS][16]; /* extensions that were skipped */
    int64_t of_kind[HG_MOST_KINDS];
    int64_t height, width;
    int channels;
} hg_scan;

typedef char hg_path[4096];

/* "a/b", or b where a is empty. */
bool hg_path_join(hg_path, const char *a, const char *b);
/* Fills in what is there, sorted by path, with the labels of class folders;
 * false with a sentence where there is no picture. */
bool hg_scan_files(hg_scan *);
/* ".txt 2, .db 1" */
const char *hg_scan_skipped(const hg_scan *, char text[256]);

#endif
