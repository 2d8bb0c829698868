/* undo.c - a failed step leaves no trace.
 *
 * An optimiser's step cannot fail half-way: it allocates nothing. But a forward
 * pass moves running statistics long before anybody knows whether the step
 * will succeed. So whoever moves a stored value in passing notes it first;
 * hg_fail puts the former values back, an optimiser's step makes the new ones
 * final. Notes live in the outermost scope. */
#include "tensor/device.h"

struct hg_undo {
    hg_undo *next;
    hg_tensor *target, *former;
    hg_queued copy; /* on a GPU: where the one is copied to the other */
};

static bool is_noted(const hg_context *context, const hg_tensor *t)
{
    const hg_undo *u = context->undo;
    while (u && u->target != t)
        u = u->next;
    return u != NULL;
}

bool hg_undo_note(hg_tensor *t)
{
    hg_scope *s = hg_scope_here();
    if (!s)
        return false;
    hg_context *context = s->owner.context;
    t = &hg_base_of(t)->t; /* of which it may be a part */
    /* What a scope owns goes with it; an operation on what another context owns
     * is refused. */
    if (hg_block_of(t)->owner->scope || t->storage->context != context ||
        is_noted(context, t))
        return true;
    while (s->parent)
        s = s->parent;
    hg_undo *u = hg_region_take(&s->owner.region, sizeof *u);
    hg_tensor *former = u ? hg_tensor_new(&s->owner, t->shape, t->dtype) : NULL;
    hg_queued copy = hg_queue_end(context);
    if (!former || !hg_copy_values(former, t))
        return false;
    *u = (hg_undo){context->undo, t, former, copy};
    context->undo = u;
    return true;
}

/* Its room is given back: an outermost scope may see many steps. */
static void drop(hg_undo *u)
{
    hg_owner *owner = hg_block_of(u->former)->owner;
    hg_tensor_drop(u->former);
    hg_region_give(&owner->region, u, sizeof *u);
}

void hg_undo_forget(hg_context *context)
{
    for (hg_undo *u; (u = context->undo);) {
        context->undo = u->next;
        drop(u);
    }
}

static void drop_at(hg_undo **at)
{
    hg_undo *u = *at;
    *at = u->next;
    drop(u);
}

void hg_undo_settle(const hg_tensor *t)
{
    hg_undo **at = &t->storage->context->undo;
    while (*at && (*at)->target->storage != t->storage)
        at = &(*at)->next;
    if (*at)
        drop_at(at);
}

/* Where the copy was not run, what moves the value was not either: it comes
 * later. */
void hg_undo_void(hg_context *context)
{
    for (hg_undo **at = &context->undo; *at;)
        if (hg_queue_ran(context, (*at)->copy))
            at = &(*at)->next;
        else
            drop_at(at);
}

void hg_undo_all(hg_context *context)
{
    if (context->flushing)
        return; /* copies would join the queue that is being run */
    for (hg_undo *u; (u = context->undo);) {
        context->undo = u->next;
        if (hg_copy_values(u->target, u->former))
            u->target->storage->version++;
        drop(u);
    }
}
