/* frechet.c - how far two sets of points are apart, and how far each covers
 * the other.
 *
 *   Frechet distance of Gaussians with their moments (Dowson and Landau, 1982;
 *   Heusel et al., 2017):
 *     |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)
 */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

/* ---- Frechet distance --------------------------------------------------- */

/* out = a b, all [d, d]. */
static void product(const double *a, const double *b, int64_t d, double *out)
{
    memset(out, 0, (size_t)(d * d) * sizeof *out);
    for (int64_t i = 0; i < d; i++)
        for (int64_t k = 0; k < d; k++)
            for (int64_t j = 0; j < d; j++)
                out[i * d + j] += a[i * d + k] * b[k * d + j];
}

/* The symmetric root of a, which is used up; scratch [d, d] and [d]. */
static bool square_root(hg_context *context, double *a, int64_t d, double *out,
                        double *vector, double *value)
{
    if (!hg_eigen(context, a, d, value, vector))
        return false;
    memset(out, 0, (size_t)(d * d) * sizeof *out);
    for (int64_t k = 0; k < d; k++) {
        double root = sqrt(fmax(0, value[k]));
        const double *v = vector + k * d;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j < d; j++)
                out[i * d + j] += root * v[i] * v[j];
    }
    return true;
}

static double trace(const double *a, int64_t d)
{
    double sum = 0;
    for (int64_t i = 0; i < d; i++)
        sum += a[i * d + i];
    return sum;
}

typedef struct {
    double *mean_a, *mean_b, *value;             /* [d] */
    double *cov_a, *cov_b, *root, *vector, *mid; /* [d, d] */
} workspace;

/* Divided by n - 1, as Heusel et al. compute it. */
static bool moments(hg_context *context, hg_points p, double *mean, double *cov)
{
    if (!hg_covariance(context, p, mean, cov))
        return false;
    for (int64_t i = 0; i < p.width * p.width; i++)
        cov[i] *= (double)p.count / (double)(p.count - 1);
    return true;
}

static bool measure(hg_context *context, hg_points a, hg_points b, workspace *w,
                    double *distance)
{
    int64_t d = a.width;
    if (!moments(context, a, w->mean_a, w->cov_a) ||
        !moments(context, b, w->mean_b, w->cov_b))
        return false;
    double sum = trace(w->cov_a, d) + trace(w->cov_b, d);
    for (int64_t j = 0; j < d; j++)
        sum += pow(w->mean_a[j] - w->mean_b[j], 2);
    if (!square_root(context, w->cov_a, d, w->root, w->vector, w->value))
        return false;
    product(w->root, w->cov_b, d, w->mid);
    product(w->mid, w->root, d, w->cov_a);
    for (int64_t i = 0; i < d; i++) /* symmetric but for rounding */
        for (int64_t j = 0; j < i; j++)
            w->cov_a[i * d + j] = w->cov_a[j * d + i];
    if (!hg_eigen(context, w->cov_a, d, w->value, w->vector))
        return false;
    for (int64_t k = 0; k < d; k++)
        sum -= 2 * sqrt(fmax(0, w->value[k]));
    *distance = fmax(0, sum);
    return true;
}

bool hg_frechet(hg_context *context, hg_points a, hg_points b, double *distance)
{
    if (!hg_context_usable(context, "hg_frechet"))
        return false;
    if (a.width != b.width || a.width < 1 || a.count < 2 || b.count < 2)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_frechet: two sets of at least two points of one "
                       "width are needed, not [%lld, %lld] and [%lld, %lld]",
                       (long long)a.count, (long long)a.width,
                       (long long)b.count, (long long)b.width);
    if (!hg_points_finite(a, "hg_frechet: the first set") ||
        !hg_points_finite(b, "hg_frechet: the second set"))
        return false;
    int64_t d = a.width;
    size_t size = (size_t)(5 * d * d + 3 * d) * sizeof(double);
    double *r = hg_memory_allocate(context, size);
    if (!r)
        return false;
    double *m = r + 3 * d;
    workspace w = {r,         r + d,         r + 2 * d,     m,
                   m + d * d, m + 2 * d * d, m + 3 * d * d, m + 4 * d * d};
    bool ok = measure(context, a, b, &w, distance);
    hg_memory_release(context, r, size);
    return ok;
}

/* ---- Precision and recall ----------------------------------------------- */

typedef struct {
    hg_points of, by;
    const double *radius; /* [by]: squared, to the k-th neighbour */
    double *hit;          /* [of] */
} cover;

static double squared_distance(const double *a, const double *b, int64_t d)
{
    double sum = 0;
    for (int64_t j = 0; j < d; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

static void cover_range(void *argument, int64_t from, int64_t to)
{
    const cover *c = argument;
    int64_t d = c->of.width;
    for (int64_t i = from; i < to; i++) {
        c->hit[i] = 0;
        for (int64_t j = 0; j < c->by.count && c->hit[i] == 0; j++)
            c->hit[i] =
                squared_distance(c->of.values + i * d, c->by.values + j * d,
                                 d) <= c->radius[j];
    }
}

/* Squared distances to the k-th nearest other point, by full search. */
static void radius_range(void *argument, int64_t from, int64_t to)
{
    const cover *c = argument;
    int64_t d = c->by.width;
    for (int64_t i = from; i < to; i++) {
        double near[3] = {INFINITY, INFINITY, INFINITY};
        for (int64_t j = 0; j < c->by.count; j++) {
            double s = j == i ? INFINITY
                              : squared_distance(c->by.values + i * d,
                                                 c->by.values + j * d, d);
            for (int k = 0; k < 3; k++)
                if (s < near[k]) {
                    double further = near[k];
                    near[k] = s;
                    s = further;
                }
        }
        c->hit[i] = near[2];
    }
}

/* The share of `of` that lies within the balls of `by`. */
static double covered(hg_context *context, hg_points of, hg_points by,
                      double *radius, double *hit)
{
    double sum = 0;
    cover balls = {by, by, NULL, radius}, c = {of, by, radius, hit};
    hg_parallel_for(context->threads, by.count, 8, radius_range, &balls);
    hg_parallel_for(context->threads, of.count, 8, cover_range, &c);
    for (int64_t i = 0; i < of.count; i++)
        sum += hit[i];
    return sum / (double)of.count;
}

bool hg_precision_recall(hg_context *context, hg_points real, hg_points fake,
                         double *precision, double *recall)
{
    if (!hg_context_usable(context, "hg_precision_recall"))
        return false;
    if (real.width != fake.width || real.count < 4 || fake.count < 4)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_precision_recall: two sets of at least four points "
                       "of one width are needed, not [%lld, %lld] and [%lld, "
                       "%lld]",
                       (long long)real.count, (long long)real.width,
                       (long long)fake.count, (long long)fake.width);
    if (!hg_points_finite(real, "hg_precision_recall: the real points") ||
        !hg_points_finite(fake, "hg_precision_recall: the fake points"))
        return false;
    int64_t most = real.count > fake.count ? real.count : fake.count;
    size_t size = (size_t)(2 * most) * sizeof(double);
    double *r = hg_memory_allocate(context, size);
    if (!r)
        return false;
    *precision = covered(context, fake, real, r, r + most);
    *recall = covered(context, real, fake, r, r + most);
    hg_memory_release(context, r, size);
    return true;
}
