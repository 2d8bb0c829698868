/* styled.c - the nets of an autoencoder whose code is a style and a class, with
 * a critic for each (Makhzani et al., 2015, figures 3, 6 and 8). */
#include "nn/parts.h"

void nn_styled_new(nn_styled *m, hg_params *p, nn_styled_options o)
{
    hg_params *e = hg_params_at(p, "encoder"), *d = hg_params_at(p, "decoder");
    hg_params *of_style = hg_params_at(p, "critic.style");
    hg_params *of_label = hg_params_at(p, "critic.label");
    int64_t h = o.hidden, code = o.style + o.classes;
    m->style_width = o.style;
    m->classes = o.classes;
    m->game_rate = o.game_rate;
    m->trunk = nn_chain(
        e, nn_linear(e, "0", o.inputs, h), nn_dropout(e, o.drop), nn_relu(e),
        nn_linear(e, "3", h, h), nn_dropout(e, o.drop), nn_relu(e));
    m->style = nn_linear(e, "style", h, o.style);
    m->label = nn_linear(e, "label", h, o.classes);
    m->decoder = nn_dropout_mlp(d, code, h, o.inputs, o.drop, false);
    m->style_critic = nn_dropout_mlp(of_style, o.style, o.critic, 1, 0.2, true);
    m->label_critic =
        nn_dropout_mlp(of_label, o.classes, o.critic, 1, 0.2, true);
}

hg_tensor *nn_styled_encode(const nn_styled *m, hg_tensor *x)
{
    hg_tensor *h = nn_forward(m->trunk, x);
    hg_tensor *style = nn_forward(m->style, h);
    return hg_concat(1, style, hg_softmax(nn_forward(m->label, h), 1));
}

hg_tensor *nn_styled_classify(const nn_styled *m, hg_tensor *x)
{
    return nn_forward(m->label, nn_forward(m->trunk, x));
}

hg_tensor *nn_styled_bce(const nn_styled *m, hg_tensor *x, hg_tensor *target)
{
    hg_tensor *logits = nn_forward(m->decoder, nn_styled_encode(m, x));
    return hg_bce_with_logits(logits, target);
}

/* ---- The game ----------------------------------------------------------- */

/* The two critics' logits of a code. */
static hg_tensor *of_style(const nn_styled *m, hg_tensor *code)
{
    hg_tensor *style = hg_slice(code, 1, 0, m->style_width, 1);
    return nn_forward(m->style_critic, style);
}

static hg_tensor *of_label(const nn_styled *m, hg_tensor *code)
{
    hg_tensor *label = hg_slice(code, 1, m->style_width, HG_END, 1);
    return nn_forward(m->label_critic, label);
}

/* Every class is as likely: drawn, not in turn. */
static hg_tensor *draw(const nn_styled *m, int64_t n)
{
    hg_tensor *style = hg_randn(HG_SHAPE(n, m->style_width));
    hg_tensor *u = hg_uniform(HG_SHAPE(n), 0, (double)m->classes);
    return hg_concat(1, style, hg_one_hot(hg_int_of(u), m->classes));
}

static bool teach_critics(const nn_styled *m, hg_tensor *x, hg_optimizer *o)
{
    hg_tensor *real = x ? draw(m, x->shape.dim[0]) : NULL;
    hg_tensor *fake = hg_detach(nn_styled_encode(m, x));
    hg_tensor *real_style = of_style(m, real), *real_label = of_label(m, real);
    hg_tensor *style = nn_critic_loss(real_style, of_style(m, fake));
    hg_tensor *label = nn_critic_loss(real_label, of_label(m, fake));
    hg_report("critic", hg_add(style, label));
    return hg_minimize(hg_add(style, label), o);
}

static bool fool_critics(const nn_styled *m, hg_tensor *x, hg_optimizer *o)
{
    hg_tensor *fake = nn_styled_encode(m, x);
    hg_tensor *style = nn_generator_loss(of_style(m, fake));
    hg_tensor *label = nn_generator_loss(of_label(m, fake));
    hg_report("generator", hg_add(style, label));
    return hg_minimize(hg_add(style, label), o);
}

bool nn_styled_step(const nn_styled *m, hg_tensor *x, hg_tensor *target,
                    hg_optimizer *const o[4])
{
    hg_tensor *recon = hg_mean(nn_styled_bce(m, x, target), HG_ALL);
    hg_report("loss", recon);
    return hg_minimize(recon, o[NN_DECODER], o[NN_ENCODER]) &&
           teach_critics(m, x, o[NN_CRITICS]) &&
           fool_critics(m, x, o[NN_GENERATOR]);
}
