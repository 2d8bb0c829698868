/* tsne.c - t-distributed stochastic neighbour embedding (van der Maaten and
 * Hinton, 2008), with repulsion by quadtree (van der Maaten, 2014).
 *
 *   p_j|i ~ exp(-|x_i - x_j|^2 / 2 s_i^2), s_i by the perplexity
 *   p_ij  = (p_j|i + p_i|j) / 2n
 *   q_ij  ~ 1 / (1 + |y_i - y_j|^2)
 *   dKL(P||Q) / dy_i = 4 sum_j (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2)
 */
#include "models/tsne.h"

#include "models/internal.h"
#include "tensor/random.h"

#include <math.h>
#include <string.h>

/* ---- The gradient ------------------------------------------------------- */

typedef struct {
    const hg_affinities *a;
    const hg_quadtree *tree;
    const double *map;
    double theta, exaggeration, total;
    double *push;     /* [n, 3]: repulsion, and the sum of weights */
    double *gradient; /* [n, 2] */
} descent;

static void push_range(void *argument, int64_t from, int64_t to)
{
    const descent *d = argument;
    for (int64_t i = from; i < to; i++)
        d->push[3 * i + 2] =
            hg_quadtree_push(d->tree, d->map, i, d->theta, d->push + 3 * i);
}

/* Attraction less repulsion; the sum of weights gives way to the KL. */
static void pull_range(void *argument, int64_t from, int64_t to)
{
    const descent *d = argument;
    const double *y = d->map;
    for (int64_t i = from; i < to; i++) {
        double pull[2] = {0, 0}, kl = 0;
        for (int64_t k = d->a->start[i]; k < d->a->start[i + 1]; k++) {
            int64_t j = d->a->column[k];
            double dx = y[2 * i] - y[2 * j], dy = y[2 * i + 1] - y[2 * j + 1];
            double w = 1 / (1 + dx * dx + dy * dy), p = d->a->p[k];
            pull[0] += p * w * dx;
            pull[1] += p * w * dy;
            if (p > 0)
                kl += p * log(p * d->total / w);
        }
        for (int c = 0; c < 2; c++)
            d->gradient[2 * i + c] =
                4 * (d->exaggeration * pull[c] - d->push[3 * i + c] / d->total);
        d->push[3 * i + 2] = kl;
    }
}

static double sum_third(const double *push, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += push[3 * i + 2];
    return sum;
}

double hg_tsne_gradient(hg_context *context, const hg_affinities *a,
                        hg_quadtree *tree, const double *map, double theta,
                        double exaggeration, double *push, double *gradient)
{
    descent d = {a, tree, map, theta, exaggeration, 0, push, gradient};
    hg_quadtree_build(tree, map, a->n);
    hg_parallel_for(context->threads, a->n, 64, push_range, &d);
    d.total = sum_third(push, a->n);
    hg_parallel_for(context->threads, a->n, 64, pull_range, &d);
    return sum_third(push, a->n);
}

/* ---- The descent -------------------------------------------------------- */

/* The principal plane, shrunk to a ten-thousandth; normal draws where the
 * points have no plane. */
static bool first_map(hg_context *context, hg_points p, uint64_t seed,
                      double *map, double *x)
{
    double share, mean, spread, *y = x + p.count;
    hg_philox draw =
        hg_philox_make(seed, HG_DOMAIN_DATA, hg_hash_text("t-SNE"));
    if (p.width >= 2 &&
        !hg_principal_plane(context, p.values, p.count, p.width, x, y, &share))
        return false;
    hg_moments((hg_points){x, p.count, 1}, &mean, &spread);
    bool plane = p.width >= 2 && spread > 0;
    for (int64_t i = 0; i < p.count; i++) {
        float normal[2];
        hg_words_normal(hg_philox_word(&draw, 2 * (uint64_t)i),
                        hg_philox_word(&draw, 2 * (uint64_t)i + 1), normal);
        map[2 * i] = 1e-4 * (plane ? x[i] / spread : (double)normal[0]);
        map[2 * i + 1] = 1e-4 * (plane ? y[i] / spread : (double)normal[1]);
    }
    return true;
}

/* Momentum, with a gain for each coordinate that grows while its direction
 * lasts (Jacobs, 1988). */
static void move(double *map, double *speed, double *gain,
                 const double *gradient, int64_t size, double rate,
                 double momentum)
{
    for (int64_t i = 0; i < size; i++) {
        bool turns = (gradient[i] > 0) != (speed[i] > 0);
        gain[i] = fmax(0.01, turns ? gain[i] + 0.2 : gain[i] * 0.8);
        speed[i] = momentum * speed[i] - rate * gain[i] * gradient[i];
        map[i] += speed[i];
    }
}

static void centre(double *map, int64_t n)
{
    double mean[2] = {0, 0};
    for (int64_t i = 0; i < 2 * n; i++)
        mean[i % 2] += map[i] / (double)n;
    for (int64_t i = 0; i < 2 * n; i++)
        map[i] -= mean[i % 2];
}

static bool tell(const hg_tsne_options *o, int iteration, double kl)
{
    bool due = iteration % 10 == 0 || iteration == o->iterations;
    return !o->progress || !due || o->progress(o->user, iteration, kl);
}

static void descend(hg_context *context, const hg_affinities *a,
                    hg_quadtree *tree, const hg_tsne_options *o, double *map,
                    double *scratch, double *kl)
{
    int64_t n = a->n;
    double *gradient = scratch, *speed = gradient + 2 * n;
    double *gain = speed + 2 * n, *push = gain + 2 * n;
    for (int64_t i = 0; i < 2 * n; i++) {
        speed[i] = 0;
        gain[i] = 1;
    }
    for (int i = 1; i <= o->iterations; i++) {
        bool early = i <= o->iterations / 4;
        *kl = hg_tsne_gradient(context, a, tree, map, o->theta,
                               early ? o->exaggeration : 1, push, gradient);
        move(map, speed, gain, gradient, 2 * n, o->rate, early ? 0.5 : 0.8);
        centre(map, n);
        if (!tell(o, i, *kl))
            break;
    }
    *kl = hg_tsne_gradient(context, a, tree, map, o->theta, 1, push, gradient);
}

static hg_tsne_options with_defaults(hg_tsne_options o, int64_t n)
{
    o.perplexity = o.perplexity > 0 ? o.perplexity : 30;
    o.theta = o.theta == 0 ? 0.5 : fmax(o.theta, 0);
    o.exaggeration = o.exaggeration > 0 ? o.exaggeration : 12;
    o.iterations = o.iterations > 0 ? o.iterations : 1000;
    if (!(o.rate > 0))
        o.rate = fmax(50, (double)n / o.exaggeration / 4);
    return o;
}

static bool embed(hg_context *context, hg_region *region, hg_points p,
                  hg_tsne_options o, double *map, double *kl)
{
    hg_affinities a = {0};
    hg_quadtree tree = {0};
    size_t size = (size_t)(9 * p.count) * sizeof(double);
    double *scratch = hg_region_take(region, size);
    if (!scratch || !hg_quadtree_make(&tree, region, p.count) ||
        !hg_affinities_make(context, region, p, o.perplexity, &a) ||
        !first_map(context, p, o.seed, map, scratch))
        return false;
    descend(context, &a, &tree, &o, map, scratch, kl);
    return isfinite(*kl) || hg_fail(HG_ERROR_NONFINITE,
                                    "hg_tsne: the map is not finite; try a "
                                    "smaller rate than %g",
                                    o.rate);
}

bool hg_tsne(hg_context *context, hg_points p, hg_tsne_options o, double *map,
             double *kl)
{
    if (!hg_context_usable(context, "hg_tsne"))
        return false;
    o = with_defaults(o, p.count);
    if (p.width < 1 || (double)p.count < 3 * o.perplexity + 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_tsne: a perplexity of %g needs more than %g points, "
                       "there are %lld; use more points or less perplexity",
                       o.perplexity, 3 * o.perplexity, (long long)p.count);
    if (!hg_points_finite(p, "hg_tsne"))
        return false;
    hg_region region = {.context = context};
    bool ok = embed(context, &region, p, o, map, kl);
    hg_region_free(&region);
    return ok;
}
