/* jpeg.c - JPEG pictures, through libjpeg(-turbo). */
#include "datasets/image.h"

#ifdef HG_HAVE_JPEG

#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>

/* The library calls back with its errors and goes on after a warning. */
typedef struct {
    struct jpeg_error_mgr base; /* first */
    jmp_buf escape;
    bool damaged; /* it warned that pixels were made up */
    char text[JMSG_LENGTH_MAX];
} trouble;

static void on_error(j_common_ptr jpeg)
{
    trouble *t = (trouble *)jpeg->err;
    t->base.format_message(jpeg, t->text);
    longjmp(t->escape, 1);
}

static void on_message(j_common_ptr jpeg, int level)
{
    trouble *t = (trouble *)jpeg->err;
    int code = t->base.msg_code;
    if (level < 0 && !t->damaged &&
        (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER ||
         code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC)) {
        t->damaged = true;
        t->base.format_message(jpeg, t->text);
    }
}

/* Between the library's calls no object with a destructor and no local that is
 * read after the jump. */
static bool decode(struct jpeg_decompress_struct *jpeg, trouble *t,
                   hg_region *region, const char *name, const uint8_t *bytes,
                   size_t size, bool sizes_only, hg_image *image)
{
    if (setjmp(t->escape))
        return hg_fail(HG_ERROR_FORMAT, "%s: a broken JPEG picture: %s", name,
                       t->text);
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, bytes, size);
    jpeg_read_header(jpeg, TRUE);
    bool grey = jpeg->num_components == 1;
    jpeg->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    if (jpeg->num_components > 3)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s: a JPEG picture of %d colours (for print); convert "
                       "it to RGB",
                       name, jpeg->num_components);
    if (!hg_image_room(region, name, jpeg->image_height, jpeg->image_width,
                       grey ? 1 : 3, sizes_only, image))
        return false;
    if (sizes_only)
        return true;
    jpeg_start_decompress(jpeg);
    size_t row = (size_t)image->width * (size_t)image->channels;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW at = image->pixels + jpeg->output_scanline * row;
        jpeg_read_scanlines(jpeg, &at, 1);
    }
    jpeg_finish_decompress(jpeg);
    return !t->damaged ||
           hg_fail(HG_ERROR_FORMAT, "%s: a broken JPEG picture: %s", name,
                   t->text);
}

bool hg_jpeg_decode(hg_region *region, const char *name, const uint8_t *bytes,
                    size_t size, bool sizes_only, hg_image *image)
{
    struct jpeg_decompress_struct jpeg = {0};
    trouble t = {0};
    jpeg.err = jpeg_std_error(&t.base);
    t.base.error_exit = on_error;
    t.base.emit_message = on_message;
    bool good = decode(&jpeg, &t, region, name, bytes, size, sizes_only, image);
    jpeg_destroy_decompress(&jpeg);
    return good;
}

#else

bool hg_jpeg_decode(hg_region *region, const char *name, const uint8_t *bytes,
                    size_t size, bool sizes_only, hg_image *image)
{
    (void)region, (void)bytes, (void)size, (void)sizes_only, (void)image;
    return hg_fail(HG_ERROR_STATE,
                   "%s: this build has no libjpeg; install libjpeg-dev and "
                   "build again, or convert the pictures to PNG",
                   name);
}

#endif
