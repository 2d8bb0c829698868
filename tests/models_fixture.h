/* models_fixture.h - a model with its data and optimisers on a context of its
 * own, whose allocations are counted and can be made to fail. */
#ifndef HG_TEST_MODELS_FIXTURE_H
#define HG_TEST_MODELS_FIXTURE_H

#include "support.h"

#include "models/model.h"

#include <unistd.h>

/* ThreadSanitizer looks at accesses, not at bits, and takes ten times as long.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WATCHED true
#endif
#endif
#ifndef WATCHED
#define WATCHED false
#endif

/* Not a multiple of the batch: an epoch ends with a smaller one. */
enum { RIG_ITEMS = 15, RIG_PIXELS = 784, RIG_BATCH = 2 };

typedef struct {
    const hg_model *model;
    test_memory memory;
    hg_context *context;
    hg_params *params;
    void *state;
    hg_data *data;
    hg_loader *loader;
    hg_optimizers optimizers;
    uint8_t image[RIG_ITEMS * RIG_PIXELS];
    int32_t label[RIG_ITEMS];
    char option[4][32]; /* names and values of at most two that are set */
    bool full;   /* sizes of the recipe; else options `hidden` are small */
    bool narrow; /* convolutions too: where kernels are slow */
} rig;

/* A file of this process among the temporary ones. */
UNUSED static const char *temporary(const char *name)
{
    static char path[4096];
    const char *root = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/hourglass-%d-%s", root ? root : "/tmp",
             (int)getpid(), name);
    return path;
}

/* Bars of grey that lean from item to item; labels 0 to 9 in turn. */
UNUSED static void rig_make_images(rig *r)
{
    for (int i = 0; i < RIG_ITEMS; i++) {
        r->label[i] = i % 10;
        for (int p = 0; p < RIG_PIXELS; p++) {
            int place = (p % 28 * (2 + i % 3) + p / 28 * (1 + i % 5)) % 28;
            r->image[i * RIG_PIXELS + p] = (uint8_t)(place * 9);
        }
    }
}

/* Wide layers tell nothing that narrow ones do not; the labels are few. */
UNUSED static bool rig_set_small(const rig *r, hg_config *c)
{
    static const char *const small[][2] = {{"hidden", "24"},  {"critic", "16"},
                                           {"k", "5"},        {"labels", "10"},
                                           {"pretrain", "0"}, {"width", "4"}};
    for (const hg_option *o = r->model->options; o && o->name; o++)
        for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
            if (!strcmp(o->name, small[i][0]) &&
                (!r->full || !strcmp(o->name, "labels")) &&
                (r->narrow || strcmp(o->name, "width")) &&
                !hg_config_set(c, o->name, small[i][1]))
                return false;
    for (int i = 0; i < 4 && r->option[i][0]; i += 2)
        if (!hg_config_set(c, r->option[i], r->option[i + 1]))
            return false;
    return true;
}

/* What may fail is asked of r->memory beforehand; false with an error. */
UNUSED static bool rig_open_with(rig *r, const hg_model *model, int threads,
                                 bool reference)
{
    hg_data_options borrow = {.borrow = true};
    rig_make_images(r);
    r->narrow |= reference || WATCHED || !on_cpu();
    if (scope) { /* of support.h, on another context */
        hg_scope_close(scope);
        scope = NULL;
    }
    r->model = model;
    r->context =
        hg_context_new_with(test_device(), 42, test_allocator(&r->memory));
    forget_fetched();
    if (!r->context)
        return false;
    hg_context_set_threads(r->context, threads);
    hg_context_set_reference(r->context, reference);
    r->data = hg_data_from(r->context, r->image, "u1",
                           HG_SHAPE(RIG_ITEMS, 1, 28, 28), r->label, borrow);
    hg_config *c = hg_config_new(r->context, model, r->data);
    r->params = hg_params_new(r->context);
    if (!c || !rig_set_small(r, c))
        return false;
    r->state = hg_model_build(model, r->params, c);
    r->loader = hg_loader_new(r->data, RIG_BATCH, true);
    return r->state && r->loader &&
           hg_model_optimizers(model, r->state, r->params, c, &r->optimizers) &&
           hg_model_prepare(model, r->state, r->data);
}

UNUSED static bool rig_open(rig *r, const hg_model *model)
{
    return rig_open_with(r, model, 1, false);
}

/* Nothing may stay behind. */
UNUSED static void rig_close(rig *r)
{
    hg_context_free(r->context);
    ck_assert_int_eq(r->memory.live, 0);
    *r = (rig){0};
}

/* One training step on the next batch. What was queued for a device runs when
 * the scope is closed at the latest; only then is known whether it could. */
UNUSED static bool rig_step(rig *r)
{
    hg_batch b;
    hg_scope *s = hg_next(r->loader, HG_TRAIN, &b);
    if (!s && !hg_error()) /* the next epoch */
        s = hg_next(r->loader, HG_TRAIN, &b);
    if (!s)
        return false;
    bool ok = hg_model_step(r->model, r->state, &b, &r->optimizers);
    hg_scope_close(s);
    return ok && !hg_error();
}

UNUSED static bool rig_train(rig *r, int64_t steps)
{
    for (int64_t i = 0; i < steps; i++)
        if (!rig_step(r))
            return false;
    return true;
}

/* The bits of one tensor, and of all parameters and buffers, in a number. */
UNUSED static uint64_t tensor_bits(const hg_tensor *t)
{
    const unsigned char *byte = host_values(t);
    uint64_t h = 0xCBF29CE484222325u;
    size_t bytes = (size_t)hg_numel(t) * hg_dtype_size(t->dtype);
    for (size_t i = 0; i < bytes; i += 4) {
        uint32_t word;
        memcpy(&word, byte + i, 4);
        h = (h ^ word) * 0x100000001B3u;
    }
    return h;
}

UNUSED static uint64_t rig_bits(const rig *r)
{
    uint64_t h = 0;
    const hg_tensor *t;
    for (int64_t i = 0; (t = hg_params_entry(r->params, i)); i++)
        h = h * 31 + tensor_bits(t);
    return h;
}

#define EACH_MODEL(m)                                                          \
    (int i_ = 0; hg_model_at(i_);                                              \
     i_++) for (const hg_model *m = hg_model_at(i_); m; m = NULL)

#endif
