/* params.c - the parameter store: named tensors, found by path. */
#include "nn/internal.h"

#include <string.h>

/* ---- The store ---------------------------------------------------------- */

static void store_destroy(void *object)
{
    hg_store *store = object;
    hg_context *context = store->owner.context;
    hg_region_free(&store->values);
    hg_region_free(&store->grads);
    hg_owner_free(&store->owner);
    hg_memory_release(context, store, sizeof *store);
}

/* Cursors are kept, so that asking again for one costs no memory. */
static hg_params *cursor_at(hg_store *store, const char *prefix)
{
    for (hg_params *p = store->cursors; p; p = p->next)
        if (!strcmp(p->prefix, prefix))
            return p;
    hg_params *p = hg_region_take(&store->owner.region, sizeof *p);
    char *text = p ? hg_region_text(&store->owner.region, prefix) : NULL;
    if (!text)
        return NULL;
    *p = (hg_params){store, text, strlen(text), store->cursors};
    store->cursors = p;
    return p;
}

hg_params *hg_params_new(hg_context *context)
{
    if (!hg_context_usable(context, "hg_params_new"))
        return NULL;
    hg_store *store = hg_memory_allocate(context, sizeof *store);
    if (!store)
        return NULL;
    memset(store, 0, sizeof *store);
    hg_owner_init(&store->owner, context, NULL);
    store->values.context = store->grads.context = context;
    store->values.there = store->grads.there = context->gpu != NULL;
    hg_params *p = cursor_at(store, "");
    if (p && hg_context_own(context, store, store_destroy))
        return p;
    store_destroy(store);
    return NULL;
}

bool hg_params_usable(const hg_params *p, const char *who)
{
    if (hg_error())
        return false;
    if (!p)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: the store is NULL; make one with hg_params_new",
                       who);
    return true;
}

hg_context *hg_params_context(const hg_params *p)
{
    return p ? p->store->owner.context : NULL;
}

void *hg_params_alloc(hg_params *p, size_t size)
{
    if (!hg_params_usable(p, "hg_params_alloc"))
        return NULL;
    return hg_region_take_zeroed(&p->store->owner.region, size);
}

/* ---- Names -------------------------------------------------------------- */

/* Printable ASCII in parts between dots, none of them empty. */
static bool name_is_legal(const char *name, const char *who)
{
    if (!name || !name[0])
        return hg_fail(HG_ERROR_ARGUMENT, "%s: the name is %s", who,
                       name ? "empty" : "NULL");
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~')
            return hg_fail(HG_ERROR_ARGUMENT,
                           "%s: the name \"%s\" holds a blank or a character "
                           "that is not ASCII; use letters, digits, _ and dots",
                           who, name);
    if (!strcmp(name, "__metadata__"))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: the name \"%s\" is taken in safetensors files", who,
                       name);
    if (name[0] == '.' || name[strlen(name) - 1] == '.' || strstr(name, ".."))
        return hg_fail(HG_ERROR_ARGUMENT,
                       "%s: the name \"%s\" has an empty part between dots",
                       who, name);
    return true;
}

char *hg_params_path(hg_params *p, const char *name)
{
    size_t length = strlen(name);
    char *path =
        hg_region_take(&p->store->owner.region, p->length + length + 2);
    if (!path)
        return NULL;
    memcpy(path, p->prefix, p->length);
    memcpy(path + p->length, name, length + 1);
    return path;
}

hg_params *hg_params_at(hg_params *p, const char *name)
{
    if (!hg_params_usable(p, "hg_params_at"))
        return NULL;
    if (!name || !name[0])
        return p;
    if (!name_is_legal(name, "hg_params_at"))
        return NULL;
    size_t size = p->length + strlen(name) + 2;
    char *prefix = hg_params_path(p, name);
    if (!prefix)
        return NULL;
    strcat(prefix, ".");
    hg_params *found = cursor_at(p->store, prefix);
    hg_region_give(&p->store->owner.region, prefix, size);
    return found;
}

/* The first place whose path is not less than `path` in its first `length`
 * bytes (or, after = true, is greater). */
static int64_t place(const hg_store *store, const char *path, size_t length,
                     bool after)
{
    int64_t low = 0, high = store->count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        int order = strncmp(store->sorted[middle]->path, path, length);
        if (order < 0 || (after && !order))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

hg_entries hg_entries_below(const hg_params *p)
{
    return (hg_entries){place(p->store, p->prefix, p->length, false),
                        place(p->store, p->prefix, p->length, true)};
}

/* Compares the path with prefix + name without putting them together. */
static int compare_path(const char *path, const hg_params *p, const char *name)
{
    int order = strncmp(path, p->prefix, p->length);
    return order ? order : strcmp(path + p->length, name);
}

hg_tensor *hg_params_find(const hg_params *p, const char *name)
{
    if (!p || !name)
        return NULL;
    hg_entries e = hg_entries_below(p);
    while (e.from < e.to) {
        int64_t middle = (e.from + e.to) / 2;
        hg_entry *entry = p->store->sorted[middle];
        int order = compare_path(entry->path, p, name);
        if (!order)
            return entry->tensor;
        if (order < 0)
            e.from = middle + 1;
        else
            e.to = middle;
    }
    return NULL;
}

hg_tensor *hg_params_entry(const hg_params *p, int64_t i)
{
    if (!p)
        return NULL;
    hg_entries e = hg_entries_below(p);
    return i >= 0 && i < e.to - e.from ? p->store->sorted[e.from + i]->tensor
                                       : NULL;
}

/* ---- New entries -------------------------------------------------------- */

static bool shape_is_legal(hg_shape shape, const char *path)
{
    int64_t n = 1;
    if (shape.rank < 0 || shape.rank > HG_MAX_RANK)
        return hg_fail(HG_ERROR_SHAPE, "%s: rank %d is not between 0 and %d",
                       path, shape.rank, HG_MAX_RANK);
    for (int d = 0; d < shape.rank; d++)
        if (shape.dim[d] <= 0 || shape.dim[d] > ((int64_t)1 << 48) / n)
            return hg_fail(HG_ERROR_SHAPE,
                           "%s: shape %s is not possible for a parameter; "
                           "every size must be at least 1",
                           path, HG_SHAPE_TEXT(shape));
        else
            n *= shape.dim[d];
    return true;
}

static bool make_room(hg_store *store)
{
    if (store->count < store->capacity)
        return true;
    int64_t capacity = store->capacity ? 2 * store->capacity : 32;
    size_t size = sizeof(hg_entry *);
    hg_entry **sorted =
        hg_region_take(&store->owner.region, (size_t)capacity * size);
    if (!sorted)
        return false;
    if (store->count)
        memcpy(sorted, store->sorted, (size_t)store->count * size);
    if (store->capacity)
        hg_region_give(&store->owner.region, store->sorted,
                       (size_t)store->capacity * size);
    store->sorted = sorted;
    store->capacity = capacity;
    return true;
}

static void insert(hg_store *store, hg_entry *e)
{
    int64_t at = place(store, e->path, strlen(e->path) + 1, false);
    memmove(store->sorted + at + 1, store->sorted + at,
            (size_t)(store->count - at) * sizeof(hg_entry *));
    store->sorted[at] = e;
    e->number = store->count++;
}

/* Memory of one of the store's slabs under a header of the store. */
static hg_tensor *tensor_in(hg_store *store, hg_region *slab, hg_shape shape,
                            hg_dtype dtype)
{
    void *data = hg_region_take(slab, (size_t)hg_shape_numel(shape) *
                                          hg_dtype_size(dtype));
    return data ? hg_tensor_over(&store->owner, shape, dtype, data) : NULL;
}

static hg_entry *entry_new(hg_params *p, const char *name, hg_shape shape,
                           hg_dtype dtype, const char *who)
{
    if (!hg_params_usable(p, who) || !name_is_legal(name, who))
        return NULL;
    if (hg_params_find(p, name)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "%s: the name \"%s%s\" exists already; each parameter needs "
                "its own, put the layer below another hg_params_at",
                who, p->prefix, name);
        return NULL;
    }
    hg_store *store = p->store;
    char *path = hg_params_path(p, name);
    if (!path || !shape_is_legal(shape, path) || !make_room(store))
        return NULL;
    hg_entry *e = hg_region_take_zeroed(&store->owner.region, sizeof *e);
    hg_tensor *t = e ? tensor_in(store, &store->values, shape, dtype) : NULL;
    if (!t)
        return NULL;
    t->name = e->path = path;
    e->tensor = t;
    hg_block_of(t)->record = e;
    return e;
}

hg_tensor *hg_param(hg_params *p, const char *name, hg_shape shape,
                    hg_init init)
{
    hg_entry *e = entry_new(p, name, shape, HG_REAL, "hg_param");
    if (!e)
        return NULL;
    hg_store *store = p->store;
    hg_tensor *home = tensor_in(store, &store->grads, shape, HG_REAL);
    if (!home || !hg_init_fill(e->tensor, e->path, init,
                               store->owner.context->control.seed)) {
        hg_tensor_drop(e->tensor);
        return NULL;
    }
    home->name = e->path;
    hg_block_of(e->tensor)->grad_home = home;
    e->tensor->wants_grad = true;
    insert(store, e);
    return e->tensor;
}

hg_tensor *hg_buffer(hg_params *p, const char *name, hg_shape shape,
                     hg_real fill)
{
    hg_entry *e = entry_new(p, name, shape, HG_REAL, "hg_buffer");
    if (!e)
        return NULL;
    hg_set(e->tensor, fill);
    e->buffer = true;
    insert(p->store, e);
    return e->tensor;
}

hg_tensor *hg_counter(hg_params *p, const char *name)
{
    static const int32_t none = 0;
    hg_entry *e = entry_new(p, name, HG_SCALAR, HG_INT32, "hg_counter");
    if (!e || !hg_write_data(e->tensor, &none, 1))
        return NULL;
    e->buffer = true;
    insert(p->store, e);
    return e->tensor;
}

/* ---- Looking at sets ---------------------------------------------------- */

bool hg_is_buffer(const hg_tensor *t)
{
    return t && hg_entry_of(t) && hg_entry_of(t)->buffer;
}

int64_t hg_params_number(const hg_tensor *t)
{
    return t && hg_entry_of(t) ? hg_entry_of(t)->number : -1;
}

int64_t hg_params_count(const hg_params *p)
{
    int64_t n = 0;
    hg_entries e = p ? hg_entries_below(p) : (hg_entries){0, 0};
    for (int64_t i = e.from; i < e.to; i++)
        if (!p->store->sorted[i]->buffer)
            n += hg_numel(p->store->sorted[i]->tensor);
    return n;
}

void hg_params_freeze(hg_params *p, bool frozen)
{
    if (!hg_params_usable(p, "hg_params_freeze"))
        return;
    hg_entries e = hg_entries_below(p);
    for (int64_t i = e.from; i < e.to; i++)
        if (!p->store->sorted[i]->buffer)
            p->store->sorted[i]->tensor->wants_grad = !frozen;
}

void hg_mark_set(const hg_params *p, uint64_t mark)
{
    hg_entries e = hg_entries_below(p);
    for (int64_t i = e.from; i < e.to; i++)
        if (!p->store->sorted[i]->buffer)
            p->store->sorted[i]->mark = mark;
}

bool hg_is_marked(const hg_tensor *leaf, void *mark)
{
    const hg_entry *e = hg_entry_of(leaf);
    return e && e->mark == *(const uint64_t *)mark;
}
