/* aae_semi.c - an adversarial autoencoder that learns classes from few labels
 * (Makhzani et al., 2015, section 5): its code is a style, to look like N(0,
 * I), and a softmax, to look like one-hot draws: the class. Every batch:
 *   1 reconstruction: BCE(decoder([style, class]), x)
 *   2 discriminators: both critics
 *   3 generator:      the encoder fools both
 *   4 labels:         cross-entropy on a batch of the labelled images
 * Nets and the first three are nn/styled.c's; without labels: aae-cluster.
 *
 * As published (recipe faithful) the cross-entropy takes the softmax for
 * logits and applies another: from ten numbers between 0 and 1 it never sees
 * more than 0.23 for the right class, and its gradient does not fade.
 */
#include "models/internal.h"

struct aae_semi {
    nn_styled nets; /* the first: HG_STYLED_SLOTS */
    hg_params *params;
    const hg_data *data;
    int64_t *rows; /* of labelled images, `labelled` of them, in the order */
    int64_t labelled;
    bool faithful;
};

enum { LABELS = NN_GENERATOR + 1 }; /* its optimiser */
enum { MOST_LABELLED = 100 };       /* in a batch */

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct aae_semi *m = model;
    hg_wants_labels(c, "aae-semi");
    m->params = p;
    m->labelled = hg_config_int(c, "labels");
    m->faithful = hg_config_is(c, "recipe", "faithful");
    nn_styled_new(&m->nets, p, hg_styled_options(c, "classes"));
}

static bool optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    return hg_styled_optimizers(model, p, o) &&
           hg_label_optimizer(p, o, "labels", 1e-3);
}

/* ---- The labelled images ------------------------------------------------ */

/* The same number of each class, the first of them in the set's order. */
static bool prepare(void *model, hg_data *train)
{
    struct aae_semi *m = model;
    int64_t n = hg_data_size(train), k = m->nets.classes;
    int64_t each = m->labelled / k, found = 0;
    int64_t *of = hg_params_alloc(m->params, (size_t)k * sizeof *of);
    m->rows = hg_params_alloc(m->params, (size_t)m->labelled * sizeof *m->rows);
    m->data = train;
    for (int64_t i = 0; m->rows && of && i < n; i++) {
        int32_t label = hg_data_label(train, i);
        if (label >= 0 && label < k && of[label] < each) {
            of[label]++;
            m->rows[found++] = i;
        }
    }
    if (!hg_error() && (!each || found < each * k))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--labels %lld: %lld classes of %lld images do not "
                       "have so many each",
                       (long long)m->labelled, (long long)k, (long long)n);
    m->labelled = found;
    return !hg_error();
}

/* The next hundred, round and round, or all where there are fewer, each time
 * transformed (--transform) anew; without `prepare` the batch's own. */
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
    int64_t first = (int64_t)steps[0] * n;
    for (int64_t i = 0; i < n; i++)
        rows[i] = m->rows[(first + i) % m->labelled];
    return hg_data_batch_in(m->data, first / m->labelled, rows, n, out);
}

/* ---- The updates -------------------------------------------------------- */

static bool learn_labels(struct aae_semi *m, const hg_batch *b, hg_optimizer *o)
{
    hg_batch labelled;
    if (!labelled_batch(m, b, &labelled))
        return false;
    hg_tensor *logits = nn_styled_classify(&m->nets, labelled.x);
    if (m->faithful)
        logits = hg_softmax(logits, 1);
    hg_tensor *loss = nn_cross_entropy_loss(logits, labelled.label, HG_MEAN);
    hg_report("label", loss);
    return hg_minimize(loss, o);
}

static bool step(void *model, const hg_batch *b, const hg_optimizers *o)
{
    struct aae_semi *m = model;
    return nn_styled_step(&m->nets, b->x, b->target, o->list) &&
           learn_labels(m, b, o->list[LABELS]);
}

const hg_model model_aae_semi = {
    .name = "aae-semi",
    .about = "adversarial autoencoder that learns classes from few labels",
    .source = "Makhzani et al., 2015; fducau, AAE_pytorch",
    .options = HG_OPTIONS(
        HG_NUMBER("labels", "labelled images", 1000),
        HG_NUMBER("latent", "width of the style", 2), HG_STYLED_NETS,
        HG_RECIPE("a softmax of the softmax before the cross-entropy")),
    .batch_size = 100,
    .epochs = 100,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct aae_semi),
    .build = build,
    .optimizers = optimizers,
    .prepare = prepare,
    .step = step,
    HG_STYLED_SLOTS,
};
