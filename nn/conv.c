/* conv.c - convolution and transposed convolution as layers. */
#include "nn/internal.h"

typedef struct {
    nn_layer base;
    hg_tensor *weight, *bias;
    hg_conv_options options;
} conv;

static hg_tensor *conv_forward(nn_layer *layer, hg_tensor *x)
{
    const conv *l = (const conv *)layer;
    return hg_conv2d(x, l->weight, l->bias, l->options);
}

static hg_tensor *transpose_forward(nn_layer *layer, hg_tensor *x)
{
    const conv *l = (const conv *)layer;
    return hg_conv_transpose2d(x, l->weight, l->bias, l->options);
}

/* The weight is [first, second, k, k]; PyTorch counts the inputs of a unit as
 * second * k * k for both kinds. */
static nn_layer *make(hg_params *p, const char *name, bool transposed,
                      int64_t in, int64_t out, nn_window window)
{
    int64_t k = window.kernel, first = transposed ? in : out;
    int64_t second = transposed ? out : in;
    hg_params *at = hg_params_at(p, name);
    conv *l = at ? nn_layer_new(
                       p, name, transposed ? "conv_transpose2d" : "conv2d",
                       sizeof *l, transposed ? transpose_forward : conv_forward)
                 : NULL;
    if (!l)
        return NULL;
    l->options = (hg_conv_options){.stride = window.stride,
                                   .padding = window.pad,
                                   .dilation = window.dilation,
                                   .output_padding = window.output_pad};
    l->weight = hg_param(at, "weight", HG_SHAPE(first, second, k, k),
                         HG_INIT(HG_INIT_DEFAULT));
    if (l->weight && !window.no_bias)
        l->bias = hg_param(at, "bias", HG_SHAPE(out),
                           HG_INIT(HG_INIT_DEFAULT, .fan_in = second * k * k));
    return hg_error() ? NULL : &l->base;
}

nn_layer *nn_conv2d(hg_params *p, const char *name, int64_t in, int64_t out,
                    nn_window window)
{
    return make(p, name, false, in, out, window);
}

nn_layer *nn_conv_transpose2d(hg_params *p, const char *name, int64_t in,
                              int64_t out, nn_window window)
{
    return make(p, name, true, in, out, window);
}
