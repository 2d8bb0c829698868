/* png.c - PNG pictures, through libpng. When they are read, 16 bits become 8 by
 * their value, and transparency is laid over white, both without a detour over
 * gamma. */
#include "datasets/image.h"

#ifdef HG_HAVE_PNG

#include <png.h>
#include <setjmp.h>
#include <string.h>

/* What libpng reads from, where it puts its errors, whose memory it takes, and
 * the picture that it makes. */
typedef struct {
    const char *name;
    const uint8_t *bytes;
    size_t left;
    char text[128];
    hg_region *region;
    bool sizes_only;
    hg_image *image;
} source;

static void on_error(png_structp png, png_const_charp what)
{
    source *s = png_get_error_ptr(png);
    snprintf(s->text, sizeof s->text, "%s", what);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp what)
{
    (void)png, (void)what;
}

static void give_bytes(png_structp png, png_bytep out, size_t size)
{
    source *s = png_get_io_ptr(png);
    if (size > s->left)
        png_error(png, "it is cut off");
    memcpy(out, s->bytes, size);
    s->bytes += size;
    s->left -= size;
}

static png_voidp take(png_structp png, png_alloc_size_t size)
{
    source *s = png_get_mem_ptr(png);
    return hg_region_take(s->region, size);
}

/* The region is freed as a whole, when the picture has been used. */
static void give(png_structp png, png_voidp pointer)
{
    (void)png, (void)pointer;
}

/* Bytes of grey or of red, green and blue; with alpha where there is any. */
static int transform(png_structp png, png_infop info)
{
    png_set_expand(png); /* palettes, fewer bits, a transparent colour */
    png_set_scale_16(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return png_get_channels(png, info);
}

/* In place: n pixels with alpha, the last of `channels`, become n without. */
static void over_white(uint8_t *pixels, size_t n, int channels)
{
    size_t all = (size_t)channels, kept = all - 1;
    for (size_t i = 0; i < n; i++) {
        int alpha = pixels[i * all + kept];
        for (size_t c = 0; c < kept; c++) {
            int v = pixels[i * all + c] * alpha + 255 * (255 - alpha);
            pixels[i * kept + c] = (uint8_t)((v + 127) / 255);
        }
    }
}

static bool read_rows(png_structp png, source *s, int channels)
{
    hg_image *image = s->image;
    size_t n = (size_t)(image->height * image->width);
    size_t row = (size_t)image->width * (size_t)channels;
    uint8_t *pixels = hg_region_take(s->region, n * (size_t)channels);
    png_bytepp rows =
        hg_region_take(s->region, (size_t)image->height * sizeof *rows);
    if (!pixels || !rows)
        return false;
    for (int64_t y = 0; y < image->height; y++)
        rows[y] = pixels + (size_t)y * row;
    png_read_image(png, rows);
    png_read_end(png, NULL);
    if (channels % 2 == 0)
        over_white(pixels, n, channels);
    image->pixels = pixels;
    return true;
}

static bool read_picture(png_structp png, png_infop info, source *s)
{
    png_set_read_fn(png, s, give_bytes);
    png_set_user_limits(png, 1 << 20, 1 << 20);
    png_set_chunk_malloc_max(png, 1 << 23);
    png_read_info(png, info);
    int64_t width = png_get_image_width(png, info);
    int64_t height = png_get_image_height(png, info);
    int channels = transform(png, info);
    return hg_image_room(s->region, s->name, height, width,
                         channels > 2 ? 3 : 1, true, s->image) &&
           (s->sizes_only || read_rows(png, s, channels));
}

/* libpng jumps back here from its errors; nothing is read then but what `s`
 * holds, in memory, where the jump leaves it alone. */
static bool decode(png_structp png, png_infop info, source *s)
{
    if (setjmp(png_jmpbuf(png)))
        return hg_fail(HG_ERROR_FORMAT, "%s: a broken PNG picture: %s", s->name,
                       s->text);
    return read_picture(png, info, s);
}

bool hg_png_decode(hg_region *region, const char *name, const uint8_t *bytes,
                   size_t size, bool sizes_only, hg_image *image)
{
    source s = {.name = name,
                .bytes = bytes,
                .left = size,
                .region = region,
                .sizes_only = sizes_only,
                .image = image};
    png_structp png = png_create_read_struct_2(
        PNG_LIBPNG_VER_STRING, &s, on_error, on_warning, &s, take, give);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool good = info
                    ? decode(png, info, &s)
                    : hg_fail(HG_ERROR_MEMORY, "%s: libpng cannot start", name);
    if (png)
        png_destroy_read_struct(&png, &info, NULL);
    return good;
}

/* ---- Writing ------------------------------------------------------------ */

static void write_rows(png_structp png, png_infop info, const hg_image *image)
{
    size_t row = (size_t)image->width * (size_t)image->channels;
    png_set_IHDR(
        png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
        image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
        PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
        PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int64_t y = 0; y < image->height; y++)
        png_write_row(png, image->pixels + (size_t)y * row);
    png_write_end(png, NULL);
}

/* As `decode`. */
static bool encode(png_structp png, png_infop info, source *s, FILE *file)
{
    if (setjmp(png_jmpbuf(png)))
        return !ferror(file) &&
               hg_fail(HG_ERROR_ARGUMENT, "%s cannot be drawn: %s", s->name,
                       s->text);
    png_init_io(png, file);
    write_rows(png, info, s->image);
    return true;
}

bool hg_png_write(hg_region *region, const char *name, const hg_image *image,
                  FILE *file)
{
    hg_image grid = *image;
    source s = {.name = name, .region = region, .image = &grid};
    png_structp png = png_create_write_struct_2(
        PNG_LIBPNG_VER_STRING, &s, on_error, on_warning, &s, take, give);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool good = info
                    ? encode(png, info, &s, file)
                    : hg_fail(HG_ERROR_MEMORY, "%s: libpng cannot start", name);
    if (png)
        png_destroy_write_struct(&png, &info);
    return good;
}

#else

bool hg_png_write(hg_region *region, const char *name, const hg_image *image,
                  FILE *file)
{
    (void)region, (void)image, (void)file;
    return hg_fail(HG_ERROR_STATE,
                   "%s: this build has no libpng; install libpng-dev and "
                   "build again",
                   name);
}

bool hg_png_decode(hg_region *region, const char *name, const uint8_t *bytes,
                   size_t size, bool sizes_only, hg_image *image)
{
    (void)region, (void)bytes, (void)size, (void)sizes_only, (void)image;
    return hg_fail(HG_ERROR_STATE,
                   "%s: this build has no libpng; install libpng-dev and "
                   "build again, or convert the pictures to PPM",
                   name);
}

#endif
