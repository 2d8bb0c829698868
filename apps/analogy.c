/* analogy.c - `hourglass analogy RUN`: the style of one image in every class,
 * for models whose code ends with a class. */
#include "apps/view.h"

#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is shown", NULL, NULL, 0},
    {"styles", "N", "how many styles", "8", NULL, 'n'},
    {"from", "NAME", "styles of images, or draws from the prior", "images",
     NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

/* Each style with each class: [styles * classes, width]. */
static bool cross(const cloud *styles, int64_t classes, cloud *out)
{
    int64_t d = styles->width;
    if (!cloud_room(out, styles->count * classes, d))
        return false;
    for (int64_t i = 0; i < out->count; i++) {
        double *z = cloud_row(out, i);
        memcpy(z, cloud_row(styles, i / classes), (size_t)d * sizeof *z);
        for (int64_t j = 0; j < classes; j++)
            z[d - classes + j] = j == i % classes;
    }
    return true;
}

/* The image that a style is from, then its row of classes. */
static bool write_picture(const view *v, const char *path, const cloud *x,
                          const cloud *y, int64_t styles, int64_t classes)
{
    enum { MOST = 64, NAME = 16 };
    char title[160], text[MOST + 1][NAME];
    const char *names[MOST + 1];
    cloud wall = {0};
    int64_t columns = classes + 1;
    bool named = classes <= MOST;
    if (!cloud_room(&wall, styles * columns, y->width))
        return false;
    cloud_blank(&wall);
    for (int64_t i = 0; i < styles; i++) {
        if (x->values)
            memcpy(cloud_row(&wall, i * columns), cloud_row(x, i),
                   (size_t)y->width * sizeof(double));
        memcpy(cloud_row(&wall, i * columns + 1), cloud_row(y, i * classes),
               (size_t)(classes * y->width) * sizeof(double));
    }
    for (int64_t i = 0; named && i <= classes; i++) {
        snprintf(text[i], NAME, "class %lld", (long long)i - 1);
        names[i] = i ? text[i] : x->values ? "image" : " ";
    }
    snprintf(title, sizeof title, "%s: styles in every class", v->model->name);
    gallery g = {.title = title,
                 .y_label = "style",
                 .column_names = named ? names : NULL,
                 .item = hg_data_shape(v->w.all),
                 .rows = styles,
                 .columns = columns};
    bool ok = view_gallery(v, path, &g, wall.values);
    cloud_free(&wall);
    return ok;
}

static bool draw(view *v, const arguments *a, int64_t classes, int64_t n,
                 const char *path)
{
    cloud x = {0}, styles = {0}, codes = {0}, y = {0};
    const char *from = flag_text(a, "from");
    bool images = !strcmp(from, "images"), ok = false;
    if (!images && strcmp(from, "prior"))
        return hg_fail(HG_ERROR_ARGUMENT, "--from %s: use images or prior",
                       from);
    if (images)
        ok = view_can(v, hg_model_has_code(v->model),
                      "has no encoder; use --from prior") &&
             cloud_items(&x, &v->w, v->model, v->data, n, PIXELS) &&
             cloud_items(&styles, &v->w, v->model, v->data, n, CODES);
    else
        ok = cloud_prior(&styles, &v->w, v->model, n);
    ok = ok && cross(&styles, classes, &codes) &&
         cloud_decoded(&y, &v->w, v->model, &codes) &&
         write_picture(v, path, &x, &y, styles.count, classes);
    cloud_free(&x);
    cloud_free(&styles);
    cloud_free(&codes);
    cloud_free(&y);
    return ok;
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    int64_t n = flag_count(a, "styles", 1, &code);
    int64_t classes =
        hg_model_code_classes(v->w.context, v->model, v->w.state, v->data);
    path_text path = view_picture(v, a, "analogy.png");
    return !code &&
           view_can(v, classes > 0,
                    "has no class in its code; cvae, "
                    "aae-supervised, aae-semi have") &&
           draw(v, a, classes, n, path.text) &&
           say_picture(path.text) == EXIT_DONE;
}

int run_analogy(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass analogy [RUN] [options]\n"
                        "  hourglass analogy runs/cvae\n"
                        "  hourglass analogy runs/semi --from prior\n"
                        "without RUN: the newest below --out",
                        show);
}
