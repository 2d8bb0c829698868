/* aae_cluster.c - an adversarial autoencoder that finds clusters (Makhzani et
 * al., 2015, section 6): its code is a style, to look like N(0, I), and a
 * softmax, to look like one-hot draws: a cluster. Every batch:
 *   1 reconstruction: BCE(decoder([style, cluster]), x)
 *   2 discriminators: both critics
 *   3 generator:      the encoder fools both
 * Nets and updates are nn/styled.c's; with labels it is aae-semi.
 */
#include "models/internal.h"

static void *build(hg_params *p, const hg_config *c)
{
    nn_styled *m = hg_params_alloc(p, sizeof *m);
    return m && nn_styled_new(m, p, hg_styled_options(c, "clusters")) ? m
                                                                      : NULL;
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    (void)model;
    return hg_styled_optimizers(p, o);
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    return nn_styled_step(model, b->x, b->target, o->list);
}

/* The reconstruction's, mean over pixels: [batch]. */
static hg_tensor *loss(void *model, const hg_batch *b)
{
    return hg_mean(nn_styled_bce(model, b->x, b->target), HG_FROM(1));
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    return nn_styled_encode(model, x);
}

static hg_tensor *classify(void *model, hg_tensor *x)
{
    return nn_styled_classify(model, x);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((nn_styled *)model)->decoder, code));
}

/* Every cluster in turn. */
static hg_tensor *prior(void *model, int64_t n)
{
    const nn_styled *m = model;
    hg_tensor *style = hg_randn(HG_SHAPE(n, m->style_width));
    return hg_concat(1, style, hg_each_class(n, m->classes));
}

static const hg_option options[] = {
    {.name = "clusters", .about = "classes of the code", .number = 30},
    {.name = "latent", .about = "width of the style", .number = 5},
    HG_STYLED_NETS,
    {0},
};

const hg_model model_aae_cluster = {
    .name = "aae-cluster",
    .about = "adversarial autoencoder that finds clusters",
    .source = "Makhzani et al., 2015",
    .options = options,
    .batch_size = 100,
    .epochs = 100,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .build = build,
    .loss = loss,
    .optimizers = optimizers,
    .step = step,
    .encode = encode,
    .decode = decode,
    .prior = prior,
    .classify = classify,
};
