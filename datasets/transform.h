/* transform.h - what happens to the pixels of an item on their way into a
 * batch: a list like "flip,shift:2,binarize,gaussian:0.3", applied from left to
 * right.
 */
#ifndef HG_TRANSFORM_H
#define HG_TRANSFORM_H

#include "datasets/pixel.h"
#include "tensor/internal.h"

typedef struct {
    hg_transform_kind kind;
    double amount;
} hg_transform;

typedef struct {
    int count;
    hg_transform list[HG_MOST_TRANSFORMS];
    const float *quantile; /* of the normal distribution [HG_QUANTILES + 1] */
} hg_transforms;

/* Parses the list; NULL or "" is an empty one. False with a sentence. */
bool hg_transforms_parse(hg_transforms *, hg_region *, const char *text);
/* Those of them that define the data, in every part: binarising and
 * dequantising; the others are for training alone. */
void hg_transforms_keep_defining(hg_transforms *);
/* Are there others? */
bool hg_transforms_augment(const hg_transforms *);
/* Does the input differ from the target? */
bool hg_transforms_spoil(const hg_transforms *);

/* Where an item stands: its numbers are a function of these alone, so that
 * batch size, order, threads and a resume do not change them. */
typedef struct {
    uint64_t seed, epoch, row;
    hg_shape item; /* [c, h, w] */
    int isa;       /* of the machine; changes no bit */
} hg_item_place;

/* x, one item [c, h, w]; `target` gets a copy of it before the input is
 * spoilt, or is NULL. */
void hg_transforms_apply(const hg_transforms *, const hg_item_place *,
                         hg_real *x, hg_real *target);

#endif
