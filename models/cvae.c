/* cvae.c - conditional variational autoencoder (Sohn et al., 2015): something
 * is given, the rest is drawn.
 *
 *   q(z|x, c) = N(mu, std^2),  p(z) = N(0, I),  p(x|z, c) = Bernoulli
 *   loss      = -log p(x|z, c) + KL, nats per image
 *
 * --given label: c is the label, one-hot. --given quadrants: c is the image
 * with up to three of its quarters visible, and where they are; only what is
 * hidden counts, and the visible pixels are put into what is decoded.
 */
#include "models/internal.h"

struct cvae {
    nn_layer *encoder, *decoder;
    hg_tensor *quarters; /* [4, inputs], 1 in the quarter; or NULL: labels */
    int64_t inputs, latent, classes;
};

static void add_quarters(struct cvae *m, hg_params *p, const hg_config *c)
{
    int64_t w = hg_config_int(c, "width"), h = hg_config_int(c, "height");
    m->quarters = hg_buffer(p, "quarters", HG_SHAPE(4, m->inputs), 0);
    hg_real *value = hg_params_alloc(p, 4 * (size_t)m->inputs * sizeof *value);
    for (int64_t i = 0; value && i < m->inputs; i++) {
        int64_t row = i / w % h, column = i % w;
        value[(2 * (2 * row >= h) + (2 * column >= w)) * m->inputs + i] = 1;
    }
    if (value && !hg_write(m->quarters, value, 4 * m->inputs))
        m->quarters = NULL;
}

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct cvae *m = model;
    int64_t h = hg_config_int(c, "hidden");
    m->inputs = hg_config_int(c, "inputs");
    m->latent = hg_config_int(c, "latent");
    m->classes = hg_config_int(c, "classes");
    bool quarters = hg_config_is(c, "given", "quadrants");
    if (quarters)
        add_quarters(m, p, c);
    else
        hg_wants_labels(c, "cvae");
    int64_t given = quarters ? 2 * m->inputs : m->classes;
    m->encoder =
        nn_mlp(p, "encoder", nn_relu, m->inputs + given, h, 2 * m->latent);
    m->decoder = nn_mlp(p, "decoder", nn_relu, m->latent + given, h, m->inputs);
}

/* ---- What is given ------------------------------------------------------ */

/* No, one, two or three quarters of each image, in any order: [batch, inputs]
 * of 0 and 1. A quarter is visible if fewer others have smaller numbers. */
static hg_tensor *some_visible(const struct cvae *m, int64_t n)
{
    hg_tensor *u = hg_rand(HG_SHAPE(n, 4));
    hg_tensor *many = hg_uniform(HG_SHAPE(n, 1), 0, 4);
    hg_tensor *before = hg_less(hg_unsqueeze(u, 1), hg_unsqueeze(u, 2));
    hg_tensor *rank = hg_shift(hg_sum(before, HG_OVER(2)), 1);
    return hg_matmul(hg_less_equal(rank, many), m->quarters);
}

static hg_tensor *condition(void *model, const hg_batch *b)
{
    const struct cvae *m = model;
    if (!m->quarters)
        return hg_one_hot(b->label, m->classes);
    hg_tensor *visible = b->mask ? b->mask : some_visible(m, b->size);
    return hg_concat(1, hg_mul(b->x, visible), visible);
}

/* Behind the first `width` columns. */
static hg_tensor *given(hg_tensor *t, int64_t width)
{
    return hg_slice(t, 1, width, HG_END, 1);
}

/* ---- The two nets ------------------------------------------------------- */

static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct cvae *m = model;
    return nn_normal_head(nn_forward(m->encoder, x), nn_std_of_log_var, std);
}

static hg_tensor *decode(void *model, hg_tensor *code)
{
    struct cvae *m = model;
    hg_tensor *y = hg_sigmoid(nn_forward(m->decoder, code));
    if (!m->quarters)
        return y;
    hg_tensor *part[2] = {0};
    if (!hg_split(given(code, m->latent), 1, 2, part))
        return NULL;
    return hg_where(part[1], part[0], y);
}

static hg_tensor *encode(void *model, hg_tensor *x)
{
    struct cvae *m = model;
    hg_tensor *std, *mu = posterior(m, x, &std);
    return hg_concat(1, mu, given(x, m->inputs));
}

static hg_tensor *sample(void *model, hg_tensor *x)
{
    struct cvae *m = model;
    hg_tensor *std, *mu = posterior(m, x, &std);
    return hg_concat(1, hg_normal_sample(mu, std), given(x, m->inputs));
}

/* Nothing visible, or each class in turn. */
static hg_tensor *prior(void *model, int64_t n)
{
    const struct cvae *m = model;
    hg_tensor *z = hg_randn(HG_SHAPE(n, m->latent));
    hg_tensor *c = m->quarters ? hg_zeros(HG_SHAPE(n, 2 * m->inputs))
                               : hg_each_class(n, m->classes);
    return hg_concat(1, z, c);
}

/* Of what is hidden, [batch]. */
static hg_tensor *cross_entropy(struct cvae *m, hg_tensor *code, hg_tensor *x)
{
    hg_tensor *bce = hg_bce_with_logits(nn_forward(m->decoder, code), x);
    if (m->quarters)
        bce = hg_mul(bce, hg_rsub(given(code, m->latent + m->inputs), 1));
    return hg_sum(bce, HG_FROM(1));
}

static hg_tensor *log_likelihood(void *model, hg_tensor *x, hg_tensor *code)
{
    return hg_neg(cross_entropy(model, code, x));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct cvae *m = model;
    hg_tensor *c = condition(m, b), *std;
    hg_tensor *mu = posterior(m, hg_concat(1, b->x, c), &std);
    hg_tensor *code = hg_concat(1, hg_normal_sample(mu, std), c);
    hg_tensor *bce = cross_entropy(m, code, b->target);
    return hg_add(bce, hg_kl_cost(b, hg_normal_kl(mu, std)));
}

const hg_model model_cvae = {
    .name = "cvae",
    .about = "conditional VAE: labels or visible quarters in, images out",
    .source = "Sohn et al., 2015",
    .options = HG_OPTIONS(
        HG_CHOICE("given", "label or quadrants", "label", "quadrants"),
        HG_NUMBER("latent", "width of the code", 20),
        HG_NUMBER("hidden", "units of the hidden layer", 400)),
    .batch_size = 128,
    .epochs = 20,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct cvae),
    .build = build,
    .loss = loss,
    .condition = condition,
    .encode = encode,
    .sample = sample,
    .decode = decode,
    .prior = prior,
    .posterior = posterior,
    .log_likelihood = log_likelihood,
};
