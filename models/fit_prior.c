/* fit_prior.c - a mixture of normals fitted to a model's codes, into the
 * parameters of its prior. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

#include <string.h>

enum { AT_ONCE = 250 };

typedef struct {
    hg_context *context;
    const hg_model *model;
    void *state;
    const hg_data *data;
    int64_t latent;
} source;

/* Codes of the n images, [n, latent]. */
static bool codes_of(const source *s, double *codes, int64_t n)
{
    int64_t rows[AT_ONCE];
    hg_batch b;
    for (int64_t from = 0; from < n; from += AT_ONCE) {
        int64_t count = n - from < AT_ONCE ? n - from : AT_ONCE;
        for (int64_t i = 0; i < count; i++)
            rows[i] = from + i;
        hg_scope *scope = hg_scope_open(s->context, HG_EVAL);
        bool ok = scope && hg_data_batch(s->data, rows, count, &b);
        hg_tensor *z = ok ? hg_model_encode(s->model, s->state, b.x) : NULL;
        const hg_real *value = hg_fetch_values(z);
        for (int64_t i = 0; value && i < count * s->latent; i++)
            codes[from * s->latent + i] = (double)value[i];
        if (scope)
            hg_scope_close(scope);
        if (!value)
            return false;
    }
    return true;
}

/* ---- Turning the code --------------------------------------------------- */

/* Lower root L of what the components have in common, sum_c w_c S_c, and its
 * inverse, both [d, d]. */
static bool common_root(const hg_mixture *fit, double *l, double *inverse)
{
    int64_t d = fit->width;
    memset(l, 0, (size_t)(2 * d * d) * sizeof *l);
    for (int c = 0; c < fit->k; c++)
        for (int64_t i = 0; i < d * d; i++)
            for (int64_t k = 0; k < d; k++)
                l[i] += fit->weight[c] * fit->root[(c * d + i / d) * d + k] *
                        fit->root[(c * d + i % d) * d + k];
    if (!hg_cholesky(l, d, false))
        return hg_fail(HG_ERROR_NONFINITE, "hg_fit_prior: the clusters have no "
                                           "covariance; are the codes finite?");
    for (int64_t j = 0; j < d; j++)
        for (int64_t i = j; i < d; i++) {
            double sum = i == j;
            for (int64_t k = j; k < i; k++)
                sum -= l[i * d + k] * inverse[k * d + j];
            inverse[i * d + j] = sum / l[i * d + i];
        }
    return true;
}

/* z becomes A z, and nothing else changes: the head makes A mu, the decoder's
 * first layer takes L z. Deviations of the code become as wide as they would be
 * if they were alike. */
static bool turn_layers(const hg_code_layers *t, hg_tensor *a, hg_tensor *l)
{
    int64_t d = a ? a->shape.dim[0] : 0;
    hg_tensor *mu = hg_matmul(a, hg_slice(t->weight, 0, 0, d, 1));
    hg_tensor *at = hg_matmul(a, hg_slice(t->bias, 0, 0, d, 1));
    hg_tensor *wider = hg_log(hg_sum(hg_square(a), HG_OVER(1)));
    hg_tensor *log_var = hg_add(hg_slice(t->bias, 0, d, HG_END, 1), wider);
    hg_tensor *weight = hg_concat(0, mu, hg_slice(t->weight, 0, d, HG_END, 1));
    return hg_assign(t->weight, weight) &&
           hg_assign(t->bias, hg_concat(0, at, log_var)) &&
           hg_assign(t->first, hg_matmul(t->first, l));
}

/* ---- Into the prior ----------------------------------------------------- */

/* Weights, means and the covariances' diagonals, of turned codes perhaps. */
static bool take(const nn_mixture *m, const hg_mixture *fit,
                 const hg_code_layers *layers, double *l)
{
    int64_t k = m->mu->shape.dim[0], d = m->mu->shape.dim[1];
    hg_tensor *weight = hg_from(fit->weight, "f8", HG_SHAPE(k));
    hg_tensor *mu = hg_from(fit->mean, "f8", HG_SHAPE(k, d));
    hg_tensor *root = hg_from(fit->root, "f8", HG_SHAPE(k, d, d));
    if (layers) {
        hg_tensor *a = hg_from(l + d * d, "f8", HG_SHAPE(d, d));
        mu = hg_matmul(mu, hg_transpose(a));
        root = hg_matmul(a, root);
        if (!turn_layers(layers, a, hg_from(l, "f8", HG_SHAPE(d, d))))
            return false;
    }
    hg_tensor *variance = hg_sum(hg_square(root), HG_OVER(2));
    return hg_assign(m->logits, hg_log(hg_shift(weight, 1e-6))) &&
           hg_assign(m->mu, mu) && hg_assign(m->raw, hg_log(variance));
}

static bool take_fit(hg_context *context, const nn_mixture *m,
                     const hg_mixture *fit, const hg_code_layers *layers)
{
    size_t size = (size_t)(2 * fit->width * fit->width) * sizeof(double);
    double *l = hg_memory_allocate(context, size);
    if (!l)
        return false;
    double *inverse = l + fit->width * fit->width;
    hg_scope *s = !layers || common_root(fit, l, inverse)
                      ? hg_scope_open(context, HG_EVAL)
                      : NULL;
    bool ok = s && take(m, fit, layers, l);
    if (s)
        hg_scope_close(s);
    hg_memory_release(context, l, size);
    return ok;
}

bool hg_fit_prior(const nn_mixture *m, const hg_model *model, void *state,
                  hg_data *data, int64_t images, const hg_code_layers *layers)
{
    hg_context *context = hg_data_context(data);
    data = hg_data_spread(data, images);
    int64_t n = hg_data_size(data), d = m->mu->shape.dim[1];
    source s = {context, model, state, data, d};
    size_t size = (size_t)(n * d) * sizeof(double);
    double *codes = hg_memory_allocate(context, size);
    if (!codes)
        return false;
    hg_points points = {codes, n, d};
    hg_mixture *fit =
        codes_of(&s, codes, n)
            ? hg_mixture_fit(context, points, (int)m->mu->shape.dim[0], 0,
                             hg_context_seed(context))
            : NULL;
    hg_memory_release(context, codes, size);
    return fit && take_fit(context, m, fit, layers);
}
