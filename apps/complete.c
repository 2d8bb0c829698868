/* complete.c - `hourglass complete RUN`: images completed from one, two or
 * three visible quarters, for conditional models that were trained so. */
#include "apps/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is completed", NULL, NULL, 0},
    {"count", "N", "how many images", "4", NULL, 'n'},
    {"draws", "N", "completions of each", "6", NULL, 0},
    {"samples", "N", "draws of the likelihood of what is hidden (0: none)",
     "100", NULL, 0},
    {"images", "N", "images that it is measured on", "500", NULL, 0},
    {"json", NULL, "the likelihoods as JSON on standard output", NULL, NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

typedef struct {
    view *v;
    int visible, samples;
    hg_real *mask; /* of one item */
} hiding;

/* The batch of these items with its mask. */
static bool masked(const hiding *h, int64_t from, int64_t n, hg_batch *b)
{
    if (!hg_data_batch_from(h->v->data, from, n, b))
        return false;
    hg_shape one = HG_SHAPE(1, hg_data_features(h->v->data));
    const char *reals = sizeof(hg_real) == 8 ? "f8" : "f4";
    b->mask = hg_expand(hg_from(h->mask, reals, one), b->x->shape);
    return b->mask != NULL;
}

/* Pixels with grey where they are hidden. */
static hg_tensor *visible_rows(void *user, int64_t from, int64_t n)
{
    hg_batch b;
    if (!masked(user, from, n, &b))
        return NULL;
    return hg_where(b.mask, b.x, hg_full(HG_SCALAR, (hg_real)0.5));
}

static hg_tensor *completed_rows(void *user, int64_t from, int64_t n)
{
    const hiding *h = user;
    hg_batch b;
    return masked(h, from, n, &b)
               ? hg_model_complete(h->v->model, h->v->w.state, &b)
               : NULL;
}

static hg_tensor *nll_rows(void *user, int64_t from, int64_t n)
{
    const hiding *h = user;
    hg_batch b;
    if (!masked(h, from, n, &b))
        return NULL;
    return hg_unsqueeze(
        hg_model_completion_nll(h->v->model, h->v->w.state, &b, h->samples), 1);
}

/* ---- The picture -------------------------------------------------------- */

enum { BLOCKS = 3, MOST = 32 }; /* images; columns */

static void hang(cloud *wall, int64_t columns, int64_t first_row,
                 int64_t column, const cloud *images)
{
    for (int64_t i = 0; i < images->count; i++)
        memcpy(cloud_row(wall, (first_row + i) * columns + column),
               cloud_row(images, i), (size_t)wall->width * sizeof(double));
}

/* Columns: the image, what is visible of it, completions. */
static bool fill_block(hiding *h, cloud *wall, int64_t columns, int64_t row,
                       int64_t n)
{
    cloud c = {0};
    hg_context *context = h->v->w.context;
    bool ok = cloud_items(&c, &h->v->w, h->v->model, h->v->data, n, PIXELS);
    if (ok)
        hang(wall, columns, row, 0, &c);
    cloud_free(&c);
    ok = ok && cloud_fill(&c, context, n, visible_rows, h);
    if (ok)
        hang(wall, columns, row, 1, &c);
    cloud_free(&c);
    for (int64_t draw = 2; ok && draw < columns; draw++) {
        ok = cloud_fill(&c, context, n, completed_rows, h);
        if (ok)
            hang(wall, columns, row, draw, &c);
        cloud_free(&c);
    }
    return ok;
}

static bool draw_picture(hiding *h, const char *path, int64_t n, int64_t draws)
{
    static const char *const quarters[] = {"1 quarter", "2 quarters",
                                           "3 quarters"};
    const char *rows[BLOCKS * MOST], *columns[MOST];
    char title[160];
    cloud wall = {0};
    hg_shape item = hg_data_shape(h->v->w.all);
    n = n < hg_data_size(h->v->data) ? n : hg_data_size(h->v->data);
    bool ok = cloud_room(&wall, BLOCKS * n * (draws + 2), hg_shape_numel(item));
    for (int i = 0; ok && i < BLOCKS; i++) {
        h->visible = i + 1;
        hg_quarter_mask(item, h->visible, h->mask);
        ok = fill_block(h, &wall, draws + 2, i * n, n);
        for (int64_t j = 0; j < n; j++)
            rows[i * n + j] = j ? " " : quarters[i];
    }
    for (int64_t j = 0; j < draws + 2; j++)
        columns[j] = j == 0 ? "image" : j == 1 ? "given" : " ";
    snprintf(title, sizeof title, "%s: completed from visible quarters",
             h->v->model->name);
    gallery g = {title, NULL,       NULL,      rows, columns,
                 item,  BLOCKS * n, draws + 2, 0,    false};
    ok = ok && view_gallery(h->v, path, &g, wall.values);
    cloud_free(&wall);
    return ok;
}

/* ---- Likelihoods -------------------------------------------------------- */

static bool measure(hiding *h, int64_t images, json_t *report)
{
    int64_t size = hg_data_size(h->v->data);
    images = images && images < size ? images : size;
    for (int i = 1; i <= BLOCKS; i++) {
        char name[32];
        cloud nll = {0};
        double mean, spread;
        h->visible = i;
        hg_quarter_mask(hg_data_shape(h->v->w.all), i, h->mask);
        bool ok = cloud_fill(&nll, h->v->w.context, images, nll_rows, h);
        if (ok)
            hg_moments(cloud_points(&nll), &mean, &spread);
        cloud_free(&nll);
        if (!ok)
            return false;
        snprintf(name, sizeof name, "nats_given_%d", i);
        put_number(report, name, mean);
    }
    json_object_set_new(report, "images", json_integer(images));
    json_object_set_new(report, "samples", json_integer(h->samples));
    return true;
}

static void print_report(const json_t *report)
{
    int64_t images = json_integer_value(json_object_get(report, "images"));
    int64_t samples = json_integer_value(json_object_get(report, "samples"));
    printf("what is hidden costs at most, in nats an image (%lld image%s, "
           "%lld sample%s):\n",
           (long long)images, plural(images), (long long)samples,
           plural(samples));
    for (int i = 1; i <= BLOCKS; i++) {
        char name[32];
        snprintf(name, sizeof name, "nats_given_%d", i);
        printf("  given %d of 4  %10.4f\n", i,
               json_number_value(json_object_get(report, name)));
    }
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    json_t *report = json_object();
    int64_t n = flag_within(a, "count", 1, MOST, &code);
    int64_t draws = flag_within(a, "draws", 1, MOST - 2, &code);
    int64_t images = flag_count(a, "images", 0, &code);
    hiding h = {.v = v, .samples = flag_count(a, "samples", 0, &code)};
    path_text path = view_picture(v, a, "complete.png");
    h.mask = malloc((size_t)hg_data_features(v->w.all) * sizeof *h.mask);
    bool ok =
        !code &&
        (h.mask || hg_fail(HG_ERROR_MEMORY, "no memory for the mask")) &&
        view_can(
            v, hg_model_completes(v->w.context, v->model, v->w.state, v->data),
            "was not trained to complete images; `hourglass train "
            "cvae --given quadrants` is") &&
        refuse_plane(hg_data_shape(v->w.all), "have no quarters to hide") &&
        draw_picture(&h, path.text, n, draws) &&
        (!h.samples || measure(&h, images, report));
    if (ok && flag_given(a, "json"))
        print_json(report);
    else if (ok && h.samples)
        print_report(report);
    free(h.mask);
    json_decref(report);
    return ok && say_picture(path.text) == EXIT_DONE;
}

int run_complete(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass complete [RUN] [options]\n"
                        "  hourglass complete runs/quarters\n"
                        "  hourglass complete runs/quarters -n 8 --draws 10\n"
                        "without RUN: the newest below --out",
                        show);
}
