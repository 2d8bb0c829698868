/* layer.c - applying layers, and those that only put others together. */
#include "nn/internal.h"

#include <string.h>

hg_tensor *nn_forward(nn_layer *layer, hg_tensor *x)
{
    if (!layer) {
        hg_fail(HG_ERROR_ARGUMENT, "nn_forward: the layer is NULL; see "
                                   "hg_error where it was built");
        return NULL;
    }
    hg_ambient *here = hg_ambient_here();
    const char *outer = here->path;
    if (layer->path && layer->path[0])
        here->path = layer->path;
    hg_tensor *y =
        hg_usable(x, "the layer's input") ? layer->forward(layer, x) : NULL;
    here->path = outer;
    return y;
}

/* The cursor's path and the name, with a dot only between the two. */
static const char *layer_path(hg_params *p, const char *name)
{
    char *path = hg_params_path(p, name ? name : "");
    size_t length = path ? strlen(path) : 0;
    if (length && path[length - 1] == '.')
        path[length - 1] = 0;
    return path;
}

void *nn_layer_new(hg_params *p, const char *name, const char *kind,
                   size_t size, hg_tensor *(*forward)(nn_layer *, hg_tensor *))
{
    if (!hg_params_usable(p, kind ? kind : "nn_layer_new"))
        return NULL;
    if (!forward || size < sizeof(nn_layer)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_layer_new: %s; give sizeof of a struct that begins with "
                "an nn_layer, and a function",
                forward ? "the size is too small" : "forward is NULL");
        return NULL;
    }
    nn_layer *layer = hg_params_alloc(p, size);
    const char *path = layer ? layer_path(p, name) : NULL;
    if (!path)
        return NULL;
    *layer = (nn_layer){.forward = forward, .path = path, .kind = kind};
    return layer;
}

/* ---- One after the other ------------------------------------------------ */

typedef struct {
    nn_layer base;
    int count;
    nn_layer *list[];
} chain;

static hg_tensor *chain_forward(nn_layer *layer, hg_tensor *x)
{
    const chain *c = (const chain *)layer;
    for (int i = 0; i < c->count && x; i++)
        x = nn_forward(c->list[i], x);
    return x;
}

nn_layer *nn_chain_n(hg_params *p, nn_layer *const *list, int n)
{
    if (!hg_params_usable(p, "nn_chain"))
        return NULL;
    for (int i = 0; i < n; i++)
        if (!list[i]) {
            hg_fail(HG_ERROR_ARGUMENT, "nn_chain: layer %d of %d is NULL", i,
                    n);
            return NULL;
        }
    size_t size = sizeof(chain) + (size_t)n * sizeof *list;
    chain *c = nn_layer_new(p, NULL, "chain", size, chain_forward);
    if (!c)
        return NULL;
    c->count = n;
    memcpy(c->list, list, (size_t)n * sizeof *list);
    return &c->base;
}
