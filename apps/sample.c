/* sample.c - `hourglass sample RUN`: decoded draws from the prior, or from a
 * mixture of Gaussians fitted to the codes of training images. */
#include "apps/view.h"

#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is drawn", NULL, NULL, 0},
    {"count", "N", "how many images", "100", NULL, 'n'},
    {"from", "NAME", "prior, or mixture: Gaussians fitted to codes", "prior",
     NULL, 0},
    {"components", "N", "Gaussians of the mixture", "10", NULL, 0},
    {"columns", "N", "images in a row", "10", NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

enum { FITTED = 10000 };

static bool from_mixture(view *v, int64_t count, int components, cloud *codes)
{
    cloud seen = {0};
    hg_mixture *m = NULL;
    bool ok = cloud_items(&seen, &v->w, v->model,
                          hg_data_spread(v->w.train, FITTED), 0, POSTERIOR) &&
              (m = hg_mixture_fit(v->w.context, cloud_points(&seen), components,
                                  1, v->seed)) != NULL &&
              cloud_room(codes, count, m->width) &&
              hg_mixture_draw(v->w.context, m, count, v->seed, codes->values);
    cloud_free(&seen);
    return ok;
}

static bool draw_codes(view *v, const arguments *a, int64_t count, cloud *codes)
{
    int code = 0;
    int components = flag_count(a, "components", 1, &code);
    const char *from = flag_text(a, "from");
    if (code)
        return false;
    if (!strcmp(from, "prior"))
        return view_can(v, hg_model_has_prior(v->model),
                        "has no prior; use --from mixture") &&
               cloud_prior(codes, &v->w, v->model, count);
    if (!strcmp(from, "mixture"))
        return view_can(v, hg_model_has_code(v->model), "has no encoder") &&
               from_mixture(v, count, components, codes);
    return hg_fail(HG_ERROR_ARGUMENT, "--from %s: use prior or mixture", from);
}

/* Places that are left over in the last row stay empty. */
static bool show(view *v, const arguments *a)
{
    int code = 0;
    char title[160];
    cloud codes = {0}, images = {0}, padded = {0};
    int64_t count = flag_count(a, "count", 1, &code);
    int64_t columns = flag_count(a, "columns", 1, &code);
    if (is_plane(hg_data_shape(v->w.all)) && !flag_given(a, "count"))
        count = PLANE_POINTS;
    columns = columns < count ? columns : count;
    int64_t rows = columns ? (count + columns - 1) / columns : 0;
    path_text path = view_picture(v, a, "sample.png");
    gallery g = {.title = title,
                 .item = hg_data_shape(v->w.all),
                 .rows = rows,
                 .columns = columns};
    snprintf(title, sizeof title, "%s: %lld draw%s from the %s", v->model->name,
             (long long)count, plural(count), flag_text(a, "from"));
    bool ok = !code &&
              view_can(v, v->model->decode != NULL, "has no decoder") &&
              draw_codes(v, a, count, &codes) &&
              cloud_decoded(&images, &v->w, v->model, &codes) &&
              cloud_room(&padded, rows * columns, images.width);
    if (ok) {
        cloud_blank(&padded);
        memcpy(padded.values, images.values,
               (size_t)(images.count * images.width) * sizeof(double));
        ok = view_gallery(v, path.text, &g, padded.values);
    }
    cloud_free(&codes);
    cloud_free(&images);
    cloud_free(&padded);
    return ok && say_picture(path.text) == EXIT_DONE;
}

int run_sample(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass sample [RUN] [options]\n"
                        "  hourglass sample runs/first\n"
                        "  hourglass sample runs/first --from mixture "
                        "--components 20\n"
                        "without RUN: the newest below --out",
                        show);
}
