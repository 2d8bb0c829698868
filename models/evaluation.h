/* evaluation.h - what is measured on a trained model: the likelihood of
 * images, and how a code is used.
 *
 *     hg_bound b = {.samples = 500, .images = 1000};
 *     if (hg_model_likelihood(&model_vae, vae, test, &b))
 *         printf("at most %g nats\n", -b.bound[b.points - 1]);
 */
#ifndef HG_EVALUATION_H
#define HG_EVALUATION_H

#include "models/measure.h"
#include "models/model.h"

HG_BEGIN_DECLS

/* ---- Likelihood --------------------------------------------------------- */

/* What log p(x|z) [batch] is by the model's own slot, or by its decoder; a
 * Gaussian one has variance 1/2, its constant left out. */
HG_API hg_tensor *hg_model_log_likelihood(const hg_model *, void *model,
                                          hg_tensor *x, hg_tensor *z);

/* Importance-weighted bounds log 1/k sum_i p(x, z_i) / q(z_i|x), z_i ~ q: k = 1
 * is the ELBO, they rise to log p(x) with k (Burda et al., 2016). */
enum { HG_BOUND_POINTS = 16 };
typedef struct {
    int64_t samples; /* in: the largest k, at most 100,000 */
    int64_t images;  /* in: how many, of all over the set (0: all); out too */
    bool binarise;   /* in: pixels are drawn as 0 or 1 first */
    /* Out: k = 1, 2, 5, 10, ..., samples, and the mean bound over the images
     * in nats; a smaller k is averaged over as many groups as there are. */
    int points;
    int64_t k[HG_BOUND_POINTS];
    double bound[HG_BOUND_POINTS];
} hg_bound;
HG_API HG_CHECK bool hg_model_likelihood(const hg_model *, void *model,
                                         hg_data *, hg_bound *);

/* ---- Scores of single images -------------------------------------------- */

typedef enum {
    HG_SCORE_RECONSTRUCTION, /* squared error of the code's mean, decoded */
    HG_SCORE_PROBABILITY,    /* minus the mean of log p(x|z) over draws from
                                q(z|x) (An and Cho, 2015) */
    HG_SCORE_ELBO,           /* that and the KL */
    HG_SCORES
} hg_score;
HG_API const char *hg_score_name(hg_score);
/* What the score needs: decode and encode, sample, kl. */
HG_API bool hg_model_can_score(const hg_model *, hg_score);
/* How little a model expects each image, [n]: larger is stranger. `draws` from
 * q(z|x) for those that draw. */
HG_API HG_CHECK bool hg_model_score(const hg_model *, void *model, hg_data *,
                                    hg_score, int draws, double *score);

/* ---- Features that samples are judged by -------------------------------- */

/* A small classifier, owned by the context; its features are 64 activations
 * before the last layer. Not Inception: distances compare only where the hash
 * is the same. */
typedef struct hg_features hg_features;
HG_API hg_features *hg_features_new(hg_context *, hg_shape item, int classes);
/* Five epochs from a seed of its own: the same points give the same weights.
 */
HG_API HG_CHECK bool hg_features_train(hg_features *, hg_points,
                                       const int32_t *label);
HG_API HG_CHECK bool hg_features_save(const hg_features *, const char *file);
HG_API HG_CHECK bool hg_features_load(hg_features *, const char *file);
/* Of the weights' bits (FNV-1a). */
HG_API uint64_t hg_features_hash(const hg_features *);
HG_API int64_t hg_features_width(void);
/* Features [n, width] of images [n, c * h * w]; the likeliest classes [n],
 * unless NULL. */
HG_API HG_CHECK bool hg_features_apply(hg_features *, hg_points, double *out,
                                       int32_t *guess);

/* ---- Codes with a class, and what is given ------------------------------ */

/* How many columns at the end of a code name a class, one-hot; 0 if none do.
 */
HG_API int64_t hg_model_code_classes(hg_context *, const hg_model *,
                                     void *model, const hg_data *);
/* 1 where pixels are visible: the lower left quarter (1), the left half (2),
 * all but the upper right (3), as Sohn et al. (2015) show them. */
HG_API void hg_quarter_mask(hg_shape item, int visible, hg_real *mask);
/* Can the model be given the visible part of an image? */
HG_API bool hg_model_completes(hg_context *, const hg_model *, void *model,
                               const hg_data *);
/* Images with what batch->mask hides drawn anew, [batch, features]. */
HG_API hg_tensor *hg_model_complete(const hg_model *, void *model,
                                    const hg_batch *);
/* At most this many nats for the hidden pixels, given the visible ones, by
 * draws from the prior: [batch]. */
HG_API hg_tensor *hg_model_completion_nll(const hg_model *, void *model,
                                          const hg_batch *, int draws);

/* ---- Noise -------------------------------------------------------------- */

/* Normal noise added, clipped to [0, 1]; pixels set to 0 with this chance. */
HG_API hg_tensor *hg_add_noise(hg_tensor *x, double mean, double std);
HG_API hg_tensor *hg_mask_noise(hg_tensor *x, double share);
/* The mean of (a - b)^2 over n values. */
HG_API double hg_mean_square(const double *a, const double *b, int64_t n);

/* ---- Codes -------------------------------------------------------------- */

/* What each dimension of a code does over a data set; arrays [width], owned by
 * the context. */
typedef struct {
    int64_t width, images;
    int64_t given; /* the last of them, which are a condition */
    double *kl; /* mean over images of the KL to the prior, nats; 0 of what is
                   given, NaN without a Gaussian code. A prior of the model's
                   own counts as a Gaussian with the moments of its draws. */
    double *mean, *variance; /* of the code's mean over the images */
    int active; /* dimensions, of those not given, whose variance exceeds 0.01
                 */
} hg_latent;
HG_API HG_CHECK bool hg_model_latent(const hg_model *, void *model, hg_data *,
                                     hg_latent *);

/* The aggregate posterior q(z) = mean over n images of q(z|x), against the
 * prior: KL(q(z) || p(z)) and the mutual information of image and code, both in
 * nats, from one draw an image; n is at most `most`. The latter cannot exceed
 * log n. The mean KL is their sum (Hoffman and Johnson, 2016). For Gaussian
 * codes. */
HG_API HG_CHECK bool hg_model_aggregate(hg_context *, const hg_model *,
                                        void *model, hg_data *, int64_t most,
                                        double *kl, double *information);

HG_END_DECLS

#endif
