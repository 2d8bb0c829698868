/* picture.c - grids of images, pixel by pixel, through libpng. */
#include "apps/report.h"

#include <stdlib.h>
#include <string.h>

#ifdef HG_HAVE_PNG

#include <png.h>

typedef struct {
    const hg_real *images;
    int64_t channels, height, width, count, columns;
    int zoom, gap; /* pixels: of one, and between images */
} grid;

static int64_t grid_width(const grid *g)
{
    return g->columns * (g->width * g->zoom + g->gap) + g->gap;
}

static int64_t grid_height(const grid *g)
{
    int64_t rows = (g->count + g->columns - 1) / g->columns;
    return rows * (g->height * g->zoom + g->gap) + g->gap;
}

static uint8_t to_byte(hg_real value)
{
    if (!(value > 0))
        return 0;
    return value < 1 ? (uint8_t)(255 * value + (hg_real)0.5) : 255;
}

/* The colour at a pixel of the grid; white between images. */
static uint8_t pixel(const grid *g, int64_t row, int64_t column, int64_t c)
{
    int64_t cell_h = g->height * g->zoom + g->gap;
    int64_t cell_w = g->width * g->zoom + g->gap;
    int64_t i = row - g->gap, j = column - g->gap;
    if (i < 0 || j < 0 || i % cell_h >= cell_h - g->gap ||
        j % cell_w >= cell_w - g->gap)
        return 255;
    int64_t image = i / cell_h * g->columns + j / cell_w;
    if (image >= g->count || j / cell_w >= g->columns)
        return 255;
    int64_t y = i % cell_h / g->zoom, x = j % cell_w / g->zoom;
    int64_t plane = g->channels == 3 ? c : 0;
    return to_byte(
        g->images[((image * g->channels + plane) * g->height + y) * g->width +
                  x]);
}

static uint8_t *render(const grid *g)
{
    int64_t w = grid_width(g), h = grid_height(g);
    int64_t planes = g->channels == 3 ? 3 : 1;
    uint8_t *bytes = malloc((size_t)(w * h * planes));
    for (int64_t i = 0; bytes && i < h; i++)
        for (int64_t j = 0; j < w; j++)
            for (int64_t c = 0; c < planes; c++)
                bytes[(i * w + j) * planes + c] = pixel(g, i, j, c);
    return bytes;
}

/* Through memory, so that the file is whole or not there. */
static bool write_grid(const char *path, const grid *g, file_writer *write)
{
    uint8_t *bytes = render(g);
    if (!bytes)
        return hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)grid_width(g),
                     .height = (png_uint_32)grid_height(g),
                     .format =
                         g->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png) + 64;
    char *packed = malloc(size);
    bool made = packed && png_image_write_to_memory(&png, packed, &size, 0,
                                                    bytes, 0, NULL);
    bool ok = made ? write_png(path, packed, size, NULL, write)
                   : hg_fail(HG_ERROR_MEMORY, "%s cannot be drawn: %s", path,
                             png.message);
    free(packed);
    free(bytes);
    return ok;
}

bool picture_grid(const char *path, const hg_real *images, hg_shape item,
                  int64_t count, int64_t columns, int zoom)
{
    grid g = {images, item.dim[0], item.dim[1], item.dim[2],
              count,  columns,     zoom,        2};
    return write_grid(path, &g, write_file);
}

bool picture_plain(const char *path, const double *image, hg_shape item)
{
    int64_t size = hg_shape_numel(item);
    hg_real *values = malloc((size_t)size * sizeof *values + 1);
    for (int64_t i = 0; values && i < size; i++)
        values[i] = (hg_real)image[i];
    grid g = {values, item.dim[0], item.dim[1], item.dim[2], 1, 1, 1, 0};
    /* A folder may have thousands of them, which can be made again. */
    bool ok = values && write_grid(path, &g, write_file_soon);
    free(values);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}

#else

static bool no_png(const char *path)
{
    return hg_fail(HG_ERROR_STATE,
                   "%s: this build has no libpng; install libpng-dev and "
                   "build again",
                   path);
}

bool picture_grid(const char *path, const hg_real *images, hg_shape item,
                  int64_t count, int64_t columns, int zoom)
{
    (void)images, (void)item, (void)count, (void)columns, (void)zoom;
    return no_png(path);
}

bool picture_plain(const char *path, const double *image, hg_shape item)
{
    (void)image, (void)item;
    return no_png(path);
}

#endif
