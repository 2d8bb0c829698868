/* aae_cluster.c - an adversarial autoencoder that finds clusters (Makhzani et
 * al., 2015, section 6): its code is a style, to look like N(0, I), and a
 * softmax, to look like one-hot draws: a cluster. Every batch:
 *   1 reconstruction: BCE(decoder([style, cluster]), x)
 *   2 discriminators: both critics
 *   3 generator:      the encoder fools both
 *   4 neighbours:     with --neighbours, an image and one of its nearest
 *                     neighbours share a cluster (Van Gansbeke et al., 2020)
 * Nets and the first three are nn/styled.c's; with labels it is aae-semi.
 */
#include "models/internal.h"

struct aae_cluster {
    nn_styled nets; /* the first: HG_STYLED_SLOTS */
    hg_params *params;
    hg_pairs pairs;
    int64_t neighbours;
    bool upright;
    double rate;
};

enum { PAIRS = NN_GENERATOR + 1 }; /* its optimiser */

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct aae_cluster *m = model;
    m->params = p;
    m->neighbours = hg_config_within(c, "neighbours", 0, 100);
    m->upright = hg_config_is(c, "upright", "yes");
    m->rate = hg_config_number(c, "neighbour-rate");
    nn_styled_new(&m->nets, p, hg_styled_options(c, "clusters"));
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    struct aae_cluster *m = model;
    return hg_styled_optimizers(model, p, o) &&
           (!m->neighbours || hg_label_optimizer(p, o, "neighbours", m->rate));
}

static bool prepare(void *model, hg_data *train)
{
    struct aae_cluster *m = model;
    return !m->neighbours || hg_pairs_find(&m->pairs, m->params, train,
                                           m->upright, m->neighbours);
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    struct aae_cluster *m = model;
    return nn_styled_step(&m->nets, b->x, b->target, o->list) &&
           (!m->neighbours || hg_pairs_join(&m->pairs, hg_styled_classify, m,
                                            b->size, o->list[PAIRS]));
}

const hg_model model_aae_cluster = {
    .name = "aae-cluster",
    .about = "adversarial autoencoder that finds clusters",
    .source = "Makhzani et al., 2015",
    .options = HG_OPTIONS(
        HG_NUMBER("clusters", "classes of the code", 30),
        HG_NUMBER("latent", "width of the style", 5), HG_STYLED_NETS,
        HG_NUMBER("neighbours", "of an image, that share its cluster", 0),
        HG_ONE_OF("upright", "neighbours are found without slant", "no",
                  hg_no_yes),
        HG_NUMBER("neighbour-rate", "learning rate of their sharing", 1e-3)),
    .batch_size = 100,
    .epochs = 100,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct aae_cluster),
    .build = build,
    .optimizers = optimizers,
    .prepare = prepare,
    .step = step,
    HG_STYLED_SLOTS,
};
