/* likelihood.c - importance-weighted bounds of log p(x), for every model with
 * a Gaussian code.
 *
 * Images go through in small batches, each with all its samples: the encoder
 * runs once, z = mu + std * noise is [samples * batch, latent] a chunk at a
 * time, and only the log weights [k, batch] are kept. */
#include "models/evaluation.h"
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>
#include <string.h>

enum { IMAGES_AT_ONCE = 25, ROWS_AT_ONCE = 1000, MOST_SAMPLES = 100000 };

hg_tensor *hg_model_log_likelihood(const hg_model *model, void *state,
                                   hg_tensor *x, hg_tensor *z)
{
    if (model->log_likelihood)
        return model->log_likelihood(state, x, z);
    hg_tensor *y = model->decode(state, z);
    hg_tensor *cost = model->likelihood == HG_LIKELIHOOD_BERNOULLI
                          ? nn_bce_loss(y, x, HG_NONE)
                          : hg_square(hg_sub(y, x));
    return hg_neg(hg_sum(cost, HG_FROM(1)));
}

/* ---- Log weights -------------------------------------------------------- */

typedef struct {
    const hg_model *model;
    void *state;
    hg_tensor *x, *condition; /* [n, features], [n, width] or NULL */
    hg_tensor *mu, *std;      /* [n, latent] */
    int64_t n;
} posterior;

/* log p(x|z) + log p(z) - log q(z|x) for `chunk` draws an image:
 * [chunk * n], draw by draw. */
static hg_tensor *log_weights(const posterior *q, int64_t chunk)
{
    hg_tensor *mu = nn_repeat(q->mu, chunk), *std = nn_repeat(q->std, chunk);
    hg_tensor *z = hg_normal_sample(mu, std);
    hg_tensor *log_q = hg_sum(hg_normal_logpdf(z, mu, std), HG_FROM(1));
    hg_tensor *log_p = hg_model_log_prior(q->model, q->state, z);
    hg_tensor *code =
        q->condition ? hg_concat(1, z, nn_repeat(q->condition, chunk)) : z;
    hg_tensor *log_x = hg_model_log_likelihood(q->model, q->state,
                                               nn_repeat(q->x, chunk), code);
    return hg_add(log_x, hg_sub(log_p, log_q));
}

/* weights [samples, n] */
static bool draw_weights(const posterior *q, int64_t samples, hg_real *weights)
{
    int64_t most = ROWS_AT_ONCE / q->n;
    hg_context *context = hg_scope_here()->owner.context;
    for (int64_t done = 0; done < samples;) {
        int64_t chunk = samples - done < most ? samples - done : most;
        hg_scope *s = hg_scope_open(context, HG_EVAL);
        hg_tensor *w = s ? log_weights(q, chunk) : NULL;
        bool ok = w && hg_read(w, weights + done * q->n, chunk * q->n);
        if (s)
            hg_scope_close(s);
        if (!ok)
            return false;
        done += chunk;
    }
    return true;
}

/* ---- Bounds ------------------------------------------------------------- */

/* The mean over groups of k draws of log mean exp, of one image: its weights
 * lie n apart. */
static double group_bound(const hg_real *w, int64_t n, int64_t samples,
                          int64_t k)
{
    int64_t groups = samples / k;
    double total = 0;
    for (int64_t g = 0; g < groups; g++) {
        const hg_real *first = w + g * k * n;
        double most = -INFINITY, sum = 0;
        for (int64_t i = 0; i < k; i++)
            most = fmax(most, (double)first[i * n]);
        for (int64_t i = 0; i < k; i++)
            sum += exp((double)first[i * n] - most);
        total += most + log(sum / (double)k);
    }
    return total / (double)groups;
}

static void choose_points(hg_bound *b)
{
    static const int64_t digits[] = {1, 2, 5};
    b->points = 0;
    for (int64_t power = 1, i = 0; b->points + 1 < HG_BOUND_POINTS; i++) {
        int64_t k = digits[i % 3] * power;
        if (k >= b->samples)
            break;
        b->k[b->points++] = k;
        if (i % 3 == 2)
            power *= 10;
    }
    b->k[b->points++] = b->samples;
    memset(b->bound, 0, sizeof b->bound);
}

static bool open_posterior(const hg_model *model, void *state, hg_batch *b,
                           bool binarise, posterior *q)
{
    if (binarise)
        b->x = b->target = hg_bernoulli(b->x);
    hg_tensor *given = model->condition ? model->condition(state, b) : NULL;
    hg_tensor *x = given ? hg_concat(1, b->x, given) : b->x, *std = NULL;
    hg_tensor *mu = model->posterior(state, x, &std);
    *q = (posterior){model, state, b->target, given, mu, std, b->size};
    return mu && std && !hg_error();
}

static bool add_images(const hg_model *model, void *state, hg_batch *batch,
                       hg_bound *b)
{
    posterior q;
    int64_t n = batch->size;
    hg_real *w = hg_region_take(&hg_scope_here()->owner.region,
                                (size_t)(n * b->samples) * sizeof *w);
    if (!w || !open_posterior(model, state, batch, b->binarise, &q) ||
        !draw_weights(&q, b->samples, w))
        return false;
    for (int p = 0; p < b->points; p++)
        for (int64_t i = 0; i < n; i++)
            b->bound[p] +=
                group_bound(w + i, n, b->samples, b->k[p]) / (double)b->images;
    return true;
}

static bool check(const hg_model *model, hg_data *data, const hg_bound *b)
{
    if (hg_error())
        return false;
    if (!model->posterior || !(model->decode || model->log_likelihood))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s has no Gaussian code, so no likelihood can be "
                       "computed",
                       model->name);
    if (b->samples < 1 || b->samples > MOST_SAMPLES)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "hg_model_likelihood: %lld samples; use 1 to %d",
                       (long long)b->samples, MOST_SAMPLES);
    return hg_data_size(data) > 0 ||
           hg_fail(HG_ERROR_DATA, "hg_model_likelihood: there are no images");
}

bool hg_model_likelihood(const hg_model *model, void *state, hg_data *data,
                         hg_bound *b)
{
    hg_batch batch;
    if (!check(model, data, b))
        return false;
    data = hg_data_spread(data, b->images);
    b->images = hg_data_size(data);
    choose_points(b);
    hg_loader *loader = hg_loader_new(data, IMAGES_AT_ONCE, false);
    for (hg_scope *s; loader && (s = hg_next(loader, HG_EVAL, &batch));
         hg_scope_close(s)) {
        if (!add_images(model, state, &batch, b))
            hg_fail(HG_ERROR_STATE, "%s: the bound failed", model->name);
    }
    hg_loader_free(loader);
    return !hg_error();
}
