/* models.c - `hourglass models` and `hourglass summary MODEL`. */
#include "apps/run.h"

#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"json", NULL, "JSON on standard output", NULL, NULL, 0},
    {"data", "NAME|PATH", "the data set that gives the sizes", "synthetic:10",
     NULL, 0},
    {0},
};

/* A RUN where a MODEL is meant: whose would it be? */
static bool is_of_run(const char *name)
{
    json_t *config =
        json_load_file(path_join(name, "config.json").text, 0, NULL);
    const char *model = json_string_value(json_object_get(config, "model"));
    if (model)
        fail_with(EXIT_USAGE, "%s is a run, and a model is needed here: %s",
                  name, model);
    json_decref(config);
    return model != NULL;
}

const hg_model *model_or_complain(const char *name)
{
    bool file = is_model_file(name);
    if (file && is_of_run(name))
        return NULL;
    const hg_model *model = file ? model_from_file(name) : hg_model_find(name);
    const char *names[64] = {0};
    if (file && !model)
        report_error();
    if (file || model)
        return model;
    for (int i = 0; hg_model_at(i) && i < 63; i++)
        names[i] = hg_model_at(i)->name;
    const char *near = nearest(name, names);
    fail_with(EXIT_USAGE, "there is no model %s; %s%s%s", name,
              near ? "did you mean " : "`hourglass models` lists them",
              near ? near : "", near ? "?" : "");
    return NULL;
}

static bool open_model(workbench *w, const hg_model *model, const char *data,
                       const char *const *options)
{
    settings s = {.model = model, .data = data, .device = "cpu", .seed = 1};
    return workbench_open(w, &s, options);
}

/* ---- models ------------------------------------------------------------- */

/* The sub-commands that work with it, as far as its slots tell: completion and
 * analogy depend on options too, and say so themselves. */
static json_t *tasks_of(const hg_model *m)
{
    bool both = hg_model_reconstructs(m);
    const struct {
        const char *name;
        bool can;
    } all[] = {
        {"encode", hg_model_has_code(m)},
        {"project", hg_model_has_code(m)},
        {"cluster", hg_model_has_code(m)},
        {"classify", hg_model_has_code(m)},
        {"reconstruct", both},
        {"interpolate", both},
        {"traverse", both},
        {"manifold", both},
        {"anomaly", both},
        {"denoise", both},
        {"sample",
         m->decode && (hg_model_has_prior(m) || hg_model_has_code(m))},
        {"likelihood", m->posterior != NULL},
    };
    json_t *tasks = json_array();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].can)
            json_array_append_new(tasks, json_string(all[i].name));
    return tasks;
}

static bool describe(const hg_model *m, const char *data, json_t **object)
{
    workbench w = {0};
    bool ok = open_model(&w, m, data, NULL);
    if (ok)
        *object = json_pack("{s:s, s:s, s:I, s:o}", "name", m->name, "about",
                            m->about, "parameters",
                            (json_int_t)hg_params_count(w.params), "tasks",
                            tasks_of(m));
    workbench_close(&w);
    return ok;
}

static void print_model(const json_t *object)
{
    printf("%-10s %10lld parameters  %s\n",
           json_string_value(json_object_get(object, "name")),
           (long long)json_integer_value(json_object_get(object, "parameters")),
           json_string_value(json_object_get(object, "about")));
}

int run_models(int argc, char **argv)
{
    arguments a = {.flags = flags};
    int code =
        parse_arguments(&a, argc, argv, "usage: hourglass models [--json]");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    json_t *list = json_array();
    for (int i = 0; hg_model_at(i); i++) {
        json_t *object = NULL;
        if (!describe(hg_model_at(i), flag_text(&a, "data"), &object)) {
            json_decref(list);
            return report_error();
        }
        if (!flag_given(&a, "json"))
            print_model(object);
        json_array_append_new(list, object);
    }
    if (flag_given(&a, "json"))
        print_json(list);
    json_decref(list);
    return EXIT_DONE;
}

/* ---- summary ------------------------------------------------------------ */

static json_t *entry_json(hg_tensor *t)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->shape.rank; i++)
        json_array_append_new(shape, json_integer(t->shape.dim[i]));
    return json_pack("{s:s, s:o, s:I, s:b}", "name", t->name, "shape", shape,
                     "parameters",
                     (json_int_t)(hg_is_buffer(t) ? 0 : hg_numel(t)),
                     "trainable", t->wants_grad);
}

static int by_number(const void *a, const void *b)
{
    int64_t i = hg_params_number(*(hg_tensor *const *)a);
    int64_t j = hg_params_number(*(hg_tensor *const *)b);
    return (i > j) - (i < j);
}

/* What the model consists of, in the order in which it was built, ended by
 * NULL; to be freed. */
static hg_tensor **parts_of(const workbench *w)
{
    int64_t n = 0;
    while (hg_params_entry(w->params, n))
        n++;
    hg_tensor **parts = malloc((size_t)(n + 1) * sizeof *parts);
    for (int64_t i = 0; parts && i <= n; i++)
        parts[i] = hg_params_entry(w->params, i);
    if (parts)
        qsort(parts, (size_t)n, sizeof *parts, by_number);
    return parts;
}

static void print_summary(const hg_model *m, const workbench *w,
                          hg_tensor *const *parts)
{
    printf("%s: %s\n\n%-32s %-18s %12s\n", m->name, m->about, "entry", "shape",
           "parameters");
    for (; *parts; parts++)
        printf("%-32s %-18s %12lld%s\n", (*parts)->name,
               HG_SHAPE_TEXT((*parts)->shape),
               (long long)(hg_is_buffer(*parts) ? 0 : hg_numel(*parts)),
               hg_is_buffer(*parts) ? "  (buffer)" : "");
    printf("%-32s %-18s %12lld\n", "total", "",
           (long long)hg_params_count(w->params));
}

static void print_summary_json(const hg_model *m, const workbench *w,
                               hg_tensor *const *parts)
{
    json_t *layers = json_array();
    for (; *parts; parts++)
        json_array_append_new(layers, entry_json(*parts));
    json_t *object =
        json_pack("{s:s, s:I, s:o}", "name", m->name, "parameters",
                  (json_int_t)hg_params_count(w->params), "layers", layers);
    print_json(object);
    json_decref(object);
}

int run_summary(int argc, char **argv)
{
    arguments a = {.flags = flags, .most = 1};
    const hg_model *model;
    int code =
        parse_model_arguments(&a, argc, argv,
                              "usage: hourglass summary MODEL [options]\n"
                              "  hourglass summary vae --latent 2",
                              &model);
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    if (!model)
        return fail_with(EXIT_USAGE, "usage: hourglass summary MODEL; "
                                     "`hourglass models` lists the models");
    const char *options[MOST_FLAGS];
    given_options(&a, options);
    workbench w = {0};
    bool ok = open_model(&w, model, flag_text(&a, "data"), options);
    hg_tensor **parts = ok ? parts_of(&w) : NULL;
    if (ok && !parts)
        ok = hg_fail(HG_ERROR_MEMORY, "no memory for the summary");
    if (ok && flag_given(&a, "json"))
        print_summary_json(model, &w, parts);
    else if (ok)
        print_summary(model, &w, parts);
    free(parts);
    workbench_close(&w);
    return ok ? EXIT_DONE : report_error();
}
