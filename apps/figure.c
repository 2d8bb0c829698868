/* figure.c - charts with axes, through cairo. */
#include "apps/paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef HG_HAVE_CAIRO

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
static const double hues[10][3] = {
    {0.27, 0.47, 0.67}, {0.93, 0.40, 0.47}, {0.13, 0.53, 0.20},
    {0.80, 0.73, 0.27}, {0.40, 0.80, 0.93}, {0.67, 0.20, 0.47},
    {0.93, 0.60, 0.20}, {0.35, 0.35, 0.35}, {0.55, 0.35, 0.20},
    {0.20, 0.13, 0.53},
};

typedef struct {
    cairo_t *cr;
    cairo_surface_t *surface;
    double x0, x1, y0, y1; /* what the axes span */
    bool log_y;
} chart;

static double place_x(const chart *c, double x)
{
    return LEFT + SIDE_W * (x - c->x0) / (c->x1 - c->x0);
}

static double place_y(const chart *c, double y)
{
    double at = c->log_y ? log10(y) : y;
    return TOP + SIDE_H * (1 - (at - c->y0) / (c->y1 - c->y0));
}

static void hue(cairo_t *cr, int i)
{
    cairo_set_source_rgb(cr, hues[i % 10][0], hues[i % 10][1], hues[i % 10][2]);
}

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
        grid_line(c->cr, place_x(c, x), TOP, place_x(c, x), TOP + SIDE_H);
        paper_text(c->cr, place_x(c, x), TOP + SIDE_H + 18, 0.5, text);
    }
}

static void tick_y(chart *c, double y)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", y);
    grid_line(c->cr, LEFT, place_y(c, y), LEFT + SIDE_W, place_y(c, y));
    paper_text(c->cr, LEFT - 6, place_y(c, y) + 4, 1, text);
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

static void labels(chart *c, const char *title, const char *x_label,
                   const char *y_label)
{
    cairo_t *cr = c->cr;
    cairo_set_font_size(cr, 16);
    paper_text(cr, LEFT + SIDE_W / 2.0, 26, 0.5, title);
    cairo_set_font_size(cr, 13);
    paper_text(cr, LEFT + SIDE_W / 2.0, TOP + SIDE_H + 42, 0.5, x_label);
    cairo_save(cr);
    cairo_translate(cr, 20, TOP + SIDE_H / 2.0);
    cairo_rotate(cr, -PI / 2);
    paper_text(cr, 0, 0, 0.5, y_label);
    cairo_restore(cr);
}

static void chart_open(chart *c, const char *title, const char *x_label,
                       const char *y_label)
{
    c->surface =
        paper_open(LEFT + SIDE_W + RIGHT, TOP + SIDE_H + BOTTOM, &c->cr);
    paper_face(c->cr, 12);
    cairo_set_line_width(c->cr, 1);
    labels(c, title, x_label, y_label);
    cairo_set_font_size(c->cr, 12);
    ticks_x(c);
    ticks_y(c);
    cairo_rectangle(c->cr, LEFT, TOP, SIDE_W, SIDE_H);
    cairo_stroke(c->cr);
}

static void widen(double *low, double *high)
{
    if (!(*low <= *high)) {
        *low = 0;
        *high = 1;
    }
    double room = *high > *low ? 0.04 * (*high - *low) : 0.5;
    *low -= room;
    *high += room;
}

/* ---- Curves ------------------------------------------------------------- */

static bool drawable(const chart *c, double y)
{
    return isfinite(y) && (!c->log_y || y > 0);
}

static void span_curves(chart *c, const curve *curves, int count)
{
    c->x0 = c->y0 = INFINITY;
    c->x1 = c->y1 = -INFINITY;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < curves[i].count; j++) {
            if (!drawable(c, curves[i].y[j]))
                continue;
            double y = c->log_y ? log10(curves[i].y[j]) : curves[i].y[j];
            c->x0 = fmin(c->x0, curves[i].x[j]);
            c->x1 = fmax(c->x1, curves[i].x[j]);
            c->y0 = fmin(c->y0, y);
            c->y1 = fmax(c->y1, y);
        }
    if (!(c->x0 < c->x1)) {
        c->x0 = isfinite(c->x0) ? c->x0 - 1 : 0;
        c->x1 = c->x0 + 2;
    }
    widen(&c->y0, &c->y1);
}

static void legend_line(const chart *c, int i, const char *name)
{
    double y = TOP + 14 + 20 * i, x = LEFT + SIDE_W + 12;
    hue(c->cr, i);
    cairo_set_line_width(c->cr, 3);
    cairo_move_to(c->cr, x, y - 4);
    cairo_line_to(c->cr, x + 18, y - 4);
    cairo_stroke(c->cr);
    cairo_set_source_rgb(c->cr, 0.2, 0.2, 0.2);
    paper_text(c->cr, x + 24, y, 0, name);
}

static void draw_curve(chart *c, int i, const curve *line)
{
    hue(c->cr, i);
    cairo_set_line_width(c->cr, 2);
    for (int j = 0; j < line->count; j++)
        if (drawable(c, line->y[j]))
            cairo_line_to(c->cr, place_x(c, line->x[j]),
                          place_y(c, line->y[j]));
    cairo_stroke(c->cr);
    for (int j = 0; j < line->count && line->count <= 40; j++) {
        if (!drawable(c, line->y[j]))
            continue;
        cairo_arc(c->cr, place_x(c, line->x[j]), place_y(c, line->y[j]), 3, 0,
                  2 * PI);
        cairo_fill(c->cr);
    }
}

bool figure_curves(const char *path, const char *title, const char *x_label,
                   const char *y_label, const curve *curves, int count,
                   bool logarithmic)
{
    chart c = {.log_y = logarithmic};
    span_curves(&c, curves, count);
    chart_open(&c, title, x_label, y_label);
    for (int i = 0; i < count; i++) {
        draw_curve(&c, i, &curves[i]);
        legend_line(&c, i, curves[i].name);
    }
    return paper_save(c.surface, c.cr, path);
}

/* ---- Points ------------------------------------------------------------- */

static void legend_dot(const chart *c, int label)
{
    char name[32];
    double y = TOP + 14 + 22 * label, x = LEFT + SIDE_W + 22;
    hue(c->cr, label);
    cairo_arc(c->cr, x, y - 4, 6, 0, 2 * PI);
    cairo_fill(c->cr);
    cairo_set_source_rgb(c->cr, 0.2, 0.2, 0.2);
    snprintf(name, sizeof name, "class %d", label);
    paper_text(c->cr, x + 14, y, 0, name);
}

static void span_points(const double *v, int64_t n, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            *low = fmin(*low, v[i]);
            *high = fmax(*high, v[i]);
        }
    widen(low, high);
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
    cairo_move_to(c->cr, place_x(c, mx / count) - 6,
                  place_y(c, my / count) + 7);
    cairo_text_path(c->cr, name);
    cairo_set_source_rgb(c->cr, 1, 1, 1);
    cairo_set_line_width(c->cr, 4);
    cairo_stroke_preserve(c->cr);
    cairo_set_source_rgb(c->cr, 0.1, 0.1, 0.1);
    cairo_fill(c->cr);
    cairo_set_font_size(c->cr, 12);
}

bool figure_scatter(const char *path, const char *title, const char *x_label,
                    const char *y_label, const double *x, const double *y,
                    const int32_t *classes_of, int64_t count, int classes)
{
    chart c = {0};
    span_points(x, count, &c.x0, &c.x1);
    span_points(y, count, &c.y0, &c.y1);
    chart_open(&c, title, x_label, y_label);
    for (int64_t i = 0; i < count; i++) {
        int label = classes_of && classes_of[i] >= 0 ? classes_of[i] % 10 : 0;
        if (!isfinite(x[i]) || !isfinite(y[i]))
            continue;
        cairo_set_source_rgba(c.cr, hues[label][0], hues[label][1],
                              hues[label][2], 0.7);
        cairo_arc(c.cr, place_x(&c, x[i]), place_y(&c, y[i]), 2.2, 0, 2 * PI);
        cairo_fill(c.cr);
    }
    for (int i = 0; classes_of && i < classes && i < 10; i++) {
        legend_dot(&c, i);
        name_class(&c, i, x, y, classes_of, count);
    }
    return paper_save(c.surface, c.cr, path);
}

/* ---- Histograms --------------------------------------------------------- */

enum { BINS = 60 };

static void histogram(const double *v, int64_t n, double low, double high,
                      double *x, double *y)
{
    double width = (high - low) / BINS;
    for (int i = 0; i < BINS; i++) {
        x[i] = low + (i + 0.5) * width;
        y[i] = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        int bin = (int)((v[i] - low) / width);
        if (bin >= 0 && bin < BINS)
            y[bin] += 1 / ((double)n * width);
    }
}

bool figure_histograms(const char *path, const char *title, const char *x_label,
                       const double *a, const char *a_name, const double *b,
                       const char *b_name, int64_t count)
{
    double low, high, low_b, high_b, x[BINS], ya[BINS], yb[BINS];
    span_points(a, count, &low, &high);
    span_points(b, count, &low_b, &high_b);
    low = fmin(low, low_b);
    high = fmax(high, high_b);
    histogram(a, count, low, high, x, ya);
    histogram(b, count, low, high, x, yb);
    curve curves[] = {{a_name, x, ya, BINS}, {b_name, x, yb, BINS}};
    return figure_curves(path, title, x_label, "density", curves, 2, false);
}

#else

bool figure_curves(const char *path, const char *title, const char *x_label,
                   const char *y_label, const curve *curves, int count,
                   bool logarithmic)
{
    (void)title, (void)x_label, (void)y_label, (void)curves, (void)count;
    (void)logarithmic;
    return no_cairo(path);
}

bool figure_scatter(const char *path, const char *title, const char *x_label,
                    const char *y_label, const double *x, const double *y,
                    const int32_t *labels, int64_t count, int classes)
{
    (void)title, (void)x_label, (void)y_label, (void)x, (void)y;
    (void)labels, (void)count, (void)classes;
    return no_cairo(path);
}

bool figure_histograms(const char *path, const char *title, const char *x_label,
                       const double *a, const char *a_name, const double *b,
                       const char *b_name, int64_t count)
{
    (void)title, (void)x_label, (void)a, (void)a_name, (void)b, (void)b_name;
    (void)count;
    return no_cairo(path);
}

#endif
