/* internal.h - what the models share. */
#ifndef HG_MODELS_INTERNAL_H
#define HG_MODELS_INTERNAL_H

#include "models/measure.h"
#include "models/model.h"

extern const char *const hg_no_yes[];

/* Every published recipe has oddities: `oddity` says what the faithful one
 * does that the corrected one, the default, does not. */
#define HG_RECIPE(oddity)                                                      \
    HG_CHOICE("recipe", "corrected, or faithful to the publication: " oddity,  \
              "corrected", "faithful")

/* The decoder uses the encoder's weights, transposed. */
#define HG_TIED(default_)                                                      \
    HG_ONE_OF("tied", "decode with the encoder's weights", default_, hg_no_yes)

/* What spoils the images of a model that restores them; the first of the two
 * kinds is the default. */
#define HG_NOISE(first, second)                                                \
    HG_CHOICE("noise", "what spoils the images", first, second),               \
        HG_NUMBER("rate", "pixels that masking drops", 0.3),                   \
        HG_NUMBER("std", "deviation of gaussian noise", 0.5)
typedef struct {
    bool masking;
    double rate, mean, std;
} hg_noise;
hg_noise hg_noise_of(const hg_config *);
hg_tensor *hg_spoil(hg_noise, hg_tensor *x);

/* Options of nn_styled, `classes` that of how many; and its four Adams: decoder
 * and encoder at 6e-4, critics and generator at --game-rate. */
#define HG_STYLED_NETS                                                         \
    HG_NUMBER("hidden", "units of encoder and decoder", 1000),                 \
        HG_NUMBER("critic", "units of the critics", 1000),                     \
        HG_NUMBER("drop", "dropout of encoder and decoder", 0.25),             \
        HG_NUMBER("game-rate", "learning rate of the adversarial game", 8e-4)
nn_styled_options hg_styled_options(const hg_config *, const char *classes);
bool hg_styled_optimizers(void *model, hg_params *, hg_optimizers *);
/* One more, of what leads to the class alone. */
bool hg_label_optimizer(hg_params *, hg_optimizers *, const char *name,
                        double rate);
/* Slots of a model that begins with an nn_styled. The loss is the
 * reconstruction's, mean over pixels: [batch]; the prior's draws have every
 * class in turn. */
hg_tensor *hg_styled_loss(void *model, const hg_batch *);
hg_tensor *hg_styled_encode(void *model, hg_tensor *x);
hg_tensor *hg_styled_classify(void *model, hg_tensor *x);
hg_tensor *hg_styled_decode(void *model, hg_tensor *code);
hg_tensor *hg_styled_prior(void *model, int64_t n);
#define HG_STYLED_SLOTS                                                        \
    .loss = hg_styled_loss, .encode = hg_styled_encode,                        \
    .classify = hg_styled_classify, .decode = hg_styled_decode,                \
    .prior = hg_styled_prior

/* An image and one of its nearest neighbours: what belongs together. */
typedef struct {
    const hg_data *data;
    int32_t *near; /* [images, k + 1], the nearest first: the image itself */
    int64_t k;
} hg_pairs;
enum { HG_MOST_PAIRS = 500 }; /* in a batch */
/* The k nearest of every image of a set, along its first principal axes, and
 * as they are, neither moved nor spoilt, or straightened: without their slant.
 * In memory of the store's. */
bool hg_pairs_find(hg_pairs *, hg_params *, hg_data *train, bool upright,
                   int64_t k);
/* Pairs of the given step, n of them, each image transformed by itself. */
bool hg_pairs_batch(const hg_pairs *, int64_t step, int64_t n, hg_batch *one,
                    hg_batch *other);
/* One update of `classify`, logits [n, classes]: the two of each of n pairs of
 * this step, at most HG_MOST_PAIRS, share a class. Reports "neighbours". */
bool hg_pairs_join(const hg_pairs *,
                   hg_tensor *(*classify)(void *model, hg_tensor *x),
                   void *model, int64_t n, hg_optimizer *);

/* Not to be mixed up with the images' width, which it hides: hg_config_image.
 */
#define HG_WIDTH(channels_)                                                    \
    HG_NUMBER("width", "channels of the first convolution", channels_)

/* [c, h, w] of the data. */
hg_shape hg_config_image(const hg_config *);
/* An error for images that are not 28 x 28. */
void hg_wants_28(const hg_config *, const char *model);
/* An error for data without labels. */
void hg_wants_labels(const hg_config *, const char *model);
/* The n values of a tensor as doubles; false with an error. */
bool hg_doubles_of(const hg_tensor *, int64_t n, double *out);
/* False, with a sentence that names the first coordinate that is not. */
bool hg_points_finite(hg_points, const char *who);
/* Principal axes of a data set into three buffers: mean [features], the leading
 * axes [k, features] and the deviations along them [k]. */
bool hg_data_axes(const hg_data *, hg_tensor *mean, hg_tensor *axes,
                  hg_tensor *std);
/* Pixels' log odds in the data set, into a decoder's last bias [features]. */
bool hg_data_log_odds(const hg_data *, hg_tensor *bias);
/* Fits a mixture of normals to the codes of `images` of a set (all, where there
 * are fewer): full covariances, of which a diagonal prior keeps the diagonals.
 */
bool hg_fit_prior(const nn_mixture *, const hg_model *, void *model, hg_data *,
                  int64_t images);
/* 0, 1, ..., k - 1, 0, 1, ... as one-hot rows, [n, k]: every class in turn. */
hg_tensor *hg_each_class(int64_t n, int64_t k);
/* BCE of logits and pixels in nats an image: [batch]. */
hg_tensor *hg_bce_nats(hg_tensor *logits, const hg_batch *);

#endif
