/* classify.c - `hourglass classify RUN`: how well classes can be told from the
 * codes with few labels, and by models that classify themselves. */
#include "apps/measures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is learnt", NULL, NULL, 0},
    {"labels", "N,N,...", "numbers of labels, evenly over the classes",
     "100,1000", NULL, 0},
    {"repeats", "N", "choices of labels, for mean and spread", "5", NULL, 0},
    {"json", NULL, "JSON on standard output", NULL, NULL, 0},
    VIEW_FLAGS,
    {0},
};

enum { MOST_REPEATS = 100 };

typedef struct {
    view *v;
    cloud train, test, chosen;
    int32_t *train_label, *test_label, *chosen_label;
    int classes, repeats;
    json_t *table;
} learning;

static bool add_row(learning *l, const char *method, int64_t labels,
                    const double *accuracy, int n)
{
    double mean, std;
    hg_moments((hg_points){accuracy, n, 1}, &mean, &std);
    return !json_array_append_new(
        l->table,
        json_pack("{s:s, s:I, s:i, s:f, s:f, s:f}", "method", method, "labels",
                  (json_int_t)labels, "repeats", n, "accuracy", mean, "std",
                  n > 1 ? std * sqrt(n / (n - 1.0)) : 0.0, "error", 1 - mean));
}

/* Copies `each` labelled codes of every class. */
static bool choose(learning *l, int64_t each, uint64_t seed)
{
    int64_t n = each * l->classes, *row = malloc((size_t)n * sizeof *row + 1);
    cloud_free(&l->chosen);
    free(l->chosen_label);
    l->chosen_label = malloc((size_t)n * sizeof *l->chosen_label + 1);
    bool ok = row && l->chosen_label &&
              cloud_room(&l->chosen, n, l->train.width) &&
              hg_choose_labelled(l->train_label, l->train.count, l->classes,
                                 each, seed, row);
    for (int64_t i = 0; ok && i < n; i++) {
        l->chosen_label[i] = l->train_label[row[i]];
        memcpy(cloud_row(&l->chosen, i), cloud_row(&l->train, row[i]),
               (size_t)l->train.width * sizeof(double));
    }
    free(row);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the chosen codes");
}

static bool learn(learning *l, int64_t labels)
{
    double linear[MOST_REPEATS], nearest[MOST_REPEATS];
    int64_t each = labels / l->classes;
    hg_context *context = l->v->w.context;
    hg_points test = cloud_points(&l->test);
    if (each < 1)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--labels %lld: there are %d classes, each needs one",
                       (long long)labels, l->classes);
    if (labels > l->train.count)
        return hg_fail(HG_ERROR_ARGUMENT,
                       "--labels %lld: there are %lld image%s to train on",
                       (long long)labels, (long long)l->train.count,
                       plural(l->train.count));
    for (int i = 0; i < l->repeats; i++) {
        if (!choose(l, each, l->v->seed + (uint64_t)i))
            return false;
        hg_points few = cloud_points(&l->chosen);
        if (!hg_linear_probe(context, few, l->chosen_label, test, l->test_label,
                             l->classes, l->v->seed, &linear[i]) ||
            !hg_knn_accuracy(context, few, l->chosen_label, test, l->test_label,
                             1, &nearest[i]))
            return false;
    }
    int n = l->repeats;
    return add_row(l, "linear on codes", each * l->classes, linear, n) &&
           add_row(l, "nearest code", each * l->classes, nearest, n);
}

/* What a model that classifies says, labels as they are. */
static bool by_model(learning *l)
{
    int classes;
    double right = 0;
    int64_t n = l->test.count;
    if (!l->v->model->classify)
        return true;
    int32_t *guess = malloc((size_t)n * sizeof *guess + 1);
    bool ok = guess && classes_by_model(l->v, n, guess, &classes);
    for (int64_t i = 0; ok && i < n; i++)
        right += (guess[i] == l->test_label[i]) / (double)n;
    free(guess);
    return ok && add_row(l, "the model's own", 0, &right, 1);
}

static bool learn_all(learning *l, const char *list)
{
    view *v = l->v;
    l->train_label = labels_of(v->w.train, hg_data_size(v->w.train));
    l->test_label =
        l->train_label ? labels_of(v->data, hg_data_size(v->data)) : NULL;
    if (!l->test_label ||
        !cloud_items(&l->train, &v->w, v->model, v->w.train, 0, CODES) ||
        !cloud_items(&l->test, &v->w, v->model, v->data, 0, CODES) ||
        !by_model(l))
        return false;
    while (*list) {
        char *end;
        long long labels = strtoll(list, &end, 10);
        if (end == list || (*end && *end != ','))
            return hg_fail(HG_ERROR_ARGUMENT,
                           "--labels %s: numbers with commas are needed, as "
                           "100,1000",
                           list);
        if (!learn(l, labels))
            return false;
        list = *end ? end + 1 : end;
    }
    return true;
}

static void print_table(const json_t *table)
{
    size_t i;
    json_t *row;
    printf("%-18s %8s %9s %8s %8s\n", "method", "labels", "accuracy", "std",
           "repeats");
    json_array_foreach(table, i, row)
    {
        printf("%-18s %8lld %9.4f %8.4f %8d\n",
               json_string_value(json_object_get(row, "method")),
               (long long)json_integer_value(json_object_get(row, "labels")),
               json_number_value(json_object_get(row, "accuracy")),
               json_number_value(json_object_get(row, "std")),
               (int)json_integer_value(json_object_get(row, "repeats")));
    }
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    learning l = {.v = v,
                  .classes = hg_data_classes(v->w.all),
                  .repeats = flag_within(a, "repeats", 1, MOST_REPEATS, &code),
                  .table = json_array()};
    bool ok = !code &&
              view_can(v, hg_model_has_code(v->model), "has no encoder") &&
              learn_all(&l, flag_text(a, "labels"));
    if (ok && flag_given(a, "json"))
        print_json(l.table);
    else if (ok)
        print_table(l.table);
    cloud_free(&l.train);
    cloud_free(&l.test);
    cloud_free(&l.chosen);
    free(l.train_label);
    free(l.test_label);
    free(l.chosen_label);
    json_decref(l.table);
    return ok;
}

int run_classify(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass classify [RUN] [options]\n"
                        "  hourglass classify runs/first\n"
                        "  hourglass classify runs/first --labels 100,3000 "
                        "--repeats 10\n"
                        "without RUN: the newest below --out",
                        show);
}
