/* iwae.c - importance-weighted autoencoder (Burda et al., 2015): the loss is
 * -log of the mean of k importance weights, in the log domain. */
#include <hourglass.h>

#include <math.h>

struct iwae {
    nn_layer *mu, *raw, *decoder;
    int64_t k;
};

/* [batch] */
static hg_tensor *iwae_loss(const struct iwae *m, const hg_batch *b)
{
    hg_tensor *mu = hg_unsqueeze(nn_forward(m->mu, b->x), 1); /* [B, 1, D] */
    hg_tensor *std = hg_softplus(hg_unsqueeze(nn_forward(m->raw, b->x), 1));
    hg_tensor *wide = hg_expand(mu, HG_SHAPE(-1, m->k, -1));
    hg_tensor *z = hg_normal_sample(wide, std); /* [B, K, D] */
    hg_tensor *zero = hg_zeros(HG_SCALAR), *one = hg_ones(HG_SCALAR);
    hg_tensor *prior = hg_sum(hg_normal_logpdf(z, zero, one), HG_FROM(2));
    hg_tensor *q = hg_sum(hg_normal_logpdf(z, mu, std), HG_FROM(2));
    hg_tensor *logits = nn_forward(m->decoder, z); /* [B, K, 784] */
    hg_tensor *x = hg_unsqueeze(b->target, 1);
    hg_tensor *p = hg_sum(hg_bernoulli_logpmf(x, logits), HG_FROM(2));
    hg_tensor *logw = hg_add(hg_sub(prior, q), p); /* [B, K] */
    hg_tensor *bound = hg_logsumexp(logw, HG_OVER(1));
    return hg_neg(hg_shift(bound, -log((double)m->k)));
}

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_data *data = hg_data_open(ctx, "synthetic:1000", (hg_data_options){0});
    hg_loader *loader = hg_loader_new(data, 50, true);
    hg_params *p = hg_params_new(ctx);
    struct iwae m = {.k = 5};
    m.mu = nn_linear(p, "mu", 784, 8);
    m.raw = nn_linear(p, "raw", 784, 8);
    m.decoder = nn_chain(p, nn_linear(p, "decoder.0", 8, 64), nn_tanh(p),
                         nn_linear(p, "decoder.2", 64, 784));
    hg_optimizer *adam = hg_adam(p, "adam", (hg_adam_options){.rate = 2e-3});

    hg_real first = 0, last = 0;
    hg_batch b;
    for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b)); hg_scope_close(s)) {
        hg_tensor *loss = hg_mean(iwae_loss(&m, &b), HG_ALL);
        last = hg_item(loss);
        first = first > 0 ? first : last;
        if (!hg_minimize(loss, adam))
            return fprintf(stderr, "%s\n", hg_error()), 1;
    }
    printf("the bound rose: %s\n", last < first ? "yes" : "no");
    hg_context_free(ctx);
    return 0;
}
