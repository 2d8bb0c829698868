/* cluster.c - `hourglass cluster RUN`: groups found in the codes without
 * looking at labels, and how well they agree with the classes. */
#include "apps/measures.h"

#include <stdlib.h>

static const flag flags[] = {
    {"", NULL, "what is grouped", NULL, NULL, 0},
    {"clusters", "K", "how many groups (0: one a class)", "0", NULL, 'k'},
    {"tries", "N", "k-means: starts, of which the best counts", "10", NULL, 0},
    {"pixels", NULL, "k-means on the pixels too, to compare", NULL, NULL, 0},
    {"json", NULL, "JSON on standard output", NULL, NULL, 0},
    VIEW_FLAGS,
    {0},
};

typedef struct {
    view *v;
    cloud points;
    int32_t *label, *group; /* [count] */
    int k, tries;
    json_t *table;
} grouping;

static bool add_row(grouping *g, const char *method)
{
    hg_agreement found;
    if (!hg_agree(g->v->w.context, g->group, g->label, g->points.count, &found))
        return false;
    return !json_array_append_new(
        g->table, json_pack("{s:s, s:i, s:f, s:s, s:f, s:f}", "method", method,
                            "clusters", g->k, "accuracy", found.accuracy, "by",
                            found.matched ? "assignment" : "majority", "nmi",
                            found.nmi, "ari", found.ari));
}

static bool by_kmeans(grouping *g, const char *method)
{
    cloud centres = {0};
    bool ok = cloud_room(&centres, g->k, g->points.width) &&
              hg_kmeans(g->v->w.context, cloud_points(&g->points), g->k,
                        g->tries, g->v->seed, centres.values, g->group) &&
              add_row(g, method);
    cloud_free(&centres);
    return ok;
}

static bool by_mixture(grouping *g)
{
    double *log_p = malloc((size_t)g->points.count * sizeof *log_p + 1);
    hg_points p = cloud_points(&g->points);
    hg_mixture *m =
        log_p ? hg_mixture_fit(g->v->w.context, p, g->k, 0, g->v->seed) : NULL;
    bool ok = m && hg_mixture_score(g->v->w.context, m, p, log_p, g->group) &&
              add_row(g, "mixture on codes");
    free(log_p);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the mixture");
}

/* What a model that has clusters of its own says. */
static bool by_model(grouping *g)
{
    view *v = g->v;
    if (!v->model->classify)
        return true;
    return classes_by_model(v, g->points.count, g->group, &g->k) &&
           add_row(g, "the model's own");
}

static bool take(grouping *g, cloud_kind kind)
{
    cloud_free(&g->points);
    return cloud_items(&g->points, &g->v->w, g->v->model, g->v->data, 0, kind);
}

static bool group_all(grouping *g, const arguments *a)
{
    int64_t n = hg_data_size(g->v->data);
    int asked = g->k;
    g->label = labels_of(g->v->data, n);
    g->group = malloc((size_t)n * sizeof *g->group + 1);
    if (!g->label || !g->group)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the groups");
    if (!take(g, CODES) || !by_model(g))
        return false;
    g->k = asked ? asked : hg_data_classes(g->v->w.all);
    return by_kmeans(g, "k-means on codes") && by_mixture(g) &&
           (!flag_given(a, "pixels") ||
            (take(g, PIXELS) && by_kmeans(g, "k-means on pixels")));
}

static void print_table(const json_t *table)
{
    size_t i;
    json_t *row;
    printf("%-20s %8s %9s %-12s %8s %8s\n", "method", "clusters", "accuracy",
           "by", "nmi", "ari");
    json_array_foreach(table, i, row)
    {
        printf("%-20s %8d %9.4f %-12s %8.4f %8.4f\n",
               json_string_value(json_object_get(row, "method")),
               (int)json_integer_value(json_object_get(row, "clusters")),
               json_number_value(json_object_get(row, "accuracy")),
               json_string_value(json_object_get(row, "by")),
               json_number_value(json_object_get(row, "nmi")),
               json_number_value(json_object_get(row, "ari")));
    }
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    grouping g = {.v = v,
                  .k = flag_count(a, "clusters", 0, &code),
                  .tries = flag_count(a, "tries", 1, &code),
                  .table = json_array()};
    bool ok = !code &&
              view_can(v, hg_model_has_code(v->model), "has no encoder") &&
              group_all(&g, a);
    if (ok && flag_given(a, "json"))
        print_json(g.table);
    else if (ok)
        print_table(g.table);
    cloud_free(&g.points);
    free(g.label);
    free(g.group);
    json_decref(g.table);
    return ok;
}

int run_cluster(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass cluster [RUN] [options]\n"
                        "  hourglass cluster runs/first --pixels\n"
                        "  hourglass cluster runs/first -k 30 --json\n"
                        "without RUN: the newest below --out",
                        show);
}
