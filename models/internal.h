/* internal.h - what the models share. */
#ifndef HG_MODELS_INTERNAL_H
#define HG_MODELS_INTERNAL_H

#include "models/model.h"

extern const char *const hg_recipes[], *const hg_no_yes[];

/* Every published recipe has oddities: `oddity` says what the faithful one
 * does that the corrected one, the default, does not. */
#define HG_RECIPE(oddity)                                                      \
    {                                                                          \
        .name = "recipe",                                                      \
        .about = "corrected, or faithful to the publication: " oddity,         \
        .text = "corrected", .choices = hg_recipes                             \
    }

/* The decoder uses the encoder's weights, transposed. */
#define HG_TIED                                                                \
    {                                                                          \
        .name = "tied", .about = "decode with the encoder's weights",          \
        .text = "no", .choices = hg_no_yes                                     \
    }

/* Not to be mixed up with the images' width, which it hides: hg_config_image.
 */
#define HG_WIDTH(channels_)                                                    \
    {                                                                          \
        .name = "width", .about = "channels of the first convolution",         \
        .number = (channels_)                                                  \
    }

/* [c, h, w] of the data. */
hg_shape hg_config_image(const hg_config *);
/* False, with a sentence, for images that are not 28 x 28. */
bool hg_wants_28(const hg_config *, const char *model);
/* False, with a sentence, for data without labels. */
bool hg_wants_labels(const hg_config *, const char *model);
/* Mean image [features] and, unless NULL, covariance [features, features] of a
 * whole data set, divided by its size. */
bool hg_data_moments(hg_context *, const hg_data *, double *mean,
                     double *covariance);
/* 0, 1, ..., k - 1, 0, 1, ... as one-hot rows, [n, k]: every class in turn. */
hg_tensor *hg_each_class(int64_t n, int64_t k);
/* BCE of logits and pixels in nats an image: [batch]. */
hg_tensor *hg_bce_nats(hg_tensor *logits, const hg_batch *);

#endif
