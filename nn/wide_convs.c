/* wide_convs.c - the convolutions of TensorFlow Probability's example:
 * 28 -> 14 -> 7 -> 1 pixels by 5x5 and 7x7 windows, leaky ReLU 0.2; other
 * sizes, grey or colour: halved until the side is at most 7. */
#include "nn/parts.h"

static const nn_window same = {.kernel = 5, .pad = 2};
static const nn_window down = {.kernel = 5, .pad = 2, .stride = 2};

enum { MOST_HALVINGS = 16 };

/* Sides and channels of the levels; level `halvings` is seen by one window. */
typedef struct {
    int halvings;
    int64_t colours, width, side[MOST_HALVINGS + 1];
} levels;

static bool levels_of(levels *l, hg_shape image, int64_t width)
{
    int64_t height = image.dim[1];
    int n = 0;
    l->colours = image.dim[0];
    l->width = width;
    l->side[0] = image.dim[2];
    if (hg_error())
        return false;
    if (l->side[0] != height || width < 1 || width > 1024)
        return hg_fail(HG_ERROR_DATA,
                       "these convolutions take square images and a width of 1 "
                       "to 1024, these are %lld x %lld with --width %lld; "
                       "--image-size makes pictures square",
                       (long long)height, (long long)l->side[0],
                       (long long)width);
    for (; n < MOST_HALVINGS && l->side[n] > 7; n++)
        l->side[n + 1] = (l->side[n] + 1) / 2;
    l->halvings = n;
    return true;
}

/* `width` channels at the image's own size, twice as many at all others. */
static int64_t channels_at(const levels *l, int i)
{
    return i ? 2 * l->width : l->width;
}

static nn_window whole(const levels *l)
{
    return (nn_window){.kernel = l->side[l->halvings]};
}

static void add_bent(nn_stack *s, nn_layer *layer)
{
    nn_stack_add(s, layer);
    nn_stack_add(s, nn_leaky_relu(s->params, 0.2));
}

nn_layer *nn_wide_convs(hg_params *p, hg_shape image, int64_t width,
                        int64_t latent)
{
    levels l = {0};
    nn_stack s = {.params = p};
    if (!levels_of(&l, image, width))
        return NULL;
    int64_t in = l.colours;
    nn_stack_add_unnamed(&s, nn_unflatten(p, in, l.side[0], l.side[0]));
    for (int i = 0; i < l.halvings; i++) {
        int64_t out = channels_at(&l, i);
        add_bent(&s, nn_conv2d(p, nn_stack_name(&s), in, out, same));
        add_bent(&s, nn_conv2d(p, nn_stack_name(&s), out, out, down));
        in = out;
    }
    int64_t top = channels_at(&l, 1);
    add_bent(&s, nn_conv2d(p, nn_stack_name(&s), in, top, whole(&l)));
    nn_stack_add(&s, nn_flatten(p));
    nn_stack_add(&s, nn_linear(p, nn_stack_name(&s), top, latent));
    return nn_stack_chain(&s);
}

nn_layer *nn_wide_deconvs(hg_params *p, hg_shape image, int64_t width,
                          int64_t latent)
{
    levels l = {0};
    nn_stack s = {.params = p};
    if (!levels_of(&l, image, width))
        return NULL;
    int64_t in = channels_at(&l, 1);
    nn_stack_add_unnamed(&s, nn_unflatten(p, latent, 1, 1));
    add_bent(&s,
             nn_conv_transpose2d(p, nn_stack_name(&s), latent, in, whole(&l)));
    for (int i = l.halvings - 1; i >= 0; i--) {
        int64_t out = channels_at(&l, i);
        nn_window up = down;
        up.output_pad = l.side[i] % 2 == 0;
        add_bent(&s, nn_conv_transpose2d(p, nn_stack_name(&s), in, out, same));
        add_bent(&s, nn_conv_transpose2d(p, nn_stack_name(&s), out, out, up));
        in = out;
    }
    add_bent(&s, nn_conv_transpose2d(p, nn_stack_name(&s), in, in, same));
    nn_stack_add(&s, nn_conv2d(p, nn_stack_name(&s), in, l.colours, same));
    nn_stack_add(&s, nn_flatten(p));
    return nn_stack_chain(&s);
}
