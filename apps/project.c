/* project.c - `hourglass project RUN`: a map of the codes by principal
 * components or t-SNE, coloured by class, and files for the embedding
 * projector. */
#include "apps/report.h"
#include "apps/view.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const flag flags[] = {
    {"", NULL, "what is mapped", NULL, NULL, 0},
    {"method", "NAME",
     "pca (exact), tsne, or raw: the first two dimensions, as they are; auto: "
     "raw for a code of two, else pca",
     "auto", NULL, 'm'},
    {"of", "NAME", "codes, draws from q(z|x), or pixels", "codes", NULL, 0},
    {"count", "N", "how many images (0: all)", "5000", NULL, 'n'},
    {"perplexity", "N", "t-SNE: about how many neighbours count", "30", NULL,
     0},
    {"iterations", "N", "t-SNE: steps of descent", "1000", NULL, 0},
    {"tsv", "DIR", "also files for the embedding projector", NULL, NULL, 0},
    PICTURE_FLAG,
    VIEW_FLAGS,
    {0},
};

typedef struct {
    cloud points;
    double *x, *y; /* [count] */
    int32_t *label;
    const hg_data *data; /* knows the classes' names */
    char title[160], left[64], below[96];
} atlas;

/* ---- Points ------------------------------------------------------------- */

static bool gather(view *v, const arguments *a, atlas *m)
{
    int code = 0;
    const char *of = flag_text(a, "of");
    int64_t count = flag_count(a, "count", 0, &code);
    hg_data *data = hg_data_spread(v->data, count);
    cloud_kind kind = !strcmp(of, "pixels")  ? PIXELS
                      : !strcmp(of, "draws") ? POSTERIOR
                                             : CODES;
    if (code)
        return false;
    if (kind == CODES && strcmp(of, "codes"))
        return hg_fail(HG_ERROR_ARGUMENT, "--of %s: use codes, draws or pixels",
                       of);
    if (!view_can(v, kind == PIXELS || hg_model_has_code(v->model),
                  "has no encoder") ||
        !cloud_items(&m->points, &v->w, v->model, data, 0, kind))
        return false;
    int64_t n = m->points.count;
    m->x = malloc((size_t)(2 * n) * sizeof *m->x + 1);
    m->label = malloc((size_t)n * sizeof *m->label + 1);
    if (!m->x || !m->label)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the map");
    m->y = m->x + n;
    for (int64_t i = 0; i < n; i++)
        m->label[i] = hg_data_label(data, i);
    return true;
}

/* ---- Maps --------------------------------------------------------------- */

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

static bool show_progress(void *user, int iteration, double kl)
{
    if (isatty(2))
        fprintf(stderr, "\r\033[Kt-SNE %d/%d  KL %.4f", iteration, *(int *)user,
                kl);
    fflush(stderr);
    return !stopped;
}

/* Ctrl-C stops early and keeps the map as it is. */
static bool by_tsne(view *v, const arguments *a, atlas *m)
{
    int code = 0, iterations = flag_count(a, "iterations", 1, &code);
    hg_tsne_options o = {.perplexity = flag_number(a, "perplexity", 1, &code),
                         .iterations = iterations,
                         .seed = v->seed,
                         .progress = show_progress,
                         .user = &iterations};
    int64_t n = m->points.count;
    double kl, *map = malloc((size_t)(2 * n) * sizeof *map + 1);
    signal(SIGINT, on_stop);
    if (!map)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the map");
    bool ok =
        !code && hg_tsne(v->w.context, cloud_points(&m->points), o, map, &kl);
    if (isatty(2))
        fputs("\r\033[K", stderr);
    for (int64_t i = 0; ok && i < n; i++) {
        m->x[i] = map[2 * i];
        m->y[i] = map[2 * i + 1];
    }
    free(map);
    snprintf(m->left, sizeof m->left, "t-SNE 1");
    if (ok)
        snprintf(m->below, sizeof m->below,
                 "t-SNE 2 (perplexity %g, KL %.3f nats)", o.perplexity, kl);
    return ok;
}

static bool by_pca(view *v, atlas *m)
{
    double share;
    if (!hg_principal_plane(v->w.context, m->points.values, m->points.count,
                            m->points.width, m->x, m->y, &share))
        return false;
    snprintf(m->left, sizeof m->left, "first principal component");
    snprintf(m->below, sizeof m->below,
             "second (together %.1f %% of the variance)", 100 * share);
    return true;
}

static bool as_they_are(atlas *m)
{
    for (int64_t i = 0; i < m->points.count; i++) {
        m->x[i] = cloud_row(&m->points, i)[0];
        m->y[i] = m->points.width > 1 ? cloud_row(&m->points, i)[1] : 0;
    }
    snprintf(m->left, sizeof m->left, "dimension 0");
    snprintf(m->below, sizeof m->below, "dimension 1");
    return true;
}

static bool map_points(view *v, const arguments *a, atlas *m)
{
    const char *method = flag_text(a, "method");
    bool choose = !strcmp(method, "auto"), flat = m->points.width <= 2;
    if (!strcmp(method, "pca") || (choose && !flat))
        return by_pca(v, m);
    if (!strcmp(method, "tsne"))
        return by_tsne(v, a, m);
    if (!strcmp(method, "raw") || choose)
        return as_they_are(m);
    return hg_fail(HG_ERROR_ARGUMENT, "--method %s: use auto, pca, tsne or raw",
                   method);
}

/* ---- The embedding projector -------------------------------------------- */

static bool write_lines(const char *folder, const char *name, const atlas *m,
                        void (*line)(FILE *, const atlas *, int64_t))
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    for (int64_t i = 0; f && i < m->points.count; i++)
        line(f, m, i);
    bool ok =
        f && !fclose(f) && write_file(path_join(folder, name).text, text, size);
    free(text);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", name);
}

static void vector_line(FILE *f, const atlas *m, int64_t i)
{
    for (int64_t j = 0; j < m->points.width; j++)
        fprintf(f, "%s%.6g", j ? "\t" : "", cloud_row(&m->points, i)[j]);
    fputc('\n', f);
}

/* A second column wants a head above both. The projector knows no quotes. */
static void label_line(FILE *f, const atlas *m, int64_t i)
{
    bool named = hg_data_class_name(m->data, 0) != NULL;
    char name[256];
    if (named && i == 0)
        fprintf(f, "label\tname\n");
    fprintf(f, "%d", (int)m->label[i]);
    class_name(m->data, m->label[i], name, sizeof name);
    for (char *c = name; (c = strpbrk(c, "\t\r\n"));)
        *c = ' ';
    if (named)
        fprintf(f, "\t%s", name);
    fputc('\n', f);
}

static const char projector_config[] =
    "embeddings {\n  tensor_name: \"codes\"\n  tensor_path: \"vectors.tsv\"\n"
    "  metadata_path: \"metadata.tsv\"\n}\n";

static bool write_projector(const char *folder, const atlas *m)
{
    return make_folder(folder) &&
           write_lines(folder, "vectors.tsv", m, vector_line) &&
           write_lines(folder, "metadata.tsv", m, label_line) &&
           write_file(path_join(folder, "projector_config.pbtxt").text,
                      projector_config, sizeof projector_config - 1);
}

/* ---- The command -------------------------------------------------------- */

static bool show(view *v, const arguments *a)
{
    atlas m = {.data = v->w.all};
    const char *tsv = flag_text(a, "tsv");
    bool ok = gather(v, a, &m) && map_points(v, a, &m) &&
              (!tsv || write_projector(tsv, &m));
    path_text path = view_picture(v, a, "project.png");
    snprintf(m.title, sizeof m.title, "%s: %s of %lld image%s", v->model->name,
             flag_text(a, "of"), (long long)m.points.count,
             plural(m.points.count));
    ok = ok && figure_scatter(path.text, m.title, m.left, m.below, m.x, m.y,
                              m.label, m.points.count, m.data);
    cloud_free(&m.points);
    free(m.x);
    free(m.label);
    return ok && say_picture(path.text) == EXIT_DONE;
}

int run_project(int argc, char **argv)
{
    return view_command(
        argc, argv, flags,
        "usage: hourglass project [RUN] [options]\n"
        "  hourglass project runs/first --method tsne\n"
        "  hourglass project runs/first --of pixels --tsv projector\n"
        "without RUN: the newest below --out; Ctrl-C ends t-SNE early",
        show);
}
