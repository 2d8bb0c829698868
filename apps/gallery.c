/* gallery.c - images in rows and columns, with names beside and above them. */
#include "apps/paper.h"
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>

/* Without lettering, of any size. */
static bool write_plain(const char *path, const gallery *g,
                        const double *images)
{
    int64_t count = g->rows * g->columns;
    int64_t size = count * hg_shape_numel(g->item);
    hg_real *values = malloc((size_t)size * sizeof *values + 1);
    for (int64_t i = 0; values && i < size; i++)
        values[i] = isnan(images[i]) ? 1 : (hg_real)images[i];
    bool ok = values && picture_grid(path, values, g->item, count, g->columns,
                                     g->zoom ? g->zoom : 1);
    free(values);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}

#ifdef HG_HAVE_CAIRO

enum { GAP = 2, EDGE = 14, TITLE = 30, LINE = 20, LEAST = 28, MOST = 32000 };

typedef struct {
    const gallery *g;
    cairo_t *cr;
    double left, top; /* of the first image */
    int cell_w, cell_h, zoom_x, zoom_y;
} wall;

/* No tile is lower or narrower than LEAST, or names would cover each other.
 * Rows of numbers become bars, images keep their shape. */
static void choose_zoom(wall *w)
{
    int64_t high = w->g->item.dim[1], wide = w->g->item.dim[2];
    int zoom = w->g->zoom ? w->g->zoom : 2;
    w->zoom_x = (int)fmax(zoom, ceil((double)LEAST / (double)wide));
    w->zoom_y = (int)fmax(zoom, ceil((double)LEAST / (double)high));
    if (high > 1 && wide > 1)
        w->zoom_x = w->zoom_y = (int)fmax(w->zoom_x, w->zoom_y);
}

/* Room for names is measured before there is a surface to draw on. */
static void lay_out(wall *w)
{
    const gallery *g = w->g;
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cr = cairo_create(s);
    double widest = 0;
    paper_face(cr, 12);
    for (int64_t i = 0; g->row_names && i < g->rows; i++)
        widest = fmax(widest, paper_width(cr, g->row_names[i]) + 8);
    choose_zoom(w);
    w->cell_w = (int)g->item.dim[2] * w->zoom_x + GAP;
    w->cell_h = (int)g->item.dim[1] * w->zoom_y + GAP;
    w->left = EDGE + widest + (g->y_label ? LINE : 0);
    w->top = (g->title ? TITLE + 8 : EDGE) + (g->column_names ? LINE : 0);
    cairo_destroy(cr);
    cairo_surface_destroy(s);
}

static uint32_t colour(const gallery *g, const double *image, int64_t at)
{
    int64_t plane = g->item.dim[1] * g->item.dim[2];
    uint32_t rgb = 0;
    for (int c = 0; c < 3; c++) {
        double v = image[at + (g->item.dim[0] == 3 ? c * plane : 0)];
        v = v > 0 ? (v < 1 ? v : 1) : 0;
        rgb = rgb << 8 | (uint32_t)(255 * v + 0.5);
    }
    return rgb;
}

static void put_image(const wall *w, cairo_surface_t *s, const double *image,
                      int x0, int y0)
{
    const gallery *g = w->g;
    unsigned char *bytes = cairo_image_surface_get_data(s);
    int stride = cairo_image_surface_get_stride(s);
    for (int y = 0; y < w->cell_h - GAP; y++) {
        uint32_t *row = (uint32_t *)(void *)(bytes + (y0 + y) * stride);
        for (int x = 0; x < w->cell_w - GAP; x++)
            row[x0 + x] = colour(
                g, image, (y / w->zoom_y) * g->item.dim[2] + x / w->zoom_x);
    }
}

static void put_images(const wall *w, cairo_surface_t *s, const double *images)
{
    const gallery *g = w->g;
    int64_t features = hg_shape_numel(g->item);
    cairo_surface_flush(s);
    for (int64_t i = 0; i < g->rows * g->columns; i++)
        if (!isnan(images[i * features]))
            put_image(w, s, images + i * features,
                      (int)w->left + (int)(i % g->columns) * w->cell_w,
                      (int)w->top + (int)(i / g->columns) * w->cell_h);
    cairo_surface_mark_dirty(s);
}

static void put_names(const wall *w, double width, double height)
{
    const gallery *g = w->g;
    for (int64_t i = 0; g->row_names && i < g->rows; i++)
        paper_text(w->cr, w->left - 8,
                   w->top + ((double)i + 0.5) * w->cell_h + 4, 1,
                   g->row_names[i]);
    for (int64_t i = 0; g->column_names && i < g->columns; i++)
        paper_text(w->cr, w->left + ((double)i + 0.5) * w->cell_w, w->top - 7,
                   0.5, g->column_names[i]);
    if (g->x_label)
        paper_text(w->cr, w->left + (double)g->columns * w->cell_w / 2,
                   height - 10, 0.5, g->x_label);
    if (g->y_label) {
        cairo_save(w->cr);
        cairo_translate(w->cr, 18, w->top + (double)g->rows * w->cell_h / 2);
        cairo_rotate(w->cr, -1.57079632679489662);
        paper_text(w->cr, 0, 0, 0.5, g->y_label);
        cairo_restore(w->cr);
    }
    paper_face(w->cr, 15);
    if (g->title)
        paper_text(w->cr, width / 2, 24, 0.5, g->title);
}

/* Wide enough for the title too. */
static double whole_width(const wall *w)
{
    double images = w->left + (double)w->g->columns * w->cell_w + EDGE;
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cr = cairo_create(s);
    paper_face(cr, 15);
    double title = w->g->title ? paper_width(cr, w->g->title) + 2 * EDGE : 0;
    cairo_destroy(cr);
    cairo_surface_destroy(s);
    return fmax(images, title);
}

bool gallery_write(const char *path, const gallery *g, const double *images)
{
    wall w = {.g = g};
    lay_out(&w);
    double width = whole_width(&w);
    double height =
        w.top + (double)g->rows * w.cell_h + (g->x_label ? LINE + EDGE : EDGE);
    if (fmax(width, height) > MOST) /* cairo's surfaces end there */
        return write_plain(path, g, images);
    cairo_surface_t *s = paper_open((int)width, (int)height, &w.cr);
    if (cairo_surface_status(s) == CAIRO_STATUS_SUCCESS) {
        put_images(&w, s, images);
        paper_face(w.cr, 12);
        put_names(&w, width, height);
    }
    return paper_save(s, w.cr, path, g->title);
}

#else

bool gallery_write(const char *path, const gallery *g, const double *images)
{
    return write_plain(path, g, images);
}

#endif
