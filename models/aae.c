/* aae.c - Adversarial Autoencoders (Makhzani et al., 2015).
 *
 * Three updates a batch, with four Adams:
 *   1 reconstruction: encoder and decoder lower BCE(decoder(encoder(x)), x)
 *   2 discriminator:  the critic tells draws from the prior from codes:
 *                     softplus(-D(real)) + softplus(D(fake))
 *   3 generator:      the encoder makes codes that pass for draws:
 *                     softplus(-D(encoder(x)))
 * hg_minimize clears and fills only the gradients of its own optimisers. The
 * prior is whatever can be sampled: N(0, 5^2), or --prior.
 *
 * With the published rates the game turns about its equilibrium for long before
 * codes look like draws. --game steady gets there: a critic five times as fast
 * as the generator, without dropout, and held back by the gradient penalty of
 * Mescheder et al. (2018), 1/2 weight |dD/dz|^2 at draws; less momentum in both
 * (beta1 0.5); and codes without dropout, as they are used afterwards.
 *
 * As published (recipe faithful) gradients are cleared once a batch, so that
 * update 3 also applies what 1 and 2 left in the encoder; probabilities are
 * guarded by an epsilon; and update 2 sees codes made without dropout.
 */
#include "models/internal.h"

struct aae {
    nn_layer *encoder, *decoder, *critic;
    hg_params *all;
    int64_t latent;
    const char *prior;
    double spread;
    bool faithful, steady;
};

enum { DECODER, ENCODER, CRITIC, GENERATOR };
#define PENALTY 0.1 /* weight of the critic's steepness */

static void aae_build(void *model, hg_params *p, const hg_config *c)
{
    struct aae *m = model;
    int64_t in = hg_config_int(c, "inputs"), d = hg_config_int(c, "latent");
    m->all = p;
    m->latent = d;
    m->prior = hg_config_text(c, "prior");
    m->spread = hg_config_number(c, "prior-std");
    m->faithful = hg_config_is(c, "recipe", "faithful");
    m->steady = hg_config_is(c, "game", "steady");
    if (m->steady && m->faithful) {
        hg_fail(HG_ERROR_ARGUMENT, "--game steady is not what was published; "
                                   "use --recipe corrected");
        return;
    }
    int64_t h = hg_config_int(c, "hidden"), k = hg_config_int(c, "critic");
    double drop = hg_config_number(c, "drop");
    m->encoder =
        nn_dropout_mlp(hg_params_at(p, "encoder"), in, h, d, drop, true);
    m->decoder =
        nn_dropout_mlp(hg_params_at(p, "decoder"), d, h, in, drop, false);
    m->critic = nn_dropout_mlp(hg_params_at(p, "critic"), d, k, 1,
                               m->steady ? 0 : 0.2, true);
}

static bool aae_optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    bool keep = ((struct aae *)model)->faithful;
    hg_adam_options fast = {.rate = 1e-4, .keep_gradients = keep};
    hg_adam_options critic = {.rate = 5e-5, .keep_gradients = keep};
    hg_adam_options generator = critic;
    if (((struct aae *)model)->steady) {
        critic = (hg_adam_options){.rate = 1e-3, .beta1 = 0.5};
        generator = (hg_adam_options){.rate = 2e-4, .beta1 = 0.5};
    }
    hg_params *encoder = hg_params_at(p, "encoder");
    o->list[DECODER] = hg_adam(hg_params_at(p, "decoder"), "decoder", fast);
    o->list[ENCODER] = hg_adam(encoder, "encoder", fast);
    o->list[CRITIC] = hg_adam(hg_params_at(p, "critic"), "critic", critic);
    o->list[GENERATOR] = hg_adam(encoder, "generator", generator);
    o->count = 4;
    return !hg_error();
}

/* ---- The losses, as published with an epsilon beside each logarithm ----- */

static hg_tensor *log_guarded(hg_tensor *p)
{
    return hg_log(hg_shift(p, 1e-15));
}

/* [batch, features] */
static hg_tensor *bce(const struct aae *m, hg_tensor *logits, hg_tensor *x)
{
    if (!m->faithful)
        return hg_bce_with_logits(logits, x);
    return nn_bce_loss(hg_shift(hg_sigmoid(logits), 1e-15), hg_shift(x, 1e-15),
                       HG_NONE);
}

/* -log D */
static hg_tensor *passes(const struct aae *m, hg_tensor *logits)
{
    return m->faithful ? hg_neg(log_guarded(hg_sigmoid(logits)))
                       : hg_softplus(hg_neg(logits));
}

/* -log (1 - D) */
static hg_tensor *fails(const struct aae *m, hg_tensor *logits)
{
    if (!m->faithful)
        return hg_softplus(logits);
    return hg_neg(log_guarded(hg_shift(hg_neg(hg_sigmoid(logits)), 1)));
}

/* ---- The three updates -------------------------------------------------- */

static bool update(const struct aae *m, hg_tensor *loss, hg_optimizer *first,
                   hg_optimizer *second)
{
    if (!m->faithful)
        return second ? hg_minimize(loss, first, second)
                      : hg_minimize(loss, first);
    return hg_backward(loss) && hg_optimizer_step(first) &&
           (!second || hg_optimizer_step(second));
}

static hg_tensor *without_dropout(const struct aae *m, hg_tensor *x)
{
    hg_mode was = hg_set_mode(HG_RECORD);
    hg_tensor *code = nn_forward(m->encoder, x);
    hg_set_mode(was);
    return code;
}

/* Codes that the critic learns from; faithful ones are not detached. */
static hg_tensor *fake_codes(const struct aae *m, hg_tensor *x)
{
    if (m->faithful)
        return without_dropout(m, x);
    return hg_detach(m->steady ? without_dropout(m, x)
                               : nn_forward(m->encoder, x));
}

/* |dD/dz|^2 at draws, on the scale of the prior: a scalar. */
static hg_tensor *steepness(const struct aae *m, hg_tensor *real,
                            hg_tensor *draw)
{
    hg_tensor *square =
        hg_sum(hg_square(hg_grad(real, draw, NULL)), HG_FROM(1));
    return hg_scale(hg_mean(square, HG_ALL), m->spread * m->spread);
}

static hg_tensor *aae_prior(void *model, int64_t n)
{
    const struct aae *m = model;
    return nn_prior_draw(m->prior, n, m->latent, m->spread);
}

static bool aae_step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    struct aae *m = model;
    if (m->faithful)
        hg_zero_grad(m->all);
    hg_tensor *y = nn_forward(m->decoder, nn_forward(m->encoder, b->x));
    hg_tensor *recon = hg_mean(bce(m, y, b->target), HG_ALL);
    hg_report("loss", recon);
    hg_report("recon", recon);
    if (!update(m, recon, o->list[DECODER], o->list[ENCODER]))
        return false;

    hg_tensor *draw = aae_prior(m, b->size);
    if (m->steady)
        draw = hg_watch(draw);
    hg_tensor *real = nn_forward(m->critic, draw);
    hg_tensor *code = fake_codes(m, b->x);
    hg_tensor *fake = nn_forward(m->critic, code);
    hg_tensor *critic =
        hg_mean(hg_add(passes(m, real), fails(m, fake)), HG_ALL);
    hg_report("critic", critic);
    hg_report("d_real", hg_sigmoid(real));
    hg_report("d_fake", hg_sigmoid(fake));
    if (m->steady)
        critic =
            hg_add(critic, hg_scale(steepness(m, real, draw), PENALTY / 2));
    if (!update(m, critic, o->list[CRITIC], NULL))
        return false;

    code = m->steady ? without_dropout(m, b->x) : nn_forward(m->encoder, b->x);
    hg_tensor *again = nn_forward(m->critic, code);
    hg_tensor *generator = hg_mean(passes(m, again), HG_ALL);
    hg_report("generator", generator);
    return update(m, generator, o->list[GENERATOR], NULL);
}

/* The reconstruction's BCE, mean over pixels: [batch]. */
static hg_tensor *aae_loss(void *model, const hg_batch *b)
{
    struct aae *m = model;
    hg_tensor *y = nn_forward(m->decoder, nn_forward(m->encoder, b->x));
    return hg_mean(bce(m, y, b->target), HG_FROM(1));
}

static hg_tensor *aae_encode(void *model, hg_tensor *x)
{
    return nn_forward(((struct aae *)model)->encoder, x);
}

static hg_tensor *aae_decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((struct aae *)model)->decoder, code));
}

const hg_model model_aae = {
    .name = "aae",
    .about = "adversarial autoencoder, 784-1000-1000-120",
    .source = "Makhzani et al., 2015",
    .options = HG_OPTIONS(
        HG_NUMBER("latent", "width of the code", 120),
        HG_CHOICE("game", "published, or steady: codes match the prior",
                  "published", "steady"),
        HG_ONE_OF("prior", "what codes are to look like", "normal",
                  nn_prior_names),
        HG_NUMBER("prior-std", "spread of the prior", 5),
        HG_NUMBER("hidden", "units of encoder and decoder", 1000),
        HG_NUMBER("critic", "units of the critic", 500),
        HG_NUMBER("drop", "dropout of encoder and decoder", 0.25),
        HG_RECIPE("clears gradients once a batch, guards logs by 1e-15")),
    .batch_size = 100,
    .published = &(const hg_published){.epochs = 84, .steps = 50000},
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct aae),
    .build = aae_build,
    .loss = aae_loss,
    .optimizers = aae_optimizers,
    .step = aae_step,
    .encode = aae_encode,
    .decode = aae_decode,
    .prior = aae_prior,
};
