/* report.h - what a run looks like to a person. */
#ifndef HG_REPORT_H
#define HG_REPORT_H

#include "apps/app.h"
#include "datasets/data.h"

/* ---- png_text.c: what a picture says of itself --------------------------- */

/* What pictures are of from now on: the run, its seed. */
void describe_pictures(const char *format, ...) HG_PRINTF(1, 2);
typedef bool file_writer(const char *path, const char *bytes, size_t size);
/* Writes the bytes of a PNG with texts: Software, Title (NULL: none) and
 * Description. */
bool write_png(const char *path, const char *bytes, size_t size,
               const char *title, file_writer *);

/* ---- picture.c: images as they are, through libpng ---------------------- */

/* A grid of `count` images in [0, 1], [count, c * h * w] (c is 1 or 3), row by
 * row, `columns` wide, `zoom` pixels a pixel, on white. */
bool picture_grid(const char *path, const hg_real *images, hg_shape item,
                  int64_t count, int64_t columns, int zoom);
/* One image [c, h, w] as a file, a pixel a pixel. */
bool picture_plain(const char *path, const double *image, hg_shape item);

/* ---- figure.c: charts with axes, through cairo -------------------------- */

typedef struct {
    const char *name;
    const double *x, *y;
    int count;
} curve;

/* Lines with axes, ticks, grid and a legend; a logarithmic y axis, which its
 * label tells, if asked and if they span a decade. */
bool figure_curves(const char *path, const char *title, const char *x_label,
                   const char *y_label, const curve *, int count,
                   bool logarithmic);
/* Points coloured by label, with the names of the classes of `data`: of more
 * than ten classes the others are grey. One colour where it has none. */
bool figure_scatter(const char *path, const char *title, const char *x_label,
                    const char *y_label, const double *x, const double *y,
                    const int32_t *labels, int64_t count, const hg_data *data);
/* The name of a class, or "class 3" where it has none. */
void class_name(const hg_data *, int32_t label, char *text, size_t size);

/* Two sets of `count` values as densities over one axis. */
bool figure_histograms(const char *path, const char *title, const char *x_label,
                       const double *a, const char *a_name, const double *b,
                       const char *b_name, int64_t count);

/* A panel for each of the first 16 dimensions of codes [count, width], with
 * draws from the prior [drawn, width] over them (NULL: none). */
bool figure_marginals(const char *path, const char *title, int64_t width,
                      const double *codes, int64_t count, const double *draws,
                      int64_t drawn);

/* ---- report.c ----------------------------------------------------------- */

/* RUN/report.html: settings, results and pictures in one file that needs no
 * network, made from what lies in the run's folder. */
bool report_write(const char *run);

/* Several runs on one such page; `table` has an object of metrics a run. */
bool report_compare(const char *path, const char *const *runs, int count,
                    const json_t *table);

#endif
