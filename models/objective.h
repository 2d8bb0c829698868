/* objective.h - how a trainer weighs the terms of any model's loss: options of
 * the training, not of one model.
 *
 * A model that lets the trainer do so writes its two terms with these:
 *
 *     hg_tensor *kl = hg_kl_cost(b, hg_normal_kl(mu, std));
 *     return hg_add(hg_gaussian_cost(b, decode(z)), kl);
 *
 * Without an objective they are the plain sums.
 */
#ifndef HG_OBJECTIVE_H
#define HG_OBJECTIVE_H

#include "datasets/data.h"
#include "ops/ops.h"

/* How the spread of a Gaussian decoder is found. */
typedef enum {
    HG_SPREAD_RECIPE,  /* variance 1/2: the squared error */
    HG_SPREAD_FIXED,   /* std */
    HG_SPREAD_LEARNED, /* exp(log_std), a parameter */
    HG_SPREAD_OPTIMAL  /* the batch's root of the mean squared error, where
                          the likelihood is largest (Rybkin et al., 2021) */
} hg_spread;

/* What changes from step to step is a 0-d tensor, set with hg_set. */
typedef struct hg_objective {
    hg_tensor *kl_weight; /* warm-up, 0 to 1; NULL: 1 */
    double free_bits;     /* nats a dimension that cost nothing more to use
                             (Kingma et al., 2016); 0: none */
    hg_tensor *capacity;  /* nats: the cost is |KL - capacity| times
                             capacity_weight (Burgess et al., 2018); or NULL */
    double capacity_weight;
    hg_spread spread;
    double std;                     /* HG_SPREAD_FIXED */
    hg_tensor *log_std;             /* HG_SPREAD_LEARNED */
    bool weighed_kl, took_variance; /* set when a model asks */
} hg_objective;

HG_BEGIN_DECLS

/* What the code costs. kl: [batch, latent] or [batch], nats; gives [batch], or
 * a scalar where free bits or a capacity look at the batch's mean. The KL as it
 * is, summed over the dimensions, is reported as "kl". */
HG_API hg_tensor *hg_kl_cost(const hg_batch *, hg_tensor *kl);
/* beta times that (Higgins et al., 2017), but for a capacity, whose weight
 * takes the place of beta. */
HG_API hg_tensor *hg_beta_kl_cost(const hg_batch *, hg_tensor *kl, double beta);

/* Minus log N(target; y, std^2), [batch], less its value at y = target and
 * std^2 = 1/2: the squared error, sum over pixels, unless the objective says
 * otherwise. y: [batch, features]. */
HG_API hg_tensor *hg_gaussian_cost(const hg_batch *, hg_tensor *y);

HG_END_DECLS

#endif
