/* fit_prior.c - a mixture of normals fitted to a model's codes, into the
 * parameters of its prior. */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

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
    hg_batch b;
    for (int64_t from = 0; from < n; from += AT_ONCE) {
        int64_t count = n - from < AT_ONCE ? n - from : AT_ONCE;
        hg_scope *scope = hg_scope_open(s->context, HG_EVAL);
        bool ok = scope && hg_data_batch_from(s->data, from, count, &b);
        hg_tensor *z = ok ? hg_model_encode(s->model, s->state, b.x) : NULL;
        ok = hg_doubles_of(z, count * s->latent, codes + from * s->latent);
        if (scope)
            hg_scope_close(scope);
        if (!ok)
            return false;
    }
    return true;
}

/* Covariances from Cholesky factors [k, d, d]: the log variances, or of all of
 * them what mixture.c takes apart, root = T^-1 diag(std). */
static bool take_roots(const nn_mixture *m, hg_tensor *root)
{
    if (!m->below)
        return hg_assign(m->raw, hg_log(hg_sum(hg_square(root), HG_OVER(2))));
    hg_tensor *one = hg_one_hot(hg_arange(m->d), m->d);
    hg_tensor *std = hg_sum(hg_mul(root, one), HG_OVER(1)); /* [k, d] */
    hg_tensor *unit = hg_div(root, hg_unsqueeze(std, 1));
    hg_tensor *below = hg_sub(nn_unit_inverse(unit, m->d), one);
    return hg_assign(m->raw, hg_scale(hg_log(std), 2)) &&
           hg_assign(m->below, below);
}

static bool take(hg_context *context, const nn_mixture *m,
                 const hg_mixture *fit)
{
    int64_t k = m->k, d = m->d;
    hg_scope *s = hg_scope_open(context, HG_EVAL);
    hg_tensor *weight = hg_from(fit->weight, "f8", HG_SHAPE(k));
    hg_tensor *mu = hg_from(fit->mean, "f8", HG_SHAPE(k, d));
    hg_tensor *root = hg_from(fit->root, "f8", HG_SHAPE(k, d, d));
    hg_tensor *logits = hg_log(hg_shift(weight, 1e-6));
    bool ok = root && hg_assign(m->logits, logits) && hg_assign(m->mu, mu) &&
              take_roots(m, root);
    if (s)
        hg_scope_close(s);
    return ok;
}

bool hg_fit_prior(const nn_mixture *m, const hg_model *model, void *state,
                  hg_data *data, int64_t images)
{
    hg_context *context = hg_data_context(data);
    data = hg_data_spread(data, images);
    int64_t n = hg_data_size(data), d = m->d;
    source s = {context, model, state, data, d};
    size_t size = (size_t)(n * d) * sizeof(double);
    double *codes = hg_memory_allocate(context, size);
    if (!codes)
        return false;
    hg_points points = {codes, n, d};
    hg_mixture *fit = codes_of(&s, codes, n)
                          ? hg_mixture_fit(context, points, (int)m->k, 0,
                                           hg_context_seed(context))
                          : NULL;
    hg_memory_release(context, codes, size);
    return fit && take(context, m, fit);
}
