/* nets.c - nets that several models are made of. */
#include "nn/internal.h"
#include "nn/parts.h"

enum { MOST_LAYERS = 32 };

nn_layer *nn_mlp_n(hg_params *store, const char *name,
                   nn_layer *(*activation)(hg_params *), const int64_t *widths,
                   int n)
{
    hg_params *p = hg_params_at(store, name);
    nn_layer *list[MOST_LAYERS];
    char part[16];
    int count = 0;
    if (!activation || n < 2 || 2 * n - 3 > MOST_LAYERS) {
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_mlp: an activation and from 2 to %d widths are needed, "
                "here are %d",
                (MOST_LAYERS + 3) / 2, n);
        return NULL;
    }
    for (int i = 0; i + 1 < n; i++) {
        if (i)
            list[count++] = activation(p);
        snprintf(part, sizeof part, "%d", 2 * i);
        list[count++] = nn_linear(p, part, widths[i], widths[i + 1]);
    }
    return nn_chain_n(p, list, count);
}

void nn_mirrored_mlp_n(hg_params *p, nn_layer *(*activation)(hg_params *),
                       bool tied, nn_linear_options o, nn_layer **encoder,
                       nn_layer **decoder, const int64_t *widths, int n)
{
    nn_stack there = {.params = hg_params_at(p, "encoder")};
    nn_stack back = {.params = hg_params_at(p, "decoder")};
    nn_layer *layer[NN_STACK_MOST / 2];
    if (!activation || n < 2 || n > NN_STACK_MOST / 2) {
        hg_fail(HG_ERROR_ARGUMENT,
                "nn_mirrored_mlp: an activation and from 2 to %d widths are "
                "needed, here are %d",
                NN_STACK_MOST / 2, n);
        return;
    }
    for (int i = 0; i + 1 < n; i++) {
        layer[i] = nn_linear_with(there.params, nn_stack_name(&there),
                                  widths[i], widths[i + 1], o);
        nn_stack_add(&there, layer[i]);
        if (i + 2 < n)
            nn_stack_add(&there, activation(there.params));
    }
    for (int i = n - 2; i >= 0; i--) {
        nn_stack_add(&back,
                     nn_linear_mirror_with(back.params, nn_stack_name(&back),
                                           layer[i], tied, o));
        if (i)
            nn_stack_add(&back, activation(back.params));
    }
    *encoder = nn_stack_chain(&there);
    *decoder = nn_stack_chain(&back);
}

/* ---- Convolutions for 28 x 28 pixels ------------------------------------ */

static const nn_window down = {.kernel = 3, .stride = 2, .pad = 1};
static const nn_window up = {
    .kernel = 3, .stride = 2, .pad = 1, .output_pad = 1};
static const nn_window same = {.kernel = 3, .pad = 1};

nn_layer *nn_two_convs(hg_params *p, int64_t features)
{
    return nn_chain(p, nn_unflatten(p, 1, 28, 28),
                    nn_conv2d(p, "0", 1, 32, down), nn_relu(p),
                    nn_conv2d(p, "2", 32, 64, down), nn_relu(p), nn_flatten(p),
                    nn_linear(p, "5", 64 * 7 * 7, features));
}

nn_layer *nn_two_deconvs(hg_params *p, int64_t latent)
{
    return nn_chain(p, nn_linear(p, "0", latent, 64 * 7 * 7), nn_relu(p),
                    nn_unflatten(p, 64, 7, 7),
                    nn_conv_transpose2d(p, "3", 64, 64, up), nn_relu(p),
                    nn_conv_transpose2d(p, "5", 64, 32, up), nn_relu(p),
                    nn_conv_transpose2d(p, "7", 32, 1, same), nn_flatten(p));
}

/* ---- With dropout ------------------------------------------------------- */

nn_layer *nn_dropout_mlp(hg_params *p, int64_t in, int64_t hidden, int64_t out,
                         double drop, bool second_relu)
{
    return nn_chain(p, nn_linear(p, "0", in, hidden), nn_dropout(p, drop),
                    nn_relu(p), nn_linear(p, "3", hidden, hidden),
                    nn_dropout(p, drop),
                    second_relu ? nn_relu(p) : nn_identity(p),
                    nn_linear(p, second_relu ? "6" : "5", hidden, out));
}
