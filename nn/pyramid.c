/* pyramid.c - convolutions that halve images of any size until their longer
 * side is at most 4, and the way back. */
#include "nn/internal.h"
#include "nn/parts.h"

/* ---- A chain in the making ---------------------------------------------- */

const char *nn_stack_name(nn_stack *s)
{
    snprintf(s->name, sizeof s->name, "%d", s->numbered);
    return s->name;
}

void nn_stack_add(nn_stack *s, nn_layer *layer)
{
    nn_stack_add_unnamed(s, layer);
    s->numbered++;
}

void nn_stack_add_unnamed(nn_stack *s, nn_layer *layer)
{
    if (s->count < NN_STACK_MOST)
        s->layers[s->count++] = layer;
    else
        hg_fail(HG_ERROR_ARGUMENT, "a stack has at most %d layers",
                NN_STACK_MOST);
}

nn_layer *nn_stack_chain(nn_stack *s)
{
    return nn_chain_n(s->params, s->layers, s->count);
}

/* ---- Sizes -------------------------------------------------------------- */

enum { MOST_HALVINGS = 16, HIDDEN = 128 };

/* Level 0 is the image, level `halvings` the top. */
typedef struct {
    int halvings;
    int64_t channels[MOST_HALVINGS + 1];
    int64_t height[MOST_HALVINGS + 1], width[MOST_HALVINGS + 1];
} pyramid;

static bool pyramid_of(pyramid *y, hg_shape image, int64_t width)
{
    int n = 0;
    if (hg_error() || image.rank != 3 || hg_shape_numel(image) < 1 ||
        width < 1 || width > 1024)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "convolutions for images of %s with a width of %lld; "
                       "[c, h, w] and 1 to 1024 are needed",
                       HG_SHAPE_TEXT(image), (long long)width);
    y->channels[0] = image.dim[0];
    y->height[0] = image.dim[1];
    y->width[0] = image.dim[2];
    for (; n < MOST_HALVINGS && (y->height[n] > 4 || y->width[n] > 4) &&
           y->height[n] > 1 && y->width[n] > 1;
         n++) {
        y->channels[n + 1] = n ? 2 * y->channels[n] : width;
        y->height[n + 1] = y->height[n] / 2;
        y->width[n + 1] = y->width[n] / 2;
    }
    y->halvings = n;
    return true;
}

static int64_t top_of(const pyramid *y)
{
    int n = y->halvings;
    return y->channels[n] * y->height[n] * y->width[n];
}

/* ---- One step ----------------------------------------------------------- */

/* With 3x3 windows two apart, an odd side 2 n + 1 gives n as it is; an even
 * one needs one row more: a padded one on the way down, which the way up makes
 * and drops. Where only one side is even, that one is treated apart. */
typedef struct {
    nn_layer base;
    int axis;     /* 2 rows, 3 columns */
    int64_t size; /* on the way up: what remains */
} fringe;

static hg_tensor *add_fringe(nn_layer *layer, hg_tensor *x)
{
    return hg_pad(x, ((const fringe *)layer)->axis, 1, 0);
}

static hg_tensor *drop_fringe(nn_layer *layer, hg_tensor *x)
{
    const fringe *f = (const fringe *)layer;
    return hg_slice(x, f->axis, 1, f->size + 1, 1);
}

static nn_layer *fringe_layer(hg_params *p, const pyramid *y, int i,
                              hg_tensor *(*forward)(nn_layer *, hg_tensor *))
{
    fringe *f = nn_layer_new(p, "", "fringe", sizeof *f, forward);
    if (!f)
        return NULL;
    f->axis = y->height[i] % 2 ? 3 : 2;
    f->size = f->axis == 2 ? y->height[i] : y->width[i];
    return &f->base;
}

static bool is_mixed(const pyramid *y, int i)
{
    return y->height[i] % 2 != y->width[i] % 2;
}

static nn_window window_at(const pyramid *y, int i, bool up)
{
    bool even = !is_mixed(y, i) && y->height[i] % 2 == 0;
    return (nn_window){
        .kernel = 3, .stride = 2, .pad = even, .output_pad = up && even};
}

/* From level i to i + 1. */
static void add_down(nn_stack *s, const pyramid *y, int i)
{
    if (is_mixed(y, i))
        nn_stack_add_unnamed(s, fringe_layer(s->params, y, i, add_fringe));
    nn_stack_add(s, nn_conv2d(s->params, nn_stack_name(s), y->channels[i],
                              y->channels[i + 1], window_at(y, i, false)));
}

/* From level i + 1 to i. */
static void add_up(nn_stack *s, const pyramid *y, int i)
{
    nn_stack_add(s, nn_conv_transpose2d(s->params, nn_stack_name(s),
                                        y->channels[i + 1], y->channels[i],
                                        window_at(y, i, true)));
    if (is_mixed(y, i))
        nn_stack_add_unnamed(s, fringe_layer(s->params, y, i, drop_fringe));
}

static void add_norm(nn_stack *s, int64_t channels)
{
    nn_stack_add(s, nn_batch_norm(s->params, nn_stack_name(s), channels,
                                  (nn_norm_options){0}));
}

/* ---- The nets ----------------------------------------------------------- */

nn_layer *nn_halving_convs(hg_params *p, hg_shape image, int64_t width)
{
    pyramid y;
    nn_stack s = {.params = p};
    if (!pyramid_of(&y, image, width))
        return NULL;
    nn_stack_add_unnamed(
        &s, nn_unflatten(p, image.dim[0], image.dim[1], image.dim[2]));
    for (int i = 0; i < y.halvings; i++) {
        add_down(&s, &y, i);
        if (i > 0 && i < y.halvings - 1)
            add_norm(&s, y.channels[i + 1]);
        nn_stack_add(&s, nn_relu(p));
    }
    nn_stack_add(&s, nn_flatten(p));
    nn_stack_add(&s, nn_linear(p, nn_stack_name(&s), top_of(&y), HIDDEN));
    nn_stack_add(&s, nn_relu(p));
    return nn_stack_chain(&s);
}

nn_layer *nn_doubling_convs(hg_params *p, int64_t latent, hg_shape image,
                            int64_t width)
{
    pyramid y;
    nn_stack s = {.params = p};
    if (!pyramid_of(&y, image, width))
        return NULL;
    int n = y.halvings;
    nn_stack_add(&s, nn_linear(p, "0", latent, HIDDEN));
    nn_stack_add(&s, nn_relu(p));
    nn_stack_add(&s, nn_linear(p, "2", HIDDEN, top_of(&y)));
    nn_stack_add(&s, n ? nn_relu(p) : nn_sigmoid(p));
    nn_stack_add(&s, nn_unflatten(p, y.channels[n], y.height[n], y.width[n]));
    for (int i = n - 1; i >= 0; i--) {
        add_up(&s, &y, i);
        if (i > 0)
            add_norm(&s, y.channels[i]);
        nn_stack_add(&s, i > 0 ? nn_relu(p) : nn_sigmoid(p));
    }
    nn_stack_add(&s, nn_flatten(p));
    return nn_stack_chain(&s);
}
