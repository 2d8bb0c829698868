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

struct pca {
    hg_tensor *mean, *axes, *std; /* [d], [latent, d], [latent] */
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct pca *m = model;
    int64_t d = hg_config_int(c, "inputs");
    int64_t latent = hg_config_within(c, "latent", 1, d);
    m->mean = hg_buffer(p, "mean", HG_SHAPE(d), 0);
    m->axes = hg_buffer(p, "axes", HG_SHAPE(latent, d), 0);
    m->std = hg_buffer(p, "std", HG_SHAPE(latent), 0);
}

static bool prepare(void *model, hg_data *train)
{
    struct pca *m = model;
    return hg_data_axes(train, m->mean, m->axes, m->std);
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
    return hg_mul(hg_randn(HG_SHAPE(n, m->std->shape.dim[0])), m->std);
}

/* Squared error of the linear map itself, mean over pixels: [batch]. */
static hg_tensor *loss(void *model, const hg_batch *b)
{
    hg_tensor *y = linear(model, encode(model, b->x));
    return hg_mean(hg_square(hg_sub(y, b->target)), HG_FROM(1));
}

const hg_model model_pca = {
    .name = "pca",
    .about = "principal components, the yardstick; exact, no network",
    .source = "Pearson, 1901",
    .options = HG_OPTIONS(HG_NUMBER("latent", "components that are kept", 20)),
    .batch_size = 256,
    .epochs = 1,
    .likelihood = HG_LIKELIHOOD_GAUSSIAN,
    .size = sizeof(struct pca),
    .build = build,
    .loss = loss,
    .prepare = prepare,
    .encode = encode,
    .decode = decode,
    .prior = prior,
};
