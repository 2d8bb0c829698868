/* filters.c - the first layer's weights as images: what its units look for. */
#include "apps/train.h"
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_UNITS = 60, ACROSS = 10 };

/* The shape of one unit's weights as an image; false if they are none. */
static bool as_image(const trainer *t, const hg_tensor *w, hg_shape *item)
{
    hg_shape data = hg_data_shape(t->w.all);
    bool colours = data.dim[0] == 1 || data.dim[0] == 3;
    if (hg_is_buffer(w) || !colours || is_plane(data))
        return false;
    if (w->shape.rank == 2 && w->shape.dim[1] == hg_data_features(t->w.all))
        *item = data;
    else if (w->shape.rank == 4 && w->shape.dim[1] == data.dim[0])
        *item = HG_SHAPE(w->shape.dim[1], w->shape.dim[2], w->shape.dim[3]);
    else
        return false;
    return true;
}

/* The first such weights of the encoder, or of anything. */
static const hg_tensor *first_layer(const trainer *t, hg_shape *item)
{
    const hg_tensor *w, *found = NULL;
    hg_shape shape;
    for (int64_t i = 0; (w = hg_params_entry(t->w.params, i)); i++) {
        if (!as_image(t, w, &shape))
            continue;
        bool encodes = w->name && !strncmp(w->name, "encoder", 7);
        if (found && !encodes)
            continue;
        found = w;
        *item = shape;
        if (encodes)
            break;
    }
    return found;
}

/* Zero becomes grey; each unit by its own largest weight. */
static void scale_units(hg_real *values, int64_t units, int64_t size)
{
    for (int64_t u = 0; u < units; u++) {
        hg_real *w = values + u * size, most = 0;
        for (int64_t i = 0; i < size; i++)
            most = (hg_real)fmax((double)most, fabs((double)w[i]));
        for (int64_t i = 0; i < size; i++)
            w[i] = most > 0 ? (1 + w[i] / most) / 2 : (hg_real)0.5;
    }
}

static bool draw_units(const trainer *t, const char *path, hg_shape item,
                       const hg_real *values, int64_t units)
{
    char title[160];
    cloud out = {0};
    int64_t side = item.dim[1] > item.dim[2] ? item.dim[1] : item.dim[2];
    gallery g = {.title = title,
                 .item = item,
                 .rows = (units + ACROSS - 1) / ACROSS,
                 .columns = units < ACROSS ? units : ACROSS,
                 .zoom = side < 56 ? (int)(56 / side) : 1};
    snprintf(title, sizeof title, "%s: first layer, weights after epoch %lld",
             t->s.model->name, (long long)t->epoch);
    bool ok = cloud_room(&out, g.rows * g.columns, hg_shape_numel(item));
    if (ok) {
        cloud_blank(&out);
        for (int64_t i = 0; i < units * out.width; i++)
            out.values[i] = (double)values[i];
        ok = gallery_write(path, &g, out.values);
    }
    cloud_free(&out);
    return ok;
}

bool filters_picture(trainer *t, const char *path)
{
    hg_shape item;
    const hg_tensor *w = first_layer(t, &item);
    if (!w)
        return true;
    int64_t n = hg_numel(w), size = hg_shape_numel(item), units = n / size;
    units = units < MOST_UNITS ? units : MOST_UNITS;
    hg_real *values = malloc((size_t)n * sizeof *values + 1);
    bool ok = values && hg_read(w, values, n);
    if (ok) {
        scale_units(values, units, size);
        ok = draw_units(t, path, item, values, units);
    }
    free(values);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}
