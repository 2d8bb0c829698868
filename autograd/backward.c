/* backward.c - backprop: one loop over the tape, newest node first.
 *
 * Creation order is a topological order, so nothing is sorted. A node's
 * gradient is passed on once and then dropped; gradients of leaves stay in
 * `grad`. hg_backward and hg_grad are the same pass with other targets. */
#include "autograd/internal.h"

#include <string.h>

typedef struct {
    hg_scope *scope;
    hg_tensor *y;           /* differentiated */
    hg_tensor *x;           /* hg_grad: in this tensor; NULL: in leaves */
    const hg_leaves *among; /* hg_backward: in these leaves; NULL: in all */
    bool recorded;          /* the rules go on the tape; nothing is dropped */
} pass;

/* ---- Temporaries -------------------------------------------------------- */

static void keep(hg_tensor *t)
{
    hg_block_of(t)->kept++;
    t->storage->holds++;
}

static void drop_if_idle(hg_block *b)
{
    if (b->temporary && !b->kept && !b->storage.holds)
        hg_tensor_drop(&b->t);
}

static void let_go(hg_tensor *t)
{
    hg_block *base = hg_base_of(t), *b = hg_block_of(t);
    t->storage->holds--;
    b->kept--;
    if (b != base)
        drop_if_idle(b);
    drop_if_idle(base);
}

/* The newest tensor of the scope, which stays until the sweep. */
static hg_block *mark_newest(hg_scope *s)
{
    hg_block *mark = s->owner.newest;
    if (mark)
        mark->kept++;
    return mark;
}

/* Drops what a rule made since `mark` and did not return. */
static void sweep(hg_scope *s, hg_block *mark)
{
    hg_block *older;
    for (hg_block *b = s->owner.newest; b && b != mark; b = older) {
        older = b->older;
        b->temporary = true;
        drop_if_idle(b);
    }
    if (mark) {
        mark->kept--;
        drop_if_idle(mark);
    }
}

/* ---- Gradients of leaves ------------------------------------------------ */

void hg_clear_gradient(hg_tensor *leaf)
{
    hg_tensor *g = leaf->grad;
    leaf->grad = NULL;
    if (g && g != hg_block_of(leaf)->grad_home && hg_block_of(g)->kept)
        let_go(g);
}

/* A leaf of an outer scope without a buffer of its own gets a copy there. */
static hg_tensor *at_home(hg_scope *s, hg_tensor *leaf, hg_tensor *g)
{
    hg_block *b = hg_block_of(leaf);
    if (b->grad_home || b->owner == &s->owner)
        return g;
    hg_tensor *copy = hg_tensor_new(b->owner, leaf->shape, HG_REAL);
    if (!copy)
        return NULL;
    if (!hg_copy_values(copy, g))
        return NULL;
    hg_block_of(copy)->temporary = true; /* dropped with the next gradient */
    return copy;
}

static bool queue(hg_scope *s, hg_block *leaf)
{
    if (!leaf->grad_home || leaf->queued == s)
        return true;
    hg_pending *p = hg_region_take(&s->owner.region, sizeof *p);
    if (!p)
        return false;
    *p = (hg_pending){s->pending, leaf};
    s->pending = p;
    leaf->queued = s;
    return true;
}

static bool set_gradient(hg_scope *s, hg_tensor *t, hg_tensor *g)
{
    if (!queue(s, hg_block_of(t)))
        return false;
    keep(g);
    hg_clear_gradient(t);
    t->grad = g;
    return true;
}

static bool add_to_leaf(const pass *p, hg_tensor *leaf, hg_tensor *g)
{
    hg_tensor *sum = leaf->grad ? hg_accumulate(leaf->grad, g) : g;
    sum = sum ? at_home(p->scope, leaf, sum) : NULL;
    return sum && set_gradient(p->scope, leaf, sum);
}

/* ---- The pass ----------------------------------------------------------- */

static bool is_target(const pass *p, const hg_tensor *t)
{
    const hg_block *b = hg_block_of(t);
    if (p->x)
        return t == p->x || (b->recorded && b->needs);
    if (b->recorded)
        return b->needs != 0;
    return t->wants_grad && (!p->among || p->among->has(t, p->among->user));
}

/* Oldest first: which inputs of which nodes lead to a target? */
static void mark_paths(const pass *p, const hg_scope *s)
{
    if (s->parent)
        mark_paths(p, s->parent);
    for (hg_block *b = s->tape_oldest; b; b = b->later) {
        b->needs = 0;
        b->partial = NULL;
        for (int i = 0; i < b->t.arity; i++)
            if (is_target(p, b->t.in[i]))
                b->needs |= (uint8_t)(1u << i);
    }
}

static bool accumulate(const pass *p, hg_tensor *in, hg_tensor *dx)
{
    hg_block *b = hg_block_of(in);
    if (!hg_shape_equal(in->shape, dx->shape))
        return hg_fail(HG_ERROR_SHAPE,
                       "its backward rule gave a gradient of shape %s for an "
                       "input of shape %s",
                       HG_SHAPE_TEXT(dx->shape), HG_SHAPE_TEXT(in->shape));
    if (!p->x && !b->recorded)
        return add_to_leaf(p, in, dx);
    hg_tensor *sum = b->partial ? hg_accumulate(b->partial, dx) : dx;
    if (!sum)
        return false;
    keep(sum);
    if (b->partial)
        let_go(b->partial);
    b->partial = sum;
    return true;
}

static const char *value_name(const hg_tensor *t)
{
    const hg_tensor *base = &hg_base_of(t)->t;
    return base->name ? base->name : base->op ? base->op->name : "a leaf";
}

static bool is_fresh(const hg_tensor *t, uint64_t version)
{
    if (t->storage->version == version)
        return true;
    return hg_fail(HG_ERROR_STATE,
                   "stale: backward needs the value of %s %s as it was in the "
                   "forward (version %llu), but it was changed since (version "
                   "%llu); run the forward again after changing it",
                   value_name(t), HG_SHAPE_TEXT(t->shape),
                   (unsigned long long)version,
                   (unsigned long long)t->storage->version);
}

/* Nothing that the rule will read may have changed. */
static bool values_fresh(const hg_block *b)
{
    unsigned reads = b->t.op->reads;
    if (reads & HG_READS_OTHER)
        reads |= (b->needs & 1u) << 1 | (b->needs >> 1 & 1u);
    for (int i = 0; i < b->t.arity; i++)
        if ((!reads || reads & HG_READS_IN(i)) &&
            !is_fresh(b->t.in[i], b->in_version[i]))
            return false;
    return (reads && !(reads & HG_READS_OUT)) ||
           is_fresh(&b->t, b->out_version);
}

static bool pass_on(const pass *p, hg_block *b, hg_tensor *g)
{
    hg_tensor *dx[HG_MAX_INPUTS] = {0}, *z = &b->t;
    if (!values_fresh(b))
        return false;
    z->op->backward(z, g, dx);
    for (int i = 0; i < z->arity && !hg_error(); i++)
        if (dx[i] && b->needs >> i & 1)
            accumulate(p, z->in[i], dx[i]);
    return !hg_error();
}

/* One node: run its rule, then drop its gradient and the rule's scratch. */
static bool visit(const pass *p, hg_block *b)
{
    hg_ambient *here = hg_ambient_here();
    hg_scope *s = p->scope;
    hg_tensor *g = b->partial;
    hg_block *mark = p->recorded ? NULL : mark_newest(s);
    const char *path = here->path, *op = here->op;
    here->path = b->t.name;
    here->op = b->t.op->name;
    bool ok = pass_on(p, b, g);
    here->path = path;
    here->op = op;
    b->partial = NULL;
    if (ok && b->retain && !p->x)
        ok = add_to_leaf(p, &b->t, g);
    if (p->recorded)
        return ok;
    sweep(s, mark);
    let_go(g);
    return ok;
}

static void forget_partials(hg_scope *s)
{
    for (; s; s = s->parent)
        for (hg_block *b = s->tape_newest; b; b = b->earlier)
            b->partial = NULL;
}

static bool seed(const pass *p, hg_tensor *v)
{
    hg_block *b = hg_block_of(p->y);
    b->partial = v ? v : hg_ones(p->y->shape);
    if (!b->partial)
        return false;
    hg_block_of(b->partial)->temporary = !v && !p->recorded;
    keep(b->partial);
    return true;
}

static bool walk(const pass *p, hg_tensor *v)
{
    hg_context *context = p->scope->owner.context;
    if (context->in_pass)
        return hg_fail(HG_ERROR_STATE, "a backward rule may not start another "
                                       "backward; use operations only");
    mark_paths(p, p->scope);
    if (!seed(p, v))
        return false;
    context->in_pass = true;
    context->create_graph = p->recorded && p->scope->mode & HG_RECORD;
    bool ok = true;
    for (hg_scope *s = p->scope; s && ok; s = s->parent)
        for (hg_block *b = s->tape_newest; b && ok; b = b->earlier)
            if (b->partial && b->needs)
                ok = visit(p, b);
    context->in_pass = context->create_graph = false;
    return ok;
}

/* ---- The public functions ----------------------------------------------- */

static bool usable_here(const hg_tensor *t, const char *what)
{
    return hg_usable(t, what) && hg_of_scope(t, what);
}

static bool loss_is_legal(const hg_tensor *loss)
{
    if (!usable_here(loss, "hg_backward: the loss"))
        return false;
    if (hg_numel(loss) != 1)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_backward: the loss must be a scalar, not %s; "
                       "average it with hg_mean(loss, HG_ALL)",
                       HG_SHAPE_TEXT(loss->shape));
    if (hg_block_of(loss)->spent)
        return hg_fail(HG_ERROR_STATE,
                       "hg_backward: this loss is spent: it was "
                       "differentiated already; compute it again");
    return true;
}

/* The loss is itself a leaf. */
static bool leaf_backward(const pass *p, const char *who)
{
    if (!is_target(p, p->y))
        return hg_fail_unreached(p->y, who);
    hg_tensor *one = hg_ones(p->y->shape);
    return one && add_to_leaf(p, p->y, one);
}

bool hg_backward_among(hg_tensor *loss, const hg_leaves *among)
{
    const char *who = among ? among->who : "hg_backward";
    if (!loss_is_legal(loss))
        return false;
    if (!loss->wants_grad)
        return hg_fail_unreached(loss, who);
    hg_scope *s = hg_scope_here();
    pass p = {.scope = s, .y = loss, .among = among};
    hg_block *b = hg_block_of(loss);
    if (!b->recorded)
        return leaf_backward(&p, who);
    hg_mode was = hg_set_mode(HG_EVAL);
    bool ok = walk(&p, NULL);
    hg_set_mode(was);
    forget_partials(s);
    b->spent |= ok && b->needs;
    if (!ok || b->needs)
        return ok;
    return among ? hg_fail_unreached(loss, who)
                 : hg_fail(HG_ERROR_STATE,
                           "hg_backward: all parameters that the loss reaches "
                           "were frozen since it was made");
}

bool hg_backward(hg_tensor *loss)
{
    return hg_backward_among(loss, NULL);
}

static bool grad_is_legal(hg_tensor *y, hg_tensor *x, const hg_tensor *v)
{
    if (!usable_here(y, "hg_grad: y") || !usable_here(x, "hg_grad: x") ||
        (v && !usable_here(v, "hg_grad: v")))
        return false;
    if (v && !hg_shape_equal(v->shape, y->shape))
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_grad: v has shape %s, y has %s; they must agree",
                       HG_SHAPE_TEXT(v->shape), HG_SHAPE_TEXT(y->shape));
    return true;
}

hg_tensor *hg_grad_or_none(hg_tensor *y, hg_tensor *x, hg_tensor *v)
{
    if (!grad_is_legal(y, x, v) || !x->wants_grad || !y->wants_grad)
        return NULL;
    hg_scope *s = hg_scope_here();
    pass p = {.scope = s, .y = y, .x = x, .recorded = true};
    if (y == x)
        return v ? v : hg_ones(y->shape);
    hg_block_of(x)->partial = NULL;
    walk(&p, v);
    hg_tensor *g = hg_block_of(x)->partial;
    hg_block_of(x)->partial = NULL;
    forget_partials(s);
    return hg_error() ? NULL : g;
}

hg_tensor *hg_grad(hg_tensor *y, hg_tensor *x, hg_tensor *v)
{
    hg_tensor *g = hg_grad_or_none(y, x, v);
    if (g || hg_error())
        return g;
    /* There are paths, but rules on them give nothing: that of a sign. */
    if (x->wants_grad && y->wants_grad && hg_block_of(y)->needs)
        return hg_zeros(x->shape);
    if (x->wants_grad && y->wants_grad)
        hg_fail(HG_ERROR_STATE, "hg_grad: y does not depend on x");
    else
        hg_fail(HG_ERROR_STATE,
                "hg_grad: %s wants no gradient; make x with hg_watch or "
                "hg_param, in a recording scope",
                x->wants_grad ? "y" : "x");
    return NULL;
}

void hg_retain_grad(hg_tensor *t)
{
    if (hg_usable(t, "hg_retain_grad: the tensor"))
        hg_block_of(t)->retain = true;
}
