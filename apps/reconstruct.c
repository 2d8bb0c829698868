/* reconstruct.c - `hourglass reconstruct RUN`: images, what the model makes of
 * them, and the difference; of a folder, a picture for each of its images. */
#include "apps/report.h"
#include "apps/view.h"

static const flag flags[] = {
    {"", NULL, "what is shown", NULL, NULL, 0},
    {"count", "N", "how many images", "20", NULL, 'n'},
    {"columns", "N", "images in a row", "10", NULL, 0},
    PICTURE_FLAG,
    {"each", "DIR",
     "a picture for each image under its name [RUN/reconstructed with a "
     "folder]",
     NULL, NULL, 0},
    VIEW_FLAGS,
    {0},
};

static bool write_picture(const view *v, const char *path, const cloud *x,
                          const cloud *y, int64_t columns)
{
    char title[160];
    snprintf(title, sizeof title, "%s: reconstructions", v->model->name);
    bands b = {.title = title,
               .item = hg_data_shape(v->w.all),
               .x = x,
               .y = y,
               .columns = columns};
    return bands_write(path, &b);
}

/* The data lie behind them anyway, and differences of points are no points. */
static bool write_points(const view *v, const char *path, const cloud *y)
{
    char title[160];
    snprintf(title, sizeof title, "%s: reconstructions", v->model->name);
    gallery g = {.title = title,
                 .item = hg_data_shape(v->w.all),
                 .rows = 1,
                 .columns = y->count};
    return view_gallery(v, path, &g, y->values);
}

static bool write_each(const view *v, const char *folder)
{
    cloud y = {0};
    bool ok = refuse_plane(hg_data_shape(v->w.all), "are no pictures") &&
              make_folder(folder) &&
              cloud_items(&y, &v->w, v->model, v->data, 0, RECONSTRUCTIONS);
    for (int64_t i = 0; ok && i < y.count; i++)
        ok = picture_plain(view_item_path(v, folder, i).text, cloud_row(&y, i),
                           hg_data_shape(v->w.all));
    cloud_free(&y);
    return ok;
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    path_text own = path_join(v->run, "reconstructed");
    const char *each = flag_given(a, "each")           ? flag_text(a, "each")
                       : hg_data_item_name(v->data, 0) ? own.text
                                                       : NULL;
    cloud x = {0}, y = {0};
    int64_t count = flag_count(a, "count", 1, &code);
    int64_t columns = flag_count(a, "columns", 1, &code);
    path_text path = view_picture(v, a, "reconstruct.png");
    bool plane = is_plane(hg_data_shape(v->w.all));
    if (plane && !flag_given(a, "count"))
        count = PLANE_POINTS;
    bool ok =
        !code &&
        view_can(v, hg_model_reconstructs(v->model), "does not reconstruct") &&
        cloud_items(&x, &v->w, v->model, v->data, count, PIXELS) &&
        cloud_items(&y, &v->w, v->model, v->data, count, RECONSTRUCTIONS) &&
        (plane ? write_points(v, path.text, &y)
               : write_picture(v, path.text, &x, &y, columns)) &&
        (!each || write_each(v, each));
    cloud_free(&x);
    cloud_free(&y);
    return ok && say_picture(path.text) == EXIT_DONE &&
           (!each || say_picture(each) == EXIT_DONE);
}

int run_reconstruct(int argc, char **argv)
{
    return view_path(argc, argv, flags,
                     "usage: hourglass reconstruct [RUN] [options]\n"
                     "  hourglass reconstruct runs/first --count 40\n"
                     "  hourglass reconstruct runs/first --data scans/\n"
                     "without RUN: the newest below --out",
                     show);
}
