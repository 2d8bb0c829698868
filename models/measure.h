/* measure.h - what is computed from codes and images beside the training:
 * projections, mixtures, metrics.
 *
 * Points are rows of doubles, [count, width], in memory of the caller's.
 * Nothing here depends on the number of threads but what matrix products
 * leave to it.
 *
 *     double mean[20], axes[20 * 20], variance[20];
 *     hg_points codes = {values, 1000, 20};
 *     if (hg_pca(ctx, codes, mean, axes, variance))
 *         printf("%g of the variance\n", variance[0]);
 */
#ifndef HG_MEASURE_H
#define HG_MEASURE_H

#include "tensor/tensor.h"

typedef struct {
    const double *values; /* [count, width] */
    int64_t count, width;
} hg_points;

HG_BEGIN_DECLS

/* ---- Components --------------------------------------------------------- */

/* Eigenvalues, largest first, and eigenvectors in the rows of `vectors`, of a
 * symmetric matrix [d, d], which is used up. The largest entry of a vector is
 * positive. Householder's reduction, then implicit QL (Wilkinson and Reinsch,
 * 1971). */
HG_API HG_CHECK bool hg_eigen(hg_context *, double *matrix, int64_t d,
                              double *values, double *vectors);

/* Mean [d] and covariance [d, d] (divided by n). */
HG_API HG_CHECK bool hg_covariance(hg_context *, hg_points, double *mean,
                                   double *covariance);

/* The first k principal components, exactly: mean [d], axes [k, d] by rows,
 * largest variance first, and these variances [k] (Pearson, 1901). n points
 * vary along n - 1 axes at most; further ones are 0. */
HG_API HG_CHECK bool hg_pca(hg_context *, hg_points, int64_t k, double *mean,
                            double *axes, double *variance);
/* Coordinates along the first `k` axes: out [n, k]. */
HG_API void hg_pca_apply(hg_points, const double *mean, const double *axes,
                         int64_t k, double *out);

/* Where n points of width d lie along the two axes of largest variance, and
 * the share of the variance that these hold. */
HG_API HG_CHECK bool hg_principal_plane(hg_context *, const double *points,
                                        int64_t n, int64_t d, double *x,
                                        double *y, double *share);

/* ---- t-SNE -------------------------------------------------------------- */

/* A field left 0 means the default in brackets. */
typedef struct {
    double perplexity;   /* about how many neighbours count [30] */
    double theta;        /* Barnes-Hut accuracy; negative: exact [0.5] */
    double rate;         /* of descent [n / 48, at least 50] */
    double exaggeration; /* of the first iterations' attraction [12] */
    int iterations;      /* [1000]; the first quarter is exaggerated */
    uint64_t seed;       /* of the first positions, where no PCA gives them */
    /* Told now and then; false stops early, with the map as it is. */
    bool (*progress)(void *user, int iteration, double kl);
    void *user;
} hg_tsne_options;

/* A map [n, 2] that keeps neighbours together (van der Maaten and Hinton,
 * 2008; van der Maaten, 2014), begun from the principal plane; *kl is what was
 * minimised, in nats. */
HG_API HG_CHECK bool hg_tsne(hg_context *, hg_points, hg_tsne_options,
                             double *map, double *kl);

/* ---- Groups ------------------------------------------------------------- */

/* Lloyd's k-means from k-means++ starts (Arthur and Vassilvitskii, 2007), the
 * best of `tries`: centres [k, d], the group of each point [n]. */
HG_API HG_CHECK bool hg_kmeans(hg_context *, hg_points, int k, int tries,
                               uint64_t seed, double *centres, int32_t *group);

/* A mixture of k Gaussians, owned by the context. */
typedef struct {
    int k;
    int64_t width;
    double *weight; /* [k] */
    double *mean;   /* [k, d] */
    double *root;   /* [k, d, d]: lower Cholesky factors of the covariances */
    double log_likelihood; /* mean over the points, nats */
    int iterations;
    bool diagonal; /* `root` is: there were fewer points than k (width + 1) */
} hg_mixture;

/* Expectation maximisation (Dempster et al., 1977) from k-means, the likeliest
 * of so many starts (0: five); a thousandth of the mean variance is added to
 * the diagonals. Of k (width + 1) points or fewer only the diagonals are
 * fitted. NULL with an error. */
HG_API hg_mixture *hg_mixture_fit(hg_context *, hg_points, int k, int starts,
                                  uint64_t seed);
/* log p of every point, [n]; and the likeliest component, unless NULL. */
HG_API HG_CHECK bool hg_mixture_score(hg_context *, const hg_mixture *,
                                      hg_points, double *log_p,
                                      int32_t *component);
/* n draws, [n, d]: a function of the seed alone. */
HG_API HG_CHECK bool hg_mixture_draw(hg_context *, const hg_mixture *,
                                     int64_t n, uint64_t seed, double *out);

/* ---- Images ------------------------------------------------------------- */

/* Structural similarity of two images in [0, 1], 1 for equal ones; NaN where a
 * window of 11 x 11 does not fit, or the width exceeds 256 (Wang et al., 2004).
 */
HG_API double hg_ssim(const double *a, const double *b, int64_t height,
                      int64_t width);
/* Mean over n images [c, h, w] and their channels. */
HG_API HG_CHECK bool hg_mean_ssim(hg_context *, const double *a,
                                  const double *b, int64_t n, hg_shape item,
                                  double *mean);

/* ---- Two sets of points ------------------------------------------------- */

/* Unbiased estimate of the squared maximum mean discrepancy with the kernel
 * c / (c + |x - y|^2), c = 2 d times the mean variance of `b` (Gretton et al.,
 * 2012; Tolstikhin et al., 2018). May be slightly negative. */
HG_API HG_CHECK bool hg_mmd(hg_context *, hg_points a, hg_points b,
                            double *squared);

/* Frechet distance of the Gaussians with the two sets' means and unbiased
 * covariances (Heusel et al., 2017), squared as is usual. */
HG_API HG_CHECK bool hg_frechet(hg_context *, hg_points a, hg_points b,
                                double *distance);
/* The share of `fake` that lies nearer to a real point than its third nearest
 * real neighbour does, and the same the other way round (Kynkaanniemi et al.,
 * 2019). */
HG_API HG_CHECK bool hg_precision_recall(hg_context *, hg_points real,
                                         hg_points fake, double *precision,
                                         double *recall);

/* ---- Classes from points ------------------------------------------------ */

/* The k nearest of `points` to each of `queries`, exactly, in order:
 * index [queries, k] and, unless NULL, squared distances. k is at most 128. */
HG_API HG_CHECK bool hg_nearest(hg_context *, hg_points points,
                                hg_points queries, int k, int32_t *index,
                                double *squared);
/* The share of test points whose k nearest training points vote for their
 * label; a tie goes to the class with the nearest of them. */
HG_API HG_CHECK bool hg_knn_accuracy(hg_context *, hg_points train,
                                     const int32_t *label, hg_points test,
                                     const int32_t *test_label, int k,
                                     double *accuracy);
/* The same of a linear classifier with softmax, fitted to standardised points
 * (by at least a tenth of the largest standard deviation) in 1,000 steps of
 * AdamW on up to 500 of them. */
HG_API HG_CHECK bool hg_linear_probe(hg_context *, hg_points train,
                                     const int32_t *label, hg_points test,
                                     const int32_t *test_label, int classes,
                                     uint64_t seed, double *accuracy);

/* Rows of the first `each` items of every class in an order that the seed
 * chooses, [each * classes]; false where a class has fewer. */
HG_API HG_CHECK bool hg_choose_labelled(const int32_t *label, int64_t n,
                                        int classes, int64_t each,
                                        uint64_t seed, int64_t *rows);

/* ---- Detection ---------------------------------------------------------- */

/* An area and its interval at 95 %. */
typedef struct {
    double area, low, high;
} hg_interval;

/* Area under the ROC curve: how often a positive has the larger score, ties
 * counted half; the interval after DeLong et al. (1988). Both kinds must
 * occur, scores be finite. */
HG_API HG_CHECK bool hg_auroc(hg_context *, const double *score,
                              const bool *positive, int64_t n, hg_interval *);
/* Average precision, sum of precision times the step of recall; the interval by
 * the logit of the area (Boyd et al., 2013). */
HG_API HG_CHECK bool hg_auprc(hg_context *, const double *score,
                              const bool *positive, int64_t n, hg_interval *);

/* ---- Agreement of groups and classes ------------------------------------ */

/* The assignment of rows to columns of the least total cost [n, n] (Kuhn, 1955;
 * Munkres, 1957): column[row]. */
HG_API HG_CHECK bool hg_assign_least(hg_context *, const double *cost, int n,
                                     int *column);
/* How well groups agree with classes, both from 0 up, at most 1,000 of each. */
typedef struct {
    double accuracy; /* each group stands for one class, each class for one
                        group, so that most items are right (as many groups as
                        classes); else each group for its most frequent class */
    double nmi;      /* mutual information over the mean of the entropies */
    double ari;      /* adjusted Rand index (Hubert and Arabie, 1985) */
    bool matched;    /* accuracy is by assignment, not by majority */
} hg_agreement;
HG_API HG_CHECK bool hg_agree(hg_context *, const int32_t *group,
                              const int32_t *label, int64_t n, hg_agreement *);

/* ---- Paths between codes ------------------------------------------------ */

/* A way from a to b in `steps` points, both ends included: out [steps, d].
 * Spherical ones keep to the arc between the directions, with lengths that
 * change evenly (Shoemake, 1985; White, 2016). */
HG_API void hg_line(const double *a, const double *b, int64_t d, int64_t steps,
                    double *out);
HG_API void hg_arc(const double *a, const double *b, int64_t d, int64_t steps,
                   double *out);

/* The values below which the shares (i + 1/2) / n of column `j` lie. */
HG_API HG_CHECK bool hg_quantiles(hg_context *, hg_points, int64_t j, int64_t n,
                                  double *out);
/* Mean and standard deviation of each column, [d] each. */
HG_API void hg_moments(hg_points, double *mean, double *std);
/* 0 ... n - 1 in the order of falling values. */
HG_API void hg_order(const double *values, int64_t n, int64_t *order);

HG_END_DECLS

#endif
