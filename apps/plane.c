/* plane.c - where the data are points in the plane, and no images: what the
 * model makes of them in colour over the data in grey, a panel for each name
 * that a wall of images would have beside its rows. */
#include "apps/chart.h"
#include "apps/view.h"

#include <math.h>
#include <string.h>

bool is_plane(hg_shape item)
{
    return hg_shape_numel(item) == 2;
}

bool refuse_plane(hg_shape item, const char *what)
{
    return !is_plane(item) ||
           hg_fail(HG_ERROR_ARGUMENT,
                   "the data are points in the plane, which %s; "
                   "`hourglass encode` makes a table of them",
                   what);
}

bool view_gallery(const view *v, const char *path, const gallery *g,
                  const double *images)
{
    cloud data = {0};
    if (!is_plane(g->item))
        return gallery_write(path, g, images);
    bool ok = cloud_items(&data, &v->w, v->model,
                          hg_data_spread(v->data, PLANE_POINTS), 0, PIXELS) &&
              plane_write(path, g, images, &data);
    cloud_free(&data);
    return ok;
}

#ifdef HG_HAVE_CAIRO

enum { PANELS = 16, ACROSS = 4, LEFT = 52, TITLE = 44, HEAD = 24, FOOT = 38 };

typedef struct {
    const gallery *g;
    const double *points; /* [rows * columns, 2] */
    const cloud *data;
    const char *name[PANELS];
    int count, side; /* panels; pixels of one */
    bool more;       /* names than panels */
    double x0, x1, y0, y1;
} sheet;

/* By rows; by columns where only those have names. */
static bool by_column(const gallery *g)
{
    return !g->row_names && g->column_names;
}

/* " " continues the name before it. */
static const char *name_at(const gallery *g, int64_t i)
{
    const char *const *names = by_column(g) ? g->column_names : g->row_names;
    i = by_column(g) ? i % g->columns : i / g->columns;
    while (names && i > 0 && !strcmp(names[i], " "))
        i--;
    return names ? names[i] : "";
}

static int panel_of(const sheet *s, const char *name)
{
    int i = 0;
    while (i < s->count && strcmp(s->name[i], name))
        i++;
    return i;
}

static void find_panels(sheet *s)
{
    for (int64_t i = 0; i < s->g->rows * s->g->columns; i++) {
        const char *name = name_at(s->g, i);
        if (panel_of(s, name) < s->count)
            continue;
        if (s->count < PANELS)
            s->name[s->count++] = name;
        else
            s->more = true;
    }
    s->side = s->count == 1 ? 440 : 210;
}

static void span_pairs(const double *v, int64_t n, double low[2],
                       double high[2])
{
    for (int64_t i = 0; i < 2 * n; i++)
        chart_span(v + i, 1, &low[i % 2], &high[i % 2]);
}

/* The same length along both axes: a circle is round. */
static void find_span(sheet *s)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    span_pairs(s->data->values, s->data->count, low, high);
    span_pairs(s->points, s->g->rows * s->g->columns, low, high);
    for (int i = 0; i < 2; i++)
        chart_widen(&low[i], &high[i]);
    double half = fmax(high[0] - low[0], high[1] - low[1]) / 2;
    s->x0 = (low[0] + high[0]) / 2 - half;
    s->x1 = s->x0 + 2 * half;
    s->y0 = (low[1] + high[1]) / 2 - half;
    s->y1 = s->y0 + 2 * half;
}

static void draw_way(const chart *c, const double *points, int64_t n)
{
    cairo_set_line_width(c->cr, 1.2);
    for (int64_t i = 0; i < n; i++)
        if (isfinite(points[2 * i]) && isfinite(points[2 * i + 1]))
            cairo_line_to(c->cr, chart_x(c, points[2 * i]),
                          chart_y(c, points[2 * i + 1]));
    cairo_stroke(c->cr);
}

static void draw_points(const sheet *s, const chart *c, int panel)
{
    const gallery *g = s->g;
    for (int64_t i = 0; i < g->rows * g->columns; i++) {
        if (panel_of(s, name_at(g, i)) != panel)
            continue;
        chart_hue(c->cr, g->ways ? (int)(i / g->columns) : 0, 0.75);
        chart_dot(c, s->points[2 * i], s->points[2 * i + 1], 2.4);
        if (g->ways && i % g->columns == 0)
            draw_way(c, s->points + 2 * i, g->columns);
    }
}

static void draw_panel(const sheet *s, cairo_t *cr, int panel)
{
    chart c = {.cr = cr,
               .left = LEFT + panel % ACROSS * (s->side + LEFT),
               .top = TITLE + HEAD + panel / ACROSS * (s->side + HEAD + FOOT),
               .width = s->side,
               .height = s->side,
               .x0 = s->x0,
               .x1 = s->x1,
               .y0 = s->y0,
               .y1 = s->y1};
    chart_axes(&c);
    paper_text(cr, c.left, c.top - 7, 0, s->name[panel]);
    cairo_rectangle(cr, c.left, c.top, c.width, c.height);
    cairo_save(cr);
    cairo_clip(cr);
    chart_grey(cr, 0.8);
    for (int64_t i = 0; i < s->data->count; i++)
        chart_dot(&c, s->data->values[2 * i], s->data->values[2 * i + 1], 1.8);
    draw_points(s, &c, panel);
    cairo_restore(cr);
}

bool plane_write(const char *path, const gallery *g, const double *points,
                 const cloud *data)
{
    cairo_t *cr;
    sheet s = {.g = g, .points = points, .data = data};
    find_panels(&s);
    find_span(&s);
    int across = s.count < ACROSS ? s.count : ACROSS;
    int lines = (s.count + ACROSS - 1) / ACROSS;
    int width = LEFT / 2 + across * (s.side + LEFT);
    int height = TITLE + lines * (s.side + HEAD + FOOT) + 20;
    cairo_surface_t *surface = paper_open(width, height, &cr);
    for (int i = 0; i < s.count; i++)
        draw_panel(&s, cr, i);
    paper_text(cr, width / 2.0, height - 10, 0.5, "grey: the data");
    paper_face(cr, 15);
    paper_text(cr, width / 2.0, 26, 0.5, g->title);
    return paper_save(surface, cr, path, g->title);
}

#else

bool plane_write(const char *path, const gallery *g, const double *points,
                 const cloud *data)
{
    (void)g, (void)points, (void)data;
    return no_cairo(path);
}

#endif
