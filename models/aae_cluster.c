/* aae_cluster.c - an adversarial autoencoder that finds clusters (Makhzani et
 * al., 2015, section 6): its code is a style, to look like N(0, I), and a
 * softmax, to look like one-hot draws: a cluster. Every batch:
 *   1 reconstruction: BCE(decoder([style, cluster]), x)
 *   2 discriminators: both critics
 *   3 generator:      the encoder fools both
 * Nets and updates are nn/styled.c's; with labels it is aae-semi.
 */
#include "models/internal.h"

static void build(void *model, hg_params *p, const hg_config *c)
{
    nn_styled_new(model, p, hg_styled_options(c, "clusters"));
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    return nn_styled_step(model, b->x, b->target, o->list);
}

const hg_model model_aae_cluster = {
    .name = "aae-cluster",
    .about = "adversarial autoencoder that finds clusters",
    .source = "Makhzani et al., 2015",
    .options = HG_OPTIONS(HG_NUMBER("clusters", "classes of the code", 30),
                          HG_NUMBER("latent", "width of the style", 5),
                          HG_STYLED_NETS),
    .batch_size = 100,
    .epochs = 100,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(nn_styled),
    .build = build,
    .optimizers = hg_styled_optimizers,
    .step = step,
    HG_STYLED_SLOTS,
};
