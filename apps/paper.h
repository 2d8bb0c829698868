/* paper.h - what charts and walls of images share: lettering, and the file. */
#ifndef HG_PAPER_H
#define HG_PAPER_H

#include "apps/report.h"

#ifdef HG_HAVE_CAIRO

#include <cairo.h>

/* White, of this size in pixels, to be drawn on with *cr; given back by
 * paper_save. */
cairo_surface_t *paper_open(int width, int height, cairo_t **cr);
/* Writes it as a PNG that appears whole or not at all; frees both. */
bool paper_save(cairo_surface_t *, cairo_t *, const char *path,
                const char *title);

/* The letters of this size, and dark. */
void paper_face(cairo_t *, double size);
double paper_width(cairo_t *, const char *text);
/* align: 0 begins at x, 0.5 is centred, 1 ends there. */
void paper_text(cairo_t *, double x, double y, double align, const char *text);

#endif

/* For a build without the library: false with a sentence. */
bool no_cairo(const char *path);

#endif
