/* denoise.c - `hourglass denoise RUN`: clean, spoilt and restored images; with
 * --data FOLDER, images that are spoilt already, one restored file for each. */
#include "apps/measures.h"
#include "apps/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is restored", NULL, NULL, 0},
    {"count", "N", "images in the picture", "10", NULL, 'n'},
    {"noise", "NAME",
     "own: what the model was trained on; gaussian, masking, or none: the "
     "images are spoilt already (default with --data FOLDER/)",
     NULL, NULL, 0},
    {"level", "X", "deviation of gaussian noise, or share that masking drops",
     "0.5", NULL, 0},
    {"restored", "DIR",
     "one picture for each image and changes.csv [RUN/restored with a folder]",
     NULL, NULL, 0},
    {"json", NULL, "the errors as JSON on standard output", NULL, NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

typedef struct {
    view *v;
    const char *noise;
    double level;
    cloud clean, noisy, restored;
} cure;

/* ---- Spoiling and restoring --------------------------------------------- */

static hg_tensor *spoil(const cure *c, hg_tensor *x)
{
    if (!strcmp(c->noise, "own"))
        return c->v->model->corrupt(c->v->w.state, x);
    if (!strcmp(c->noise, "gaussian"))
        return hg_add_noise(x, 0, c->level);
    if (!strcmp(c->noise, "masking"))
        return hg_mask_noise(x, c->level);
    return x;
}

static hg_tensor *noisy_rows(void *user, int64_t from, int64_t n)
{
    const cure *c = user;
    hg_batch b;
    return hg_data_batch_from(c->v->data, from, n, &b) ? spoil(c, b.x) : NULL;
}

static hg_tensor *restored_rows(void *user, int64_t from, int64_t n)
{
    const cure *c = user;
    const hg_model *m = c->v->model;
    hg_batch b;
    if (!hg_data_batch_from(c->v->data, from, n, &b))
        return NULL;
    b.x =
        hg_from(cloud_row(&c->noisy, from), "f8", HG_SHAPE(n, c->noisy.width));
    hg_tensor *x = hg_model_input(m, c->v->w.state, &b);
    return m->decode(c->v->w.state, hg_model_encode(m, c->v->w.state, x));
}

static bool restore(cure *c)
{
    view *v = c->v;
    int64_t n = hg_data_size(v->data);
    return cloud_items(&c->clean, &v->w, v->model, v->data, 0, PIXELS) &&
           cloud_fill(&c->noisy, v->w.context, n, noisy_rows, c) &&
           cloud_fill(&c->restored, v->w.context, n, restored_rows, c);
}

/* ---- What comes out ----------------------------------------------------- */

static bool draw_picture(const cure *c, const char *path, int64_t n)
{
    static const char *const names[] = {"clean", "noisy", "restored"};
    static const char *const given[] = {"given", "restored"};
    bool spoilt = strcmp(c->noise, "none");
    const cloud *rows[] = {&c->clean, &c->noisy, &c->restored};
    char title[160];
    cloud wall = {0};
    n = n < c->clean.count ? n : c->clean.count;
    int count = spoilt ? 3 : 2;
    if (!cloud_room(&wall, count * n, c->clean.width))
        return false;
    for (int i = 0; i < count; i++)
        memcpy(cloud_row(&wall, i * n), rows[spoilt ? i : i + 1]->values,
               (size_t)(n * wall.width) * sizeof(double));
    snprintf(title, sizeof title, "%s: restored images", c->v->model->name);
    gallery g = {.title = title,
                 .row_names = spoilt ? names : given,
                 .item = hg_data_shape(c->v->w.all),
                 .rows = count,
                 .columns = n};
    bool ok = view_gallery(c->v, path, &g, wall.values);
    cloud_free(&wall);
    return ok;
}

static bool write_changes(const cure *c, const char *folder,
                          const double *change, const int64_t *order)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f)
        fprintf(f, "rank,row,restored,mean_square\n");
    for (int64_t i = 0; f && i < c->clean.count; i++) {
        path_text path = view_item_path(c->v, folder, order[i]);
        fprintf(f, "%lld,%lld,", (long long)i + 1, (long long)order[i]);
        put_quoted(f, path.text + strlen(folder) + 1);
        fprintf(f, ",%.7g\n", change[order[i]]);
    }
    bool ok = f && !fclose(f) &&
              write_file(path_join(folder, "changes.csv").text, text, size);
    free(text);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the changes");
}

/* A picture an image, and how much each was changed, most first. */
static bool write_restored(const cure *c, const char *folder)
{
    int64_t n = c->clean.count;
    hg_shape item = hg_data_shape(c->v->w.all);
    double *change = malloc((size_t)n * sizeof *change + 1);
    int64_t *order = malloc((size_t)n * sizeof *order + 1);
    bool ok = change && order && refuse_plane(item, "are no pictures") &&
              make_folder(folder);
    for (int64_t i = 0; ok && i < n; i++) {
        change[i] = hg_mean_square(cloud_row(&c->noisy, i),
                                   cloud_row(&c->restored, i), c->clean.width);
        ok = picture_plain(view_item_path(c->v, folder, i).text,
                           cloud_row(&c->restored, i), item);
    }
    if (ok) {
        hg_order(change, n, order);
        ok = write_changes(c, folder, change, order);
    }
    free(change);
    free(order);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the changes");
}

static void report(const cure *c, bool json)
{
    int64_t size = c->clean.count * c->clean.width;
    double before = hg_mean_square(c->clean.values, c->noisy.values, size);
    double after = hg_mean_square(c->clean.values, c->restored.values, size);
    if (json) {
        json_t *object = json_pack("{s:s, s:I, s:f, s:f}", "noise", c->noise,
                                   "images", (json_int_t)c->clean.count,
                                   "noisy_mse", before, "restored_mse", after);
        print_json(object);
        json_decref(object);
    } else if (strcmp(c->noise, "none")) {
        printf("squared error a pixel, %lld image%s: noisy %.5g, restored "
               "%.5g\n",
               (long long)c->clean.count, plural(c->clean.count), before,
               after);
    }
}

/* ---- The command -------------------------------------------------------- */

static bool choose_noise(cure *c, const arguments *a)
{
    static const char *const known[] = {"own", "gaussian", "masking", "none"};
    const char *noise = flag_text(a, "noise"), *data = flag_text(a, "data");
    bool folder = data && strchr(data, '/');
    c->noise = noise                  ? noise
               : folder               ? "none"
               : c->v->model->corrupt ? "own"
                                      : "gaussian";
    if (!strcmp(c->noise, "own") && !c->v->model->corrupt)
        return view_can(c->v, false, "has no noise of its own");
    for (int i = 0; i < 4; i++)
        if (!strcmp(c->noise, known[i]))
            return true;
    return hg_fail(HG_ERROR_ARGUMENT,
                   "--noise %s: use own, gaussian, masking or none", noise);
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    cure c = {.v = v, .level = flag_number(a, "level", 0, &code)};
    int64_t n = flag_count(a, "count", 1, &code);
    path_text path = view_picture(v, a, "denoise.png");
    path_text own = path_join(v->run, "restored");
    const char *folder = flag_text(a, "restored");
    bool ok =
        !code &&
        view_can(v, hg_model_reconstructs(v->model), "does not reconstruct") &&
        choose_noise(&c, a) && restore(&c) && draw_picture(&c, path.text, n);
    bool pictures = !is_plane(hg_data_shape(v->w.all));
    if (pictures && !folder && c.noise && !strcmp(c.noise, "none"))
        folder = own.text;
    ok = ok && (!folder || write_restored(&c, folder));
    if (ok)
        report(&c, flag_given(a, "json"));
    cloud_free(&c.clean);
    cloud_free(&c.noisy);
    cloud_free(&c.restored);
    return ok && say_picture(folder ? folder : path.text) == EXIT_DONE;
}

int run_denoise(int argc, char **argv)
{
    return view_whole(argc, argv, flags,
                      "usage: hourglass denoise [RUN] [options]\n"
                      "  hourglass denoise runs/denoising\n"
                      "  hourglass denoise runs/first --noise masking --level "
                      "0.3\n"
                      "  hourglass denoise runs/denoising --data scans/\n"
                      "without RUN: the newest below --out",
                      show);
}
