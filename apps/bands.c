/* bands.c - images, what a model makes of them and the difference, in bands of
 * three rows. */
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAND = 3 };

/* Places without an image stay empty. */
static void fill(cloud *out, const bands *b, int64_t columns)
{
    const cloud *x = b->x, *y = b->y;
    size_t size = (size_t)x->width * sizeof(double);
    cloud_blank(out);
    for (int64_t i = 0; i < x->count; i++) {
        int64_t at = i / columns * BAND * columns + i % columns;
        double *difference = cloud_row(out, at + 2 * columns);
        memcpy(cloud_row(out, at), cloud_row(x, i), size);
        memcpy(cloud_row(out, at + columns), cloud_row(y, i), size);
        for (int64_t k = 0; k < x->width; k++) {
            double d = cloud_row(y, i)[k] - cloud_row(x, i)[k];
            difference[k] = b->with_sign ? (1 + d) / 2 : fabs(d);
        }
    }
}

bool bands_write(const char *path, const bands *b)
{
    static const char *const name[BAND] = {"original", "model", "difference"};
    int64_t n = b->x->count;
    int64_t columns = b->columns < n ? b->columns : n;
    int64_t rows = (n + columns - 1) / columns * BAND;
    const char **names = malloc((size_t)rows * sizeof *names + 1);
    cloud out = {0};
    for (int64_t i = 0; names && i < rows; i++)
        names[i] = name[i % BAND];
    gallery g = {.title = b->title,
                 .row_names = names,
                 .item = b->item,
                 .zoom = b->zoom,
                 .rows = rows,
                 .columns = columns};
    bool ok = names && cloud_room(&out, rows * columns, b->x->width);
    if (ok) {
        fill(&out, b, columns);
        ok = gallery_write(path, &g, out.values);
    }
    cloud_free(&out);
    free(names);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}
