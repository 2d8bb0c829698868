/* data.h - data sets, their splits, and the loader that makes batches.
 *
 * A data set is an array of items with one shape [c, h, w], with or without
 * labels. It is opened by name or path, or made over an array of your own; a
 * loader walks over it in batches, in an order that is keyed by the context's
 * seed and the epoch:
 *
 *     hg_data_options options = {0};
 *     hg_data *all = hg_data_open(ctx, "synthetic:1000", options);
 *     hg_data *train = hg_data_split(all, "train", 0.1);
 *     hg_loader *loader = hg_loader_new(train, 128, true);
 *     hg_batch b;
 *     for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b));
 *          hg_scope_close(s))
 *         hg_print(stdout, b.label);
 *     if (hg_error())
 *         return false;
 *
 * Items stay as they were stored (a byte a pixel for images) until a batch is
 * made: one parallel pass gathers them and scales them to [0, 1].
 *
 * All of this belongs to the context: nothing here is freed by hand. NULL is
 * returned on failure, with the reason in hg_error(); nothing works while an
 * error is pending, but what only looks at a set (hg_data_size, ...).
 */
#ifndef HG_DATA_H
#define HG_DATA_H

#include "tensor/tensor.h"

typedef struct hg_data hg_data;
typedef struct hg_loader hg_loader;

/* What a model sees in a step. */
typedef struct {
    hg_tensor *x;      /* real [size, features], features = c * h * w */
    hg_tensor *target; /* what to reconstruct; x itself by default */
    hg_tensor *label;  /* int32 [size], or NULL where there are none */
    hg_tensor *mask;   /* real [size, features] of 0 and 1, or NULL for all */
    hg_tensor *index;  /* int32 [size], the item's row in the data set */
    int64_t size;
    bool unlabelled; /* labels are missing, or not to be looked at */
    /* How the trainer weighs the terms of the loss, see models/objective.h;
     * NULL: as the recipe has it. */
    struct hg_objective *objective;
} hg_batch;

/* How a picture becomes one of another shape: the middle of it that has the
 * shape; all of it with a black border; all of it, distorted. */
typedef enum { HG_FIT_CROP, HG_FIT_PAD, HG_FIT_STRETCH } hg_fit;

/* All zero is a good choice: bytes 0..255 become [0, 1], other values stay as
 * they are. */
typedef struct {
    /* The range that the stored values have, low < high: it is mapped to
     * [0, 1], and a value outside is an error. */
    double low, high;
    /* hg_data_from: use the caller's arrays in place; they must outlive the
     * context. Otherwise they are copied. */
    bool borrow;
    /* Where hg_data_open looks for named sets first, or NULL. */
    const char *data_dir;
    /* Folders of pictures: the size to make them (0: they must have one), grey
     * (1) or colour (3; 0: colour if any is), and whether a broken one is named
     * and left out instead of ending it. Rows of numbers (CSV, .npy): the shape
     * that a row has. */
    int64_t height, width;
    int channels;
    hg_fit fit;
    bool skip_broken;
    /* Sets opened by path: all items, in the order of the files, instead of a
     * tenth of them being the test part. */
    bool whole;
    /* What happens to items on their way into a batch, from left to right, or
     * NULL: "flip,shift:2,binarize,gaussian:0.3". For input and target:
     *   binarize, binarize-once   1 with the pixel's value as probability, anew
     *                             in each epoch or once and for all
     *   dequantize                (255 x + u) / 256
     *   flip[:P], shift[:PIXELS]  left and right; up, down and sideways
     * and for the input alone, which is then to be restored:
     *   gaussian[:STD] (kept in [0, 1]), mask[:P], salt-pepper[:P]
     * The numbers belong to (seed, epoch, item). The first three hold for every
     * part of the set (in "val" and "test" as in epoch 0), the others for
     * "train". */
    const char *transform;
    /* Never fetch a named set. */
    bool offline;
} hg_data_options;

HG_BEGIN_DECLS

/* ---- Data sets ---------------------------------------------------------- */

/* By name:
 *   mnist          70,000 handwritten digits (LeCun, Cortes and Burges): four
 *                  IDX files, plain or gzip, checked by SHA-256. Looked for in
 *                  options.data_dir, $HOURGLASS_DATA, then
 *                  $XDG_CACHE_HOME/hourglass or ~/.cache/hourglass, as
 *                  mnist/FILE and MNIST/raw/FILE; else fetched into the first
 *                  of these that can be written, unless options.offline or
 *                  HOURGLASS_OFFLINE=1, from $HOURGLASS_MIRROR first.
 *                  What was checked once is kept packed in the cache and
 *                  mapped from there while the files stay as they are;
 *   fashion-mnist  the same with pictures of clothes (Xiao et al., 2017);
 *   binarized-mnist  zeros and ones drawn once from MNIST (Larochelle and
 *                  Murray, 2011): 60,000 to train, 10,000 to test, no labels;
 *   cifar10        50,000 and 10,000 colour photographs (Krizhevsky, 2009);
 *   synthetic      28 x 28 digits drawn by a procedural pen, 12,000 to train
 *                  and 2,000 to test, made from the context's seed;
 *   synthetic:N    the same with N to train and N / 6 to test.
 *   moons, rings, swiss-roll, mixture, each with :N too
 *                  points in the plane, 2,000 to train and a sixth of that to
 *                  test, values in [0, 1].
 *
 * A name with a slash is a path, to
 *
 *   a folder       with MNIST's four file names; or of pictures (PNG, JPEG,
 *                  PGM, PPM), flat or one sub-folder a class, or train/ and
 *                  test/ that are either;
 *
 *   a file         of hg_data_pack; an IDX file of images [n, h, w] (its labels
 *                  beside it, where there are any); .npy, .npz, .csv (what is
 *                  read as what is in datasets/arrays.h).
 *
 * Where no part is for testing, a tenth of the items is, chosen by the hash of
 * their names or numbers, and the validation part is chosen so too. What was
 * assumed about pictures and arrays is told by hg_context_on_message. */
HG_API hg_data *hg_data_open(hg_context *, const char *name_or_path,
                             hg_data_options);

/* Fetches a named set where it is not there; false with a sentence that says
 * which files, with which hashes, belong into which folder. */
HG_API HG_CHECK bool hg_data_fetch(hg_context *, const char *name,
                                   hg_data_options);
/* The folder a named set lies in; false, without an error, where it is not. */
HG_API bool hg_data_locate(const char *name, const char *data_dir, char *text,
                           size_t size);
/* The i-th set that can be fetched, and a line about it; NULL at the end. */
HG_API const char *hg_data_known(int i, const char **about);

/* An array of your own. dtype "u1", "f4" or "f8"; shape [n, features],
 * [n, h, w] or [n, c, h, w]; labels: n numbers from 0 up, or NULL. NaN,
 * infinity and values outside the declared range are refused. */
HG_API hg_data *hg_data_from(hg_context *, const void *x, const char *dtype,
                             hg_shape, const int32_t *labels, hg_data_options);

/* Writes a set, as it was opened, into one file, which hg_data_open maps: for
 * sets larger than memory, of which a loader has the rows of the next few
 * batches read ahead. Values and range are kept, names of files are not. */
HG_API HG_CHECK bool hg_data_pack(const hg_data *, const char *path);

/* A part of a set as a set of its own, without a copy: "train", "val" or
 * "test". "test" is the set's own test part. "val" is val_fraction of the
 * training items, chosen by the context's seed; "train" is the others. With
 * val_fraction 0 "train" is all of them in their own order, "val" empty. The
 * same part asked for again is the same set. */
HG_API hg_data *hg_data_split(hg_data *, const char *part, double val_fraction);

/* Chosen rows of a set, in this order, as a set of its own, without a copy. */
HG_API hg_data *hg_data_select(hg_data *, const int64_t *rows, int64_t count);
/* To measure on: so many items from all over the set, one from each of so many
 * stretches; all, where it has no more or 0 are wanted. As they are, without
 * what only training does to them (moving, noise). Asked for again they are the
 * same ones, and the same set. */
HG_API hg_data *hg_data_spread(hg_data *, int64_t count);
/* The items of one class, or those of all others. */
HG_API hg_data *hg_data_class(hg_data *, int32_t label, bool others);

/* The context that owns it. */
HG_API hg_context *hg_data_context(const hg_data *);
/* Items (of the training part, for a set as it was opened). */
HG_API int64_t hg_data_size(const hg_data *);
/* Of one item: [c, h, w]. */
HG_API hg_shape hg_data_shape(const hg_data *);
/* c * h * w */
HG_API int64_t hg_data_features(const hg_data *);
/* One more than the largest label; 0 without labels. */
HG_API int hg_data_classes(const hg_data *);
HG_API const char *hg_data_name(const hg_data *);
/* The label of an item; -1 without labels or out of range. */
HG_API int32_t hg_data_label(const hg_data *, int64_t row);
/* Where an item of a split lies in the set that was split; -1 out of range. */
HG_API int64_t hg_data_source_row(const hg_data *, int64_t row);
/* The file an item was read from, relative to the folder; or NULL. */
HG_API const char *hg_data_item_name(const hg_data *, int64_t row);
/* The name of a class, where classes are folders; or NULL. */
HG_API const char *hg_data_class_name(const hg_data *, int32_t label);
/* What the values of a batch lie between: [0, 1] where a range is known, else
 * the least and the greatest value. */
HG_API void hg_data_range(const hg_data *, double range[2]);

/* The batch of these rows, in the open scope, transformed as in epoch 0, or as
 * in another. */
HG_API HG_CHECK bool hg_data_batch(const hg_data *, const int64_t *rows,
                                   int64_t count, hg_batch *);
HG_API HG_CHECK bool hg_data_batch_in(const hg_data *, int64_t epoch,
                                      const int64_t *rows, int64_t count,
                                      hg_batch *);
/* The same of `count` rows one after another, from `first` on. */
HG_API HG_CHECK bool hg_data_batch_from(const hg_data *, int64_t first,
                                        int64_t count, hg_batch *);

/* ---- A look at images --------------------------------------------------- */

/* Writes images [n, c, h, w], grey (c = 1) or colour (3), values from 0 to 1,
 * as one PNG with so many columns (0: about as many as rows). The file is
 * replaced whole or left as it was; a pipe or a device is written into.
 *
 *     hg_tensor *y = hg_reshape(decoded, HG_SHAPE(-1, 1, 28, 28));
 *     bool ok = hg_images_save(y, 8, "decoded.png");
 */
HG_API HG_CHECK bool hg_images_save(const hg_tensor *, int64_t columns,
                                    const char *file);

/* ---- Loaders ------------------------------------------------------------ */

/* Batches of batch_size items; the last one of an epoch may be smaller. With
 * `shuffle` every epoch has an order of its own, a function of the context's
 * seed and the epoch's number alone. */
HG_API hg_loader *hg_loader_new(hg_data *, int64_t batch_size, bool shuffle);

/* Gives a loader back, which the context frees anyway: for those that are made
 * over and over. NULL is fine. */
HG_API void hg_loader_free(hg_loader *);
/* A smaller last batch is left out, as many published loops do. */
HG_API void hg_loader_drop_last(hg_loader *, bool on);

/* Opens a scope with the next batch in it; close it when the step is done.
 * NULL at the epoch's end, and the call after that begins the next epoch.
 * NULL on failure too, with hg_error() set; nothing is left open then, and
 * the batch comes again once the error is cleared. */
HG_API hg_scope *hg_next(hg_loader *, hg_mode, hg_batch *);

/* Batches in an epoch. */
HG_API int64_t hg_loader_batches(const hg_loader *);
/* The number of the epoch under way, from 0, and the batches it has given: to
 * be saved with a checkpoint, and set on resume. Setting the epoch goes to
 * its beginning. */
HG_API int64_t hg_loader_epoch(const hg_loader *);
HG_API int64_t hg_loader_position(const hg_loader *);
HG_API HG_CHECK bool hg_loader_set_epoch(hg_loader *, int64_t epoch);
HG_API HG_CHECK bool hg_loader_set_position(hg_loader *, int64_t batch);

HG_END_DECLS

#endif
