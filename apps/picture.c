/* picture.c - grids of images, pixel by pixel, through libpng. */
#include "apps/report.h"
#include "datasets/image.h"

#include <stdlib.h>

#ifdef HG_HAVE_PNG

#include <png.h>

/* Through memory, so that the file is whole or not there. */
static bool write_grid(const char *path, const hg_grid *g, file_writer *write)
{
    hg_image image = hg_grid_size(g);
    uint8_t *bytes =
        malloc((size_t)(image.height * image.width * image.channels));
    if (!bytes)
        return hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
    hg_grid_paint(g, bytes);
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image.width,
                     .height = (png_uint_32)image.height,
                     .format = image.channels == 3 ? PNG_FORMAT_RGB
                                                   : PNG_FORMAT_GRAY};
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
    hg_grid g = {images, item, count, columns, zoom, 2};
    return write_grid(path, &g, write_file);
}

bool picture_plain(const char *path, const double *image, hg_shape item)
{
    int64_t size = hg_shape_numel(item);
    hg_real *values = malloc((size_t)size * sizeof *values + 1);
    for (int64_t i = 0; values && i < size; i++)
        values[i] = (hg_real)image[i];
    hg_grid g = {values, item, 1, 1, 1, 0};
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
