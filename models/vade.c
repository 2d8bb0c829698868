/* vade.c - variational deep embedding (Jiang et al., 2017): a VAE whose prior
 * is a mixture of normals, one a cluster.
 *
 *   p(c) = pi_c, p(z|c) = N(mu_c, S_c), q(z|x) = N(mu, sigma^2)
 *   g_c  = p(c|z), of a draw z ~ q(z|x)
 *   loss = -log p(x|z) + sum_c g_c KL(q(z|x) || p(z|c)) + KL(g || pi), nats
 *
 * S_c is diagonal, as published, or with --covariance full any covariance:
 * digits lie in a code as long groups, askew to its axes.
 *
 * Clusters are found from codes that mean something already: for --pretrain
 * epochs it is an ordinary autoencoder; then a mixture is fitted to the codes
 * of the training images, and all is trained together. The mixture has an Adam
 * of its own, which seldom leaves the groups that it began with: --refit fits
 * it again every so many epochs, to codes that have become clearer.
 */
#include "models/internal.h"

struct vade {
    nn_layer *encoder, *decoder;
    nn_mixture clusters;
    hg_tensor *seen, *fitted; /* images trained on so far; as many when the
                                 mixture was last fitted, or -1 */
    struct {
        uint64_t version; /* of the buffers, of which they are; 0: none */
        double seen, fitted;
    } known; /* the same on the host: to read them a GPU would have to wait */
    hg_params *params;
    hg_data *data;          /* of `prepare` */
    double pretrain, refit; /* epochs */
};

enum { NETS, MIXTURE };
enum { FITTED = 10000 }; /* images that the mixture is fitted to */

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct vade *m = model;
    int64_t in = hg_config_int(c, "inputs"), h = hg_config_int(c, "hidden");
    m->params = p;
    int64_t latent = hg_config_int(c, "latent");
    int64_t k = hg_config_int(c, "clusters");
    m->pretrain = hg_config_number(c, "pretrain");
    m->refit = hg_config_number(c, "refit");
    m->encoder = nn_mlp(p, "encoder", nn_relu, in, h, h, 4 * h, 2 * latent);
    m->decoder = nn_mlp(p, "decoder", nn_relu, latent, 4 * h, h, h, in);
    nn_mixture_options mixture = {
        k, latent, hg_config_is(c, "covariance", "full"), nn_std_of_log_var,
        HG_INIT(HG_INIT_UNIFORM, -1, 1)};
    nn_mixture_new(&m->clusters, hg_params_at(p, "mixture"), mixture);
    m->seen = hg_buffer(p, "seen", HG_SCALAR, 0);
    m->fitted = hg_buffer(p, "fitted", HG_SCALAR, -1);
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    (void)model;
    hg_params *nets[] = {hg_params_at(p, "encoder"),
                         hg_params_at(p, "decoder")};
    hg_adam_options adam = {.rate = 2e-3, .eps = 1e-4};
    o->list[NETS] = hg_adam_n(nets, 2, "nets", adam);
    o->list[MIXTURE] = hg_adam(hg_params_at(p, "mixture"), "mixture", adam);
    o->count = 2;
    return !hg_error();
}

/* ---- The nets ----------------------------------------------------------- */

static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct vade *m = model;
    return nn_normal_head(nn_forward(m->encoder, x), nn_std_of_log_var, std);
}

static hg_tensor *decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct vade *)model)->decoder, z));
}

/* ---- The mixture -------------------------------------------------------- */

static hg_tensor *classify(void *model, hg_tensor *x)
{
    hg_tensor *std, *mu = posterior(model, x, &std);
    return nn_mixture_joint(&((struct vade *)model)->clusters, mu);
}

static hg_tensor *log_prior(void *model, hg_tensor *z)
{
    return nn_mixture_logpdf(&((struct vade *)model)->clusters, z);
}

static hg_tensor *prior(void *model, int64_t n)
{
    return nn_mixture_draw(&((struct vade *)model)->clusters, n);
}

/* sum_c g_c KL(q(z|x) || p(z|c)) + KL(g || pi): [batch]. */
static hg_tensor *divergence(const struct vade *m, hg_tensor *mu,
                             hg_tensor *std, hg_tensor *z)
{
    const nn_mixture *c = &m->clusters;
    hg_tensor *log_g = hg_log_softmax(nn_mixture_joint(c, z), 1);
    hg_tensor *choice = hg_sub(log_g, hg_log_softmax(c->logits, 0));
    hg_tensor *cost = hg_add(nn_mixture_kl(c, mu, std), choice);
    return hg_sum(hg_mul(hg_exp(log_g), cost), HG_OVER(1));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct vade *m = model;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_tensor *z = hg_normal_sample(mu, std);
    hg_tensor *bce = hg_bce_nats(nn_forward(m->decoder, z), b);
    return hg_add(bce, hg_kl_cost(b, divergence(m, mu, std, z)));
}

/* An estimate, by one draw. */
static hg_tensor *kl(void *model, hg_tensor *x)
{
    hg_tensor *std, *mu = posterior(model, x, &std);
    return divergence(model, mu, std, hg_normal_sample(mu, std));
}

/* ---- From an autoencoder to a mixture ----------------------------------- */

static uint64_t version_of(const struct vade *m)
{
    return 1 + hg_version(m->seen) + hg_version(m->fitted);
}

/* What was loaded is read; what the last step left is known. */
static void recall(struct vade *m)
{
    if (m->known.version == version_of(m))
        return;
    m->known.seen = (double)hg_item(m->seen);
    m->known.fitted = (double)hg_item(m->fitted);
    m->known.version = version_of(m);
}

static bool fit_is_due(const struct vade *m, double epoch)
{
    if (m->known.fitted < 0)
        return true;
    double since = m->known.seen - m->known.fitted;
    return m->refit > 0 && since >= m->refit * epoch;
}

static bool fit_mixture(struct vade *m)
{
    if (!hg_fit_prior(&m->clusters, &model_vade, m, m->data, FITTED))
        return false;
    m->known.fitted = m->known.seen;
    hg_set(m->fitted, (hg_real)m->known.fitted);
    return true;
}

static bool prepare(void *model, hg_data *train)
{
    struct vade *m = model;
    m->data = train;
    return m->pretrain > 0 || fit_mixture(m);
}

/* As an ordinary autoencoder, on the means. A KL comes later: the trainer's
 * wish to weigh it is not refused. */
static bool pretrain(struct vade *m, const hg_batch *b, const hg_optimizers *o)
{
    if (b->objective)
        b->objective->weighed_kl = true;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_tensor *logits = nn_forward(m->decoder, mu);
    hg_tensor *bce = hg_bce_nats(logits, b);
    hg_report("loss", bce);
    return hg_minimize(hg_mean(bce, HG_ALL), o->list[NETS]);
}

static bool train(struct vade *m, const hg_batch *b, const hg_optimizers *o)
{
    hg_tensor *each = loss(m, b);
    hg_report("loss", each);
    return hg_minimize(hg_mean(each, HG_ALL), o->list[NETS], o->list[MIXTURE]);
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    struct vade *m = model;
    if (!m->data)
        return train(m, b, o);
    recall(m);
    double epoch = (double)hg_data_size(m->data);
    bool ok = m->known.seen < m->pretrain * epoch
                  ? pretrain(m, b, o)
                  : (!fit_is_due(m, epoch) || fit_mixture(m)) && train(m, b, o);
    if (!ok || !hg_assign(m->seen, hg_shift(m->seen, (double)b->size)))
        return false;
    m->known.seen += (double)b->size;
    m->known.version = version_of(m);
    return true;
}

const hg_model model_vade = {
    .name = "vade",
    .about = "VAE with a mixture as prior: clusters, 784-500-500-2000-10",
    .source = "Jiang et al., 2017",
    .options = HG_OPTIONS(
        HG_NUMBER("clusters", "components of the prior", 10),
        HG_CHOICE("covariance", "of the components, diagonal or full",
                  "diagonal", "full"),
        HG_NUMBER("latent", "width of the code", 10),
        HG_NUMBER("hidden", "units of the first two layers", 500),
        HG_NUMBER("pretrain", "epochs as an autoencoder", 15),
        HG_NUMBER("refit", "epochs from fit to fit of the mixture (0: once)",
                  0)),
    .batch_size = 100,
    .epochs = 50,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct vade),
    .build = build,
    .loss = loss,
    .optimizers = optimizers,
    .prepare = prepare,
    .step = step,
    .decode = decode,
    .prior = prior,
    .kl = kl,
    .posterior = posterior,
    .log_prior = log_prior,
    .classify = classify,
};
