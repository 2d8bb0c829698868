/* tsne.h - the parts of t-SNE, for its files and tests. */
#ifndef HG_TSNE_H
#define HG_TSNE_H

#include "models/measure.h"
#include "tensor/internal.h"

/* How much two points belong together: p_ij, symmetric, adding up to 1, kept
 * by rows for near points only. */
typedef struct {
    int64_t n;
    int64_t *start;  /* [n + 1] */
    int32_t *column; /* [start[n]] */
    double *p;
} hg_affinities;

/* From points: each has 3 * perplexity neighbours, whose Gaussian is as wide
 * as the perplexity asks. In the region. */
bool hg_affinities_make(hg_context *, hg_region *, hg_points, double perplexity,
                        hg_affinities *);

/* A quadtree over a map [n, 2]; memory for it comes from the region once. */
typedef struct {
    double x, y;      /* centre of mass */
    double left, top; /* corner of the square */
    double side;
    int64_t count;
    int32_t child[4]; /* 0: none */
    bool leaf;
} hg_cell;

typedef struct {
    hg_cell *cells;
    int64_t used, room, points;
    int32_t *leaf_of;  /* [n]: where a point lies */
    int32_t *resident; /* [room]: the point of a leaf */
} hg_quadtree;

bool hg_quadtree_make(hg_quadtree *, hg_region *, int64_t n);
void hg_quadtree_build(hg_quadtree *, const double *map, int64_t n);
/* Sums over the other points j of w and of w^2 (y_i - y_j), where
 * w = 1 / (1 + |y_i - y_j|^2); a cell whose side is below theta times its
 * distance counts as one point. */
double hg_quadtree_push(const hg_quadtree *, const double *map, int64_t i,
                        double theta, double push[2]);

/* The gradient [n, 2] of KL(P || Q) in the map, P's attraction times
 * `exaggeration`; push [n, 3] is scratch. Returns the KL in nats. */
double hg_tsne_gradient(hg_context *, const hg_affinities *, hg_quadtree *,
                        const double *map, double theta, double exaggeration,
                        double *push, double *gradient);

#endif
