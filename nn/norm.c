/* norm.c - batch, layer and group normalisation as layers. */
#include "nn/internal.h"
#include "ops/batch_norm.h"

typedef struct {
    nn_layer base;
    hg_tensor *weight, *bias;
    hg_tensor *mean, *variance, *batches; /* batch norm's buffers */
    int64_t groups;
    double momentum, eps;
} norm;

static hg_tensor *batch_forward(nn_layer *layer, hg_tensor *x)
{
    norm *l = (norm *)layer;
    hg_tensor *y = hg_batch_norm(x, l->weight, l->bias, l->mean, l->variance,
                                 l->momentum, l->eps);
    bool counts = y && hg_get_mode() & HG_STOCHASTIC;
    return counts && !hg_batch_norm_count(l->batches) ? NULL : y;
}

static hg_tensor *layer_forward(nn_layer *layer, hg_tensor *x)
{
    const norm *l = (const norm *)layer;
    return hg_layer_norm(x, l->weight, l->bias, l->eps);
}

static hg_tensor *group_forward(nn_layer *layer, hg_tensor *x)
{
    const norm *l = (const norm *)layer;
    return hg_group_norm(x, l->groups, l->weight, l->bias, l->eps);
}

static norm *make(hg_params *p, const char *name, const char *kind,
                  int64_t features, nn_norm_options options,
                  hg_tensor *(*forward)(nn_layer *, hg_tensor *))
{
    hg_params *at = hg_params_at(p, name);
    norm *l = at ? nn_layer_new(p, name, kind, sizeof *l, forward) : NULL;
    if (!l)
        return NULL;
    l->momentum = options.momentum != 0 ? options.momentum : 0.1;
    l->eps = options.eps != 0 ? options.eps : 1e-5;
    l->weight =
        hg_param(at, "weight", HG_SHAPE(features), HG_INIT(HG_INIT_ONES));
    l->bias = hg_param(at, "bias", HG_SHAPE(features), HG_INIT(HG_INIT_ZEROS));
    return l;
}

nn_layer *nn_batch_norm(hg_params *p, const char *name, int64_t channels,
                        nn_norm_options options)
{
    norm *l = make(p, name, "batch_norm", channels, options, batch_forward);
    if (!l)
        return NULL;
    hg_params *at = hg_params_at(p, name);
    l->mean = hg_buffer(at, "running_mean", HG_SHAPE(channels), 0);
    l->variance = hg_buffer(at, "running_var", HG_SHAPE(channels), 1);
    l->batches = hg_counter(at, "num_batches_tracked");
    return hg_error() ? NULL : &l->base;
}

nn_layer *nn_layer_norm(hg_params *p, const char *name, int64_t features,
                        nn_norm_options options)
{
    norm *l = make(p, name, "layer_norm", features, options, layer_forward);
    return l && !hg_error() ? &l->base : NULL;
}

nn_layer *nn_group_norm(hg_params *p, const char *name, int64_t groups,
                        int64_t channels, nn_norm_options options)
{
    if (groups < 1 || channels % groups) {
        hg_fail(HG_ERROR_SHAPE,
                "nn_group_norm: %s: %lld channels cannot be split into %lld "
                "equal groups",
                name ? name : "", (long long)channels, (long long)groups);
        return NULL;
    }
    norm *l = make(p, name, "group_norm", channels, options, group_forward);
    if (!l || hg_error())
        return NULL;
    l->groups = groups;
    return &l->base;
}
