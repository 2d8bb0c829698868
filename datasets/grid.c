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

hg_image hg_grid_size(const hg_grid *g)
{
    int64_t rows = (g->count + g->columns - 1) / g->columns;
    return (hg_image){rows * (g->item.dim[1] * g->zoom + g->gap) + g->gap,
                      g->columns * (g->item.dim[2] * g->zoom + g->gap) + g->gap,
                      g->item.dim[0] == 3 ? 3 : 1, NULL};
}

/* One image [c, h, w] from its first pixel on, in a picture that is `row`
 * pixels wide. */
static void paint_image(const hg_grid *g, const hg_real *image, uint8_t *pixel,
                        int64_t row)
{
    int64_t h = g->item.dim[1], w = g->item.dim[2];
    int c = g->item.dim[0] == 3 ? 3 : 1;
    for (int64_t y = 0; y < h * g->zoom; y++)
        for (int64_t x = 0; x < w * g->zoom; x++)
            for (int k = 0; k < c; k++)
                pixel[(y * row + x) * c + k] =
                    byte_of(image[(k * h + y / g->zoom) * w + x / g->zoom]);
}

void hg_grid_paint(const hg_grid *g, uint8_t *pixels)
{
    hg_image size = hg_grid_size(g);
    int64_t high = g->item.dim[1] * g->zoom + g->gap;
    int64_t wide = g->item.dim[2] * g->zoom + g->gap;
    memset(pixels, 255, (size_t)(size.height * size.width * size.channels));
    for (int64_t i = 0; i < g->count; i++) {
        int64_t top = g->gap + i / g->columns * high;
        int64_t left = g->gap + i % g->columns * wide;
        paint_image(g, g->images + i * hg_shape_numel(g->item),
                    pixels + (top * size.width + left) * size.channels,
                    size.width);
    }
}

static bool draw(hg_region *r, const hg_tensor *t, int64_t columns,
                 hg_image *image)
{
    hg_shape s = t->shape;
    int64_t n = s.dim[0], all = hg_numel(t);
    if (columns < 1)
        columns = (int64_t)ceil(sqrt((double)n));
    hg_real *x = hg_region_take(r, (size_t)all * sizeof *x);
    hg_grid g = {.images = x,
                 .item = HG_SHAPE(s.dim[1], s.dim[2], s.dim[3]),
                 .count = n,
                 .columns = columns < n ? columns : n,
                 .zoom = 1,
                 .gap = GAP};
    hg_image size = hg_grid_size(&g);
    if (!x || !hg_read(t, x, all) ||
        !hg_image_room(r, "hg_images_save", size.height, size.width,
                       size.channels, false, image))
        return false;
    hg_grid_paint(&g, image->pixels);
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
