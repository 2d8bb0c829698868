/* interpolate.c - `hourglass interpolate RUN`: decoded ways between the codes
 * of two images, straight or along an arc. */
#include "apps/view.h"

#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is shown", NULL, NULL, 0},
    {"pairs", "N", "how many pairs of images", "6", NULL, 'n'},
    {"between", "I,J", "the rows of one pair, instead", NULL, NULL, 0},
    {"steps", "N", "images on the way, ends included", "9", NULL, 0},
    {"path", "NAME", "linear, spherical or both", "linear", NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

typedef struct {
    int64_t (*pair)[2], pairs, steps;
    bool line, arc;
} journey;

/* Neighbours in the data whose classes differ, where there are classes. */
static void choose_pairs(const view *v, journey *j)
{
    int64_t size = hg_data_size(v->data), n = 0;
    for (int64_t i = 0; i + 1 < size && n < j->pairs; i += 2) {
        int32_t a = hg_data_label(v->data, i);
        int32_t b = hg_data_label(v->data, i + 1);
        if (a >= 0 && a == b)
            continue;
        j->pair[n][0] = i;
        j->pair[n++][1] = i + 1;
    }
    j->pairs = n;
}

static bool given_pair(const view *v, const char *text, journey *j)
{
    char rest;
    long long a, b, size = hg_data_size(v->data);
    if (sscanf(text, "%lld,%lld%c", &a, &b, &rest) != 2 || a < 0 || b < 0 ||
        a >= size || b >= size)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--between %s: two rows from 0 to %lld are needed, "
                       "as 3,7",
                       text, size - 1);
    j->pair[0][0] = a;
    j->pair[0][1] = b;
    j->pairs = 1;
    return true;
}

static bool read_journey(const view *v, const arguments *a, journey *j)
{
    int code = 0;
    const char *path = flag_text(a, "path");
    bool both = !strcmp(path, "both");
    j->pairs = flag_count(a, "pairs", 1, &code);
    j->steps = flag_count(a, "steps", 2, &code);
    j->line = both || !strcmp(path, "linear");
    j->arc = both || !strcmp(path, "spherical");
    if (code)
        return false;
    if (!j->line && !j->arc)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--path %s: use linear, spherical or both", path);
    j->pair = malloc((size_t)j->pairs * sizeof *j->pair);
    if (!j->pair)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the pairs");
    if (flag_given(a, "between"))
        return given_pair(v, flag_text(a, "between"), j);
    choose_pairs(v, j);
    return j->pairs > 0 ||
           hg_fail(HG_ERROR_DATA, "there are no two images to go between");
}

/* Codes of all ways, row by row. */
static bool walk(const journey *j, const cloud *codes, cloud *way)
{
    int64_t d = codes->width, rows = j->pairs * (j->line + j->arc), at = 0;
    if (!cloud_room(way, rows * j->steps, d))
        return false;
    for (int64_t i = 0; i < j->pairs; i++) {
        const double *a = cloud_row(codes, j->pair[i][0]);
        const double *b = cloud_row(codes, j->pair[i][1]);
        if (j->line)
            hg_line(a, b, d, j->steps, cloud_row(way, at++ * j->steps));
        if (j->arc)
            hg_arc(a, b, d, j->steps, cloud_row(way, at++ * j->steps));
    }
    return true;
}

/* Original, the way, original. */
static void frame(const journey *j, const cloud *x, const cloud *y, cloud *out)
{
    int64_t ways = j->line + j->arc, columns = j->steps + 2;
    size_t size = (size_t)x->width * sizeof(double);
    for (int64_t r = 0; r < j->pairs * ways; r++) {
        const int64_t *pair = j->pair[r / ways];
        memcpy(cloud_row(out, r * columns), cloud_row(x, pair[0]), size);
        memcpy(cloud_row(out, r * columns + 1), cloud_row(y, r * j->steps),
               (size_t)j->steps * size);
        memcpy(cloud_row(out, (r + 1) * columns - 1), cloud_row(x, pair[1]),
               size);
    }
}

static bool write_picture(const view *v, const char *path, const journey *j,
                          const cloud *out)
{
    enum { MOST = 64 };
    char title[160];
    static const char *ways[2 * MOST], *heads[MOST];
    int64_t columns = j->steps + 2, rows = out->count / columns;
    for (int64_t i = 0; i < 2 * MOST; i++)
        ways[i] = !j->arc || (j->line && i % 2 == 0) ? "linear" : "spherical";
    for (int64_t i = 0; i < MOST; i++)
        heads[i] = i == 0 || i == columns - 1 ? "image" : "";
    snprintf(title, sizeof title, "%s: between the codes of two %s",
             v->model->name,
             is_plane(hg_data_shape(v->w.all)) ? "points" : "images");
    gallery g = {.title = title,
                 .row_names = rows <= 2 * MOST ? ways : NULL,
                 .column_names = columns <= MOST ? heads : NULL,
                 .item = hg_data_shape(v->w.all),
                 .rows = rows,
                 .columns = columns,
                 .ways = true};
    return view_gallery(v, path, &g, out->values);
}

static bool show(view *v, const arguments *a)
{
    journey j = {0};
    cloud x = {0}, codes = {0}, way = {0}, y = {0}, out = {0};
    path_text path = view_picture(v, a, "interpolate.png");
    bool ok =
        view_can(v, hg_model_reconstructs(v->model), "does not reconstruct") &&
        read_journey(v, a, &j) &&
        cloud_items(&x, &v->w, v->model, v->data, 0, PIXELS) &&
        cloud_items(&codes, &v->w, v->model, v->data, 0, CODES) &&
        walk(&j, &codes, &way) && cloud_decoded(&y, &v->w, v->model, &way) &&
        cloud_room(&out, way.count / j.steps * (j.steps + 2), x.width);
    if (ok) {
        frame(&j, &x, &y, &out);
        ok = write_picture(v, path.text, &j, &out);
    }
    cloud *all[] = {&x, &codes, &way, &y, &out};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        cloud_free(all[i]);
    free(j.pair);
    return ok && say_picture(path.text) == EXIT_DONE;
}

int run_interpolate(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass interpolate [RUN] [options]\n"
                        "  hourglass interpolate runs/first --path both\n"
                        "  hourglass interpolate runs/first --between 3,7\n"
                        "without RUN: the newest below --out",
                        show);
}
