/* own_student_t_vae.c - a model of one's own: a VAE whose pixels have Student's
 * t distribution with learned width and degrees of freedom. */
#include <hourglass.h>

struct tvae {
    nn_layer *trunk, *mu, *raw, *decoder;
    hg_tensor *raw_nu, *raw_scale;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct tvae *m = model;
    int64_t in = hg_config_int(c, "inputs"), d = hg_config_int(c, "latent");
    int64_t h = hg_config_int(c, "hidden");
    m->trunk = nn_linear(p, "trunk", in, h);
    m->mu = nn_linear(p, "mu", h, d);
    m->raw = nn_linear(p, "raw", h, d);
    m->decoder = nn_chain(p, nn_linear(p, "decoder.0", d, h), nn_relu(p),
                          nn_linear(p, "decoder.2", h, in));
    m->raw_nu = hg_param(p, "raw_nu", HG_SCALAR, HG_INIT(HG_INIT_ONES));
    m->raw_scale = hg_param(p, "raw_scale", HG_SCALAR, HG_INIT(HG_INIT_ZEROS));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct tvae *m = model;
    hg_tensor *h = hg_relu(nn_forward(m->trunk, b->x));
    hg_tensor *mu = nn_forward(m->mu, h);
    hg_tensor *std = hg_softplus(nn_forward(m->raw, h));
    hg_tensor *x = nn_forward(m->decoder, hg_normal_sample(mu, std));
    hg_tensor *nu = hg_shift(hg_softplus(m->raw_nu), 1);
    hg_tensor *scale = hg_softplus(m->raw_scale);
    hg_tensor *logp = hg_student_t_logpdf(b->target, nu, x, scale);
    hg_tensor *kl = hg_sum(hg_normal_kl(mu, std), HG_FROM(1));
    hg_report("kl", kl);
    return hg_sub(kl, hg_sum(logp, HG_FROM(1)));
}

static const hg_model model = {
    .name = "student-t-vae",
    .options = HG_OPTIONS(HG_NUMBER("latent", "code width", 10),
                          HG_NUMBER("hidden", "hidden units", 256)),
    .size = sizeof(struct tvae),
    .build = build,
    .loss = loss};

int main(void)
{
    hg_context *ctx = hg_context_new("auto", 42);
    hg_data *data = hg_data_open(ctx, "synthetic:2000", (hg_data_options){0});
    hg_params *p;
    bool ok = hg_model_fit(ctx, &model, data, 2, &p, NULL, NULL) &&
              hg_params_save(p, "student-t-vae.safetensors");
    printf("%s\n", ok ? "saved student-t-vae.safetensors" : hg_error());
    hg_context_free(ctx);
    return !ok;
}
