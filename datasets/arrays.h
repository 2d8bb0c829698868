/* arrays.h - data sets from arrays in files.
 *
 *   .npy   [n, features], [n, h, w], [n, c, h, w] or [n, h, w, c], where the
 *          last is assumed if the last size is 1 or 3 and the second is not;
 *          labels in NAME_labels.npy beside NAME.npy, where that is there
 *   .npz   x_train, y_train, x_test, y_test; or x and y; or what else
 *          array_names lists; or the only array there is
 *   .csv   one item a line, numbers between commas, semicolons or tabs; a first
 *          line of names, where one of label, class, target or y is the label
 *
 * Bytes become 0 to 1, other numbers stay as they are unless the options
 * declare a range. .npy and .csv may be gzip files. */
#ifndef HG_ARRAYS_H
#define HG_ARRAYS_H

#include "datasets/input.h"
#include "datasets/internal.h"

/* Something to read from, front to back: how many bytes came, fewer at the end
 * only, -1 with an error; and the most it can give. */
typedef struct {
    const char *name;
    int64_t (*read)(void *from, void *out, size_t size);
    void *from;
    int64_t most;
} hg_stream;

/* An array in numpy's format, as its header describes it. */
typedef struct {
    char kind; /* u i f b */
    int size;  /* bytes of a value */
    bool swapped;
    int rank;
    int64_t dim[HG_MAX_RANK];
} hg_npy;

/* Reads the header; the values follow. */
bool hg_npy_header(const hg_stream *, hg_npy *);
/* Reads the values: as items into an empty set, as labels of a full one. */
bool hg_npy_items(hg_data *, const hg_stream *, const hg_npy *,
                  const hg_data_options *);
bool hg_npy_labels(hg_data *, const hg_stream *, const hg_npy *);

bool hg_npy_read(hg_data *, const char *path, const hg_data_options *);
bool hg_npz_read(hg_data *, const char *path, const hg_data_options *);
bool hg_csv_read(hg_data *, const char *path, const hg_data_options *);

/* The item's [c, h, w] for rows of so many values: the size the options give,
 * or one row. False with a sentence if they do not fit. */
bool hg_row_shape(const char *name, int64_t features, const hg_data_options *,
                  hg_shape *item);
/* Says what was read as what. */
void hg_say_array(const hg_data *, const char *name, const char *layout,
                  const hg_data_options *);

#endif
