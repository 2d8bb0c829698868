/* pca.c - principal components (Pearson, 1901): not a network, but the best
 * linear autoencoder there is; what any other must beat at the same width.
 *
 *   code = axes (x - mean),  y = mean + axes' code
 *
 * The axes are the eigenvectors of the largest eigenvalues of the covariance
 * of the training images, found exactly and at once by `prepare`; training
 * steps only measure. Draws are normal with the variances along the axes.
 */
#include "models/internal.h"
#include "models/measure.h"
#include "tensor/internal.h"

struct pca {
    hg_tensor *mean, *axes, *std; /* [d], [latent, d], [latent] */
    hg_params *params;
    int64_t d, latent;
};

static void *build(hg_params *p, const hg_config *c)
{
    struct pca *m = hg_params_alloc(p, sizeof *m);
    if (!m)
        return NULL;
    m->params = p;
    m->d = hg_config_int(c, "inputs");
    m->latent = hg_config_int(c, "latent");
    if (!hg_error() && (m->latent < 1 || m->latent > m->d))
        hg_fail(HG_ERROR_ARGUMENT,
                "--latent %lld: images of %lld values have from 1 to as many "
                "components",
                (long long)m->latent, (long long)m->d);
    m->mean = hg_buffer(p, "mean", HG_SHAPE(m->d), 0);
    m->axes = hg_buffer(p, "axes", HG_SHAPE(m->latent, m->d), 0);
    m->std = hg_buffer(p, "std", HG_SHAPE(m->latent), 0);
    return m;
}

static bool no_optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    (void)model, (void)p;
    o->count = 0;
    return true;
}

static bool take(struct pca *m, const double *mean, const double *axes,
                 const double *variance)
{
    int64_t k = m->latent;
    hg_scope *s = hg_scope_open(hg_params_context(m->params), HG_EVAL);
    hg_tensor *part = hg_from(variance, "f8", HG_SHAPE(k));
    hg_tensor *std = hg_sqrt(hg_relu(part)); /* rounding may leave -1e-18 */
    hg_tensor *centre = hg_from(mean, "f8", HG_SHAPE(m->d));
    hg_tensor *rows = hg_from(axes, "f8", HG_SHAPE(k, m->d));
    bool ok = rows && hg_assign(m->mean, centre) && hg_assign(m->axes, rows) &&
              hg_assign(m->std, std);
    if (s)
        hg_scope_close(s);
    return ok;
}

static bool prepare(void *model, hg_data *train)
{
    struct pca *m = model;
    hg_context *context = hg_params_context(m->params);
    size_t size = (size_t)(2 * m->d * (m->d + 1)) * sizeof(double);
    double *mean = hg_memory_allocate(context, size);
    if (!mean)
        return false;
    double *variance = mean + m->d, *covariance = variance + m->d;
    double *axes = covariance + m->d * m->d;
    bool ok = hg_data_moments(context, train, mean, covariance) &&
              hg_eigen(context, covariance, m->d, variance, axes) &&
              take(m, mean, axes, variance);
    hg_memory_release(context, mean, size);
    return ok;
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    const struct pca *m = model;
    return hg_linear(hg_sub(x, m->mean), m->axes, NULL);
}

/* Some pixels lie outside [0, 1]. */
static hg_tensor *linear(const struct pca *m, hg_tensor *code)
{
    return hg_add(hg_matmul(code, m->axes), m->mean);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_clamp(linear(model, code), 0, 1);
}

static hg_tensor *prior(void *model, int64_t n)
{
    const struct pca *m = model;
    return hg_mul(hg_randn(HG_SHAPE(n, m->latent)), m->std);
}

/* Squared error of the linear map itself, mean over pixels: [batch]. */
static hg_tensor *loss(void *model, const hg_batch *b)
{
    hg_tensor *y = linear(model, encode(model, b->x));
    return hg_mean(hg_square(hg_sub(y, b->target)), HG_FROM(1));
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    (void)o;
    hg_report("loss", loss(model, b));
    return !hg_error();
}

static const hg_option options[] = {
    {.name = "latent", .about = "components that are kept", .number = 20},
    {0},
};

const hg_model model_pca = {
    .name = "pca",
    .about = "principal components, the yardstick; exact, no network",
    .source = "Pearson, 1901",
    .options = options,
    .batch_size = 256,
    .epochs = 1,
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .build = build,
    .loss = loss,
    .optimizers = no_optimizers,
    .prepare = prepare,
    .step = step,
    .encode = encode,
    .decode = decode,
    .prior = prior,
};
