/* clouds.c - codes, pixels and draws as rows of numbers, gathered batch by
 * batch. */
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool cloud_room(cloud *c, int64_t count, int64_t width)
{
    bool possible = width <= 0 ||
                    count <= (int64_t)(PTRDIFF_MAX / sizeof *c->values) / width;
    c->count = count;
    c->width = width;
    c->values = possible
                    ? malloc((size_t)(count * width) * sizeof *c->values + 1)
                    : NULL;
    return c->values ||
           hg_fail(HG_ERROR_MEMORY, "no memory for %lld rows of %lld numbers",
                   (long long)count, (long long)width);
}

double *cloud_row(const cloud *c, int64_t i)
{
    return c->values + i * c->width;
}

void cloud_blank(cloud *c)
{
    for (int64_t i = 0; i < c->count * c->width; i++)
        c->values[i] = NAN;
}

void cloud_free(cloud *c)
{
    free(c->values);
    c->values = NULL;
}

hg_points cloud_points(const cloud *c)
{
    return (hg_points){c->values, c->count, c->width};
}

static bool add_rows(cloud *c, int64_t from, const hg_tensor *t)
{
    int64_t size = t ? hg_numel(t) : 0;
    if (!t || (!c->values && !cloud_room(c, c->count, t->shape.dim[1])))
        return false;
    hg_real *values = malloc((size_t)size * sizeof *values + 1);
    if (!values)
        return hg_fail(HG_ERROR_MEMORY, "no memory for a batch of rows");
    bool ok = hg_read(t, values, size);
    for (int64_t i = 0; ok && i < size; i++)
        c->values[from * c->width + i] = (double)values[i];
    free(values);
    return ok;
}

bool cloud_fill(cloud *c, hg_context *context, int64_t count,
                hg_tensor *(*rows)(void *, int64_t, int64_t), void *user)
{
    *c = (cloud){NULL, count, 0};
    for (int64_t from = 0; from < count; from += AT_ONCE) {
        int64_t n = count - from < AT_ONCE ? count - from : AT_ONCE;
        hg_scope *s = hg_scope_open(context, HG_EVAL);
        bool ok = s && add_rows(c, from, rows(user, from, n));
        if (s)
            hg_scope_close(s);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- What rows are made of ---------------------------------------------- */

typedef struct {
    const workbench *w;
    const hg_model *m;
    const hg_data *data;
    cloud_kind kind;
    const cloud *codes;
} maker;

static hg_tensor *item_rows(void *user, int64_t from, int64_t n)
{
    const maker *k = user;
    hg_batch b;
    if (!hg_data_batch_from(k->data, from, n, &b))
        return NULL;
    if (k->kind == PIXELS)
        return b.x;
    hg_tensor *x = hg_model_input(k->m, k->w->state, &b);
    if (k->kind == POSTERIOR && hg_model_has_draws(k->m))
        return hg_model_sample(k->m, k->w->state, x);
    hg_tensor *code = hg_model_encode(k->m, k->w->state, x);
    return k->kind == RECONSTRUCTIONS ? k->m->decode(k->w->state, code) : code;
}

bool cloud_items(cloud *c, const workbench *w, const hg_model *m,
                 const hg_data *data, int64_t count, cloud_kind kind)
{
    maker k = {w, m, data, kind, NULL};
    int64_t all = hg_data_size(data);
    return cloud_fill(c, w->context, count && count < all ? count : all,
                      item_rows, &k);
}

bool cloud_drop_condition(cloud *c, const workbench *w, const hg_model *m,
                          hg_data *data)
{
    hg_latent latent;
    if (!m->condition)
        return true;
    if (!hg_model_latent(m, w->state, hg_data_spread(data, 1), &latent))
        return false;
    int64_t width = c->width - latent.given;
    for (int64_t i = 0; i < c->count; i++)
        memmove(c->values + i * width, cloud_row(c, i),
                (size_t)width * sizeof *c->values);
    c->width = width;
    return true;
}

static hg_tensor *prior_rows(void *user, int64_t from, int64_t n)
{
    const maker *k = user;
    (void)from;
    return hg_model_prior(k->m, k->w->state, k->w->config, n);
}

bool cloud_prior(cloud *c, const workbench *w, const hg_model *m, int64_t count)
{
    maker k = {w, m, NULL, CODES, NULL};
    return cloud_fill(c, w->context, count, prior_rows, &k);
}

static hg_tensor *decoded_rows(void *user, int64_t from, int64_t n)
{
    const maker *k = user;
    return k->m->decode(k->w->state, hg_from(cloud_row(k->codes, from), "f8",
                                             HG_SHAPE(n, k->codes->width)));
}

bool cloud_decoded(cloud *c, const workbench *w, const hg_model *m,
                   const cloud *codes)
{
    maker k = {w, m, NULL, CODES, codes};
    return cloud_fill(c, w->context, codes->count, decoded_rows, &k);
}
