/* ranking.c - `hourglass anomaly RUN`: images in the order of how little a
 * trained model expects them, and where in each it looks away. */
#include "apps/view.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const flag flags[] = {
    {"", NULL, "what is ranked", NULL, NULL, 0},
    {"score", "NAME",
     "reconstruction, probability, elbo, or best: the last that the model has",
     "reconstruction", NULL, 0},
    {"draws", "N", "draws from q(z|x) a score", "10", NULL, 0},
    {"maps", "N", "heat maps of the N strangest (0: of all)", "20", NULL, 0},
    {"to", "DIR", "ranking.csv, strangest.png, maps/ [RUN/anomaly]", NULL, NULL,
     0},
    VIEW_FLAGS,
    {0},
};

typedef struct {
    view *v;
    cloud x, y;
    double *score;
    int64_t *order, count;
    path_text folder;
} ranking;

/* The score of this name that the model can make; "best": the last it can. */
static bool find_score(const hg_model *m, const char *name, hg_score *kind)
{
    for (hg_score k = 0; k < HG_SCORES; k++)
        if (!strcmp(name, hg_score_name(k)) ||
            (!strcmp(name, "best") && hg_model_can_score(m, k)))
            *kind = k;
    if (*kind < HG_SCORES && hg_model_can_score(m, *kind))
        return true;
    if (*kind < HG_SCORES)
        return hg_fail(HG_ERROR_ARGUMENT, "%s cannot be scored by %s", m->name,
                       hg_score_name(*kind));
    return hg_fail(HG_ERROR_ARGUMENT,
                   "--score %s: use reconstruction, probability, elbo or best",
                   name);
}

/* ---- The table ---------------------------------------------------------- */

static void put_csv(FILE *f, const ranking *r, const char *kind)
{
    bool named = hg_data_item_name(r->v->data, 0) != NULL;
    bool labels = hg_data_classes(r->v->w.all) > 0;
    fprintf(f, "rank,row%s%s,%s\n", named ? ",name" : "",
            labels ? ",label" : "", kind);
    for (int64_t i = 0; i < r->count; i++) {
        int64_t row = r->order[i];
        fprintf(f, "%lld,%lld", (long long)i + 1, (long long)row);
        if (named) {
            fputc(',', f);
            put_quoted(f, hg_data_item_name(r->v->data, row));
        }
        if (labels)
            fprintf(f, ",%d", (int)hg_data_label(r->v->data, row));
        fprintf(f, ",%.7g\n", r->score[row]);
    }
}

static bool write_csv(const ranking *r, const char *kind)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f)
        put_csv(f, r, kind);
    bool ok =
        f && !fclose(f) &&
        write_file(path_join(r->folder.text, "ranking.csv").text, text, size);
    free(text);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the ranking");
}

/* ---- Heat maps ---------------------------------------------------------- */

/* Black, violet, orange, pale yellow: lightness rises evenly, so that it reads
 * the same in grey and for the colour blind. */
static void heat_colour(double at, double rgb[3])
{
    static const double stop[5][3] = {{0, 0, 0.02},
                                      {0.34, 0.06, 0.43},
                                      {0.73, 0.21, 0.33},
                                      {0.98, 0.55, 0.04},
                                      {0.99, 1, 0.64}};
    double place = fmax(0, fmin(1, at)) * 4;
    int i = place < 4 ? (int)place : 3;
    for (int c = 0; c < 3; c++)
        rgb[c] = stop[i][c] + (place - i) * (stop[i + 1][c] - stop[i][c]);
}

/* Absolute differences, the largest of the channels, as colours [3, h, w]. */
static void heat_map(const double *x, const double *y, hg_shape item,
                     double *out)
{
    int64_t plane = item.dim[1] * item.dim[2];
    for (int64_t p = 0; p < plane; p++) {
        double most = 0, rgb[3];
        for (int64_t c = 0; c < item.dim[0]; c++)
            most = fmax(most, fabs(x[c * plane + p] - y[c * plane + p]));
        heat_colour(most, rgb);
        for (int c = 0; c < 3; c++)
            out[c * plane + p] = rgb[c];
    }
}

static void in_colour(const double *x, hg_shape item, double *out)
{
    int64_t plane = item.dim[1] * item.dim[2];
    for (int c = 0; c < 3; c++)
        memcpy(out + c * plane, x + (item.dim[0] == 3 ? c * plane : 0),
               (size_t)plane * sizeof *out);
}

/* Image, reconstruction and heat map of `n` ranks from `first` on: one rank a
 * column of three, or one a row. */
static bool draw(const ranking *r, const char *path, int64_t first, int64_t n)
{
    static const char *const names[] = {"image", "model", "difference"};
    char title[200];
    cloud wall = {0};
    hg_shape item = hg_data_shape(r->v->w.all), rgb = item;
    rgb.dim[0] = 3;
    if (!cloud_room(&wall, 3 * n, hg_shape_numel(rgb)))
        return false;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = r->order[first + i];
        const double *x = cloud_row(&r->x, row), *y = cloud_row(&r->y, row);
        in_colour(x, item, cloud_row(&wall, i));
        in_colour(y, item, cloud_row(&wall, n + i));
        heat_map(x, y, item, cloud_row(&wall, 2 * n + i));
    }
    if (n == 1)
        snprintf(title, sizeof title, "rank %lld: %.4g", (long long)first + 1,
                 r->score[r->order[first]]);
    else
        snprintf(title, sizeof title, "%s: the %lld strangest of %lld",
                 r->v->model->name, (long long)n, (long long)r->count);
    gallery g = {.title = title,
                 .row_names = names,
                 .item = rgb,
                 .rows = 3,
                 .columns = n};
    bool ok = gallery_write(path, &g, wall.values);
    cloud_free(&wall);
    return ok;
}

/* Where they lie, and where the model puts them. */
static bool draw_plane(const ranking *r, const char *path, int64_t n)
{
    static const char *const names[] = {"the strangest",
                                        "what becomes of them"};
    char title[200];
    cloud out = {0};
    if (!cloud_room(&out, 2 * n, r->x.width))
        return false;
    for (int64_t i = 0; i < n; i++) {
        memcpy(cloud_row(&out, i), cloud_row(&r->x, r->order[i]),
               (size_t)out.width * sizeof(double));
        memcpy(cloud_row(&out, n + i), cloud_row(&r->y, r->order[i]),
               (size_t)out.width * sizeof(double));
    }
    snprintf(title, sizeof title, "%s: the %lld strangest of %lld",
             r->v->model->name, (long long)n, (long long)r->count);
    gallery g = {.title = title,
                 .row_names = names,
                 .item = hg_data_shape(r->v->w.all),
                 .rows = 2,
                 .columns = n};
    bool ok = plane_write(path, &g, out.values, &r->x);
    cloud_free(&out);
    return ok;
}

static bool is_map(const char *file)
{
    long long rank, row;
    int end = 0;
    return sscanf(file, "%lld-row-%lld.png%n", &rank, &row, &end) == 2 && end &&
           !file[end];
}

/* Maps of an earlier ranking would stand beside those of this one. */
static void clear_maps(const char *folder)
{
    DIR *list = opendir(folder);
    for (struct dirent *e; list && (e = readdir(list));)
        if (is_map(e->d_name))
            unlink(path_join(folder, e->d_name).text);
    if (list)
        closedir(list);
}

static bool draw_maps(const ranking *r, int64_t maps)
{
    char name[64];
    path_text folder = path_join(r->folder.text, "maps");
    path_text strangest = path_join(r->folder.text, "strangest.png");
    int64_t shown = r->count < 12 ? r->count : 12;
    clear_maps(folder.text);
    if (is_plane(hg_data_shape(r->v->w.all))) {
        fprintf(stderr, "note: points in the plane have no heat maps\n");
        return draw_plane(r, strangest.text, shown);
    }
    if (!make_folder(folder.text))
        return false;
    for (int64_t i = 0; i < maps; i++) {
        snprintf(name, sizeof name, "%05lld-row-%lld.png", (long long)i + 1,
                 (long long)r->order[i]);
        if (!draw(r, path_join(folder.text, name).text, i, 1))
            return false;
    }
    return draw(r, strangest.text, 0, shown);
}

/* ---- The command -------------------------------------------------------- */

static bool rank(ranking *r, hg_score kind, int draws)
{
    view *v = r->v;
    r->count = hg_data_size(v->data);
    r->score = malloc((size_t)r->count * sizeof *r->score + 1);
    r->order = malloc((size_t)r->count * sizeof *r->order + 1);
    if (!r->score || !r->order)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the ranking");
    if (!hg_model_score(v->model, v->w.state, v->data, kind, draws, r->score))
        return false;
    hg_order(r->score, r->count, r->order);
    return cloud_items(&r->x, &v->w, v->model, v->data, 0, PIXELS) &&
           cloud_items(&r->y, &v->w, v->model, v->data, 0, RECONSTRUCTIONS);
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    ranking r = {.v = v};
    hg_score kind = HG_SCORES;
    int64_t maps = flag_count(a, "maps", 0, &code);
    int draws = flag_count(a, "draws", 1, &code);
    const char *to = flag_text(a, "to");
    if (code)
        return false;
    r.folder = to ? path_join(to, ".") : path_join(v->run, "anomaly");
    bool ok = find_score(v->model, flag_text(a, "score"), &kind) &&
              make_folder(r.folder.text) && rank(&r, kind, draws) &&
              write_csv(&r, hg_score_name(kind)) &&
              draw_maps(&r, maps && maps < r.count ? maps : r.count);
    cloud_free(&r.x);
    cloud_free(&r.y);
    free(r.score);
    free(r.order);
    return ok && say_picture(r.folder.text) == EXIT_DONE;
}

int run_ranking(int argc, char **argv)
{
    return view_whole(argc, argv, flags,
                      "usage: hourglass anomaly [RUN] [options]\n"
                      "  hourglass anomaly runs/first --data photos/ "
                      "--score best\n"
                      "with --data: all of its images, in their own order; "
                      "without RUN: the newest below --out",
                      show);
}
