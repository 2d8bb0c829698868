/* figure.c - curves, and what is drawn as curves, through cairo. */
#include "apps/chart.h"

#include <math.h>

#ifdef HG_HAVE_CAIRO

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
    chart_widen(&c->y0, &c->y1);
}

static void draw_key(const chart *c, int i, const char *name)
{
    double y = chart_legend(c, i, name), x = c->left + c->width + 12;
    chart_hue(c->cr, i, 1);
    cairo_set_line_width(c->cr, 3);
    cairo_move_to(c->cr, x, y);
    cairo_line_to(c->cr, x + 18, y);
    cairo_stroke(c->cr);
}

static void draw_curve(const chart *c, int i, const curve *line)
{
    chart_hue(c->cr, i, 1);
    cairo_set_line_width(c->cr, 2);
    for (int j = 0; j < line->count; j++)
        if (drawable(c, line->y[j]))
            cairo_line_to(c->cr, chart_x(c, line->x[j]),
                          chart_y(c, line->y[j]));
    cairo_stroke(c->cr);
    for (int j = 0; j < line->count && line->count <= 40; j++)
        if (drawable(c, line->y[j]))
            chart_dot(c, line->x[j], line->y[j], 3);
}

bool figure_curves(const char *path, const char *title, const char *x_label,
                   const char *y_label, const curve *curves, int count,
                   bool logarithmic)
{
    char label[160];
    chart c = {.log_y = logarithmic};
    span_curves(&c, curves, count);
    if (c.log_y && c.y1 - c.y0 < 1) { /* within a decade figures are few */
        c.log_y = false;
        span_curves(&c, curves, count);
    }
    snprintf(label, sizeof label, "%s%s", y_label,
             c.log_y ? " (logarithmic axis)" : "");
    chart_open(&c, title, x_label, label);
    for (int i = 0; i < count; i++) {
        draw_curve(&c, i, &curves[i]);
        draw_key(&c, i, curves[i].name);
    }
    return paper_save(c.surface, c.cr, path, title);
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
    double low = INFINITY, high = -INFINITY, x[BINS], ya[BINS], yb[BINS];
    chart_span(a, count, &low, &high);
    chart_span(b, count, &low, &high);
    chart_widen(&low, &high);
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

bool figure_histograms(const char *path, const char *title, const char *x_label,
                       const double *a, const char *a_name, const double *b,
                       const char *b_name, int64_t count)
{
    (void)title, (void)x_label, (void)a, (void)a_name, (void)b, (void)b_name;
    (void)count;
    return no_cairo(path);
}

#endif
