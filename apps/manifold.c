/* manifold.c - `hourglass manifold RUN`: a plane of codes, decoded: a grid
 * through the prior's quantiles, so that each image stands for the same
 * share of it. */
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is shown", NULL, NULL, 0},
    {"steps", "N", "images along each axis", "20", NULL, 0},
    {"dims", "I,J", "dimensions (default: the two of most KL)", NULL, NULL, 0},
    {"zoom", "N", "pixels a pixel", "1", NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

enum { DRAWS = 20000, NAME = 16 };

typedef struct {
    int64_t dim[2], steps;
    double *at[2]; /* [steps] */
    double *rest;  /* [width]: the other dimensions stay in the middle */
} plane;

static bool choose_dims(view *v, const arguments *a, plane *p)
{
    hg_latent latent;
    const char *text = flag_text(a, "dims");
    long long i, j;
    char rest;
    if (!hg_model_latent(v->model, v->w.state, v->data, &latent))
        return false;
    if (latent.width < 2)
        return hg_fail(HG_ERROR_ARGUMENT, "a code of width 1 has no plane");
    if (text) {
        bool read = sscanf(text, "%lld,%lld%c", &i, &j, &rest) == 2;
        if (!read || i < 0 || j < 0 || i == j || i >= latent.width ||
            j >= latent.width)
            return hg_fail(HG_ERROR_ARGUMENT,
                           "--dims %s: two dimensions from 0 to %lld are "
                           "needed, as 0,1",
                           text, (long long)latent.width - 1);
        p->dim[0] = i;
        p->dim[1] = j;
        return true;
    }
    int64_t *order = malloc((size_t)latent.width * sizeof *order);
    if (!order)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the dimensions");
    hg_order(isnan(latent.kl[0]) ? latent.variance : latent.kl, latent.width,
             order);
    p->dim[0] = latent.width == 2 ? 0 : order[0];
    p->dim[1] = latent.width == 2 ? 1 : order[1];
    free(order);
    return true;
}

/* Quantiles of the prior; of the codes where there is none. */
static bool place(view *v, plane *p)
{
    cloud c = {0};
    bool ok = hg_model_has_prior(v->model)
                  ? cloud_prior(&c, &v->w, v->model, DRAWS)
                  : cloud_items(&c, &v->w, v->model,
                                hg_data_spread(v->data, DRAWS), 0, CODES);
    p->at[0] = malloc((size_t)(2 * p->steps + c.width) * sizeof(double));
    if (!p->at[0])
        ok = hg_fail(HG_ERROR_MEMORY, "no memory for the plane");
    if (ok) {
        p->at[1] = p->at[0] + p->steps;
        p->rest = p->at[1] + p->steps;
    }
    for (int i = 0; ok && i < 2; i++)
        ok = hg_quantiles(v->w.context, cloud_points(&c), p->dim[i], p->steps,
                          p->at[i]);
    for (int64_t j = 0; ok && j < c.width; j++)
        ok = hg_quantiles(v->w.context, cloud_points(&c), j, 1, p->rest + j);
    cloud_free(&c);
    return ok;
}

/* The second dimension grows upwards. */
static bool plane_codes(const plane *p, int64_t width, cloud *codes)
{
    if (!cloud_room(codes, p->steps * p->steps, width))
        return false;
    for (int64_t i = 0; i < codes->count; i++) {
        double *z = cloud_row(codes, i);
        memcpy(z, p->rest, (size_t)width * sizeof *z);
        z[p->dim[0]] = p->at[0][i % p->steps];
        z[p->dim[1]] = p->at[1][p->steps - 1 - i / p->steps];
    }
    return true;
}

static bool write_picture(const view *v, const char *path, const plane *p,
                          int zoom, const cloud *images)
{
    char(*text)[NAME] = malloc((size_t)(2 * p->steps) * sizeof *text);
    const char **name = malloc((size_t)(2 * p->steps) * sizeof *name);
    char title[160], label[2][64];
    for (int64_t i = 0; text && name && i < 2 * p->steps; i++) {
        int64_t at = i % p->steps;
        bool shown = at % 2 == 0;
        snprintf(text[i], NAME, shown ? "%.2g" : " ",
                 i < p->steps ? p->at[0][at] : p->at[1][p->steps - 1 - at]);
        name[i] = text[i];
    }
    for (int i = 0; i < 2; i++)
        snprintf(label[i], sizeof label[i], "code z%lld", (long long)p->dim[i]);
    snprintf(title, sizeof title, "%s: decoded codes at quantiles of %s",
             v->model->name,
             hg_model_has_prior(v->model) ? "the prior" : "the codes");
    bool plane = is_plane(hg_data_shape(v->w.all)); /* a net of ways there */
    gallery g = {.title = title,
                 .x_label = label[0],
                 .y_label = label[1],
                 .row_names = name && !plane ? name + p->steps : NULL,
                 .column_names = plane ? NULL : name,
                 .item = hg_data_shape(v->w.all),
                 .rows = p->steps,
                 .columns = p->steps,
                 .zoom = zoom,
                 .ways = true};
    bool ok = text && name && view_gallery(v, path, &g, images->values);
    free(text);
    free(name);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    plane p = {.steps = flag_count(a, "steps", 1, &code)};
    int zoom = flag_within(a, "zoom", 1, 64, &code);
    cloud codes = {0}, images = {0}, one = {0};
    path_text path = view_picture(v, a, "manifold.png");
    bool ok =
        !code &&
        view_can(v, hg_model_reconstructs(v->model), "does not reconstruct") &&
        choose_dims(v, a, &p) && place(v, &p) &&
        cloud_items(&one, &v->w, v->model, v->data, 1, CODES) &&
        plane_codes(&p, one.width, &codes) &&
        cloud_decoded(&images, &v->w, v->model, &codes) &&
        write_picture(v, path.text, &p, zoom, &images);
    cloud_free(&one);
    cloud_free(&codes);
    cloud_free(&images);
    free(p.at[0]);
    return ok && say_picture(path.text) == EXIT_DONE;
}

int run_manifold(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass manifold [RUN] [options]\n"
                        "  hourglass manifold runs/flat --steps 30\n"
                        "  hourglass manifold runs/first --dims 0,3\n"
                        "without RUN: the newest below --out",
                        show);
}
