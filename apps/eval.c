/* eval.c - `hourglass eval RUN`: the metrics of a run on its test set. */
#include "apps/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"json", NULL, "one JSON object on standard output", NULL, NULL, 0},
    {"data", "NAME|PATH", "another data set than the run's", NULL, NULL, 0},
    {"data-dir", "DIR", "where named data sets lie", NULL, NULL, 0},
    {"split", "NAME", "train, val or test", "test", NULL, 0},
    {"batch-size", "N", "images at a time", "250", NULL, 'b'},
    {"threads", "N", "of the CPU (0: one a core)", "0", NULL, 0},
    {"out", "DIR", "where runs lie", "runs", NULL, 'o'},
    {0},
};

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

static void print_json(const char *run, const settings *s, const char *split,
                       const hg_metrics *m, const double ks[2])
{
    json_t *object = metrics_json(m);
    if (isfinite(ks[0])) {
        json_object_set_new(object, "prior_ks", json_real(ks[0]));
        json_object_set_new(object, "prior_ks_worst", json_real(ks[1]));
    }
    json_object_set_new(object, "run", json_string(run));
    json_object_set_new(object, "model", json_string(s->model->name));
    json_object_set_new(object, "data", json_string(s->data));
    json_object_set_new(object, "split", json_string(split));
    json_dumpf(object, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(object);
}

static void print_row(const char *name, double value, const char *unit)
{
    if (isfinite(value))
        printf("  %-10s %12.6g  %s\n", name, value, unit);
}

static void print_table(const char *run, const settings *s, const char *split,
                        const hg_metrics *m, const double ks[2])
{
    printf("%s: %s on %s, %s, %lld images\n", run, s->model->name, s->data,
           split, (long long)m->images);
    print_row("loss", m->loss, "the recipe's own");
    print_row("recon_mse", m->recon_mse, "squared error, mean over pixels");
    print_row("recon_sse", m->recon_sse, "squared error, sum over pixels");
    print_row("recon_bce", m->recon_bce, "cross-entropy, nats an image");
    print_row("kl", m->kl, "nats an image");
    print_row("elbo", m->elbo, "nats an image, without constants");
    print_row("prior_ks", ks[0], "codes' marginals from the prior's, mean");
    print_row("  worst", ks[1], "over the dimensions (Kolmogorov-Smirnov)");
}

static bool evaluate(const char *run, const arguments *a, int *code)
{
    const char *options[MOST_FLAGS], *split = flag_text(a, "split");
    settings s;
    workbench w = {0};
    hg_metrics m;
    double ks[2];
    json_t *config = run_config(run);
    if (!config)
        return false;
    bool ok = settings_of(config, &s, options, MOST_FLAGS);
    if (ok && flag_given(a, "data"))
        s.data = flag_text(a, "data");
    if (ok && flag_given(a, "data-dir"))
        s.data_dir = flag_text(a, "data-dir");
    if (ok) {
        s.threads = (int)flag_int(a, "threads", 0, code);
        ok = workbench_open(&w, &s, options) &&
             hg_params_load(w.params, path_join(run, "model.safetensors").text);
    }
    hg_data *data = ok ? chosen_split(&w, split) : NULL;
    ok = data &&
         hg_model_evaluate(s.model, w.state, data,
                           flag_int(a, "batch-size", 1, code), &m) &&
         match_prior(&w, s.model, &ks[0], &ks[1]);
    if (ok && flag_given(a, "json"))
        print_json(run, &s, split, &m, ks);
    else if (ok)
        print_table(run, &s, split, &m, ks);
    workbench_close(&w);
    json_decref(config);
    return ok;
}

int run_eval(int argc, char **argv)
{
    char run[1024];
    arguments a = {.flags = flags};
    int code = parse_arguments(&a, argc, argv,
                               "usage: hourglass eval [RUN] [options]\n"
                               "  hourglass eval runs/first --json\n"
                               "without RUN: the newest below --out");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    if (!find_run(a.positional[0], flag_text(&a, "out"), run, sizeof run) ||
        !evaluate(run, &a, &code))
        return report_error();
    return code;
}
