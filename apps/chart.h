/* chart.h - a field with axes, which curves, points and panels are drawn in. */
#ifndef HG_CHART_H
#define HG_CHART_H

#include "apps/paper.h"

#ifdef HG_HAVE_CAIRO

typedef struct {
    cairo_t *cr;
    cairo_surface_t *surface;
    double left, top, width, height; /* of the field, in pixels */
    double x0, x1, y0, y1;           /* what it spans; y0, y1 as log10 with */
    bool log_y;
} chart;

enum { CHART_HUES = 10 };

double chart_x(const chart *, double x);
double chart_y(const chart *, double y);
/* The colour of the i-th curve or class; grey for what has none. */
void chart_hue(cairo_t *, int i, double alpha);
void chart_grey(cairo_t *, double alpha);
void chart_dot(const chart *, double x, double y, double radius);

/* The least and the greatest finite value so far, from INFINITY, -INFINITY. */
void chart_span(const double *v, int64_t n, double *low, double *high);
/* Some room beside them; 0 to 1 where there was nothing. */
void chart_widen(double *low, double *high);

/* A picture with this one chart, and room for a legend to the right. */
void chart_open(chart *, const char *title, const char *x_label,
                const char *y_label);
/* Grid, figures and frame. */
void chart_axes(chart *);
/* A line of the legend; where its mark goes. */
double chart_legend(const chart *, int line, const char *name);

#endif

#endif
