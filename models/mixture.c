/* mixture.c - mixtures of Gaussians with full covariances, by expectation
 * maximisation (Dempster, Laird and Rubin, 1977), begun from k-means several
 * times, since each start ends at a maximum of its own.
 *
 * Densities are computed with the Cholesky factor L of a covariance:
 *   log N(x) = -1/2 |L^-1 (x - mean)|^2 - sum log L_jj - d/2 log 2 pi
 */
#include "models/measure.h"
#include "tensor/internal.h"
#include "tensor/random.h"

#include <math.h>
#include <string.h>

enum { MOST_ITERATIONS = 60 };

static const double log_two_pi = 1.8378770664093453;

/* Weights, means and roots, one behind the other. */
static hg_mixture mixture_in(double *values, int k, int64_t d)
{
    return (hg_mixture){.k = k,
                        .width = d,
                        .weight = values,
                        .mean = values + k,
                        .root = values + k * (1 + d)};
}

typedef struct {
    const hg_mixture *m;
    hg_points p;
    double *log_p;      /* [n] */
    double *share;      /* [n, k] responsibilities, or NULL */
    int32_t *component; /* [n], or NULL */
    double *scratch;    /* [n, d] */
} scoring;

/* ---- Densities ---------------------------------------------------------- */

/* Lower Cholesky factor in place; false where the matrix is not positive. */
static bool cholesky(double *a, int64_t d, bool diagonal)
{
    for (int64_t j = 0; j < d; j++) {
        for (int64_t i = j; i < (diagonal ? j + 1 : d); i++) {
            double sum = a[i * d + j];
            for (int64_t k = diagonal ? j : 0; k < j; k++)
                sum -= a[i * d + k] * a[j * d + k];
            if (i == j && !(sum > 0))
                return false;
            a[i * d + j] = i == j ? sqrt(sum) : sum / a[j * d + j];
        }
        for (int64_t i = 0; i < j; i++)
            a[i * d + j] = 0;
    }
    return true;
}

/* log weight_c + log N(x; mean_c, covariance_c); y [d] is scratch. */
static double log_component(const hg_mixture *m, int c, const double *x,
                            double *y)
{
    int64_t d = m->width;
    const double *l = m->root + c * d * d, *mean = m->mean + c * d;
    double log_p = log(m->weight[c]) - 0.5 * (double)d * log_two_pi;
    for (int64_t i = 0; i < d; i++) {
        double sum = x[i] - mean[i];
        for (int64_t j = m->diagonal ? i : 0; j < i; j++)
            sum -= l[i * d + j] * y[j];
        y[i] = sum / l[i * d + i];
        log_p -= 0.5 * y[i] * y[i] + log(l[i * d + i]);
    }
    return log_p;
}

/* Terms of one point; log of their sum, and the largest one's place. */
static double log_sum(const double *term, int k, int *largest)
{
    double sum = 0;
    *largest = 0;
    for (int c = 1; c < k; c++)
        if (term[c] > term[*largest])
            *largest = c;
    for (int c = 0; c < k; c++)
        sum += exp(term[c] - term[*largest]);
    return term[*largest] + log(sum);
}

enum { MOST_COMPONENTS = 256 };

static void score_range(void *argument, int64_t from, int64_t to)
{
    const scoring *s = argument;
    double term[MOST_COMPONENTS];
    int64_t d = s->p.width;
    int best;
    for (int64_t i = from; i < to; i++) {
        for (int c = 0; c < s->m->k; c++)
            term[c] =
                log_component(s->m, c, s->p.values + i * d, s->scratch + i * d);
        s->log_p[i] = log_sum(term, s->m->k, &best);
        if (s->component)
            s->component[i] = best;
        for (int c = 0; s->share && c < s->m->k; c++)
            s->share[i * s->m->k + c] = exp(term[c] - s->log_p[i]);
    }
}

bool hg_mixture_score(hg_context *context, const hg_mixture *m, hg_points p,
                      double *log_p, int32_t *component)
{
    if (!hg_context_usable(context, "hg_mixture_score"))
        return false;
    if (!m || p.width != m->width)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_mixture_score: the mixture has width %lld, the "
                       "points %lld",
                       m ? (long long)m->width : 0, (long long)p.width);
    size_t size = (size_t)(p.count * p.width + 1) * sizeof(double);
    double *scratch = hg_memory_allocate(context, size);
    if (!scratch)
        return false;
    scoring s = {m, p, log_p, NULL, component, scratch};
    hg_parallel_for(context->threads, p.count, 16, score_range, &s);
    hg_memory_release(context, scratch, size);
    return true;
}

/* ---- Maximisation ------------------------------------------------------- */

typedef struct {
    hg_mixture *m;
    const scoring *s;
    double ridge;
    bool failed[MOST_COMPONENTS];
} fitting;

static void centre_component(const fitting *f, int c, double total)
{
    int64_t d = f->m->width;
    double *mean = f->m->mean + c * d;
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t i = 0; i < f->s->p.count; i++)
        for (int64_t j = 0; j < d; j++)
            mean[j] += f->s->share[i * f->m->k + c] / total *
                       f->s->p.values[i * d + j];
}

static void spread_component(const fitting *f, int c, double total)
{
    int64_t d = f->m->width;
    double *a = f->m->root + c * d * d, *mean = f->m->mean + c * d;
    memset(a, 0, (size_t)(d * d) * sizeof *a);
    for (int64_t i = 0; i < f->s->p.count; i++) {
        const double *x = f->s->p.values + i * d;
        double w = f->s->share[i * f->m->k + c] / total;
        for (int64_t j = 0; w > 1e-12 && j < d; j++)
            for (int64_t k = f->m->diagonal ? j : 0; k <= j; k++)
                a[j * d + k] += w * (x[j] - mean[j]) * (x[k] - mean[k]);
    }
    for (int64_t j = 0; j < d; j++)
        a[j * d + j] += f->ridge;
}

/* Components are independent of each other. */
static void maximise_range(void *argument, int64_t from, int64_t to)
{
    fitting *f = argument;
    for (int c = (int)from; c < (int)to; c++) {
        double total = 0;
        for (int64_t i = 0; i < f->s->p.count; i++)
            total += f->s->share[i * f->m->k + c];
        total = fmax(total, 1e-9);
        f->m->weight[c] = total / (double)f->s->p.count;
        centre_component(f, c, total);
        spread_component(f, c, total);
        f->failed[c] = !cholesky(f->m->root + c * f->m->width * f->m->width,
                                 f->m->width, f->m->diagonal);
    }
}

static bool maximise(hg_context *context, fitting *f)
{
    hg_parallel_for(context->threads, f->m->k, 1, maximise_range, f);
    for (int c = 0; c < f->m->k; c++)
        if (f->failed[c])
            return hg_fail(HG_ERROR_NONFINITE,
                           "hg_mixture_fit: component %d has no covariance; "
                           "are the points finite?",
                           c);
    return true;
}

static bool iterate(hg_context *context, fitting *f, const scoring *s)
{
    double before = -INFINITY;
    hg_mixture *m = f->m;
    for (m->iterations = 1;; m->iterations++) {
        double sum = 0;
        if (!maximise(context, f))
            return false;
        hg_parallel_for(context->threads, s->p.count, 16, score_range,
                        (void *)(uintptr_t)s);
        for (int64_t i = 0; i < s->p.count; i++)
            sum += s->log_p[i] / (double)s->p.count;
        m->log_likelihood = sum;
        if (sum - before < 1e-4 || m->iterations == MOST_ITERATIONS)
            return true;
        before = sum;
    }
}

/* A thousandth of the mean variance over the dimensions. */
static double ridge_of(hg_points p)
{
    double sum = 0;
    for (int64_t j = 0; j < p.width; j++) {
        hg_points column = {p.values + j, p.count, p.width};
        double mean = 0, square = 0;
        for (int64_t i = 0; i < p.count; i++)
            mean += column.values[i * p.width] / (double)p.count;
        for (int64_t i = 0; i < p.count; i++) {
            double off = column.values[i * p.width] - mean;
            square += off * off / (double)p.count;
        }
        sum += square / (double)p.width;
    }
    return sum > 0 ? 1e-3 * sum : 1e-9;
}

/* From the groups of one k-means start to a maximum of the likelihood. */
static bool climb(hg_context *context, fitting *f, const scoring *s,
                  int32_t *group, uint64_t seed)
{
    hg_mixture *m = f->m;
    if (!hg_kmeans(context, s->p, m->k, 3, seed, m->mean, group))
        return false;
    for (int64_t i = 0; i < s->p.count; i++)
        for (int c = 0; c < m->k; c++)
            s->share[i * m->k + c] = group[i] == c;
    return iterate(context, f, s);
}

static bool fit(hg_context *context, hg_mixture *best, hg_points p, int starts,
                uint64_t seed)
{
    int64_t n = p.count, d = p.width, k = best->k, own = k * (1 + d + d * d);
    size_t numbers = (size_t)(n * (k + 1 + d) + own) * sizeof(double);
    size_t size = numbers + (size_t)n * sizeof(int32_t);
    double *share = hg_memory_allocate(context, size);
    if (!share)
        return false;
    double *log_p = share + n * k, *scratch = log_p + n;
    hg_mixture m = mixture_in(scratch + n * d, best->k, d);
    best->diagonal = m.diagonal = n <= k * (d + 1);
    scoring s = {&m, p, log_p, share, NULL, scratch};
    fitting f = {.m = &m, .s = &s, .ridge = ridge_of(p)};
    bool ok = true;
    for (int start = 0; ok && start < starts; start++) {
        ok = climb(context, &f, &s, (int32_t *)((char *)share + numbers),
                   seed + (uint64_t)start);
        if (!ok || (start && m.log_likelihood <= best->log_likelihood))
            continue;
        best->log_likelihood = m.log_likelihood;
        best->iterations = m.iterations;
        memcpy(best->weight, m.weight, (size_t)own * sizeof *m.weight);
    }
    hg_memory_release(context, share, size);
    return ok;
}

hg_mixture *hg_mixture_fit(hg_context *context, hg_points p, int k, int starts,
                           uint64_t seed)
{
    if (!hg_context_usable(context, "hg_mixture_fit"))
        return NULL;
    if (k < 1 || k > MOST_COMPONENTS || p.count < k || p.width < 1) {
        hg_fail(HG_ERROR_ARGUMENT,
                "hg_mixture_fit: %lld points of width %lld cannot make %d "
                "components; use 1 to %d, and no more than points",
                (long long)p.count, (long long)p.width, k, MOST_COMPONENTS);
        return NULL;
    }
    int64_t d = p.width;
    size_t size = (size_t)(k * (1 + d + d * d)) * sizeof(double);
    hg_mixture *m = hg_region_take_zeroed(&context->region, sizeof *m);
    double *values = hg_region_take(&context->region, size);
    if (!m || !values)
        return NULL;
    *m = mixture_in(values, k, d);
    return fit(context, m, p, starts ? starts : 5, seed) ? m : NULL;
}

/* ---- Draws -------------------------------------------------------------- */

static int chosen_component(const hg_mixture *m, double u)
{
    double sum = 0;
    for (int c = 0; c < m->k; c++)
        if (u < (sum += m->weight[c]))
            return c;
    return m->k - 1;
}

bool hg_mixture_draw(hg_context *context, const hg_mixture *m, int64_t n,
                     uint64_t seed, double *out)
{
    if (!hg_context_usable(context, "hg_mixture_draw") || !m)
        return false;
    int64_t d = m->width;
    for (int64_t i = 0; i < n; i++, out += d) {
        hg_philox p = hg_philox_make(
            seed, HG_DOMAIN_DATA,
            hg_sequence(hg_hash_text("mixture") & 0xFFFFFFFFu, (uint64_t)i));
        int c = chosen_component(
            m, (double)hg_word_uniform(hg_philox_word(&p, (uint64_t)-1)));
        const double *l = m->root + c * d * d;
        memcpy(out, m->mean + c * d, (size_t)d * sizeof *out);
        for (int64_t j = 0; j < d; j++) {
            float normal[2];
            uint64_t word = 2 * (uint64_t)j;
            hg_words_normal(hg_philox_word(&p, word),
                            hg_philox_word(&p, word + 1), normal);
            for (int64_t k = j; k < d; k++)
                out[k] += l[k * d + j] * (double)normal[0];
        }
    }
    return true;
}
