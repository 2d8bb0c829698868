/* run.c - settings, the workbench, and finding a run again. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "apps/data_flags.h"
#include "apps/run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void print_message(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "note: %s\n", text);
}

/* Data that cannot be read are missing, whatever kept them from it. */
static hg_data *open_named(hg_context *context, const char *name,
                           hg_data_options options)
{
    char why[1024];
    hg_data *data = hg_data_open(context, name, options);
    if (data || hg_error_kind() != HG_ERROR_IO)
        return data;
    snprintf(why, sizeof why, "%s", hg_error());
    hg_error_clear();
    hg_fail(HG_ERROR_DATA, "%s", why);
    return NULL;
}

hg_data *open_data(hg_context *context, const char *name, const char *data_dir,
                   hg_data_options options)
{
    options.data_dir = data_dir;
    if (strcmp(name, "auto"))
        return open_named(context, name, options);
    bool offline = options.offline;
    options.offline = true; /* nothing is fetched unasked */
    hg_data *data = hg_data_open(context, "mnist", options);
    options.offline = offline;
    if (data || hg_error_kind() != HG_ERROR_DATA)
        return data;
    hg_error_clear();
    fprintf(stderr, "note: MNIST was not found, using the built-in synthetic "
                    "digits\n");
    return hg_data_open(context, "synthetic:60000", options);
}

/* A learned spread is a parameter of the store, made before the model's, so
 * that an optimiser over all of it finds it. */
static bool set_spread(workbench *w, const settings *s)
{
    hg_objective *o = &w->objective;
    if (!s->decoder_std)
        return true;
    if (!strcmp(s->decoder_std, "optimal")) {
        o->spread = HG_SPREAD_OPTIMAL;
    } else if (!strcmp(s->decoder_std, "learned")) {
        o->spread = HG_SPREAD_LEARNED;
        o->log_std = hg_param(w->params, "decoder_log_std", HG_SCALAR,
                              HG_INIT(HG_INIT_CONSTANT, -0.34657359027997264));
    } else {
        o->spread = HG_SPREAD_FIXED;
        o->std = strtod(s->decoder_std, NULL);
    }
    return !hg_error();
}

hg_objective *measured_by(workbench *w)
{
    return w->objective.spread == HG_SPREAD_RECIPE ? NULL : &w->objective;
}

static bool build(workbench *w, const settings *s, const char *const *options)
{
    w->config = hg_config_new(w->context, s->model, w->all);
    for (; options && options[0]; options += 2)
        if (!hg_config_set(w->config, options[0], options[1]))
            return false;
    w->params = hg_params_new(w->context);
    if (!set_spread(w, s))
        return false;
    w->state = hg_model_build(s->model, w->params, w->config);
    if (!w->state)
        return hg_fail(HG_ERROR_STATE, "%s could not be built", s->model->name);
    return hg_model_optimizers(s->model, w->state, w->params, w->config,
                               &w->optimizers);
}

bool set_precision(hg_context *context, const char *name)
{
    static const char *const names[] = {"fp32", "tf32", "bf16", NULL};
    for (int i = 0; name && names[i]; i++)
        if (!strcmp(name, names[i]))
            return hg_context_set_precision(context, (hg_precision)i);
    if (!name)
        return true; /* as it is by default */
    const char *near = nearest(name, names);
    return hg_fail(
        HG_ERROR_ARGUMENT, "--precision %s: use fp32, tf32 or bf16%s%s%s", name,
        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

bool workbench_open(workbench *w, const settings *s,
                    const char *const *model_options)
{
    memset(w, 0, sizeof *w);
    w->context = hg_context_new(s->device, s->seed);
    if (!w->context)
        return false;
    if (!set_precision(w->context, s->precision))
        return false;
    if (s->anomaly)
        hg_context_set_anomaly(w->context, true);
    hg_context_on_message(w->context, print_message, NULL);
    hg_context_set_threads(w->context, s->threads);
    w->all = open_data(w->context, s->data, s->data_dir, s->how);
    w->train = hg_data_split(w->all, "train", s->validation);
    w->val = hg_data_split(w->all, "val", s->validation);
    w->test =
        hg_data_split(w->all, s->how.whole ? "val" : "test", s->validation);
    return !hg_error() && build(w, s, model_options);
}

void workbench_close(workbench *w)
{
    hg_context_free(w->context);
    w->context = NULL;
}

/* ---- config.json -------------------------------------------------------- */

static json_t *options_json(const settings *s, const workbench *w)
{
    json_t *object = json_object();
    for (const hg_option *o = s->model->options; o && o->name; o++)
        json_object_set_new(
            object, o->name,
            o->text ? json_string(hg_config_text(w->config, o->name))
                    : json_real(hg_config_number(w->config, o->name)));
    return object;
}

/* The data set as it can be opened again, from any folder. */
static json_t *data_json(const settings *s, const workbench *w)
{
    if (!strcmp(s->data, "auto"))
        return json_string(hg_data_name(w->all));
    char *whole = strchr(s->data, '/') ? realpath(s->data, NULL) : NULL;
    const char *path = whole ? whole : s->data;
    json_t *name = can_be_json("the data", path) ? json_string(path) : NULL;
    free(whole);
    return name;
}

json_t *settings_json(const settings *s, const workbench *w)
{
    json_t *how = training_json(&s->training);
    json_object_set_new(how, "decoder_std",
                        json_string(s->decoder_std ? s->decoder_std : ""));
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:f, s:i, s:s, s:s, s:o, "
        "s:o}",
        "model", model_reference(s->model), "data", data_json(s, w), "data_dir",
        s->data_dir ? s->data_dir : "", "data_options",
        data_options_json(&s->how), "seed", (json_int_t)s->seed, "batch_size",
        (json_int_t)s->batch_size, "epochs", (json_int_t)s->epochs, "steps",
        (json_int_t)s->steps, "val", s->validation, "threads",
        hg_context_threads(w->context), "device", hg_context_device(w->context),
        "precision", s->precision, "training", how, "options",
        options_json(s, w));
}

json_t *run_config(const char *run)
{
    json_error_t why;
    path_text path = path_join(run, "config.json");
    json_t *config = json_load_file(path.text, JSON_REJECT_DUPLICATES, &why);
    if (!config && why.line > 0)
        hg_fail(HG_ERROR_FORMAT,
                "%s: %s, line %d; it is what `hourglass train` wrote",
                path.text, why.text, why.line);
    else if (!config)
        hg_fail(HG_ERROR_IO, "%s", why.text); /* has the path */
    return config;
}

/* Options become texts again, in memory of the JSON's or of `numbers`. */
static bool option_texts(json_t *options, const char **texts, int most)
{
    static _Thread_local char numbers[32][32];
    const char *name;
    json_t *value;
    int n = 0;
    json_object_foreach(options, name, value)
    {
        if (2 * n + 2 >= most || n >= 32)
            return hg_fail(HG_ERROR_FORMAT, "the run has too many options");
        snprintf(numbers[n], sizeof numbers[n], "%.17g",
                 json_number_value(value));
        texts[2 * n] = name;
        texts[2 * n + 1] =
            json_is_string(value) ? json_string_value(value) : numbers[n];
        n++;
    }
    texts[2 * n] = NULL;
    return true;
}

/* The run's copy does not stand in for a file that is gone: the model would
 * have another name, under which the run could not go on. */
static const hg_model *model_of_run(const char *run, const char *file)
{
    struct stat s;
    path_text copy = path_join(run, "model.c");
    if (!stat(file, &s) || stat(copy.text, &s))
        return model_from_file(file);
    hg_fail(HG_ERROR_ARGUMENT,
            "%s, the model of %s, is gone; the run has a copy: cp %s %s", file,
            run, copy.text, file);
    return NULL;
}

bool settings_of(const char *run, const json_t *config, settings *s,
                 const char **options, int most)
{
    json_error_t why;
    json_t *root = (json_t *)(uintptr_t)config, *own = NULL, *how = NULL;
    const char *model, *data, *data_dir, *device, *precision = "fp32";
    json_int_t seed, batch, epochs, steps;
    memset(s, 0, sizeof *s);
    if (json_unpack_ex(
            root, &why, 0,
            "{s:s, s:s, s:s, s?o, s:I, s:I, s:I, s:I, s:F, s:i, s:s, s?s, s:o}",
            "model", &model, "data", &data, "data_dir", &data_dir,
            "data_options", &how, "seed", &seed, "batch_size", &batch, "epochs",
            &epochs, "steps", &steps, "val", &s->validation, "threads",
            &s->threads, "device", &device, "precision", &precision, "options",
            &own))
        return hg_fail(HG_ERROR_FORMAT, "%s/config.json: %s", run, why.text);
    s->model =
        is_model_file(model) ? model_of_run(run, model) : hg_model_find(model);
    if (!s->model)
        return hg_fail(HG_ERROR_FORMAT,
                       "%s/config.json: there is no model %s; `hourglass "
                       "models` lists them",
                       run, model);
    if (!data_options_of(how, &s->how))
        return false;
    s->data = data;
    s->data_dir = data_dir[0] ? data_dir : NULL;
    s->device = device;
    s->precision = precision;
    s->seed = (uint64_t)seed;
    s->batch_size = batch;
    s->epochs = epochs;
    s->own_batch = s->own_length = true;
    s->steps = steps;
    const json_t *train = json_object_get(root, "training");
    const char *std = json_string_value(json_object_get(train, "decoder_std"));
    training_of(train, &s->training);
    s->decoder_std = std && std[0] ? std : NULL;
    return option_texts(own, options, most);
}

/* ---- Which run? --------------------------------------------------------- */

static bool is_run(const char *path, struct stat *s)
{
    return !stat(path_join(path, "config.json").text, s);
}

path_text run_weights(const char *run, bool *final)
{
    struct stat s;
    char name[64] = "";
    path_text path = path_join(run, "model.safetensors");
    *final = !stat(path.text, &s);
    if (*final)
        return path;
    path_text folder = path_join(run, "checkpoints");
    FILE *f = fopen(path_join(folder.text, "last").text, "r");
    bool named = f && fgets(name, sizeof name, f);
    if (f)
        fclose(f);
    name[strcspn(name, "\n/")] = 0;
    folder = path_join(folder.text, name);
    path = path_join(folder.text, "ema.safetensors"); /* the final ones, too */
    if (stat(path.text, &s))
        path = path_join(folder.text, "model.safetensors");
    if (!named || stat(path.text, &s))
        path.text[0] = 0;
    return path;
}

static bool newest_run(const char *out, bool trained, char *path, size_t size)
{
    bool final;
    DIR *folder = opendir(out);
    struct timespec newest = {0, 0};
    struct stat s;
    for (struct dirent *e; folder && (e = readdir(folder));) {
        path_text run = path_join(out, e->d_name);
        if (e->d_name[0] == '.' || !is_run(run.text, &s) ||
            (trained && !run_weights(run.text, &final).text[0]))
            continue;
        if (s.st_mtim.tv_sec > newest.tv_sec ||
            (s.st_mtim.tv_sec == newest.tv_sec &&
             s.st_mtim.tv_nsec > newest.tv_nsec)) {
            newest = s.st_mtim;
            snprintf(path, size, "%s", run.text);
        }
    }
    if (folder)
        closedir(folder);
    return newest.tv_sec != 0;
}

bool find_run(const char *given, const char *out, bool trained, char *path,
              size_t size)
{
    struct stat s;
    size_t n = given ? strlen(given) : 0;
    while (n > 1 && given[n - 1] == '/')
        n--;
    if (!given)
        return newest_run(out, trained, path, size) ||
               hg_fail(HG_ERROR_DATA,
                       "there is no run below %s; make one with `hourglass "
                       "train`",
                       out);
    snprintf(path, size, "%.*s", (int)n, given);
    if (is_run(path, &s))
        return true;
    snprintf(path, size, "%s/%.*s", out, (int)n, given);
    if (is_run(path, &s))
        return true;
    return hg_fail(HG_ERROR_DATA,
                   "%s is not a run: it has no config.json; give the folder "
                   "that `hourglass train` made",
                   given);
}

/* ---- Metrics ------------------------------------------------------------ */

json_t *metrics_json(const hg_metrics *m)
{
    json_t *object = json_object();
    put_number(object, "loss", m->loss);
    put_number(object, "recon_mse", m->recon_mse);
    put_number(object, "recon_sse", m->recon_sse);
    put_number(object, "recon_bce", m->recon_bce);
    put_number(object, "kl", m->kl);
    put_number(object, "elbo", m->elbo);
    json_object_set_new(object, "images", json_integer(m->images));
    return object;
}
