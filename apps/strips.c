/* strips.c - what an epoch leaves to look at: reconstructions and samples. */
#include "apps/train.h"
#include "apps/view.h"

#include <string.h>

enum { SHOWN = 20, DRAWN = 100, ACROSS = 10, STRIPS = 3 };

/* So large that small images can be seen. */
static int zoom_of(hg_shape item)
{
    int64_t side = item.dim[1] > item.dim[2] ? item.dim[1] : item.dim[2];
    return side >= 48 ? 1 : side >= 20 ? 2 : 4;
}

static void entitle(const trainer *t, const char *what, char *text, size_t size)
{
    snprintf(text, size, "%s: %s after epoch %lld", t->s.model->name, what,
             (long long)t->epoch);
}

/* ---- Reconstructions ---------------------------------------------------- */

/* Strips of ten: images, reconstructions, and differences, where grey is
 * right. Places without an image stay empty. */
static void lay_strips(cloud *out, const cloud *x, const cloud *y,
                       int64_t across)
{
    size_t size = (size_t)x->width * sizeof(double);
    cloud_blank(out);
    for (int64_t i = 0; i < x->count; i++) {
        int64_t at = i / across * STRIPS * across + i % across;
        double *difference = cloud_row(out, at + 2 * across);
        memcpy(cloud_row(out, at), cloud_row(x, i), size);
        memcpy(cloud_row(out, at + across), cloud_row(y, i), size);
        for (int64_t k = 0; k < x->width; k++)
            difference[k] = (1 + cloud_row(y, i)[k] - cloud_row(x, i)[k]) / 2;
    }
}

static bool draw_strips(const char *path, gallery *g, const cloud *x,
                        const cloud *y)
{
    static const char *const strip[STRIPS] = {"original", "model",
                                              "difference"};
    const char *names[SHOWN / ACROSS * STRIPS];
    cloud out = {0};
    g->rows = (x->count + ACROSS - 1) / ACROSS * STRIPS;
    g->columns = x->count < ACROSS ? x->count : ACROSS;
    for (int64_t i = 0; i < g->rows; i++)
        names[i] = strip[i % STRIPS];
    g->row_names = names;
    bool ok = cloud_room(&out, g->rows * g->columns, x->width);
    if (ok) {
        lay_strips(&out, x, y, g->columns);
        ok = gallery_write(path, g, out.values);
    }
    cloud_free(&out);
    return ok;
}

bool reconstruction_picture(trainer *t, void *path)
{
    char title[160];
    cloud x = {0}, y = {0};
    const hg_model *m = t->s.model;
    hg_data *data = shown_data(&t->w);
    gallery g = {.title = title,
                 .item = hg_data_shape(t->w.all),
                 .zoom = zoom_of(hg_data_shape(t->w.all))};
    int64_t n = is_plane(g.item) ? PLANE_POINTS : SHOWN;
    if (!hg_data_size(data))
        return true;
    entitle(t, "reconstructions", title, sizeof title);
    bool ok = cloud_items(&y, &t->w, m, data, n, RECONSTRUCTIONS) &&
              cloud_items(&x, &t->w, m, data, n, PIXELS);
    if (ok && is_plane(g.item)) {
        g.rows = 1;
        g.columns = y.count;
        ok = plane_write(path, &g, y.values, &x);
    } else if (ok) {
        ok = draw_strips(path, &g, &x, &y);
    }
    cloud_free(&x);
    cloud_free(&y);
    return ok;
}

/* ---- Samples ------------------------------------------------------------ */

bool sample_picture(trainer *t, void *path)
{
    char title[160];
    cloud codes = {0}, images = {0}, data = {0};
    const hg_model *m = t->s.model;
    gallery g = {.title = title,
                 .item = hg_data_shape(t->w.all),
                 .zoom = zoom_of(hg_data_shape(t->w.all)),
                 .columns = ACROSS};
    bool plane = is_plane(g.item);
    g.rows = (plane ? PLANE_POINTS : DRAWN) / ACROSS;
    entitle(t, "samples", title, sizeof title);
    bool ok = cloud_prior(&codes, &t->w, m, g.rows * g.columns) &&
              cloud_decoded(&images, &t->w, m, &codes);
    if (ok && plane)
        ok = cloud_items(&data, &t->w, m, shown_data(&t->w), PLANE_POINTS,
                         PIXELS) &&
             plane_write(path, &g, images.values, &data);
    else if (ok)
        ok = gallery_write(path, &g, images.values);
    cloud_free(&codes);
    cloud_free(&images);
    cloud_free(&data);
    return ok;
}
