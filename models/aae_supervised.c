/* aae_supervised.c - style and content apart (Makhzani et al., 2015, section
 * 4): the decoder is told the label, so that the code need not say it.
 *
 *   1 reconstruction: BCE(decoder([encoder(x), label]), x)
 *   2 discriminator:  the critic tells draws from N(0, spread^2) from styles
 *   3 generator:      the encoder makes styles that pass for draws
 *
 * A code is the style and, behind it, the label as one-hot: any style can be
 * had in any class.
 */
#include "models/internal.h"

struct aae_supervised {
    nn_layer *encoder, *decoder, *critic;
    int64_t inputs, style, classes;
    double spread;
};

enum { DECODER, ENCODER, CRITIC, GENERATOR };

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct aae_supervised *m = model;
    hg_wants_labels(c, "aae-supervised");
    int64_t h = hg_config_int(c, "hidden"), k = hg_config_int(c, "critic");
    double drop = hg_config_number(c, "drop");
    m->inputs = hg_config_int(c, "inputs");
    m->style = hg_config_int(c, "latent");
    m->classes = hg_config_int(c, "classes");
    m->spread = hg_config_number(c, "prior-std");
    m->encoder = nn_dropout_mlp(hg_params_at(p, "encoder"), m->inputs, h,
                                m->style, drop, true);
    m->decoder =
        nn_dropout_mlp(hg_params_at(p, "decoder"), m->style + m->classes, h,
                       m->inputs, drop, false);
    m->critic =
        nn_dropout_mlp(hg_params_at(p, "critic"), m->style, k, 1, drop, true);
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    (void)model;
    hg_adam_options fast = {.rate = 1e-4}, slow = {.rate = 5e-5};
    hg_params *encoder = hg_params_at(p, "encoder");
    o->list[DECODER] = hg_adam(hg_params_at(p, "decoder"), "decoder", fast);
    o->list[ENCODER] = hg_adam(encoder, "encoder", fast);
    o->list[CRITIC] = hg_adam(hg_params_at(p, "critic"), "critic", slow);
    o->list[GENERATOR] = hg_adam(encoder, "generator", slow);
    o->count = 4;
    return !hg_error();
}

static hg_tensor *condition(void *model, const hg_batch *b)
{
    return hg_one_hot(b->label, ((struct aae_supervised *)model)->classes);
}

/* [batch, inputs] */
static hg_tensor *cross_entropy(struct aae_supervised *m, const hg_batch *b)
{
    hg_tensor *style = nn_forward(m->encoder, b->x);
    hg_tensor *code = hg_concat(1, style, condition(m, b));
    return hg_bce_with_logits(nn_forward(m->decoder, code), b->target);
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    struct aae_supervised *m = model;
    hg_tensor *recon = hg_mean(cross_entropy(m, b), HG_ALL);
    hg_report("loss", recon);
    if (!hg_minimize(recon, o->list[DECODER], o->list[ENCODER]))
        return false;

    hg_tensor *draw =
        hg_scale(hg_randn(HG_SHAPE(b->size, m->style)), m->spread);
    hg_tensor *real = nn_forward(m->critic, draw);
    hg_tensor *style = hg_detach(nn_forward(m->encoder, b->x));
    hg_tensor *critic = nn_critic_loss(real, nn_forward(m->critic, style));
    hg_report("critic", critic);
    if (!hg_minimize(critic, o->list[CRITIC]))
        return false;

    style = nn_forward(m->encoder, b->x);
    hg_tensor *generator = nn_generator_loss(nn_forward(m->critic, style));
    hg_report("generator", generator);
    return hg_minimize(generator, o->list[GENERATOR]);
}

/* The reconstruction's, mean over pixels: [batch]. */
static hg_tensor *loss(void *model, const hg_batch *b)
{
    return hg_mean(cross_entropy(model, b), HG_FROM(1));
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    struct aae_supervised *m = model;
    hg_tensor *pixels = hg_slice(x, 1, 0, m->inputs, 1);
    hg_tensor *label = hg_slice(x, 1, m->inputs, HG_END, 1);
    return hg_concat(1, nn_forward(m->encoder, pixels), label);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(
        nn_forward(((struct aae_supervised *)model)->decoder, code));
}

/* Each class in turn. */
static hg_tensor *prior(void *model, int64_t n)
{
    const struct aae_supervised *m = model;
    hg_tensor *style = hg_scale(hg_randn(HG_SHAPE(n, m->style)), m->spread);
    return hg_concat(1, style, hg_each_class(n, m->classes));
}

const hg_model model_aae_supervised = {
    .name = "aae-supervised",
    .about = "adversarial autoencoder of styles, told the label",
    .source = "Makhzani et al., 2015; fducau, AAE_pytorch",
    .options =
        HG_OPTIONS(HG_NUMBER("latent", "width of the style", 2),
                   HG_NUMBER("prior-std", "spread of the prior", 5),
                   HG_NUMBER("hidden", "units of encoder and decoder", 1000),
                   HG_NUMBER("critic", "units of the critic", 1000),
                   HG_NUMBER("drop", "dropout", 0.2)),
    .batch_size = 100,
    .epochs = 100,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct aae_supervised),
    .build = build,
    .loss = loss,
    .optimizers = optimizers,
    .step = step,
    .condition = condition,
    .encode = encode,
    .decode = decode,
    .prior = prior,
};
