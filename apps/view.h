/* view.h - what the commands that look at a finished run share: opening it,
 * rows of codes and pixels, and pictures with lettering. */
#ifndef HG_VIEW_H
#define HG_VIEW_H

#include "apps/run.h"
#include "models/evaluation.h"

/* ---- view.c: a run, opened again ---------------------------------------- */

/* Rows that each of these commands has. */
#define VIEW_FLAGS                                                               \
    {"", NULL, "what is looked at", NULL, NULL, 0},                              \
        {"data", "NAME|PATH", "another data set than the run's", NULL, NULL, 0}, \
        {"data-dir", "DIR", "where named data sets lie", NULL, NULL, 0},         \
        {"split", "NAME", "train, val or test", "test", NULL, 0},                \
        {"seed", "N", "of random draws", "1", NULL, 0},                          \
        DEVICE_FLAGS("the run's", "fp32"),                                       \
    {                                                                            \
        "out", "DIR", "where runs lie", "runs", NULL, 'o'                        \
    }

/* Where a command leaves its picture. */
#define PICTURE_FLAG                                                           \
    {                                                                          \
        "to", "FILE", "the picture [RUN/pictures/COMMAND.png]", NULL, NULL, 0  \
    }

typedef struct {
    char run[1024]; /* its folder */
    json_t *config;
    settings s;
    workbench w;
    const hg_model *model;
    hg_data *data;   /* the split that is looked at */
    uint64_t seed;   /* of draws */
    bool whole;      /* set before opening: all of --data, in its own order */
    bool whole_path; /* the same if that is a folder or file */
} view;

/* Opens the run that is meant (NULL: the newest below --out) with its
 * weights, as VIEW_FLAGS say; the view is zero but for `whole`. */
bool view_open(view *, const char *run, const arguments *);
void view_close(view *);
/* Draws begin anew, whatever was drawn before. */
void view_reseed(view *);
/* False with a sentence, `what` naming the missing ability, unless `can`. */
bool view_can(const view *, bool can, const char *what);
/* Where the picture goes: --to, or `name` in the run's folder of pictures. */
path_text view_picture(const view *, const arguments *, const char *name);
/* A text in the quotes of a CSV file. */
void put_quoted(FILE *, const char *text);
/* The same where tabs separate, and most names need no quotes. */
void put_cell(FILE *, const char *text);
/* Where the picture of one item goes: under the name of its file, in the same
 * folders, or a number; empty with an error. */
path_text view_item_path(const view *, const char *folder, int64_t i);
/* Says where a picture went, and the exit code. */
int say_picture(const char *path);
/* The whole of a command that opens a run and shows something of it. */
int view_command(int argc, char **argv, const flag *flags, const char *usage,
                 bool (*show)(view *, const arguments *));

/* The same, with all images of --data. */
int view_whole(int argc, char **argv, const flag *flags, const char *usage,
               bool (*show)(view *, const arguments *));

/* The same, with all images of --data if that is a folder or file. */
int view_path(int argc, char **argv, const flag *flags, const char *usage,
              bool (*show)(view *, const arguments *));

/* ---- clouds.c: rows of numbers ------------------------------------------ */

typedef struct {
    double *values; /* [count, width] */
    int64_t count, width;
} cloud;

enum { AT_ONCE = 250 };

/* Gathers `count` rows from tensors [n, width] that `rows` makes of the items
 * from ... from + n - 1, AT_ONCE or fewer, each in an evaluation scope. */
bool cloud_fill(cloud *, hg_context *, int64_t count,
                hg_tensor *(*rows)(void *user, int64_t from, int64_t n),
                void *user);
void cloud_free(cloud *);
hg_points cloud_points(const cloud *);

/* Of the first `count` items (at most all; 0: all): pixels, codes, or draws
 * from q(z|x) where the model has them. */
typedef enum { PIXELS, CODES, POSTERIOR, RECONSTRUCTIONS } cloud_kind;
bool cloud_items(cloud *, const workbench *, const hg_model *, const hg_data *,
                 int64_t count, cloud_kind);
/* Takes away what a conditional model's codes, and its prior's draws, end with.
 */
bool cloud_drop_condition(cloud *, const workbench *, const hg_model *,
                          hg_data *);
/* Draws from the prior; codes decoded. */
bool cloud_prior(cloud *, const workbench *, const hg_model *, int64_t count);
bool cloud_decoded(cloud *, const workbench *, const hg_model *,
                   const cloud *codes);
/* Room for values that the caller fills; one row of them; NaN everywhere,
 * which a gallery leaves white. */
bool cloud_room(cloud *, int64_t count, int64_t width);
double *cloud_row(const cloud *, int64_t i);
void cloud_blank(cloud *);

/* ---- ranking.c ---------------------------------------------------------- */

/* `anomaly RUN`: images in the order of how little the model expects them. */
int run_ranking(int argc, char **argv);

/* ---- gallery.c: images with names --------------------------------------- */

typedef struct {
    const char *title;
    const char *x_label, *y_label;   /* of the axes, or NULL */
    const char *const *row_names;    /* [rows], or NULL */
    const char *const *column_names; /* [columns], or NULL */
    hg_shape item;                   /* [c, h, w], c is 1 or 3 */
    int64_t rows, columns;
    int zoom;  /* pixels a pixel; 0: 2; more where it would be hard to see */
    bool ways; /* a row is a way: points in the plane are joined along it */
} gallery;

/* images [rows * columns, c * h * w] in [0, 1]; a row of NaN leaves its place
 * empty. */
bool gallery_write(const char *path, const gallery *, const double *images);

/* ---- bands.c ------------------------------------------------------------ */

typedef struct {
    const char *title;
    hg_shape item;
    const cloud *x, *y; /* at least one image, as many reconstructions */
    int64_t columns;    /* at most */
    int zoom;           /* as a gallery's */
    bool with_sign;     /* differences: grey where right; else black there */
} bands;

/* Images above their reconstructions above the difference. */
bool bands_write(const char *path, const bands *);

/* ---- plane.c: the same for points in the plane -------------------------- */

enum { PLANE_POINTS = 1000 };

/* Two numbers an item are a point, and no image. */
bool is_plane(hg_shape item);
/* True unless they are; what: "have no ..." */
bool refuse_plane(hg_shape item, const char *what);
/* A scatter for each name of a row, with the data in grey behind it. */
bool plane_write(const char *path, const gallery *, const double *points,
                 const cloud *data);
/* The one or the other, as the run's data are. */
bool view_gallery(const view *, const char *path, const gallery *,
                  const double *images);

#endif
