/* error.c - the pending error and the other ambient state of a thread. */
#include "tensor/internal.h"

#include <stdarg.h>
#include <string.h>

static _Thread_local hg_ambient ambient;

hg_ambient *hg_ambient_here(void)
{
    return &ambient;
}

const char *hg_error(void)
{
    return ambient.code ? ambient.text : NULL;
}

hg_error_code hg_error_kind(void)
{
    return ambient.code;
}

const char *hg_error_name(hg_error_code code)
{
    static const char *const names[] = {
#define HG_ERROR(name, text) text,
#include "tensor/errors.def"
#undef HG_ERROR
    };
    return code < HG_ERROR_COUNT ? names[code] : "unknown";
}

void hg_error_clear(void)
{
    ambient.code = HG_ERROR_NONE;
    ambient.text[0] = 0;
}

static size_t append(size_t at, const char *text)
{
    size_t room = sizeof ambient.text - at, length = strlen(text);
    if (length >= room)
        length = room - 1;
    memcpy(ambient.text + at, text, length);
    ambient.text[at + length] = 0;
    return at + length;
}

bool hg_fail(hg_error_code code, const char *format, ...)
{
    if (ambient.code)
        return false; /* the first error is the significant one */
    size_t at = 0;
    ambient.text[0] = 0;
    if (ambient.path && ambient.path[0])
        at = append(append(at, ambient.path), ": ");
    if (ambient.op)
        at = append(append(at, ambient.op), ": ");
    va_list list;
    va_start(list, format);
    vsnprintf(ambient.text + at, sizeof ambient.text - at, format, list);
    va_end(list);
    ambient.code = code;
    if (ambient.scope)
        hg_undo_all(ambient.scope->owner.context);
    return false;
}

hg_scope *hg_scope_here(void)
{
    if (ambient.scope)
        return ambient.scope;
    hg_fail(HG_ERROR_STATE,
            ambient.scope_lost
                ? "no scope is open: the context it belonged to was freed; "
                  "make a context and open a scope with hg_scope_open first"
                : "no scope is open; open one with hg_scope_open first, it "
                  "will own the result");
    return NULL;
}

bool hg_usable(const hg_tensor *t, const char *what)
{
    if (ambient.code)
        return false;
    if (!t)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s is NULL; check what was passed and where it "
                       "was made",
                       what);
    if (hg_block_of(t)->alive != HG_ALIVE)
        return hg_fail(HG_ERROR_STATE,
                       "%s belonged to a scope that is closed; use it before "
                       "hg_scope_close, or copy its values out with hg_read",
                       what);
    return true;
}

bool hg_of_scope(const hg_tensor *t, const char *what)
{
    const hg_scope *s = hg_scope_here();
    if (!s || t->storage->context == s->owner.context)
        return s != NULL;
    return hg_fail(HG_ERROR_DEVICE,
                   "%s lives on the device of another context than the open "
                   "scope; copy it over with hg_read and hg_from",
                   what);
}

bool hg_context_was_freed(const hg_context *context)
{
    for (int i = 0; i < 8; i++)
        if (ambient.freed[i] == context)
            return true;
    return false;
}

bool hg_context_given(const hg_context *context, const char *what)
{
    if (!context)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: the context is NULL; make one with hg_context_new",
                       what);
    if (hg_context_was_freed(context))
        return hg_fail(HG_ERROR_STATE,
                       "%s: the context was freed; make a new one with "
                       "hg_context_new",
                       what);
    return true;
}

bool hg_context_usable(const hg_context *context, const char *what)
{
    return !ambient.code && hg_context_given(context, what);
}
