/* cut.c - a loss that reaches no parameter: where was the path cut? */
#include "autograd/internal.h"

/* The budget bounds the walk: values used twice make many ways to one node. */
static const hg_tensor *find_cut(const hg_tensor *t, int *budget)
{
    for (int i = 0; i < t->arity && --*budget > 0; i++) {
        if (hg_block_of(t->in[i])->alive != HG_ALIVE)
            continue;
        if (t->in[i]->wants_grad && !t->wants_grad)
            return t;
        const hg_tensor *cut = find_cut(t->in[i], budget);
        if (cut)
            return cut;
    }
    return NULL;
}

bool hg_fail_unreached(const hg_tensor *loss, const char *who)
{
    int budget = 1000;
    const hg_tensor *cut = find_cut(loss, &budget);
    if (!cut)
        return hg_fail(HG_ERROR_STATE,
                       loss->wants_grad
                           ? "%s: the loss reaches other parameters, but none "
                             "of these that is not frozen"
                           : "%s: the loss reaches no parameter: nothing that "
                             "it was made from wants a gradient",
                       who);
    bool silent = !(hg_block_of(cut)->mode & HG_RECORD);
    return hg_fail(HG_ERROR_STATE,
                   "%s: the loss reaches no parameter%s: %s path is cut at %s "
                   "%s%s%s, %s",
                   who, loss->wants_grad ? " of these that is not frozen" : "",
                   loss->wants_grad ? "a" : "the", cut->op->name,
                   HG_SHAPE_TEXT(cut->shape), cut->name ? " in " : "",
                   cut->name ? cut->name : "",
                   silent ? "made while the scope was not recording; open it "
                            "with HG_TRAIN or HG_RECORD"
                          : "through which no gradient flows");
}
