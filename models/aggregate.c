/* aggregate.c - the aggregate posterior against the prior. */
#include "models/evaluation.h"
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { AT_ONCE = 250 };

/* Codes of n images: parameters of q(z|x), one draw each, and log p of it. */
typedef struct {
    int64_t n, width;
    double *mu, *std, *z; /* [n, width] */
    double *log_prior;    /* [n] */
    double *kl, *information;
} codes;

/* ---- Gathering ---------------------------------------------------------- */

/* Room for 3 n d + 3 n numbers in one piece. */
static bool make_room(codes *c, hg_region *region, int64_t width)
{
    int64_t n = c->n;
    double *v =
        hg_region_take(region, (size_t)(3 * n * (width + 1)) * sizeof *v);
    if (!v)
        return false;
    c->width = width;
    c->mu = v;
    c->std = v + n * width;
    c->z = v + 2 * n * width;
    c->log_prior = v + 3 * n * width;
    c->kl = c->log_prior + n;
    c->information = c->kl + n;
    return true;
}

static bool add_batch(const hg_model *model, void *state, hg_region *region,
                      const hg_batch *b, int64_t from, codes *c)
{
    hg_tensor *std = NULL;
    hg_tensor *mu =
        model->posterior(state, hg_model_input(model, state, b), &std);
    if (!mu || (!c->mu && !make_room(c, region, mu->shape.dim[1])))
        return false;
    int64_t at = from * c->width;
    hg_tensor *z = hg_normal_sample(mu, std);
    hg_tensor *log_p = hg_model_log_prior(model, state, z);
    int64_t size = b->size * c->width;
    return hg_doubles_of(mu, size, c->mu + at) &&
           hg_doubles_of(std, size, c->std + at) &&
           hg_doubles_of(z, size, c->z + at) &&
           hg_doubles_of(log_p, b->size, c->log_prior + from);
}

static bool gather(const hg_model *model, void *state, hg_data *data,
                   hg_region *region, codes *c)
{
    hg_batch b;
    int64_t from = 0;
    hg_loader *loader = hg_loader_new(data, AT_ONCE, false);
    for (hg_scope *s; loader && (s = hg_next(loader, HG_EVAL, &b));
         hg_scope_close(s)) {
        if (!add_batch(model, state, region, &b, from, c))
            hg_fail(HG_ERROR_STATE, "%s: the codes cannot be read",
                    model->name);
        from += b.size;
    }
    hg_loader_free(loader);
    return !hg_error();
}

/* ---- Densities ---------------------------------------------------------- */

/* log q(z_i | x_j), without its constant -d/2 log 2 pi. */
static double log_density(const codes *c, int64_t i, int64_t j)
{
    int64_t d = c->width;
    double sum = 0;
    for (int64_t k = 0; k < d; k++) {
        double off = (c->z[i * d + k] - c->mu[j * d + k]) / c->std[j * d + k];
        sum -= 0.5 * off * off + log(c->std[j * d + k]);
    }
    return sum;
}

/* Log of the mean over j, in one pass. */
static double log_aggregate(const codes *c, int64_t i)
{
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < c->n; j++) {
        double at = log_density(c, i, j);
        if (at > most) {
            sum = sum * exp(most - at) + 1;
            most = at;
        } else {
            sum += exp(at - most);
        }
    }
    return most + log(sum / (double)c->n);
}

static void measure_range(void *argument, int64_t from, int64_t to)
{
    codes *c = argument;
    double constant = -0.5 * (double)c->width * 1.8378770664093453;
    for (int64_t i = from; i < to; i++) {
        double log_q = log_aggregate(c, i);
        c->kl[i] = log_q + constant - c->log_prior[i];
        c->information[i] = log_density(c, i, i) - log_q;
    }
}

static double mean_of(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

bool hg_model_aggregate(hg_context *context, const hg_model *model, void *state,
                        hg_data *data, int64_t most, double *kl,
                        double *information)
{
    if (!hg_context_usable(context, "hg_model_aggregate"))
        return false;
    data = hg_data_spread(data, most);
    codes c = {.n = hg_data_size(data)};
    if (!model->posterior || c.n < 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: the aggregate posterior needs a Gaussian code and "
                       "images",
                       model->name);
    hg_region region = {.context = context};
    bool ok = gather(model, state, data, &region, &c);
    if (ok) {
        hg_parallel_for(context->threads, c.n, 8, measure_range, &c);
        *kl = mean_of(c.kl, c.n);
        *information = mean_of(c.information, c.n);
    }
    hg_region_free(&region);
    return ok;
}
