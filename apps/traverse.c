/* traverse.c - `hourglass traverse RUN`: what each dimension of the code does
 * to an image, dimensions in the order of their KL (or of their variance). */
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is shown", NULL, NULL, 0},
    {"dims", "N", "how many dimensions (0: all)", "10", NULL, 0},
    {"steps", "N", "values of each", "11", NULL, 0},
    {"span", "STDS", "from minus to plus so many standard deviations", "3",
     NULL, 0},
    {"item", "ROW", "around this image's code (default: the mean code)", NULL,
     NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

typedef struct {
    hg_latent latent;
    int64_t *order, dims, steps;
    double span, *centre, *spread; /* [width] */
} sweep;

enum { NAME = 32 };

/* The spread of the codes themselves: std of the means, or of the prior where
 * the codes are drawn to one. */
static bool measure(view *v, sweep *s)
{
    cloud draws = {0};
    int64_t d = s->latent.width;
    s->order = malloc((size_t)d * sizeof *s->order);
    s->centre = malloc((size_t)(2 * d) * sizeof *s->centre);
    if (!s->order || !s->centre)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the dimensions");
    s->spread = s->centre + d;
    memcpy(s->centre, s->latent.mean, (size_t)d * sizeof *s->centre);
    for (int64_t j = 0; j < d; j++)
        s->spread[j] = sqrt(s->latent.variance[j]);
    hg_order(isnan(s->latent.kl[0]) ? s->latent.variance : s->latent.kl, d,
             s->order);
    if (!hg_model_has_prior(v->model))
        return true;
    bool ok = cloud_prior(&draws, &v->w, v->model, 10000);
    if (ok)
        hg_moments(cloud_points(&draws), s->centre, s->spread);
    cloud_free(&draws);
    return ok;
}

static bool centre_on_item(view *v, const arguments *a, sweep *s)
{
    int code = 0;
    cloud codes = {0};
    int64_t item = flag_count(a, "item", 0, &code);
    if (code || !flag_given(a, "item"))
        return !code;
    if (item >= hg_data_size(v->data))
        return hg_fail(HG_ERROR_ARGUMENT, "--item %lld: there are %lld image%s",
                       (long long)item, (long long)hg_data_size(v->data),
                       plural(hg_data_size(v->data)));
    bool ok = cloud_items(&codes, &v->w, v->model, v->data, item + 1, CODES);
    if (ok)
        memcpy(s->centre, cloud_row(&codes, item),
               (size_t)codes.width * sizeof *s->centre);
    cloud_free(&codes);
    return ok;
}

static double value_at(const sweep *s, int64_t step)
{
    return s->span * (2 * (double)step / (double)(s->steps - 1) - 1);
}

static bool sweep_codes(const sweep *s, cloud *codes)
{
    int64_t d = s->latent.width;
    if (!cloud_room(codes, s->dims * s->steps, d))
        return false;
    for (int64_t i = 0; i < codes->count; i++) {
        int64_t j = s->order[i / s->steps];
        double *z = cloud_row(codes, i);
        memcpy(z, s->centre, (size_t)d * sizeof *z);
        z[j] += s->spread[j] * value_at(s, i % s->steps);
    }
    return true;
}

static bool write_picture(const view *v, const char *path, const sweep *s,
                          const cloud *images)
{
    int64_t n = s->dims + s->steps;
    char(*text)[NAME] = malloc((size_t)n * sizeof *text), title[160];
    const char **name = malloc((size_t)n * sizeof *name);
    for (int64_t i = 0; text && name && i < n; i++) {
        int64_t j = i < s->dims ? s->order[i] : 0;
        double kl = s->latent.kl[j];
        name[i] = text[i];
        if (i >= s->dims)
            snprintf(text[i], NAME, "%+.2g", value_at(s, i - s->dims));
        else if (isnan(kl))
            snprintf(text[i], NAME, "z%lld  var %.2g", (long long)j,
                     s->latent.variance[j]);
        else
            snprintf(text[i], NAME, "z%lld  %.2f nats", (long long)j, kl);
    }
    snprintf(title, sizeof title, "%s: dimensions of the code, by %s",
             v->model->name,
             isnan(s->latent.kl[0]) ? "variance" : "KL to the prior");
    gallery g = {.title = title,
                 .x_label = "standard deviations from the centre",
                 .row_names = name,
                 .column_names = name ? name + s->dims : NULL,
                 .item = hg_data_shape(v->w.all),
                 .rows = s->dims,
                 .columns = s->steps,
                 .ways = true};
    bool ok = text && name && view_gallery(v, path, &g, images->values);
    free(text);
    free(name);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}

static bool read_sweep(const arguments *a, sweep *s)
{
    int code = 0;
    int64_t dims = flag_count(a, "dims", 0, &code);
    s->steps = flag_count(a, "steps", 2, &code);
    s->span = flag_number(a, "span", 0, &code);
    int64_t most = s->latent.width - s->latent.given;
    s->dims = dims && dims < most ? dims : most;
    return !code;
}

static bool show(view *v, const arguments *a)
{
    sweep s = {0};
    cloud codes = {0}, images = {0};
    path_text path = view_picture(v, a, "traverse.png");
    bool ok =
        view_can(v, hg_model_reconstructs(v->model), "does not reconstruct") &&
        hg_model_latent(v->model, v->w.state, v->data, &s.latent) &&
        read_sweep(a, &s) && measure(v, &s) && centre_on_item(v, a, &s) &&
        sweep_codes(&s, &codes) &&
        cloud_decoded(&images, &v->w, v->model, &codes) &&
        write_picture(v, path.text, &s, &images);
    cloud_free(&codes);
    cloud_free(&images);
    free(s.order);
    free(s.centre);
    return ok && say_picture(path.text) == EXIT_DONE;
}

int run_traverse(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass traverse [RUN] [options]\n"
                        "  hourglass traverse runs/first\n"
                        "  hourglass traverse runs/first --item 3 --dims 5\n"
                        "without RUN: the newest below --out",
                        show);
}
