/* pairs.c - classes that the two of a pair share (Van Gansbeke et al., 2020,
 * section 2.2). */
#include "nn/parts.h"

/* A pair whose classes are all but sure to differ has no gradient: not all
 * pairs belong together. */
static const double least = 1e-6;

static hg_tensor *bounded_log(hg_tensor *p)
{
    return hg_log(hg_clamp(p, least, 1));
}

hg_tensor *nn_pair_loss(hg_tensor *one, hg_tensor *other, double balance)
{
    hg_tensor *p = hg_softmax(one, 1), *q = hg_softmax(other, 1);
    hg_tensor *same = hg_sum(hg_mul(p, q), HG_OVER(1));
    hg_tensor *share = hg_mean(hg_scale(hg_add(p, q), 0.5), HG_OVER(0));
    hg_tensor *uneven = hg_sum(hg_mul(share, bounded_log(share)), HG_ALL);
    hg_tensor *apart = hg_neg(hg_mean(bounded_log(same), HG_ALL));
    return hg_add(apart, hg_scale(uneven, balance));
}
