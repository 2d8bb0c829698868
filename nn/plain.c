/* plain.c - layers around one operation: dropout, embedding, reshaping. */
#include "nn/internal.h"

typedef struct {
    nn_layer base;
    hg_tensor *weight; /* of the embedding, [count, width] */
    double p;          /* of dropout */
    int64_t c, h, w;   /* of unflatten */
} plain;

/* ---- Dropout ------------------------------------------------------------ */

static hg_tensor *dropout_forward(nn_layer *layer, hg_tensor *x)
{
    return hg_dropout(x, ((const plain *)layer)->p);
}

nn_layer *nn_dropout(hg_params *p, double probability)
{
    if (!(probability >= 0 && probability <= 1)) {
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_dropout: the probability %g is not between 0 and 1",
                probability);
        return NULL;
    }
    plain *l = nn_layer_new(p, NULL, "dropout", sizeof *l, dropout_forward);
    if (!l)
        return NULL;
    l->p = probability;
    return &l->base;
}

/* ---- Embedding ---------------------------------------------------------- */

/* Rows of the weight, one for each index of x. */
static hg_tensor *embedding_forward(nn_layer *layer, hg_tensor *x)
{
    const plain *l = (const plain *)layer;
    hg_shape shape = x->shape;
    if (shape.rank == HG_MAX_RANK) {
        hg_fail(HG_ERROR_SHAPE,
                "embedding: indices of shape %s leave no axis "
                "for the features",
                HG_SHAPE_TEXT(shape));
        return NULL;
    }
    hg_tensor *flat = hg_reshape(x, HG_SHAPE(hg_numel(x)));
    hg_tensor *rows = flat ? hg_index_select(l->weight, 0, flat) : NULL;
    shape.dim[shape.rank++] = l->weight->shape.dim[1];
    return rows ? hg_reshape(rows, shape) : NULL;
}

nn_layer *nn_embedding(hg_params *p, const char *name, int64_t count,
                       int64_t width)
{
    hg_params *at = hg_params_at(p, name);
    plain *l =
        at ? nn_layer_new(p, name, "embedding", sizeof *l, embedding_forward)
           : NULL;
    if (!l)
        return NULL;
    l->weight = hg_param(at, "weight", HG_SHAPE(count, width), HG_NORMAL);
    return l->weight ? &l->base : NULL;
}

/* ---- Reshaping ---------------------------------------------------------- */

static hg_tensor *flatten_forward(nn_layer *layer, hg_tensor *x)
{
    (void)layer;
    int64_t n = 1;
    for (int d = 1; d < x->shape.rank; d++)
        n *= x->shape.dim[d];
    return hg_reshape(x, HG_SHAPE(x->shape.rank ? x->shape.dim[0] : 1, n));
}

nn_layer *nn_flatten(hg_params *p)
{
    return nn_layer_new(p, NULL, "flatten", sizeof(plain), flatten_forward);
}

static hg_tensor *unflatten_forward(nn_layer *layer, hg_tensor *x)
{
    const plain *l = (const plain *)layer;
    int64_t n = x->shape.rank ? x->shape.dim[0] : 1;
    return hg_reshape(x, HG_SHAPE(n, l->c, l->h, l->w));
}

nn_layer *nn_unflatten(hg_params *p, int64_t c, int64_t h, int64_t w)
{
    if (c < 1 || h < 1 || w < 1) {
        hg_fail(HG_ERROR_SHAPE,
                "nn_unflatten: %lld x %lld x %lld is no size of an image",
                (long long)c, (long long)h, (long long)w);
        return NULL;
    }
    plain *l = nn_layer_new(p, NULL, "unflatten", sizeof *l, unflatten_forward);
    if (!l)
        return NULL;
    l->c = c;
    l->h = h;
    l->w = w;
    return &l->base;
}
