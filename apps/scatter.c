/* scatter.c - points on a chart, coloured and named by class. */
#include "apps/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void class_name(const hg_data *data, int32_t label, char *text, size_t size)
{
    const char *name = hg_data_class_name(data, label);
    if (name)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "class %d", (int)label);
}

#ifdef HG_HAVE_CAIRO

enum { NAME = 256, TRIED = 400 };

typedef struct {
    chart c;
    const double *x, *y;
    const int32_t *label; /* NULL: there are none */
    int64_t count;
    const hg_data *data;       /* knows the classes */
    int32_t shown[CHART_HUES]; /* classes with a colour of their own */
    int classes;               /* of these */
    bool others;               /* points in grey */
    cairo_rectangle_t taken[CHART_HUES]; /* by names on the map */
    int names;
} map;

/* ---- Which classes have a colour ---------------------------------------- */

/* The place among the colours; -1: grey. */
static int hue_of(const map *m, int64_t i)
{
    int k = 0;
    if (!m->label)
        return 0;
    while (k < m->classes && m->shown[k] != m->label[i])
        k++;
    return k < m->classes ? k : -1;
}

/* The class with the most points that is not among the first k. */
static int32_t next_frequent(const map *m, const int64_t *points, int classes)
{
    int32_t best = -1;
    for (int32_t i = 0; i < classes; i++) {
        bool had = false;
        for (int j = 0; j < m->classes; j++)
            had |= m->shown[j] == i;
        if (!had && (best < 0 || points[i] > points[best]))
            best = i;
    }
    return best;
}

static int by_number(const void *a, const void *b)
{
    int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    return (i > j) - (i < j);
}

/* There are ten colours that can be told apart. */
static bool choose_classes(map *m)
{
    int all = m->label ? hg_data_classes(m->data) : 0;
    int64_t *points = calloc((size_t)all + 1, sizeof *points);
    if (!points)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the classes");
    for (int64_t i = 0; m->label && i < m->count; i++)
        if (m->label[i] >= 0 && m->label[i] < all)
            points[m->label[i]]++;
    for (; m->classes < all && m->classes < CHART_HUES; m->classes++)
        m->shown[m->classes] = next_frequent(m, points, all);
    qsort(m->shown, (size_t)m->classes, sizeof *m->shown, by_number);
    for (int64_t i = 0; i < m->count; i++)
        m->others |= hue_of(m, i) < 0;
    free(points);
    return true;
}

/* ---- Points and legend -------------------------------------------------- */

/* Grey ones lie below the others. */
static void draw_points(const map *m)
{
    for (int grey = 1; grey >= 0; grey--)
        for (int64_t i = 0; i < m->count; i++) {
            int hue = hue_of(m, i);
            if ((hue < 0) != grey)
                continue;
            if (grey)
                chart_grey(m->c.cr, 0.7);
            else
                chart_hue(m->c.cr, hue, 0.7);
            chart_dot(&m->c, m->x[i], m->y[i], 2.2);
        }
}

/* Cuts a name to a width; a folder's name may be no text at all. */
static void fit_name(cairo_t *cr, char *name, double width)
{
    json_t *text = json_string(name);
    for (char *p = name; !text && *p; p++)
        *p = (char)((unsigned char)*p < 0x80 ? *p : '?');
    json_decref(text);
    size_t n = strlen(name);
    while (n > 1 && paper_width(cr, name) > width) {
        while (n > 1 && ((unsigned char)name[n - 1] & 0xc0) == 0x80)
            n--;
        n--;
        snprintf(name + n, NAME - n, "...");
    }
}

static void draw_key(const map *m, int line, int hue, char *name)
{
    fit_name(m->c.cr, name, 108);
    double y = chart_legend(&m->c, line, name);
    if (hue < 0)
        chart_grey(m->c.cr, 1);
    else
        chart_hue(m->c.cr, hue, 1);
    cairo_arc(m->c.cr, m->c.left + m->c.width + 22, y, 6, 0, 7);
    cairo_fill(m->c.cr);
}

static void draw_legend(const map *m)
{
    char name[NAME] = "others";
    if (m->others)
        draw_key(m, m->classes, -1, name);
    for (int i = 0; i < m->classes; i++) {
        class_name(m->data, m->shown[i], name, sizeof name);
        draw_key(m, i, i, name);
    }
}

/* ---- Names amid the points: hues alone do not tell ten apart ------------- */

typedef struct {
    double x, y, far; /* pixels; the sum of distances to the others */
} candidate;

static int by_distance(const void *a, const void *b)
{
    double d = ((const candidate *)a)->far - ((const candidate *)b)->far;
    return (d > 0) - (d < 0);
}

/* Points of a class, the one in their midst first: a mean may lie where there
 * is none of them. Of many, some from all over. */
static int find_candidates(const map *m, int hue, candidate *out)
{
    int64_t points = 0, seen = 0;
    int n = 0;
    for (int64_t i = 0; i < m->count; i++)
        points += hue_of(m, i) == hue;
    for (int64_t i = 0; i < m->count; i++) {
        if (hue_of(m, i) != hue || !isfinite(m->x[i]) || !isfinite(m->y[i]))
            continue;
        if (points <= TRIED || seen++ * TRIED / points >= n)
            out[n++] = (candidate){chart_x(&m->c, m->x[i]),
                                   chart_y(&m->c, m->y[i]), 0};
        if (n == TRIED)
            break;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            out[i].far += hypot(out[i].x - out[j].x, out[i].y - out[j].y);
    qsort(out, (size_t)n, sizeof *out, by_distance);
    return n;
}

static bool is_free(const map *m, const cairo_rectangle_t *r)
{
    const chart *c = &m->c;
    bool inside = r->x > c->left && r->x + r->width < c->left + c->width &&
                  r->y > c->top && r->y + r->height < c->top + c->height;
    for (int i = 0; inside && i < m->names; i++) {
        const cairo_rectangle_t *t = &m->taken[i];
        if (r->x < t->x + t->width && t->x < r->x + r->width &&
            r->y < t->y + t->height && t->y < r->y + r->height)
            return false;
    }
    return inside;
}

static void write_name(const map *m, const char *name,
                       const cairo_rectangle_t *r)
{
    cairo_move_to(m->c.cr, r->x + 2, r->y + r->height - 2);
    cairo_text_path(m->c.cr, name);
    cairo_set_source_rgb(m->c.cr, 1, 1, 1);
    cairo_set_line_width(m->c.cr, 4);
    cairo_stroke_preserve(m->c.cr);
    cairo_set_source_rgb(m->c.cr, 0.1, 0.1, 0.1);
    cairo_fill(m->c.cr);
}

/* At the first candidate where it covers no other name; else the legend has
 * it alone. */
static void name_class(map *m, int hue)
{
    char name[NAME];
    candidate at[TRIED];
    bool named = hg_data_class_name(m->data, m->shown[hue]) != NULL;
    double size = named ? 13 : 19, above = named ? size : 0;
    int n = find_candidates(m, hue, at);
    class_name(m->data, m->shown[hue], name, sizeof name);
    if (!named)
        snprintf(name, sizeof name, "%d", (int)m->shown[hue]);
    cairo_set_font_size(m->c.cr, size);
    fit_name(m->c.cr, name, 160);
    double width = paper_width(m->c.cr, name) + 4;
    for (int i = 0; i < n; i++) {
        cairo_rectangle_t r = {at[i].x - width / 2, at[i].y - size / 2 - above,
                               width, size};
        if (!is_free(m, &r))
            continue;
        m->taken[m->names++] = r;
        write_name(m, name, &r);
        return;
    }
}

bool figure_scatter(const char *path, const char *title, const char *x_label,
                    const char *y_label, const double *x, const double *y,
                    const int32_t *labels, int64_t count, const hg_data *data)
{
    map m = {
        .c = {.x0 = INFINITY, .x1 = -INFINITY, .y0 = INFINITY, .y1 = -INFINITY},
        .x = x,
        .y = y,
        .label = hg_data_classes(data) ? labels : NULL,
        .count = count,
        .data = data};
    if (!choose_classes(&m))
        return false;
    chart_span(x, count, &m.c.x0, &m.c.x1);
    chart_span(y, count, &m.c.y0, &m.c.y1);
    chart_widen(&m.c.x0, &m.c.x1);
    chart_widen(&m.c.y0, &m.c.y1);
    chart_open(&m.c, title, x_label, y_label);
    draw_points(&m);
    draw_legend(&m);
    for (int i = 0; i < m.classes; i++)
        name_class(&m, i);
    return paper_save(m.c.surface, m.c.cr, path, title);
}

#else

bool figure_scatter(const char *path, const char *title, const char *x_label,
                    const char *y_label, const double *x, const double *y,
                    const int32_t *labels, int64_t count, const hg_data *data)
{
    (void)title, (void)x_label, (void)y_label, (void)x, (void)y;
    (void)labels, (void)count, (void)data;
    return no_cairo(path);
}

#endif
