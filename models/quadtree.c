/* quadtree.c - many points seen from afar count as one (Barnes and Hut, 1986).
 */
#include "models/tsne.h"

#include <math.h>

enum { CELLS_PER_POINT = 6, MOST_DEPTH = 64 };

bool hg_quadtree_make(hg_quadtree *t, hg_region *region, int64_t n)
{
    t->points = n; /* may each need a cell that is not split for it */
    t->room = CELLS_PER_POINT * n + 8;
    t->cells = hg_region_take(region, (size_t)t->room * sizeof *t->cells);
    t->leaf_of = hg_region_take(region, (size_t)n * sizeof *t->leaf_of + 1);
    t->resident = hg_region_take(region, (size_t)t->room * sizeof(int32_t));
    return t->cells && t->leaf_of && t->resident;
}

static hg_cell square(double left, double top, double side)
{
    return (hg_cell){.left = left, .top = top, .side = side, .leaf = true};
}

static hg_cell around(const double *map, int64_t n)
{
    double x0 = map[0], x1 = x0, y0 = map[1], y1 = y0;
    for (int64_t i = 1; i < n; i++) {
        x0 = fmin(x0, map[2 * i]);
        x1 = fmax(x1, map[2 * i]);
        y0 = fmin(y0, map[2 * i + 1]);
        y1 = fmax(y1, map[2 * i + 1]);
    }
    return square(x0, y0, fmax(x1 - x0, y1 - y0) * (1 + 1e-9) + 1e-300);
}

/* The quarter of a cell in which (x, y) lies, made if it is not there. */
static int32_t quarter(hg_quadtree *t, int32_t cell, double x, double y)
{
    hg_cell *c = &t->cells[cell];
    double half = c->side / 2;
    int right = x >= c->left + half, below = y >= c->top + half;
    int32_t *child = &c->child[2 * below + right];
    if (!*child) {
        t->cells[t->used] =
            square(c->left + right * half, c->top + below * half, half);
        *child = (int32_t)t->used++;
    }
    return *child;
}

static void add_mass(hg_cell *c, double x, double y)
{
    double n = (double)++c->count;
    c->x += (x - c->x) / n;
    c->y += (y - c->y) / n;
}

/* A leaf with one point hands it down before it takes a second one; where two
 * points are too close, or there is no room, a leaf holds several. */
static void insert(hg_quadtree *t, const double *map, int32_t i)
{
    double x = map[2 * i], y = map[2 * i + 1];
    int32_t at = 0;
    for (int depth = 0;; depth++) {
        hg_cell *c = &t->cells[at];
        if (c->leaf && c->count && depth < MOST_DEPTH &&
            t->used + t->points + 2 < t->room) {
            int32_t other = t->resident[at];
            int32_t to = quarter(t, at, map[2 * other], map[2 * other + 1]);
            add_mass(&t->cells[to], map[2 * other], map[2 * other + 1]);
            t->resident[to] = other;
            t->leaf_of[other] = to;
            c->leaf = false;
        }
        add_mass(c, x, y);
        if (c->leaf) {
            t->resident[at] = i;
            t->leaf_of[i] = at;
            return;
        }
        at = quarter(t, at, x, y);
    }
}

void hg_quadtree_build(hg_quadtree *t, const double *map, int64_t n)
{
    t->cells[0] = around(map, n);
    t->used = 1;
    for (int64_t i = 0; i < n; i++)
        insert(t, map, (int32_t)i);
}

double hg_quadtree_push(const hg_quadtree *t, const double *map, int64_t i,
                        double theta, double push[2])
{
    int32_t stack[3 * MOST_DEPTH + 8];
    int depth = 0;
    double sum = 0, x = map[2 * i], y = map[2 * i + 1];
    push[0] = push[1] = 0;
    stack[depth++] = 0;
    while (depth) {
        int32_t at = stack[--depth];
        const hg_cell *c = &t->cells[at];
        double dx = x - c->x, dy = y - c->y, square = dx * dx + dy * dy;
        if (!c->leaf && !(c->side * c->side < theta * theta * square)) {
            for (int q = 0; q < 4; q++)
                if (c->child[q])
                    stack[depth++] = c->child[q];
            continue;
        }
        double others = (double)(c->count - (t->leaf_of[i] == at));
        double w = 1 / (1 + square);
        sum += others * w;
        push[0] += others * w * w * dx;
        push[1] += others * w * w * dy;
    }
    return sum;
}
