/* anomaly.c - `hourglass anomaly MODEL`: trains the model once for each class,
 * which is normal and all others are not (or the other way round), and says
 * how well its scores tell them apart. `hourglass anomaly RUN` ranks images by
 * a trained model (ranking.c). */
#include "apps/progress.h"
#include "apps/train.h"
#include "apps/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is tried", NULL, NULL, 0},
    {"protocol", "NAME", "normal: one class is; held-out: all others are",
     "normal", NULL, 0},
    {"digits", "LIST", "classes to try, as 0,1,5 (default: all)", NULL, NULL,
     0},
    {"draws", "N", "draws from q(z|x) a score", "10", NULL, 0},
    {"json", NULL, "JSON on standard output", NULL, NULL, 0},
    {"", NULL, "how it is trained", NULL, NULL, 0},
    {"data", "NAME|PATH",
     "a named set (hourglass data list), synthetic[:N], a path, or auto",
     "auto", NULL, 0},
    {"data-dir", "DIR", "where named data sets lie", NULL, NULL, 0},
    {"epochs", "N", "passes over the normal images", NULL, NULL, 0},
    {"batch-size", "N", "images a step", NULL, NULL, 'b'},
    {"seed", "N", "of all random numbers", "1", NULL, 0},
    DEVICE_FLAGS("auto", "fp32"),
    {0},
};

typedef struct {
    const arguments *a;
    settings s;
    const char *options[MOST_FLAGS];
    char found[64]; /* the name of the data set, for auto */
    int64_t epochs; /* of the class under way */
    bool held_out;
    int draws;
    json_t *table;
} trial;

/* ---- One class ---------------------------------------------------------- */

/* Says how far it is; the mean loss is that since the line before. */
static void say_progress(workbench *w, progress *p, double started)
{
    hg_real loss = NAN;
    if (!progress_due())
        return;
    p->loss = hg_report_mean(w->context, "loss", &loss) ? (double)loss : NAN;
    p->seconds = seconds_now() - started;
    progress_draw(p);
}

static bool train_epoch(const settings *s, workbench *w, hg_loader *loader,
                        const char *what)
{
    hg_batch b;
    double started = seconds_now();
    progress p = {
        .what = what, .all = hg_loader_batches(loader), .batch = s->batch_size};
    for (hg_scope *scope; (scope = hg_next(loader, HG_TRAIN, &b));) {
        bool ok = hg_model_step(s->model, w->state, &b, &w->optimizers);
        hg_scope_close(scope);
        if (!ok)
            return hg_fail(HG_ERROR_STATE, "%s: the step failed",
                           s->model->name);
        p.steps = ++p.timed;
        say_progress(w, &p, started);
    }
    return !hg_error();
}

/* Few pictures of one's own are trained on as `train` would. */
static bool train(trial *t, workbench *w, int class)
{
    char what[64];
    hg_data *normal = hg_data_class(w->train, class, t->held_out);
    settings s = t->s;
    suit_small_set(&s, hg_data_size(normal));
    t->epochs = s.epochs;
    fprintf(stderr, "class %d: %lld epoch%s\n", class, (long long)s.epochs,
            plural(s.epochs));
    hg_loader *loader = hg_loader_new(normal, s.batch_size, true);
    bool ok = loader && hg_model_prepare(s.model, w->state, normal);
    for (int64_t epoch = 1; ok && epoch <= s.epochs; epoch++) {
        snprintf(what, sizeof what, "class %d, epoch %lld/%lld", class,
                 (long long)epoch, (long long)s.epochs);
        ok = train_epoch(&s, w, loader, what);
    }
    clear_progress();
    return ok;
}

static json_t *interval_json(const hg_interval *i)
{
    return json_pack("{s:f, s:f, s:f}", "area", i->area, "low", i->low, "high",
                     i->high);
}

static bool add_row(trial *t, workbench *w, int class, hg_score kind,
                    const double *score, const bool *strange)
{
    hg_interval roc, pr;
    int64_t n = hg_data_size(w->test);
    if (!hg_auroc(w->context, score, strange, n, &roc) ||
        !hg_auprc(w->context, score, strange, n, &pr))
        return false;
    return !json_array_append_new(
        t->table,
        json_pack("{s:i, s:I, s:s, s:o, s:o}", "class", class, "epochs",
                  (json_int_t)t->epochs, "score", hg_score_name(kind), "auroc",
                  interval_json(&roc), "auprc", interval_json(&pr)));
}

static bool score(trial *t, workbench *w, int class)
{
    int64_t n = hg_data_size(w->test);
    double *value = malloc((size_t)n * sizeof *value + 1);
    bool *strange = malloc((size_t)n * sizeof *strange + 1);
    bool ok = value && strange;
    for (int64_t i = 0; ok && i < n; i++)
        strange[i] = (hg_data_label(w->test, i) == class) == t->held_out;
    for (hg_score kind = 0; ok && kind < HG_SCORES; kind++)
        if (hg_model_can_score(t->s.model, kind))
            ok = hg_model_score(t->s.model, w->state, w->test, kind, t->draws,
                                value) &&
                 add_row(t, w, class, kind, value, strange);
    free(value);
    free(strange);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for the scores");
}

static bool try_class(trial *t, int class)
{
    workbench w = {0};
    bool ok = workbench_open(&w, &t->s, t->options);
    ok = ok && train(t, &w, class) && score(t, &w, class);
    workbench_close(&w);
    return ok;
}

/* What `auto` means is found out once. */
static int count_classes(trial *t)
{
    hg_context *context = hg_context_new("cpu", t->s.seed);
    hg_data *data =
        context ? open_data(context, t->s.data, t->s.data_dir, t->s.how) : NULL;
    int classes = hg_data_classes(data);
    if (data && !strcmp(t->s.data, "auto")) {
        snprintf(t->found, sizeof t->found, "%s", hg_data_name(data));
        t->s.data = t->found;
    }
    hg_context_free(context);
    if (!classes)
        hg_fail(HG_ERROR_DATA,
                "%s has no labels to choose normal images by; `hourglass "
                "anomaly RUN` ranks images without labels",
                t->s.data);
    return classes;
}

/* ---- All classes -------------------------------------------------------- */

/* Reads the class that a list begins with; what follows it, or NULL. */
static const char *next_class(const trial *t, const char *list, int classes,
                              long *class)
{
    char *end;
    *class = strtol(list, &end, 10);
    if (end == list || *class < 0 || (*end && *end != ','))
        hg_fail(HG_ERROR_ARGUMENT,
                "--digits %s: classes with commas are needed, as 0,1,5", list);
    else if (*class >= classes)
        hg_fail(HG_ERROR_ARGUMENT, "--digits: there is no class %ld; %s has %d",
                *class, t->s.data, classes);
    else
        return *end ? end + 1 : end;
    return NULL;
}

/* All of the list is looked at before one class is trained. */
static bool try_listed(trial *t, const char *list, int classes)
{
    long class;
    const char *at = list;
    do
        at = next_class(t, at, classes, &class);
    while (at && *at);
    bool ok = at != NULL;
    for (at = list; ok && *at;) {
        at = next_class(t, at, classes, &class);
        ok = try_class(t, (int)class);
    }
    return ok;
}

static bool try_all(trial *t, const char *list)
{
    int classes = count_classes(t);
    if (classes && list)
        return try_listed(t, list, classes);
    for (int i = 0; i < classes; i++)
        if (!try_class(t, i))
            return false;
    return classes > 0;
}

/* The mean area over the classes that were tried. */
static double mean_area(const json_t *table, const char *score,
                        const char *curve)
{
    size_t i;
    json_t *row;
    double sum = 0, n = 0;
    json_array_foreach(table, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "score")), score))
            continue;
        json_t *interval = json_object_get(row, curve);
        sum += json_number_value(json_object_get(interval, "area"));
        n++;
    }
    return n ? sum / n : NAN;
}

static json_t *means_of(const json_t *table)
{
    json_t *means = json_object();
    for (hg_score kind = 0; kind < HG_SCORES; kind++) {
        const char *name = hg_score_name(kind);
        double roc = mean_area(table, name, "auroc");
        if (isfinite(roc))
            json_object_set_new(means, name,
                                json_pack("{s:f, s:f}", "auroc", roc, "auprc",
                                          mean_area(table, name, "auprc")));
    }
    return means;
}

static void print_interval(const json_t *row, const char *name)
{
    const json_t *i = json_object_get(row, name);
    printf("  %.4f [%.4f, %.4f]", json_number_value(json_object_get(i, "area")),
           json_number_value(json_object_get(i, "low")),
           json_number_value(json_object_get(i, "high")));
}

static void print_table(const json_t *table, const json_t *means)
{
    size_t i;
    json_t *row;
    const char *name;
    printf("class  %-14s  AUROC [95 %%]             AUPRC [95 %%]\n", "score");
    json_array_foreach(table, i, row)
    {
        printf("%5d  %-14s",
               (int)json_integer_value(json_object_get(row, "class")),
               json_string_value(json_object_get(row, "score")));
        print_interval(row, "auroc");
        print_interval(row, "auprc");
        printf("\n");
    }
    json_object_foreach((json_t *)(uintptr_t)means, name, row)
    {
        printf(" mean  %-14s  %.4f                    %.4f\n", name,
               json_number_value(json_object_get(row, "auroc")),
               json_number_value(json_object_get(row, "auprc")));
    }
}

static int read_trial(const arguments *a, trial *t)
{
    int code = 0;
    const char *protocol = flag_text(a, "protocol");
    settings *s = &t->s;
    s->data = flag_text(a, "data");
    s->data_dir = flag_text(a, "data-dir");
    s->epochs = flag_given(a, "epochs") ? flag_count(a, "epochs", 1, &code)
                : s->model->epochs      ? s->model->epochs
                                        : 10;
    s->batch_size = flag_given(a, "batch-size")
                        ? flag_count(a, "batch-size", 1, &code)
                    : s->model->batch_size ? s->model->batch_size
                                           : 128;
    s->own_length = flag_given(a, "epochs");
    s->own_batch = flag_given(a, "batch-size");
    s->seed = (uint64_t)flag_int(a, "seed", 0, &code);
    s->device = flag_text(a, "device");
    s->precision = flag_text(a, "precision");
    s->threads = flag_count(a, "threads", 0, &code);
    t->draws = flag_count(a, "draws", 1, &code);
    t->held_out = !strcmp(protocol, "held-out");
    given_options(a, t->options);
    if (!code && !t->held_out && strcmp(protocol, "normal"))
        code = fail_with(EXIT_USAGE, "--protocol %s: use normal or held-out",
                         protocol);
    if (!code && !hg_model_can_score(s->model, HG_SCORE_RECONSTRUCTION))
        code = fail_with(EXIT_USAGE,
                         "%s does not reconstruct, so it scores "
                         "nothing",
                         s->model->name);
    return code;
}

static int run_trial(int argc, char **argv)
{
    trial t = {0};
    arguments a = {.flags = flags, .most = 1};
    int code = parse_model_arguments(
        &a, argc, argv,
        "usage: hourglass anomaly MODEL|RUN [options]\n"
        "  hourglass anomaly vae --data mnist --epochs 20\n"
        "  hourglass anomaly vae --protocol held-out --digits 1,7\n"
        "  hourglass anomaly ./my_vae.c --data mnist\n"
        "  hourglass anomaly runs/first --data photos/\n"
        "with a RUN: ranks images by the trained model; `hourglass anomaly "
        "RUN --help` says more",
        &t.s.model);
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    t.a = &a;
    code = read_trial(&a, &t);
    if (code)
        return code;
    t.table = json_array();
    bool ok = try_all(&t, flag_text(&a, "digits"));
    json_t *means = means_of(t.table);
    if (ok && flag_given(&a, "json")) {
        json_t *all =
            json_pack("{s:s, s:s, s:I, s:O, s:O}", "model", t.s.model->name,
                      "protocol", flag_text(&a, "protocol"), "epochs",
                      (json_int_t)t.s.epochs, "rows", t.table, "means", means);
        print_json(all);
        json_decref(all);
    } else if (ok) {
        print_table(t.table, means);
    }
    json_decref(means);
    json_decref(t.table);
    return ok ? EXIT_DONE : report_error();
}

static bool is_source(const char *word)
{
    const char *dot = strrchr(word, '.');
    return dot && (!strcmp(dot, ".c") || !strcmp(dot, ".so"));
}

/* A model means the trial; anything else is a run. */
int run_anomaly(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : NULL;
    bool help = first && (!strcmp(first, "--help") || !strcmp(first, "-h"));
    const char *word = first_argument(flags, argc, argv);
    if (help || (word && (hg_model_find(word) || is_source(word))))
        return run_trial(argc, argv);
    return run_ranking(argc, argv);
}
