/* strips.c - what an epoch leaves to look at: reconstructions and samples. */
#include "apps/train.h"
#include "apps/view.h"

enum { SHOWN = 20, DRAWN = 100, ACROSS = 10 };

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
        bands b = {title, g.item, &x, &y, ACROSS, g.zoom, true};
        ok = bands_write(path, &b);
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
