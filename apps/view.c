/* view.c - a finished run, opened again to be looked at. */
#include "apps/view.h"
#include "apps/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hg_data *chosen_split(const workbench *w, const char *name)
{
    if (!strcmp(name, "test"))
        return w->test;
    if (!strcmp(name, "val"))
        return w->val;
    if (!strcmp(name, "train"))
        return w->train;
    hg_fail(HG_ERROR_ARGUMENT, "--split %s: use train, val or test", name);
    return NULL;
}

/* Draws are keyed by the seed through the number of the first scope: the
 * context's own seed stays the run's, which chose the validation split. */
void view_reseed(view *v)
{
    uint64_t steps[2] = {0, v->seed * 0x10001u + 1};
    hg_context_set_steps(v->w.context, steps);
}

static bool begin(view *v, const arguments *a)
{
    view_reseed(v);
    v->data =
        v->whole ? v->w.train : chosen_split(&v->w, flag_text(a, "split"));
    if (v->data && !hg_data_size(v->data))
        return hg_fail(
            HG_ERROR_DATA, "%s has no %s images; choose another --split",
            hg_data_name(v->w.all), v->whole ? "such" : flag_text(a, "split"));
    return v->data != NULL;
}

/* Pictures of a folder become what the model was trained on. */
static void other_data(view *v, const char *name)
{
    const char *own = v->s.data;
    bool digits = !strcmp(own, "mnist") || !strncmp(own, "synthetic", 9);
    if (digits && strchr(name, '/')) {
        v->s.how.height = v->s.how.width = 28;
        v->s.how.channels = 1;
    }
    if (v->whole) {
        v->s.how.whole = true;
        v->s.validation = 0;
    }
    v->s.data = name;
}

static bool read_flags(view *v, const arguments *a)
{
    int code = 0;
    v->seed = (uint64_t)flag_int(a, "seed", 0, &code);
    v->s.threads = flag_count(a, "threads", 0, &code);
    v->s.precision = flag_text(a, "precision");
    if (flag_given(a, "device"))
        v->s.device = flag_text(a, "device");
    const char *data = flag_given(a, "data") ? flag_text(a, "data") : NULL;
    v->whole = data && (v->whole || (v->whole_path && strchr(data, '/')));
    if (data)
        other_data(v, data);
    if (flag_given(a, "data-dir"))
        v->s.data_dir = flag_text(a, "data-dir");
    return !code;
}

static bool is_finite(const hg_tensor *t)
{
    int64_t n = hg_numel(t);
    if (t->dtype != HG_REAL)
        return true; /* a count of batches */
    hg_real *values = malloc((size_t)n * sizeof *values + 1);
    bool ok = values && hg_read(t, values, n);
    for (int64_t i = 0; ok && i < n; i++)
        ok = isfinite(values[i]);
    free(values);
    return ok;
}

/* Whatever is made of NaN looks like something: an empty table, a grey
 * picture. */
static bool weights_are_finite(const hg_params *p)
{
    const hg_tensor *t;
    for (int64_t i = 0; (t = hg_params_entry(p, i)); i++)
        if (!is_finite(t))
            return hg_fail(HG_ERROR_NONFINITE,
                           "weights are not finite: %s; train again, with a "
                           "smaller --lr or with --anomaly",
                           t->name);
    return true;
}

static bool load_weights(const view *v)
{
    bool final;
    path_text path = run_weights(v->run, &final);
    if (!path.text[0])
        return hg_fail(HG_ERROR_DATA,
                       "%s has no weights yet; `hourglass resume %s` goes on",
                       v->run, v->run);
    if (!final)
        fprintf(stderr,
                "note: %s is not finished, its last checkpoint is looked at; "
                "`hourglass resume %s` goes on\n",
                v->run, v->run);
    return hg_params_load(v->w.params, path.text) &&
           weights_are_finite(v->w.params);
}

bool view_open(view *v, const char *run, const arguments *a)
{
    const char *options[MOST_FLAGS];
    if (!find_run(run, flag_text(a, "out"), true, v->run, sizeof v->run))
        return false;
    v->config = run_config(v->run);
    if (!v->config ||
        !settings_of(v->run, v->config, &v->s, options, MOST_FLAGS) ||
        !read_flags(v, a))
        return false;
    v->model = v->s.model;
    describe_pictures("run %s, seed %llu; drawn with seed %llu",
                      last_part(v->run), (unsigned long long)v->s.seed,
                      (unsigned long long)v->seed);
    return workbench_open(&v->w, &v->s, options) && load_weights(v) &&
           begin(v, a);
}

void view_close(view *v)
{
    if (v->w.context)
        workbench_close(&v->w);
    json_decref(v->config);
    v->config = NULL;
}

bool view_can(const view *v, bool can, const char *what)
{
    return can ||
           hg_fail(HG_ERROR_ARGUMENT,
                   "%s %s; `hourglass models --json` lists what each can do",
                   v->model->name, what);
}

path_text view_picture(const view *v, const arguments *a, const char *name)
{
    path_text path, folder = path_join(v->run, "pictures");
    const char *to = flag_text(a, "to");
    if (to) {
        if (strlen(to) >= sizeof path.text)
            hg_fail(HG_ERROR_ARGUMENT, "--to: the path is too long");
        snprintf(path.text, sizeof path.text, "%s", to);
        return path;
    }
    make_folder(folder.text);
    return path_join(folder.text, name);
}

int say_picture(const char *path)
{
    fprintf(stderr, "%s\n", path);
    return EXIT_DONE;
}

void put_quoted(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

void put_cell(FILE *f, const char *text)
{
    if (strpbrk(text, "\t\r\n\""))
        put_quoted(f, text);
    else
        fputs(text, f);
}

/* Of a command that was refused after its picture had got a place. */
static void drop_empty_pictures(const view *v)
{
    rmdir(path_join(v->run, "pictures").text);
}

static int run_view(view *v, int argc, char **argv, const flag *flags,
                    const char *usage, bool (*show)(view *, const arguments *))
{
    arguments a = {.flags = flags, .most = 1};
    int code = parse_arguments(&a, argc, argv, usage);
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    bool opened = view_open(v, a.positional[0], &a);
    if (!opened || !show(v, &a)) {
        code = hg_error() ? report_error() : EXIT_USAGE;
        if (opened)
            drop_empty_pictures(v);
    }
    view_close(v);
    return code;
}

int view_command(int argc, char **argv, const flag *flags, const char *usage,
                 bool (*show)(view *, const arguments *))
{
    view v = {0};
    return run_view(&v, argc, argv, flags, usage, show);
}

path_text view_item_path(const view *v, const char *folder, int64_t i)
{
    char name[600];
    const char *file = hg_data_item_name(v->data, i);
    const char *ending = file ? strrchr(file, '.') : NULL;
    bool png = ending && !strcmp(ending, ".png");
    if (file)
        snprintf(name, sizeof name, "%s%s", file, png ? "" : ".png");
    else
        snprintf(name, sizeof name, "image-%05lld.png", (long long)i);
    path_text path = path_join(folder, name), above = path;
    char *slash = strrchr(above.text, '/');
    if (slash)
        *slash = 0;
    if (hg_error() || !make_folder(above.text))
        path.text[0] = 0;
    return path;
}

int view_whole(int argc, char **argv, const flag *flags, const char *usage,
               bool (*show)(view *, const arguments *))
{
    view v = {.whole = true};
    return run_view(&v, argc, argv, flags, usage, show);
}

int view_path(int argc, char **argv, const flag *flags, const char *usage,
              bool (*show)(view *, const arguments *))
{
    view v = {.whole_path = true};
    return run_view(&v, argc, argv, flags, usage, show);
}
