/* measures.h - what `hourglass eval` and `hourglass compare` put into their
 * tables; each adds its figures to a JSON object by name. */
#ifndef HG_MEASURES_H
#define HG_MEASURES_H

#include "apps/view.h"

/* loss, recon_..., ssim, kl, elbo, rate, distortion, images */
bool measure_images(view *, int64_t batch_size, json_t *report);
/* latent, active_units, kl_dims, prior_ks, ..._worst, ..._line, ..._within */
bool measure_codes(view *, json_t *report);
/* nll: {samples, images, binarised, curve: [{k, nats}]} */
bool measure_bound(view *, hg_bound *, json_t *report);
bool draw_bound(view *, const hg_bound *, const char *path);
/* mmd; aggregate_kl and information of Gaussian codes */
bool measure_aggregate(view *, json_t *report);
/* quality.c: classifier_frechet: {features, accuracy, images, draws, precision,
 * recall, reconstructions, training_images} */
bool measure_quality(view *, json_t *report);
/* probe: [{on, width, linear, linear_1000, linear_100, knn, ...}] */
bool measure_probe(view *, json_t *report);
/* Labels of the first `count` items; NULL with an error where there are none
 * or no memory. */
int32_t *labels_of(const hg_data *, int64_t count);
/* What a model that classifies takes the first `count` items for, [count], and
 * how many classes it knows. */
bool classes_by_model(view *, int64_t count, int32_t *guess, int *classes);

#endif
