/* marginals.c - how the values of each dimension of the code are distributed,
 * with the prior's drawn over them: small panels on one picture. */
#include "apps/paper.h"

#include <math.h>
#include <stdlib.h>

#ifdef HG_HAVE_CAIRO

enum {
    COLUMNS = 4,
    PANELS = 16,
    WIDTH = 190,
    HEIGHT = 120,
    GAP = 16,
    TITLE = 64,
    FOOT = 40,
    BINS = 48
};

typedef struct {
    cairo_t *cr;
    double low, high; /* of all panels' x axes */
    double x, y;      /* of this panel's corner */
} panel;

/* Densities of a column of [count, width] values. */
static void densities(const panel *p, const double *v, int64_t count,
                      int64_t width, int64_t column, double *out)
{
    double step = (p->high - p->low) / BINS;
    for (int i = 0; i < BINS; i++)
        out[i] = 0;
    for (int64_t i = 0; i < count; i++) {
        double at = (v[i * width + column] - p->low) / step;
        if (at >= 0 && at < BINS)
            out[(int)at] += 1 / ((double)count * step);
    }
}

static double largest(const double *a, const double *b)
{
    double most = 1e-12;
    for (int i = 0; i < BINS; i++)
        most = fmax(most, fmax(a[i], b ? b[i] : 0));
    return most;
}

static double place(const panel *p, double value)
{
    return p->x + WIDTH * (value - p->low) / (p->high - p->low);
}

static void draw_bars(const panel *p, const double *d, double most)
{
    double step = (double)WIDTH / BINS;
    cairo_set_source_rgb(p->cr, 0.56, 0.72, 0.86);
    for (int i = 0; i < BINS; i++)
        cairo_rectangle(p->cr, p->x + i * step, p->y + HEIGHT, step,
                        -HEIGHT * d[i] / most);
    cairo_fill(p->cr);
}

static void draw_line(const panel *p, const double *d, double most)
{
    double step = (double)WIDTH / BINS;
    cairo_set_source_rgb(p->cr, 0.84, 0.38, 0.1);
    cairo_set_line_width(p->cr, 2);
    for (int i = 0; i < BINS; i++)
        cairo_line_to(p->cr, p->x + (i + 0.5) * step,
                      p->y + HEIGHT * (1 - d[i] / most));
    cairo_stroke(p->cr);
}

static void draw_frame(const panel *p, int64_t dimension)
{
    char text[32];
    cairo_set_source_rgb(p->cr, 0.35, 0.35, 0.35);
    cairo_set_line_width(p->cr, 1);
    cairo_move_to(p->cr, p->x, p->y + HEIGHT);
    cairo_line_to(p->cr, p->x + WIDTH, p->y + HEIGHT);
    cairo_stroke(p->cr);
    snprintf(text, sizeof text, "dimension %lld", (long long)dimension);
    paper_text(p->cr, p->x, p->y - 4, 0, text);
    for (int i = 0; i < 3; i++) {
        double value = i == 1 ? 0 : i ? p->high : p->low;
        if (i == 1 && (p->low >= 0 || p->high <= 0))
            continue;
        snprintf(text, sizeof text, "%.2g", value);
        paper_text(p->cr, place(p, value), p->y + HEIGHT + 14, 0.5 * i, text);
    }
}

static void span(panel *p, const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            p->low = fmin(p->low, v[i]);
            p->high = fmax(p->high, v[i]);
        }
}

static void draw_key(cairo_t *cr, double x, const char *name, double r,
                     double g, double b)
{
    cairo_set_source_rgb(cr, r, g, b);
    cairo_rectangle(cr, x, 28, 22, 8);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
    paper_text(cr, x + 28, 37, 0, name);
}

static void draw_head(cairo_t *cr, const char *title, bool prior)
{
    paper_face(cr, 15);
    paper_text(cr, GAP, 18, 0, title);
    cairo_set_font_size(cr, 12);
    draw_key(cr, GAP, "codes of test images", 0.56, 0.72, 0.86);
    if (prior)
        draw_key(cr, GAP + 190, "the prior", 0.84, 0.38, 0.1);
}

static void draw_panels(panel *p, const double *codes, int64_t count,
                        const double *draws, int64_t drawn, int64_t width,
                        int shown)
{
    double a[BINS], b[BINS];
    for (int i = 0; i < shown; i++) {
        p->x = GAP + i % COLUMNS * (WIDTH + GAP);
        p->y = TITLE + i / COLUMNS * (HEIGHT + FOOT);
        densities(p, codes, count, width, i, a);
        if (draws)
            densities(p, draws, drawn, width, i, b);
        /* A spike must not flatten the prior out of sight. */
        double most = 1.1 * largest(a, draws ? b : NULL);
        if (draws)
            most = fmin(most, 4 * largest(b, NULL));
        cairo_save(p->cr);
        cairo_rectangle(p->cr, p->x, p->y, WIDTH, HEIGHT);
        cairo_clip(p->cr);
        draw_bars(p, a, most);
        if (draws)
            draw_line(p, b, most);
        cairo_restore(p->cr);
        draw_frame(p, i);
    }
}

bool figure_marginals(const char *path, const char *title, int64_t width,
                      const double *codes, int64_t count, const double *draws,
                      int64_t drawn)
{
    int shown = width < PANELS ? (int)width : PANELS;
    int columns = shown < COLUMNS ? shown : COLUMNS;
    int lines = (shown + COLUMNS - 1) / COLUMNS;
    int w = GAP + (columns < 2 ? 2 : columns) * (WIDTH + GAP);
    panel p = {.low = INFINITY, .high = -INFINITY};
    span(&p, codes, count * width);
    if (draws)
        span(&p, draws, drawn * width);
    if (!(p.low < p.high)) {
        p.low = isfinite(p.low) ? p.low - 1 : -1;
        p.high = p.low + 2;
    }
    cairo_surface_t *surface =
        paper_open(w, TITLE - 14 + lines * (HEIGHT + FOOT), &p.cr);
    draw_head(p.cr, title, draws != NULL);
    draw_panels(&p, codes, count, draws, drawn, width, shown);
    return paper_save(surface, p.cr, path, title);
}

#else

bool figure_marginals(const char *path, const char *title, int64_t width,
                      const double *codes, int64_t count, const double *draws,
                      int64_t drawn)
{
    (void)title, (void)codes, (void)draws, (void)count, (void)width;
    (void)drawn;
    return no_cairo(path);
}

#endif
