/* image.h - pictures: reading them, and making them one size. */
#ifndef HG_IMAGE_H
#define HG_IMAGE_H

#include "datasets/data.h"
#include "tensor/internal.h"

/* Bytes [height, width, channels]: 1 grey, 3 red, green, blue. `pixels` is NULL
 * where only the sizes were asked for. */
typedef struct {
    int64_t height, width;
    int channels;
    uint8_t *pixels;
} hg_image;

/* More would take 768 MiB in colour: such a file is broken, or a bomb. */
#define HG_MOST_PIXELS ((int64_t)1 << 28)

/* Decodes PNG, JPEG, PGM or PPM by the first bytes; transparency is laid over
 * white, 16 bits become 8. Pixels are taken from the region. `name` is for
 * sentences, and so is the error a sentence: format for broken pictures, state
 * where the library for this kind is missing. */
bool hg_image_decode(hg_region *, const char *name, const uint8_t *bytes,
                     size_t size, bool sizes_only, hg_image *);
/* The same from a file. */
bool hg_image_read(hg_region *, const char *path, bool sizes_only, hg_image *);
/* Is a file of this name to be read as a picture? */
bool hg_image_has_name(const char *name);

/* Crops or pads or stretches and resamples (triangle filter, widened when
 * smaller, as Pillow and PyTorch do with antialias), grey or colour; writes
 * [channels, height, width] to `out`. Temporaries come from the region. */
bool hg_image_fit(hg_region *, const hg_image *, hg_fit, int64_t height,
                  int64_t width, int channels, uint8_t *out);

/* Images side by side, row by row, on white. */
typedef struct {
    const hg_real *images; /* [count, c, h, w] from 0 to 1; NaN is black */
    hg_shape item; /* [c, h, w]; unless c is 3 the first plane is seen */
    int64_t count, columns;
    int zoom, gap; /* pixels: of one, and around every image */
} hg_grid;

/* How large it becomes; `pixels` stays NULL. */
hg_image hg_grid_size(const hg_grid *);
/* Paints it into pixels of that size. */
void hg_grid_paint(const hg_grid *, uint8_t *pixels);

/* Writes a PNG; false without a sentence where the file is to blame. `name` and
 * the region as above. */
bool hg_png_write(hg_region *, const char *name, const hg_image *, FILE *);

/* ---- Between the decoders ----------------------------------------------- */

/* Sets the sizes and makes room; false with a sentence. */
bool hg_image_room(hg_region *, const char *name, int64_t height, int64_t width,
                   int channels, bool sizes_only, hg_image *);
bool hg_png_decode(hg_region *, const char *name, const uint8_t *, size_t,
                   bool sizes_only, hg_image *);
bool hg_jpeg_decode(hg_region *, const char *name, const uint8_t *, size_t,
                    bool sizes_only, hg_image *);
bool hg_pnm_decode(hg_region *, const char *name, const uint8_t *, size_t,
                   bool sizes_only, hg_image *);

#endif
