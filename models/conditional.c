/* conditional.c - codes that end with a class, and images completed from what
 * is visible of them. */
#include "models/evaluation.h"
#include "models/internal.h"
#include "tensor/internal.h"

#include <math.h>

/* ---- Classes in the code ------------------------------------------------ */

/* Do the last k columns of k draws from the prior name each class in turn? */
static bool ends_with_classes(const hg_model *m, void *state, int64_t k)
{
    hg_tensor *z = m->prior(state, k);
    if (!z || z->shape.dim[1] <= k)
        return false;
    hg_tensor *tail = hg_slice(z, 1, z->shape.dim[1] - k, HG_END, 1);
    hg_tensor *off = hg_norm(hg_sub(tail, hg_each_class(k, k)), 1, HG_ALL);
    return off && hg_item(off) == 0;
}

int64_t hg_model_code_classes(hg_context *context, const hg_model *m,
                              void *state, const hg_data *data)
{
    int64_t rows[] = {0}, k = hg_data_classes(data);
    hg_batch b;
    if (!m->prior || !m->decode || !hg_context_usable(context, "a code"))
        return 0;
    hg_scope *s = hg_scope_open(context, HG_EVAL);
    if (s && !m->condition && m->classify && hg_data_batch(data, rows, 1, &b)) {
        hg_tensor *logits = m->classify(state, b.x);
        k = logits ? logits->shape.dim[1] : 0;
    }
    bool found = s && k > 1 && ends_with_classes(m, state, k);
    if (s)
        hg_scope_close(s);
    return found ? k : 0;
}

/* ---- Completion --------------------------------------------------------- */

void hg_quarter_mask(hg_shape item, int visible, hg_real *mask)
{
    int64_t h = item.dim[1], w = item.dim[2];
    for (int64_t i = 0; i < hg_shape_numel(item); i++) {
        bool low = 2 * (i / w % h) >= h, left = 2 * (i % w) < w;
        mask[i] = visible == 1   ? low && left
                  : visible == 2 ? left
                                 : low || left;
    }
}

bool hg_model_completes(hg_context *context, const hg_model *m, void *state,
                        const hg_data *data)
{
    int64_t rows[] = {0}, width = 0;
    hg_batch b;
    if (!m->condition || !m->prior || !m->decode ||
        !hg_context_usable(context, "a completion"))
        return false;
    hg_scope *s = hg_scope_open(context, HG_EVAL);
    if (s && hg_data_batch(data, rows, 1, &b)) {
        b.mask = hg_ones(b.x->shape);
        hg_tensor *c = m->condition(state, &b);
        width = c ? c->shape.dim[1] : 0;
    }
    if (s)
        hg_scope_close(s);
    return width == 2 * hg_data_features(data);
}

hg_tensor *hg_model_complete(const hg_model *m, void *state, const hg_batch *b)
{
    hg_tensor *given = m->condition(state, b), *z = m->prior(state, b->size);
    if (!given || !z)
        return NULL;
    int64_t latent = z->shape.dim[1] - given->shape.dim[1];
    return m->decode(state, hg_concat(1, hg_slice(z, 1, 0, latent, 1), given));
}

/* log p(hidden | z, visible) of one draw an image: [batch]. */
static hg_tensor *hidden_log_p(const hg_model *m, void *state,
                               const hg_batch *b)
{
    hg_tensor *y = hg_model_complete(m, state, b);
    hg_tensor *cost = nn_bce_loss(y, b->target, HG_NONE);
    hg_tensor *hidden = hg_rsub(b->mask, 1);
    return hg_neg(hg_sum(hg_mul(cost, hidden), HG_FROM(1)));
}

hg_tensor *hg_model_completion_nll(const hg_model *m, void *state,
                                   const hg_batch *b, int draws)
{
    hg_tensor *sum = NULL;
    for (int i = 0; i < draws; i++) {
        hg_tensor *one = hg_unsqueeze(hidden_log_p(m, state, b), 0);
        sum = sum ? hg_logsumexp(hg_concat(0, sum, one), HG_KEEP(0)) : one;
    }
    return hg_rsub(hg_select(sum, 0, 0), log(draws));
}
