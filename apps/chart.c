/* chart.c - axes, their figures, colours, and the legend's place. */
#include "apps/chart.h"

#ifdef HG_HAVE_CAIRO

#include <math.h>

#define PI 3.14159265358979323846

enum {
    LEFT = 78,
    RIGHT = 150,
    TOP = 42,
    BOTTOM = 54,
    SIDE_W = 560,
    SIDE_H = 420
};

/* Ten hues that stay apart for the colour blind (after Paul Tol's schemes). */
static const double hues[CHART_HUES][3] = {
    {0.27, 0.47, 0.67}, {0.93, 0.40, 0.47}, {0.13, 0.53, 0.20},
    {0.80, 0.73, 0.27}, {0.40, 0.80, 0.93}, {0.67, 0.20, 0.47},
    {0.93, 0.60, 0.20}, {0.35, 0.35, 0.35}, {0.55, 0.35, 0.20},
    {0.20, 0.13, 0.53},
};

double chart_x(const chart *c, double x)
{
    return c->left + c->width * (x - c->x0) / (c->x1 - c->x0);
}

double chart_y(const chart *c, double y)
{
    double at = c->log_y ? log10(y) : y;
    return c->top + c->height * (1 - (at - c->y0) / (c->y1 - c->y0));
}

void chart_hue(cairo_t *cr, int i, double alpha)
{
    const double *rgb = hues[i % CHART_HUES];
    cairo_set_source_rgba(cr, rgb[0], rgb[1], rgb[2], alpha);
}

void chart_grey(cairo_t *cr, double alpha)
{
    cairo_set_source_rgba(cr, 0.68, 0.68, 0.68, alpha);
}

void chart_dot(const chart *c, double x, double y, double radius)
{
    if (!isfinite(x) || !isfinite(y))
        return;
    cairo_new_sub_path(c->cr);
    cairo_arc(c->cr, chart_x(c, x), chart_y(c, y), radius, 0, 2 * PI);
    cairo_fill(c->cr);
}

void chart_span(const double *v, int64_t n, double *low, double *high)
{
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            *low = fmin(*low, v[i]);
            *high = fmax(*high, v[i]);
        }
}

void chart_widen(double *low, double *high)
{
    if (!(*low <= *high)) {
        *low = 0;
        *high = 1;
    }
    double room = *high > *low ? 0.04 * (*high - *low) : 0.5;
    *low -= room;
    *high += room;
}

/* ---- Axes --------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten, for about five ticks. */
static double tick_step(double span)
{
    double raw = span / 5, power = pow(10, floor(log10(raw)));
    double ratio = raw / power;
    return power * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
}

static void grid_line(cairo_t *cr, double xa, double ya, double xb, double yb)
{
    cairo_set_source_rgb(cr, 0.88, 0.88, 0.88);
    cairo_move_to(cr, xa, ya);
    cairo_line_to(cr, xb, yb);
    cairo_stroke(cr);
    cairo_set_source_rgb(cr, 0.2, 0.2, 0.2);
}

static void ticks_x(chart *c)
{
    double step = tick_step(c->x1 - c->x0);
    if (step < 1 && c->x1 - c->x0 >= 1 && floor(c->x0) == c->x0)
        step = 1; /* epochs are whole */
    for (double x = ceil(c->x0 / step) * step; x <= c->x1 + 1e-9 * step;
         x += step) {
        char text[32];
        snprintf(text, sizeof text, "%.6g", fabs(x) < 1e-9 * step ? 0 : x);
        grid_line(c->cr, chart_x(c, x), c->top, chart_x(c, x),
                  c->top + c->height);
        paper_text(c->cr, chart_x(c, x), c->top + c->height + 18, 0.5, text);
    }
}

static void tick_y(chart *c, double y)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", y);
    grid_line(c->cr, c->left, chart_y(c, y), c->left + c->width, chart_y(c, y));
    paper_text(c->cr, c->left - 6, chart_y(c, y) + 4, 1, text);
}

static void ticks_log(chart *c)
{
    static const double digits[] = {1, 2, 5};
    bool wide = c->y1 - c->y0 > 3;
    for (int e = (int)floor(c->y0); e <= (int)ceil(c->y1); e++)
        for (int i = 0; i < (wide ? 1 : 3); i++) {
            double y = digits[i] * pow(10, e);
            if (log10(y) >= c->y0 && log10(y) <= c->y1)
                tick_y(c, y);
        }
}

static void ticks_y(chart *c)
{
    if (c->log_y) {
        ticks_log(c);
        return;
    }
    double step = tick_step(c->y1 - c->y0);
    for (double y = ceil(c->y0 / step) * step; y <= c->y1 + 1e-9 * step;
         y += step)
        tick_y(c, fabs(y) < 1e-9 * step ? 0 : y);
}

void chart_axes(chart *c)
{
    paper_face(c->cr, 12);
    cairo_set_line_width(c->cr, 1);
    ticks_x(c);
    ticks_y(c);
    cairo_rectangle(c->cr, c->left, c->top, c->width, c->height);
    cairo_stroke(c->cr);
}

static void labels(chart *c, const char *title, const char *x_label,
                   const char *y_label)
{
    cairo_t *cr = c->cr;
    paper_face(cr, 16);
    paper_text(cr, c->left + c->width / 2, 26, 0.5, title);
    cairo_set_font_size(cr, 13);
    paper_text(cr, c->left + c->width / 2, c->top + c->height + 42, 0.5,
               x_label);
    cairo_save(cr);
    cairo_translate(cr, 20, c->top + c->height / 2);
    cairo_rotate(cr, -PI / 2);
    paper_text(cr, 0, 0, 0.5, y_label);
    cairo_restore(cr);
}

void chart_open(chart *c, const char *title, const char *x_label,
                const char *y_label)
{
    c->left = LEFT;
    c->top = TOP;
    c->width = SIDE_W;
    c->height = SIDE_H;
    c->surface =
        paper_open(LEFT + SIDE_W + RIGHT, TOP + SIDE_H + BOTTOM, &c->cr);
    labels(c, title, x_label, y_label);
    chart_axes(c);
}

enum { LEGEND_LINE = 20, MARK = 24 };

double chart_legend(const chart *c, int line, const char *name)
{
    double y = c->top + 14 + LEGEND_LINE * line;
    paper_face(c->cr, 12);
    paper_text(c->cr, c->left + c->width + 12 + MARK, y, 0, name);
    return y - 4;
}

#endif
