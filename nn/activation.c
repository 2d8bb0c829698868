/* activation.c - any function of one tensor as a layer. */
#include "nn/internal.h"

typedef struct {
    nn_layer base;
    hg_tensor *(*plain)(hg_tensor *);
    hg_tensor *(*with)(hg_tensor *, double);
    double a;
} activation;

static hg_tensor *activation_forward(nn_layer *layer, hg_tensor *x)
{
    const activation *l = (const activation *)layer;
    return l->with ? l->with(x, l->a) : l->plain(x);
}

static nn_layer *make(hg_params *p, const char *kind,
                      hg_tensor *(*plain)(hg_tensor *),
                      hg_tensor *(*with)(hg_tensor *, double), double a)
{
    if (!plain && !with) {
        hg_fail(HG_ERROR_ARGUMENT, "nn_activation: the function is NULL");
        return NULL;
    }
    activation *l = nn_layer_new(p, NULL, kind, sizeof *l, activation_forward);
    if (!l)
        return NULL;
    l->plain = plain;
    l->with = with;
    l->a = a;
    return &l->base;
}

nn_layer *nn_activation(hg_params *p, hg_tensor *(*function)(hg_tensor *))
{
    return make(p, "activation", function, NULL, 0);
}

nn_layer *nn_activation_with(hg_params *p,
                             hg_tensor *(*function)(hg_tensor *, double),
                             double a)
{
    return make(p, "activation", NULL, function, a);
}

nn_layer *nn_relu(hg_params *p)
{
    return make(p, "relu", hg_relu, NULL, 0);
}

nn_layer *nn_sigmoid(hg_params *p)
{
    return make(p, "sigmoid", hg_sigmoid, NULL, 0);
}

nn_layer *nn_tanh(hg_params *p)
{
    return make(p, "tanh", hg_tanh, NULL, 0);
}

nn_layer *nn_leaky_relu(hg_params *p, double slope)
{
    return make(p, "leaky_relu", NULL, hg_leaky_relu, slope);
}

static hg_tensor *as_it_is(hg_tensor *x)
{
    return x;
}

nn_layer *nn_identity(hg_params *p)
{
    return make(p, "identity", as_it_is, NULL, 0);
}
