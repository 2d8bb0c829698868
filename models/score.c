/* score.c - how little a model expects an image. */
#include "models/evaluation.h"
#include "models/internal.h"
#include "tensor/internal.h"

enum { AT_ONCE = 250 };

const char *hg_score_name(hg_score kind)
{
    static const char *const names[HG_SCORES] = {"reconstruction",
                                                 "probability", "elbo"};
    return kind >= 0 && kind < HG_SCORES ? names[kind] : NULL;
}

bool hg_model_can_score(const hg_model *m, hg_score kind)
{
    bool draws = hg_model_has_draws(m) && m->decode;
    return kind == HG_SCORE_RECONSTRUCTION ? hg_model_reconstructs(m)
           : kind == HG_SCORE_PROBABILITY  ? draws
                                           : draws && hg_model_has_kl(m);
}

/* [batch] */
static hg_tensor *scores_of(const hg_model *m, void *state, const hg_batch *b,
                            hg_score kind, int draws)
{
    hg_tensor *x = hg_model_input(m, state, b), *sum = NULL;
    if (kind == HG_SCORE_RECONSTRUCTION) {
        hg_tensor *y = m->decode(state, hg_model_encode(m, state, x));
        return hg_sum(hg_square(hg_sub(y, b->target)), HG_FROM(1));
    }
    for (int i = 0; i < draws; i++) {
        hg_tensor *z = hg_model_sample(m, state, x);
        hg_tensor *cost =
            hg_neg(hg_model_log_likelihood(m, state, b->target, z));
        sum = i ? hg_add(sum, cost) : cost;
    }
    sum = hg_scale(sum, 1.0 / draws);
    return kind == HG_SCORE_ELBO ? hg_add(sum, hg_model_kl(m, state, x)) : sum;
}

bool hg_model_score(const hg_model *model, void *state, hg_data *data,
                    hg_score kind, int draws, double *score)
{
    hg_batch b;
    if (hg_error())
        return false;
    if (!hg_model_can_score(model, kind) || draws < 1)
        return hg_fail(HG_ERROR_ARGUMENT, "%s cannot be scored by %s, %d draws",
                       model->name, hg_score_name(kind), draws);
    hg_loader *loader = hg_loader_new(data, AT_ONCE, false);
    for (hg_scope *s; loader && (s = hg_next(loader, HG_EVAL, &b));
         hg_scope_close(s)) {
        hg_tensor *scores = scores_of(model, state, &b, kind, draws);
        if (!hg_doubles_of(scores, b.size, score))
            hg_fail(HG_ERROR_STATE, "%s: the scores cannot be read",
                    model->name);
        score += b.size;
    }
    hg_loader_free(loader);
    return !hg_error();
}
