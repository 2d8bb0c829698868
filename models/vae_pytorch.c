/* vae_pytorch.c - the variational autoencoder of PyTorch's examples, with 400
 * hidden units and a 20-wide code.
 *
 *   q(z|x) = N(mu(x), exp(log_var(x))),  p(z) = N(0, I)
 *   loss   = cross-entropy of sigmoid(decoder(z)) and x + KL, nats per image
 */
#include "models/internal.h"

struct vae_pytorch {
    nn_layer *encoder, *decoder;
};

static void build(void *model, hg_params *p, const hg_config *c)
{
    struct vae_pytorch *m = model;
    int64_t in = hg_config_int(c, "inputs"), h = hg_config_int(c, "hidden");
    int64_t latent = hg_config_int(c, "latent");
    m->encoder = nn_mlp(p, "encoder", nn_relu, in, h, 2 * latent);
    m->decoder = nn_mlp(p, "decoder", nn_relu, latent, h, in);
}

static hg_tensor *posterior(void *model, hg_tensor *x, hg_tensor **std)
{
    struct vae_pytorch *m = model;
    return nn_normal_head(nn_forward(m->encoder, x), nn_std_of_log_var, std);
}

static hg_tensor *decode(void *model, hg_tensor *z)
{
    return hg_sigmoid(nn_forward(((struct vae_pytorch *)model)->decoder, z));
}

static hg_tensor *loss(void *model, const hg_batch *b)
{
    struct vae_pytorch *m = model;
    hg_tensor *std, *mu = posterior(m, b->x, &std);
    hg_tensor *z = hg_normal_sample(mu, std);
    hg_tensor *bce = hg_bce_nats(nn_forward(m->decoder, z), b);
    return hg_add(bce, hg_kl_cost(b, hg_normal_kl(mu, std)));
}

const hg_model model_vae_pytorch = {
    .name = "vae-pytorch",
    .about = "variational autoencoder, 784-400-20, Bernoulli",
    .source = "PyTorch, examples/vae",
    .options =
        HG_OPTIONS(HG_NUMBER("latent", "width of the code", 20),
                   HG_NUMBER("hidden", "units of the hidden layer", 400)),
    .batch_size = 128,
    .epochs = 10,
    .likelihood = HG_LIKELIHOOD_BERNOULLI,
    .size = sizeof(struct vae_pytorch),
    .build = build,
    .loss = loss,
    .decode = decode,
    .posterior = posterior,
};
