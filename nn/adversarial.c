/* adversarial.c - the two losses of the adversarial game. */
#include "nn/parts.h"

/* -log D(real) - log(1 - D(fake)), D the sigmoid of the logits. */
hg_tensor *nn_critic_loss(hg_tensor *real, hg_tensor *fake)
{
    hg_tensor *missed = hg_mean(hg_softplus(hg_neg(real)), HG_ALL);
    return hg_add(missed, hg_mean(hg_softplus(fake), HG_ALL));
}

/* -log D(fake) */
hg_tensor *nn_generator_loss(hg_tensor *fake)
{
    return hg_mean(hg_softplus(hg_neg(fake)), HG_ALL);
}
