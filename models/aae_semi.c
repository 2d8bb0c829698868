/* aae_semi.c - adversarial autoencoders whose code has a class (Makhzani et
 * al., 2015): few labels, or none.
 *
 * Two hidden layers, then two heads: a style, to look like N(0, I), and a
 * softmax, to look like one-hot draws; a critic for each. Every batch:
 *   1 reconstruction: BCE(decoder([style, class]), x)
 *   2 discriminators: both critics
 *   3 generator:      the encoder fools both
 *   4 labels:         cross-entropy on a batch of the labelled images
 * `aae-cluster` is the same without the fourth: its classes are clusters.
 *
 * As published (recipe faithful) the cross-entropy takes the softmax for
 * logits and applies another: from ten numbers between 0 and 1 it never sees
 * more than 0.23 for the right class, and its gradient does not fade.
 */
#include "models/internal.h"

struct aae_semi {
    nn_layer *trunk, *style, *label, *decoder, *style_critic, *label_critic;
    hg_params *params;
    const hg_data *data;
    int64_t *rows; /* of labelled images, `labelled` of them, in the order */
    int64_t labelled, classes, latent;
    bool learns_labels, faithful;
};

enum { DECODER, ENCODER, CRITICS, GENERATOR, LABELS };
enum { MOST_LABELLED = 100 }; /* in a batch */

static bool build_nets(struct aae_semi *m, hg_params *p, const hg_config *c)
{
    hg_params *e = hg_params_at(p, "encoder");
    int64_t in = hg_config_int(c, "inputs"), h = hg_config_int(c, "hidden");
    int64_t k = hg_config_int(c, "critic");
    double drop = hg_config_number(c, "drop");
    m->trunk =
        nn_chain(e, nn_linear(e, "0", in, h), nn_dropout(e, drop), nn_relu(e),
                 nn_linear(e, "3", h, h), nn_dropout(e, drop), nn_relu(e));
    m->style = nn_linear(e, "style", h, m->latent);
    m->label = nn_linear(e, "label", h, m->classes);
    m->decoder = nn_dropout_mlp(hg_params_at(p, "decoder"),
                                m->latent + m->classes, h, in, drop, false);
    m->style_critic = nn_dropout_mlp(hg_params_at(p, "critic.style"), m->latent,
                                     k, 1, 0.2, true);
    m->label_critic = nn_dropout_mlp(hg_params_at(p, "critic.label"),
                                     m->classes, k, 1, 0.2, true);
    return !hg_error();
}

static void *build(hg_params *p, const hg_config *c, bool labels)
{
    struct aae_semi *m = hg_params_alloc(p, sizeof *m);
    if (!m || (labels && !hg_wants_labels(c, "aae-semi")))
        return NULL;
    m->params = p;
    m->latent = hg_config_int(c, "latent");
    m->learns_labels = labels;
    m->classes = hg_config_int(c, labels ? "classes" : "clusters");
    m->labelled = labels ? hg_config_int(c, "labels") : 0;
    m->faithful = labels && hg_config_is(c, "recipe", "faithful");
    return build_nets(m, p, c) ? m : NULL;
}

static void *semi_build(hg_params *p, const hg_config *c)
{
    return build(p, c, true);
}

static void *cluster_build(hg_params *p, const hg_config *c)
{
    return build(p, c, false);
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    hg_adam_options recon = {.rate = 6e-4}, game = {.rate = 8e-4};
    hg_adam_options labels = {.rate = 1e-3};
    hg_params *encoder = hg_params_at(p, "encoder");
    hg_params *to_label[] = {hg_params_at(encoder, "0"),
                             hg_params_at(encoder, "3"),
                             hg_params_at(encoder, "label")};
    bool semi = ((struct aae_semi *)model)->learns_labels;
    o->list[DECODER] = hg_adam(hg_params_at(p, "decoder"), "decoder", recon);
    o->list[ENCODER] = hg_adam(encoder, "encoder", recon);
    o->list[CRITICS] = hg_adam(hg_params_at(p, "critic"), "critic", game);
    o->list[GENERATOR] = hg_adam(encoder, "generator", game);
    if (semi)
        o->list[LABELS] = hg_adam_n(to_label, 3, "labels", labels);
    o->count = semi ? 5 : 4;
    return !hg_error();
}

/* ---- The labelled images ------------------------------------------------ */

/* The same number of each class, the first of them in the set's order. */
static bool semi_prepare(void *model, hg_data *train)
{
    struct aae_semi *m = model;
    int64_t n = hg_data_size(train), each = m->labelled / m->classes, found = 0;
    int64_t *of = hg_params_alloc(m->params, (size_t)m->classes * sizeof *of);
    m->rows = hg_params_alloc(m->params, (size_t)m->labelled * sizeof *m->rows);
    m->data = train;
    for (int64_t i = 0; m->rows && of && i < n; i++) {
        int32_t label = hg_data_label(train, i);
        if (label >= 0 && label < m->classes && of[label] < each) {
            of[label]++;
            m->rows[found++] = i;
        }
    }
    if (!hg_error() && (!each || found < each * m->classes))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--labels %lld: %lld classes of %lld images do not "
                       "have so many each",
                       (long long)m->labelled, (long long)m->classes,
                       (long long)n);
    m->labelled = found;
    return !hg_error();
}

/* The next hundred, round and round, or all where there are fewer; without
 * `prepare` the batch's own. */
static bool labelled_batch(const struct aae_semi *m, const hg_batch *b,
                           hg_batch *out)
{
    uint64_t steps[2];
    int64_t rows[MOST_LABELLED];
    int64_t n = m->labelled < MOST_LABELLED ? m->labelled : MOST_LABELLED;
    *out = *b;
    if (!m->rows)
        return true;
    hg_context_steps(hg_params_context(m->params), steps);
    for (int64_t i = 0; i < n; i++)
        rows[i] = m->rows[((int64_t)steps[0] * n + i) % m->labelled];
    return hg_data_batch(m->data, rows, n, out);
}

/* ---- The updates -------------------------------------------------------- */

static hg_tensor *encode(void *model, hg_tensor *x)
{
    const struct aae_semi *m = model;
    hg_tensor *h = nn_forward(m->trunk, x);
    hg_tensor *style = nn_forward(m->style, h);
    return hg_concat(1, style, hg_softmax(nn_forward(m->label, h), 1));
}

static hg_tensor *classify(void *model, hg_tensor *x)
{
    const struct aae_semi *m = model;
    return nn_forward(m->label, nn_forward(m->trunk, x));
}

static hg_tensor *cross_entropy(struct aae_semi *m, const hg_batch *b,
                                hg_axes axes)
{
    hg_tensor *code = encode(m, b->x);
    hg_tensor *logits = nn_forward(m->decoder, code);
    return hg_mean(hg_bce_with_logits(logits, b->target), axes);
}

/* The two critics' logits of a code. */
static hg_tensor *of_style(const struct aae_semi *m, hg_tensor *code)
{
    return nn_forward(m->style_critic, hg_slice(code, 1, 0, m->latent, 1));
}

static hg_tensor *of_label(const struct aae_semi *m, hg_tensor *code)
{
    return nn_forward(m->label_critic, hg_slice(code, 1, m->latent, HG_END, 1));
}

/* Every class is as likely: drawn, not in turn, for the critic. */
static hg_tensor *draw(const struct aae_semi *m, int64_t n)
{
    hg_tensor *style = hg_randn(HG_SHAPE(n, m->latent));
    hg_tensor *u = hg_uniform(HG_SHAPE(n), 0, (double)m->classes);
    return hg_concat(1, style, hg_one_hot(hg_int_of(u), m->classes));
}

static bool play(struct aae_semi *m, const hg_batch *b, const hg_optimizers *o)
{
    hg_tensor *real = draw(m, b->size);
    hg_tensor *fake = hg_detach(encode(m, b->x));
    hg_tensor *real_style = of_style(m, real), *real_label = of_label(m, real);
    hg_tensor *style = nn_critic_loss(real_style, of_style(m, fake));
    hg_tensor *label = nn_critic_loss(real_label, of_label(m, fake));
    hg_report("critic", hg_add(style, label));
    if (!hg_minimize(hg_add(style, label), o->list[CRITICS]))
        return false;
    fake = encode(m, b->x);
    style = nn_generator_loss(of_style(m, fake));
    label = nn_generator_loss(of_label(m, fake));
    hg_report("generator", hg_add(style, label));
    return hg_minimize(hg_add(style, label), o->list[GENERATOR]);
}

static bool learn_labels(struct aae_semi *m, const hg_batch *b,
                         const hg_optimizers *o)
{
    hg_batch labelled;
    if (!labelled_batch(m, b, &labelled))
        return false;
    hg_tensor *logits = classify(m, labelled.x);
    if (m->faithful)
        logits = hg_softmax(logits, 1);
    hg_tensor *loss = nn_cross_entropy_loss(logits, labelled.label, HG_MEAN);
    hg_report("label", loss);
    return hg_minimize(loss, o->list[LABELS]);
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    struct aae_semi *m = model;
    hg_tensor *recon = cross_entropy(m, b, HG_ALL);
    hg_report("loss", recon);
    return hg_minimize(recon, o->list[DECODER], o->list[ENCODER]) &&
           play(m, b, o) && (!m->learns_labels || learn_labels(m, b, o));
}

/* The reconstruction's, mean over pixels: [batch]. */
static hg_tensor *loss(void *model, const hg_batch *b)
{
    return cross_entropy(model, b, HG_FROM(1));
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((struct aae_semi *)model)->decoder, code));
}

static hg_tensor *prior(void *model, int64_t n)
{
    const struct aae_semi *m = model;
    hg_tensor *style = hg_randn(HG_SHAPE(n, m->latent));
    return hg_concat(1, style, hg_each_class(n, m->classes));
}

static const hg_option semi_options[] = {
    {.name = "labels", .about = "labelled images", .number = 1000},
    {.name = "latent", .about = "width of the style", .number = 2},
    {.name = "hidden", .about = "units of encoder and decoder", .number = 1000},
    {.name = "critic", .about = "units of the critics", .number = 1000},
    {.name = "drop", .about = "dropout of encoder and decoder", .number = 0.25},
    HG_RECIPE("a softmax of the softmax before the cross-entropy"),
    {0},
};

static const hg_option cluster_options[] = {
    {.name = "clusters", .about = "classes of the code", .number = 30},
    {.name = "latent", .about = "width of the style", .number = 5},
    {.name = "hidden", .about = "units of encoder and decoder", .number = 1000},
    {.name = "critic", .about = "units of the critics", .number = 1000},
    {.name = "drop", .about = "dropout of encoder and decoder", .number = 0.25},
    {0},
};

const hg_model model_aae_semi = {
    .name = "aae-semi",
    .about = "adversarial autoencoder that learns classes from few labels",
    .source = "Makhzani et al., 2015; fducau, AAE_pytorch",
    .options = semi_options,
    .batch_size = 100,
    .epochs = 100,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .build = semi_build,
    .loss = loss,
    .optimizers = optimizers,
    .prepare = semi_prepare,
    .step = step,
    .encode = encode,
    .decode = decode,
    .prior = prior,
    .classify = classify,
};

const hg_model model_aae_cluster = {
    .name = "aae-cluster",
    .about = "adversarial autoencoder that finds clusters",
    .source = "Makhzani et al., 2015",
    .options = cluster_options,
    .batch_size = 100,
    .epochs = 100,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .build = cluster_build,
    .loss = loss,
    .optimizers = optimizers,
    .step = step,
    .encode = encode,
    .decode = decode,
    .prior = prior,
    .classify = classify,
};
