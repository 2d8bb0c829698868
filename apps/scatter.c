/* scatter.c - points on a chart, coloured by class. */
#include "apps/chart.h"

#include <math.h>

#ifdef HG_HAVE_CAIRO

static void draw_key(const chart *c, int label)
{
    char name[32];
    snprintf(name, sizeof name, "class %d", label);
    double y = chart_legend(c, label, name);
    chart_hue(c->cr, label, 1);
    cairo_arc(c->cr, c->left + c->width + 22, y, 6, 0, 7);
    cairo_fill(c->cr);
}

/* The class's number amid its points: hues alone do not tell ten apart. */
static void name_class(const chart *c, int label, const double *x,
                       const double *y, const int32_t *classes_of, int64_t n)
{
    char name[2] = {(char)('0' + label), 0};
    double mx = 0, my = 0, count = 0;
    for (int64_t i = 0; i < n; i++)
        if (classes_of[i] == label) {
            mx += x[i];
            my += y[i];
            count++;
        }
    cairo_set_font_size(c->cr, 19);
    cairo_move_to(c->cr, chart_x(c, mx / count) - 6,
                  chart_y(c, my / count) + 7);
    cairo_text_path(c->cr, name);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    cairo_set_line_width(c->cr, 4);
    cairo_stroke_preserve(c->cr);
    cairo_set_source_rgb(c->cr, 0.1, 0.1, 0.1);
    cairo_fill(c->cr);
}

bool figure_scatter(const char *path, const char *title, const char *x_label,
                    const char *y_label, const double *x, const double *y,
                    const int32_t *classes_of, int64_t count, int classes)
{
    chart c = {
        .x0 = INFINITY, .x1 = -INFINITY, .y0 = INFINITY, .y1 = -INFINITY};
    chart_span(x, count, &c.x0, &c.x1);
    chart_span(y, count, &c.y0, &c.y1);
    chart_widen(&c.x0, &c.x1);
    chart_widen(&c.y0, &c.y1);
    chart_open(&c, title, x_label, y_label);
    for (int64_t i = 0; i < count; i++) {
        int label = classes_of && classes_of[i] >= 0 ? classes_of[i] : 0;
        chart_hue(c.cr, label, 0.7);
        chart_dot(&c, x[i], y[i], 2.2);
    }
    for (int i = 0; classes_of && i < classes && i < CHART_HUES; i++) {
        draw_key(&c, i);
        name_class(&c, i, x, y, classes_of, count);
    }
    return paper_save(c.surface, c.cr, path);
}

#else

bool figure_scatter(const char *path, const char *title, const char *x_label,
                    const char *y_label, const double *x, const double *y,
                    const int32_t *labels, int64_t count, int classes)
{
    (void)title, (void)x_label, (void)y_label, (void)x, (void)y;
    (void)labels, (void)count, (void)classes;
    return no_cairo(path);
}

#endif
