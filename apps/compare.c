/* compare.c - `hourglass compare RUN...`: several runs in one picture and one
 * table: originals, each model's reconstructions, and what it makes of draws
 * from the prior. A model without a prior decodes draws from N(0, I), to show
 * that its codes do not lie there. */
#include "apps/report.h"
#include "apps/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is shown", NULL, NULL, 0},
    {"columns", "N", "images in a row", "12", NULL, 0},
    {"quality", NULL,
     "draws against images in the features of a small classifier", NULL, NULL,
     0},
    {"json", NULL, "the table as JSON on standard output", NULL, NULL, 0},
    {"to", "FILE", "the picture", "compare.png", NULL, 0},
    {"page", "FILE", "curves, settings and pictures on one page",
     "compare.html", NULL, 0},
    VIEW_FLAGS,
    {0},
};

enum { NAME = 64 };

typedef struct {
    const arguments *a;
    int64_t columns;
    int runs;
    cloud wall;      /* [(1 + 2 runs) * columns, features] */
    cloud originals; /* [columns, features] */
    hg_shape item;
    char name[2 * MOST_POSITIONAL + 1][NAME];
    json_t *table;
} comparison;

/* ---- One run ------------------------------------------------------------ */

static hg_tensor *normal_rows(void *user, int64_t from, int64_t n)
{
    (void)from;
    return hg_randn(HG_SHAPE(n, *(int64_t *)user));
}

static bool draws_of(view *v, int64_t count, cloud *draws)
{
    cloud one = {0}, codes = {0};
    bool ok = true;
    if (hg_model_has_prior(v->model)) {
        ok = cloud_prior(&codes, &v->w, v->model, count);
    } else {
        ok = cloud_items(&one, &v->w, v->model, v->data, 1, CODES) &&
             cloud_fill(&codes, v->w.context, count, normal_rows, &one.width);
    }
    ok = ok && cloud_decoded(draws, &v->w, v->model, &codes);
    cloud_free(&one);
    cloud_free(&codes);
    return ok;
}

/* Puts the rows of one cloud into a line of the wall. */
static void hang(comparison *c, int64_t line, const cloud *rows)
{
    for (int64_t i = 0; i < rows->count && i < c->columns; i++)
        memcpy(cloud_row(&c->wall, line * c->columns + i), cloud_row(rows, i),
               (size_t)c->wall.width * sizeof(double));
}

/* Points in the plane are seen as a cloud, images one by one. */
static bool hang_originals(comparison *c, view *v)
{
    cloud *x = &c->originals;
    c->item = hg_data_shape(v->w.all);
    if (is_plane(c->item) && !flag_given(c->a, "columns"))
        c->columns = PLANE_POINTS;
    bool ok = cloud_items(x, &v->w, v->model, v->data, c->columns, PIXELS);
    c->columns = ok ? x->count : 0; /* no more than there are */
    ok = ok && cloud_room(&c->wall, (1 + 2 * c->runs) * c->columns, x->width);
    if (ok) {
        cloud_blank(&c->wall);
        hang(c, 0, x);
        snprintf(c->name[0], NAME, "originals");
    }
    return ok;
}

/* A line without a name stays out of the picture. */
static bool hang_run(comparison *c, view *v, int i)
{
    cloud y = {0}, draws = {0};
    const hg_model *m = v->model;
    bool ok = true;
    view_reseed(v); /* the first run has hung the originals */
    if (hg_model_reconstructs(m))
        ok = cloud_items(&y, &v->w, m, v->data, c->columns, RECONSTRUCTIONS);
    if (ok && m->decode && (hg_model_has_prior(m) || hg_model_has_code(m)))
        ok = draws_of(v, c->columns, &draws);
    if (ok) {
        hang(c, 1 + i, &y);
        hang(c, 1 + c->runs + i, &draws);
        if (y.count)
            snprintf(c->name[1 + i], NAME, "%.32s, reconstructed",
                     last_part(v->run));
        if (draws.count)
            snprintf(c->name[1 + c->runs + i], NAME, "%.32s, %s",
                     last_part(v->run),
                     hg_model_has_prior(m) ? "from the prior" : "from N(0, I)");
    }
    cloud_free(&y);
    cloud_free(&draws);
    return ok;
}

/* With the draws of `eval`, whatever was hung before. */
static bool measure_run(comparison *c, view *v)
{
    view_reseed(v);
    json_t *row =
        json_pack("{s:s, s:s, s:I}", "run", v->run, "model", v->model->name,
                  "parameters", (json_int_t)hg_params_count(v->w.params));
    json_array_append_new(c->table, row);
    return row && measure_images(v, 250, row) && measure_codes(v, row) &&
           (!flag_given(c->a, "quality") || measure_quality(v, row));
}

static bool add_run(comparison *c, int i)
{
    view v = {0};
    bool ok = view_open(&v, c->a->positional[i], c->a) &&
              can_be_json("the run", v.run);
    if (ok && i == 0)
        ok = hang_originals(c, &v);
    if (ok && !hg_shape_equal(c->item, hg_data_shape(v.w.all)))
        ok = hg_fail(HG_ERROR_DATA,
                     "%s has images of another size than %s; compare runs on "
                     "the same data",
                     v.run, c->a->positional[0]);
    ok = ok && hang_run(c, &v, i) && measure_run(c, &v);
    view_close(&v);
    return ok;
}

/* ---- Picture and table -------------------------------------------------- */

static void describe_runs(const comparison *c)
{
    char names[1024] = "";
    for (int i = 0; i < c->runs; i++) {
        size_t at = strlen(names);
        const json_t *row = json_array_get(c->table, (size_t)i);
        const char *run = json_string_value(json_object_get(row, "run"));
        snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "",
                 last_part(run));
    }
    describe_pictures("runs %s; drawn with seed %s", names,
                      flag_text(c->a, "seed"));
}

static bool write_picture(comparison *c, const char *path)
{
    const char *names[2 * MOST_POSITIONAL + 1];
    int64_t rows = 0, size = c->columns * c->wall.width;
    for (int i = 0; i <= 2 * c->runs; i++) {
        if (!c->name[i][0])
            continue;
        memmove(c->wall.values + rows * size, c->wall.values + i * size,
                (size_t)size * sizeof(double));
        names[rows++] = c->name[i];
    }
    gallery g = {.title = "Reconstructions, and decoded draws",
                 .row_names = names,
                 .item = c->item,
                 .rows = rows,
                 .columns = c->columns};
    describe_runs(c);
    return is_plane(c->item)
               ? plane_write(path, &g, c->wall.values, &c->originals)
               : gallery_write(path, &g, c->wall.values);
}

static bool write_page(const comparison *c)
{
    const char *runs[MOST_POSITIONAL];
    for (int i = 0; i < c->runs; i++)
        runs[i] = json_string_value(
            json_object_get(json_array_get(c->table, (size_t)i), "run"));
    return report_compare(flag_text(c->a, "page"), runs, c->runs, c->table);
}

static void print_number(const json_t *row, const char *name, int width)
{
    const json_t *judged = json_object_get(row, "classifier_frechet");
    const json_t *value = json_object_get(row, name);
    if (!value)
        value = json_object_get(judged, name);
    if (value)
        printf(" %*.5g", width, json_number_value(value));
    else
        printf(" %*s", width, "-");
}

static void print_table(const json_t *table)
{
    static const char *const columns[] = {"latent",   "recon_mse", "recon_bce",
                                          "ssim",     "kl",        "elbo",
                                          "prior_ks", "draws",     "recall"};
    bool judged =
        json_object_get(json_array_get(table, 0), "classifier_frechet") != NULL;
    int count = judged ? 9 : 7;
    size_t i;
    json_t *row;
    printf("%-24s %-10s %10s", "run", "model", "parameters");
    for (int j = 0; j < count; j++)
        printf(" %10s", columns[j]);
    printf("\n");
    json_array_foreach(table, i, row)
    {
        printf(
            "%-24s %-10s %10lld",
            last_part(json_string_value(json_object_get(row, "run"))),
            json_string_value(json_object_get(row, "model")),
            (long long)json_integer_value(json_object_get(row, "parameters")));
        for (int j = 0; j < count; j++)
            print_number(row, columns[j], 10);
        printf("\n");
    }
}

static bool compare(comparison *c)
{
    const char *path = flag_text(c->a, "to");
    bool ok = true;
    for (int i = 0; i < c->runs && ok; i++)
        ok = add_run(c, i);
    if (!ok || !write_picture(c, path) || !write_page(c))
        return false;
    if (flag_given(c->a, "json"))
        print_json(c->table);
    else
        print_table(c->table);
    return say_picture(path) == EXIT_DONE &&
           say_picture(flag_text(c->a, "page")) == EXIT_DONE;
}

int run_compare(int argc, char **argv)
{
    arguments a = {.flags = flags, .most = MOST_POSITIONAL};
    int code = parse_arguments(&a, argc, argv,
                               "usage: hourglass compare RUN... [options]\n"
                               "  hourglass compare runs/ae runs/vae runs/aae "
                               "--to zoo.png");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    if (a.count < 1)
        return fail_with(EXIT_USAGE, "usage: hourglass compare RUN...; give "
                                     "the folders of the runs");
    comparison *c = calloc(1, sizeof *c);
    if (!c)
        return fail_with(EXIT_MEMORY, "no memory for the comparison");
    c->a = &a;
    c->columns = flag_count(&a, "columns", 1, &code);
    c->runs = a.count;
    c->table = json_array();
    if (!code && !compare(c))
        code = hg_error() ? report_error() : EXIT_USAGE;
    cloud_free(&c->wall);
    cloud_free(&c->originals);
    json_decref(c->table);
    free(c);
    return code;
}
