/* gan.c - Generative Adversarial Nets (Goodfellow et al., 2014), dense, for
 * comparison: draws like those of an autoencoder, but no way back to a code.
 *
 *   fake = G(z), z ~ N(0, I); two updates a batch, each with its own Adam:
 *   1 generator: -log D(fake)
 *   2 critic:    (-log D(x) - log(1 - D(fake))) / 2
 *
 * As published (recipe faithful), batch norm divides by sqrt(var + 0.8): what
 * was meant as its momentum stands in the place of its epsilon.
 */
#include "models/internal.h"

struct gan {
    nn_layer *generator, *critic;
    int64_t latent;
};

static nn_layer *normed(hg_params *p, const char *linear, const char *norm,
                        int64_t in, int64_t out, nn_norm_options o)
{
    return nn_chain(p, nn_linear(p, linear, in, out),
                    nn_batch_norm(p, norm, out, o), nn_leaky_relu(p, 0.2));
}

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct gan *m = model;
    hg_params *g = hg_params_at(p, "generator"), *d = hg_params_at(p, "critic");
    int64_t in = hg_config_int(c, "inputs"), h = hg_config_int(c, "hidden");
    nn_norm_options o = {.eps = hg_config_is(c, "recipe", "faithful") ? 0.8
                                                                      : 1e-5};
    m->latent = hg_config_int(c, "latent");
    m->generator = nn_chain(
        g, nn_linear(g, "0", m->latent, h), nn_leaky_relu(g, 0.2),
        normed(g, "2", "3", h, 2 * h, o), normed(g, "5", "6", 2 * h, 4 * h, o),
        normed(g, "8", "9", 4 * h, 8 * h, o), nn_linear(g, "11", 8 * h, in),
        nn_tanh(g));
    m->critic = nn_chain(d, nn_linear(d, "0", in, 4 * h), nn_leaky_relu(d, 0.2),
                         nn_linear(d, "2", 4 * h, 2 * h), nn_leaky_relu(d, 0.2),
                         nn_linear(d, "4", 2 * h, 1));
}

enum { GENERATOR, CRITIC };

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    (void)model;
    hg_adam_options adam = {.rate = 2e-4, .beta1 = 0.5};
    o->list[GENERATOR] =
        hg_adam(hg_params_at(p, "generator"), "generator", adam);
    o->list[CRITIC] = hg_adam(hg_params_at(p, "critic"), "critic", adam);
    o->count = 2;
    return !hg_error();
}

static hg_tensor *prior(void *model, int64_t n)
{
    return hg_randn(HG_SHAPE(n, ((struct gan *)model)->latent));
}

/* Pixels from -1 to 1, as the critic sees them. */
static hg_tensor *draw(struct gan *m, int64_t n)
{
    return nn_forward(m->generator, prior(m, n));
}

static hg_tensor *centred(hg_tensor *x)
{
    return hg_shift(hg_scale(x, 2), -1);
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    struct gan *m = model;
    hg_tensor *fake = draw(m, b->size);
    hg_tensor *fooled = nn_generator_loss(nn_forward(m->critic, fake));
    hg_report("generator", fooled);
    if (!hg_minimize(fooled, o->list[GENERATOR]))
        return false;
    hg_tensor *real = nn_forward(m->critic, centred(b->x));
    hg_tensor *loss = hg_scale(
        nn_critic_loss(real, nn_forward(m->critic, hg_detach(fake))), 0.5);
    hg_report("loss", loss);
    return hg_minimize(loss, o->list[CRITIC]);
}

/* The critic's, [batch]: 0.693 where it cannot tell. */
static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct gan *m = model;
    hg_tensor *fake = nn_forward(m->critic, draw(m, b->size));
    hg_tensor *real = nn_forward(m->critic, centred(b->x));
    hg_tensor *both = hg_add(hg_softplus(hg_neg(real)), hg_softplus(fake));
    return hg_scale(hg_sum(both, HG_FROM(1)), 0.5);
}

static hg_tensor *decode(void *model, hg_tensor *z)
{
    hg_tensor *y = nn_forward(((struct gan *)model)->generator, z);
    return hg_scale(hg_shift(y, 1), 0.5);
}

const hg_model model_gan = {
    .name = "gan",
    .about = "generative adversarial net, 100-128-256-512-1024-784",
    .source = "Goodfellow et al., 2014; E. Linder-Noren, PyTorch-GAN",
    .options =
        HG_OPTIONS(HG_NUMBER("latent", "width of the noise", 100),
                   HG_NUMBER("hidden", "units of the narrowest layer", 128),
                   HG_RECIPE("0.8 as the epsilon of batch norm")),
    .batch_size = 64,
    .epochs = 50,
    .size = sizeof(struct gan),
    .build = build,
    .loss = loss,
    .optimizers = optimizers,
    .step = step,
    .decode = decode,
    .prior = prior,
};
