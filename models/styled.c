/* styled.c - options, optimisers and slots of the models that are an nn_styled:
 * `model` is one, or a struct that begins with one. */
#include "models/internal.h"

nn_styled_options hg_styled_options(const hg_config *c, const char *classes)
{
    return (nn_styled_options){.inputs = hg_config_int(c, "inputs"),
                               .hidden = hg_config_int(c, "hidden"),
                               .style = hg_config_int(c, "latent"),
                               .classes = hg_config_int(c, classes),
                               .critic = hg_config_int(c, "critic"),
                               .drop = hg_config_number(c, "drop"),
                               .game_rate = hg_config_number(c, "game-rate")};
}

bool hg_styled_optimizers(void *model, hg_params *p, hg_optimizers *o)
{
    const nn_styled *m = model;
    hg_params *e = hg_params_at(p, "encoder"), *d = hg_params_at(p, "decoder");
    hg_params *c = hg_params_at(p, "critic");
    hg_adam_options recon = {.rate = 6e-4}, game = {.rate = m->game_rate};
    return hg_optimizers_add(o, hg_adam(d, "decoder", recon)) &&
           hg_optimizers_add(o, hg_adam(e, "encoder", recon)) &&
           hg_optimizers_add(o, hg_adam(c, "critic", game)) &&
           hg_optimizers_add(o, hg_adam(e, "generator", game));
}

bool hg_label_optimizer(hg_params *p, hg_optimizers *o, const char *name,
                        double rate)
{
    hg_adam_options adam = {.rate = rate};
    hg_params *e = hg_params_at(p, "encoder");
    hg_params *to_label[] = {hg_params_at(e, "0"), hg_params_at(e, "3"),
                             hg_params_at(e, "label")};
    return hg_optimizers_add(o, hg_adam_n(to_label, 3, name, adam));
}

hg_tensor *hg_styled_loss(void *model, const hg_batch *b)
{
    return hg_mean(nn_styled_bce(model, b->x, b->target), HG_FROM(1));
}

hg_tensor *hg_styled_encode(void *model, hg_tensor *x)
{
    return nn_styled_encode(model, x);
}

hg_tensor *hg_styled_classify(void *model, hg_tensor *x)
{
    return nn_styled_classify(model, x);
}

hg_tensor *hg_styled_decode(void *model, hg_tensor *code)
{
    return hg_sigmoid(nn_forward(((nn_styled *)model)->decoder, code));
}

hg_tensor *hg_styled_prior(void *model, int64_t n)
{
    const nn_styled *m = model;
    hg_tensor *style = hg_randn(HG_SHAPE(n, m->style_width));
    return hg_concat(1, style, hg_each_class(n, m->classes));
}
