/* paper.c - lettering, and a drawing's way into its file: through memory, so
 * that a picture is whole or not there, and an error has the system's words. */
#include "apps/paper.h"

bool no_cairo(const char *path)
{
    return hg_fail(HG_ERROR_STATE,
                   "%s: this build has no cairo; install libcairo2-dev and "
                   "build again",
                   path);
}

#ifdef HG_HAVE_CAIRO

#include <stdlib.h>

cairo_surface_t *paper_open(int width, int height, cairo_t **cr)
{
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    *cr = cairo_create(s);
    cairo_set_source_rgb(*cr, 1, 1, 1);
    cairo_paint(*cr);
    return s;
}

static cairo_status_t append(void *file, const unsigned char *bytes,
                             unsigned int size)
{
    return fwrite(bytes, 1, size, file) == size ? CAIRO_STATUS_SUCCESS
                                                : CAIRO_STATUS_NO_MEMORY;
}

static cairo_status_t to_memory(cairo_surface_t *s, char **bytes, size_t *size)
{
    cairo_status_t status = CAIRO_STATUS_NO_MEMORY;
    FILE *f = open_memstream(bytes, size);
    if (f)
        status = cairo_surface_write_to_png_stream(s, append, f);
    if (f && fclose(f))
        status = CAIRO_STATUS_NO_MEMORY;
    return status;
}

bool paper_save(cairo_surface_t *s, cairo_t *cr, const char *path,
                const char *title)
{
    char *bytes = NULL;
    size_t size = 0;
    cairo_status_t status = to_memory(s, &bytes, &size);
    cairo_destroy(cr);
    cairo_surface_destroy(s);
    bool ok = status == CAIRO_STATUS_SUCCESS
                  ? write_png(path, bytes, size, title, write_file)
                  : hg_fail(HG_ERROR_MEMORY, "%s cannot be drawn: %s", path,
                            cairo_status_to_string(status));
    free(bytes);
    return ok;
}

void paper_face(cairo_t *cr, double size)
{
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
    cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
}

double paper_width(cairo_t *cr, const char *text)
{
    cairo_text_extents_t e;
    cairo_text_extents(cr, text, &e);
    return e.x_advance;
}

/* Text leaves a point that the next line would join. */
void paper_text(cairo_t *cr, double x, double y, double align, const char *text)
{
    cairo_move_to(cr, x - align * paper_width(cr, text), y);
    cairo_show_text(cr, text);
    cairo_new_path(cr);
}

#endif
