/* scope.c - a scope owns what is made while it is open. */
#include "tensor/device.h"
#include "tensor/random.h"

#include <string.h>

static hg_scope *scope_take(hg_context *context)
{
    hg_scope *s = context->free_scopes;
    if (s)
        context->free_scopes = s->parent;
    else
        s = hg_memory_allocate(context, sizeof *s);
    if (s)
        memset(s, 0, sizeof *s);
    return s;
}

/* An outermost scope is a step: fresh numbers for its random draws. */
static void begin_step(hg_context *context, hg_mode mode)
{
    hg_flush(context); /* what was queued belongs to the number before */
    int kind = mode & HG_RECORD ? 0 : 1;
    context->control.step = context->steps[kind]++;
    context->control.domain = kind ? HG_DOMAIN_EVAL : HG_DOMAIN_TRAIN;
    context->draws = 0;
}

hg_scope *hg_scope_open(hg_context *context, hg_mode mode)
{
    hg_ambient *here = hg_ambient_here();
    if (!hg_context_usable(context, "hg_scope_open"))
        return NULL;
    if (here->scope && here->scope->owner.context != context) {
        hg_fail(HG_ERROR_STATE,
                "hg_scope_open: a scope of another context is open on this "
                "thread; close it first");
        return NULL;
    }
    hg_scope *s = scope_take(context);
    if (!s)
        return NULL;
    hg_owner_init(&s->owner, context, s);
    s->mode = mode;
    s->parent = here->scope;
    s->open = true;
    if (!s->parent)
        begin_step(context, mode);
    here->scope = s;
    here->scope_lost = false;
    return s;
}

/* A leaf's gradient that nobody consumed outlives the scope in the leaf's own
 * buffer, reserved when the leaf was made. */
static void save_pending(hg_scope *s)
{
    for (hg_pending *p = s->pending; p; p = p->next) {
        hg_block *b = p->leaf;
        hg_tensor *g = b->t.grad;
        b->queued = NULL;
        if (!g || hg_block_of(g)->owner != &s->owner)
            continue;
        hg_copy_values(b->grad_home, g);
        b->grad_home->storage->version++;
        b->t.grad = b->grad_home;
    }
}

static void close_one(hg_scope *s)
{
    hg_context *context = s->owner.context;
    save_pending(s);
    if (!s->parent) {
        hg_flush(context);
        hg_undo_forget(context);
    }
    hg_owner_free(&s->owner);
    s->open = false;
    hg_ambient_here()->scope = s->parent;
    s->parent = context->free_scopes;
    context->free_scopes = s;
}

void hg_scope_close(hg_scope *s)
{
    hg_ambient *here = hg_ambient_here();
    hg_scope *open = here->scope;
    while (open && open != s)
        open = open->parent;
    if (!s || !open) {
        hg_fail(HG_ERROR_STATE,
                "hg_scope_close: %s; close each scope once, on the thread "
                "that opened it",
                s ? "this scope is not open here" : "the scope is NULL");
        return;
    }
    while (here->scope != s)
        close_one(here->scope);
    close_one(s);
}

hg_mode hg_set_mode(hg_mode mode)
{
    hg_scope *s = hg_scope_here();
    if (!s)
        return HG_EVAL;
    hg_mode was = s->mode;
    s->mode = mode;
    return was;
}

hg_mode hg_get_mode(void)
{
    hg_scope *s = hg_ambient_here()->scope;
    return s ? s->mode : HG_EVAL;
}
