/* linear.c - the fully connected layer. */
#include "nn/internal.h"
#include "nn/parts.h"

typedef struct {
    nn_layer base;
    hg_tensor *weight, *bias;
} linear;

static hg_tensor *linear_forward(nn_layer *layer, hg_tensor *x)
{
    const linear *l = (const linear *)layer;
    return hg_linear(x, l->weight, l->bias);
}

nn_layer *nn_linear(hg_params *p, const char *name, int64_t in, int64_t out)
{
    return nn_linear_with(p, name, in, out, (nn_linear_options){0});
}

nn_layer *nn_linear_with(hg_params *p, const char *name, int64_t in,
                         int64_t out, nn_linear_options options)
{
    hg_params *at = hg_params_at(p, name);
    linear *l =
        at ? nn_layer_new(p, name, "linear", sizeof *l, linear_forward) : NULL;
    if (!l)
        return NULL;
    l->weight = hg_param(at, "weight", HG_SHAPE(out, in), options.init);
    if (!options.bias.fan_in) /* which a bias's shape does not show */
        options.bias.fan_in = in;
    if (l->weight && !options.no_bias)
        l->bias = hg_param(at, "bias", HG_SHAPE(out), options.bias);
    return hg_error() ? NULL : &l->base;
}

/* ---- The way back ------------------------------------------------------- */

/* x [..., out] times the weight [out, in] of the layer it mirrors. */
static hg_tensor *tied_forward(nn_layer *layer, hg_tensor *x)
{
    const linear *l = (const linear *)layer;
    return hg_add(hg_matmul(x, l->weight), l->bias);
}

nn_layer *nn_linear_mirror(hg_params *p, const char *name, nn_layer *there,
                           bool tied)
{
    return nn_linear_mirror_with(p, name, there, tied, (nn_linear_options){0});
}

nn_layer *nn_linear_mirror_with(hg_params *p, const char *name, nn_layer *there,
                                bool tied, nn_linear_options o)
{
    if (!there || there->forward != linear_forward) {
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_linear_mirror: %s is to mirror a layer of nn_linear",
                name ? name : "it");
        return NULL;
    }
    hg_tensor *weight = ((const linear *)there)->weight;
    int64_t out = weight->shape.dim[0], in = weight->shape.dim[1];
    if (!tied)
        return nn_linear_with(p, name, out, in, o);
    hg_params *at = hg_params_at(p, name);
    linear *l =
        at ? nn_layer_new(p, name, "tied", sizeof *l, tied_forward) : NULL;
    if (!l)
        return NULL;
    l->weight = weight;
    o.bias.fan_in = out;
    l->bias = hg_param(at, "bias", HG_SHAPE(in), o.bias);
    return l->bias ? &l->base : NULL;
}
