/* aae_step.c - adversarial training by hand: three losses, four optimisers
 * over subsets of one store, and no gradient where it does not belong. */
#include <hourglass.h>

struct aae {
    nn_layer *encoder, *decoder, *critic;
    hg_optimizer *dec, *enc, *gen, *dis;
};

static void build(struct aae *m, hg_params *p)
{
    hg_params *e = hg_params_at(p, "encoder"), *d = hg_params_at(p, "decoder");
    hg_params *c = hg_params_at(p, "critic");
    m->encoder = nn_chain(e, nn_linear(e, "0", 784, 128), nn_relu(e),
                          nn_dropout(e, 0.2), nn_linear(e, "3", 128, 8));
    m->decoder = nn_chain(d, nn_linear(d, "0", 8, 128), nn_relu(d),
                          nn_linear(d, "2", 128, 784));
    m->critic = nn_chain(c, nn_linear(c, "0", 8, 64), nn_relu(c),
                         nn_linear(c, "2", 64, 1));
    m->dec = hg_adam(d, "recon.decoder", (hg_adam_options){.rate = 1e-3});
    m->enc = hg_adam(e, "recon.encoder", (hg_adam_options){.rate = 1e-3});
    m->gen = hg_adam(e, "generator", (hg_adam_options){.rate = 5e-4});
    m->dis = hg_adam(c, "critic", (hg_adam_options){.rate = 5e-4});
}

static bool step(struct aae *m, const hg_batch *b)
{
    hg_tensor *z = nn_forward(m->encoder, b->x);
    hg_tensor *y = nn_forward(m->decoder, z);
    hg_tensor *recon = nn_bce_with_logits_loss(y, b->target, HG_MEAN);
    hg_report("recon", recon);
    if (!hg_minimize(recon, m->dec, m->enc))
        return false;

    hg_mode was = hg_set_mode(HG_RECORD); /* recorded, but without dropout */
    hg_tensor *fake = hg_detach(nn_forward(m->encoder, b->x));
    hg_set_mode(was);
    hg_tensor *draw = hg_randn(HG_SHAPE(b->size, 8));
    hg_tensor *real = nn_forward(m->critic, hg_scale(draw, 5));
    hg_tensor *d = hg_add(hg_softplus(hg_neg(real)),
                          hg_softplus(nn_forward(m->critic, fake)));
    hg_report("critic", d);
    if (!hg_minimize(hg_mean(d, HG_ALL), m->dis))
        return false;

    hg_tensor *judged = nn_forward(m->critic, nn_forward(m->encoder, b->x));
    hg_tensor *g = hg_softplus(hg_neg(judged));
    hg_report("generator", g);
    return hg_minimize(hg_mean(g, HG_ALL), m->gen);
}

int main(void)
{
    hg_context *ctx = hg_context_new("cpu", 42);
    hg_data *data = hg_data_open(ctx, "synthetic:1000", (hg_data_options){0});
    hg_loader *loader = hg_loader_new(data, 50, true);
    struct aae m;
    build(&m, hg_params_new(ctx));
    hg_batch b;
    for (hg_scope *s; (s = hg_next(loader, HG_TRAIN, &b)); hg_scope_close(s))
        if (!step(&m, &b))
            return fprintf(stderr, "%s\n", hg_error()), 1;
    hg_real recon, critic, generator;
    if (!hg_report_mean(ctx, "recon", &recon) ||
        !hg_report_mean(ctx, "critic", &critic) ||
        !hg_report_mean(ctx, "generator", &generator))
        return fprintf(stderr, "%s\n", hg_error()), 1;
    printf("three losses, all finite: %s\n",
           recon + critic + generator < 1e3 ? "yes" : "no");
    hg_context_free(ctx);
    return 0;
}
