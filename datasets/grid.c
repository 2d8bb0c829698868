/* grid.c - images side by side as one PNG, for a look at what a model made. */
#include "datasets/image.h"
#include "datasets/internal.h"

#include <math.h>
#include <string.h>

enum { GAP = 2 }; /* pixels, white, around every image */

static bool images_fit(const hg_tensor *t, const char *file)
{
    if (!t || !file || !file[0])
        return hg_fail(HG_ERROR_ARGUMENT, "hg_images_save: %s",
                       t ? "the file has no name" : "the tensor is NULL");
    hg_shape s = t->shape;
    return (s.rank == 4 && (s.dim[1] == 1 || s.dim[1] == 3) &&
            hg_shape_numel(s) > 0) ||
           hg_fail(HG_ERROR_SHAPE,
                   "hg_images_save: images %s; [n, c, h, w] with c = 1 or 3 "
                   "are needed, see hg_reshape",
                   HG_SHAPE_TEXT(s));
}

/* NaN is black. */
static uint8_t byte_of(hg_real value)
{
    if (!(value > 0))
        return 0;
    return value < 1 ? (uint8_t)(255 * value + (hg_real)0.5) : 255;
}

/* One image [c, h, w] in its place. */
static void paint(const hg_image *grid, int64_t top, int64_t left, hg_shape s,
                  const hg_real *x)
{
    int64_t c = s.dim[1], h = s.dim[2], w = s.dim[3];
    for (int64_t i = 0; i < h; i++)
        for (int64_t j = 0; j < w; j++)
            for (int64_t k = 0; k < c; k++)
                grid->pixels[((top + i) * grid->width + left + j) * c + k] =
                    byte_of(x[(k * h + i) * w + j]);
}

static bool draw(hg_region *r, const hg_tensor *t, int64_t columns,
                 hg_image *grid)
{
    hg_shape s = t->shape;
    int64_t n = s.dim[0], high = s.dim[2] + GAP, wide = s.dim[3] + GAP;
    if (columns < 1)
        columns = (int64_t)ceil(sqrt((double)n));
    columns = columns < n ? columns : n;
    int64_t rows = (n + columns - 1) / columns, each = hg_numel(t) / n;
    hg_real *x = hg_region_take(r, (size_t)(n * each) * sizeof *x);
    if (!x || !hg_read(t, x, n * each) ||
        !hg_image_room(r, "hg_images_save", rows * high + GAP,
                       columns * wide + GAP, (int)s.dim[1], false, grid))
        return false;
    memset(grid->pixels, 255,
           (size_t)(grid->height * grid->width * grid->channels));
    for (int64_t i = 0; i < n; i++)
        paint(grid, GAP + i / columns * high, GAP + i % columns * wide, s,
              x + i * each);
    return true;
}

/* What is written, and whose memory that takes. */
typedef struct {
    hg_region *region;
    hg_image grid;
    const char *name;
} picture;

static bool write_picture(FILE *f, const void *user)
{
    const picture *p = user;
    return hg_png_write(p->region, p->name, &p->grid, f);
}

bool hg_images_save(const hg_tensor *t, int64_t columns, const char *file)
{
    if (!images_fit(t, file))
        return false;
    hg_region r = {.context = t->storage->context};
    picture p = {.region = &r, .name = file};
    bool ok = draw(&r, t, columns, &p.grid) &&
              hg_write_whole(file, write_picture, &p);
    hg_region_free(&r);
    return ok;
}
