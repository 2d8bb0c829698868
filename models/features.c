/* features.c - the small classifier in whose features samples are judged.
 *
 *   conv 3x3, 16 channels, stride 2, ReLU; conv 3x3, 32, stride 2, ReLU;
 *   linear 64, ReLU: the features; linear to the classes
 *
 * It is trained once, on one thread and from a seed of its own, so that the
 * same data give the same network; its hash says which one it is. Distances in
 * its features compare with each other, never with those of Inception.
 */
#include "models/evaluation.h"
#include "tensor/internal.h"
#include "tensor/random.h"

#include <string.h>

enum { WIDTH = 64, BATCH = 100, EPOCHS = 5, SEED = 20240229 };

struct hg_features {
    hg_context *own;
    hg_params *params;
    nn_layer *body, *head;
    int64_t inputs;
    int classes;
};

static const nn_window down = {.kernel = 3, .stride = 2, .pad = 1};

static void build(hg_features *f, hg_shape item)
{
    hg_params *b = hg_params_at(f->params, "body");
    int64_t c = item.dim[0], h = item.dim[1], w = item.dim[2];
    int64_t flat = 32 * ((h + 3) / 4) * ((w + 3) / 4);
    f->body =
        nn_chain(b, nn_unflatten(b, c, h, w), nn_conv2d(b, "0", c, 16, down),
                 nn_relu(b), nn_conv2d(b, "2", 16, 32, down), nn_relu(b),
                 nn_flatten(b), nn_linear(b, "5", flat, WIDTH), nn_relu(b));
    f->head = nn_linear(f->params, "head", WIDTH, f->classes);
}

static void destroy(void *object)
{
    hg_context_free(((hg_features *)object)->own);
}

hg_features *hg_features_new(hg_context *context, hg_shape item, int classes)
{
    if (!hg_context_usable(context, "hg_features_new"))
        return NULL;
    if (item.rank != 3 || classes < 2) {
        hg_fail(HG_ERROR_DATA,
                "hg_features_new: images %s of %d classes; labels of two "
                "classes or more are needed to learn features",
                HG_SHAPE_TEXT(item), classes);
        return NULL;
    }
    hg_features *f = hg_region_take_zeroed(&context->region, sizeof *f);
    if (!f)
        return NULL;
    f->own = hg_context_new_with("cpu", SEED, context->allocator);
    if (!f->own || !hg_context_own(context, f, destroy))
        return NULL;
    hg_context_set_threads(f->own, 1);
    f->inputs = hg_shape_numel(item);
    f->classes = classes;
    f->params = hg_params_new(f->own);
    build(f, item);
    return hg_error() ? NULL : f;
}

/* ---- Training ----------------------------------------------------------- */

/* Rows first, first + 1, ... of the epoch's order: [n, inputs] and [n]. */
static hg_tensor *batch_of(const hg_features *f, hg_points p,
                           const int32_t *label, uint64_t epoch, int64_t first,
                           int64_t n, hg_tensor **classes)
{
    hg_tensor *x = hg_full(HG_SHAPE(n, f->inputs), 0);
    hg_real *out = hg_room_for(x);
    int32_t named[BATCH];
    for (int64_t i = 0; out && i < n; i++) {
        int64_t row = hg_permuted(SEED, epoch, p.count, first + i);
        named[i] = label[row];
        for (int64_t j = 0; j < f->inputs; j++)
            out[i * f->inputs + j] = (hg_real)p.values[row * f->inputs + j];
    }
    *classes =
        hg_send_values(x, out) ? hg_from(named, "i4", HG_SHAPE(n)) : NULL;
    return *classes ? x : NULL;
}

static bool train_step(hg_features *f, hg_points p, const int32_t *label,
                       uint64_t epoch, int64_t first, hg_optimizer *adam)
{
    int64_t left = p.count - first;
    hg_scope *s = hg_scope_open(f->own, HG_TRAIN);
    hg_tensor *classes = NULL;
    hg_tensor *x = s ? batch_of(f, p, label, epoch, first,
                                left < BATCH ? left : BATCH, &classes)
                     : NULL;
    hg_tensor *logits = nn_forward(f->head, nn_forward(f->body, x));
    bool ok =
        hg_minimize(nn_cross_entropy_loss(logits, classes, HG_MEAN), adam);
    if (s)
        hg_scope_close(s);
    return ok;
}

bool hg_features_train(hg_features *f, hg_points p, const int32_t *label)
{
    if (!f || hg_error())
        return false;
    if (p.width != f->inputs || p.count < 1)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_features_train: points [%lld, %lld], images have "
                       "%lld values",
                       (long long)p.count, (long long)p.width,
                       (long long)f->inputs);
    hg_optimizer *adam = hg_adam(f->params, "adam", (hg_adam_options){0});
    for (uint64_t epoch = 0; adam && epoch < EPOCHS; epoch++)
        for (int64_t first = 0; first < p.count; first += BATCH)
            if (!train_step(f, p, label, epoch, first, adam))
                return false;
    return adam != NULL;
}

bool hg_features_save(const hg_features *f, const char *file)
{
    return f && hg_params_save(f->params, file);
}

bool hg_features_load(hg_features *f, const char *file)
{
    return f && hg_params_load(f->params, file);
}

uint64_t hg_features_hash(const hg_features *f)
{
    uint64_t h = 0xCBF29CE484222325u;
    hg_tensor *t;
    for (int64_t i = 0; f && (t = hg_params_entry(f->params, i)); i++) {
        const unsigned char *byte = hg_data(t);
        for (size_t k = 0; k < (size_t)hg_numel(t) * sizeof(hg_real); k++)
            h = (h ^ byte[k]) * 0x100000001B3u;
    }
    return h;
}

/* ---- Features ----------------------------------------------------------- */

int64_t hg_features_width(void)
{
    return WIDTH;
}

static bool apply_rows(hg_features *f, hg_points p, int64_t from, int64_t n,
                       double *out, int32_t *guess)
{
    hg_real values[BATCH * WIDTH];
    hg_scope *s = hg_scope_open(f->own, HG_EVAL);
    hg_tensor *x =
        hg_from(p.values + from * p.width, "f8", HG_SHAPE(n, p.width));
    hg_tensor *y = nn_forward(f->body, x);
    bool ok = s && y && hg_read(y, values, n * WIDTH);
    if (ok && guess)
        ok = hg_read_int(hg_argmax(nn_forward(f->head, y), 1), guess + from, n);
    for (int64_t i = 0; ok && i < n * WIDTH; i++)
        out[from * WIDTH + i] = (double)values[i];
    if (s)
        hg_scope_close(s);
    return ok;
}

bool hg_features_apply(hg_features *f, hg_points p, double *out, int32_t *guess)
{
    if (!f || hg_error())
        return false;
    if (p.width != f->inputs)
        return hg_fail(HG_ERROR_SHAPE,
                       "hg_features_apply: points of width %lld, images have "
                       "%lld values",
                       (long long)p.width, (long long)f->inputs);
    for (int64_t from = 0; from < p.count; from += BATCH) {
        int64_t left = p.count - from;
        if (!apply_rows(f, p, from, left < BATCH ? left : BATCH, out, guess))
            return false;
    }
    return true;
}
