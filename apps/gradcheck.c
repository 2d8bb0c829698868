/* gradcheck.c - `hourglass gradcheck [MODEL]`: a model's gradients against
 * central differences, in double.
 *
 * The float program hands over to its twin `hourglass-f64`, which was compiled
 * with double throughout. */
#include "apps/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef HG_DOUBLE

/* Runs the twin that lies beside this program, or in libexec. */
static int hand_over(int argc, char **argv)
{
    char self[1024], twin[1200], *arguments_of[MOST_FLAGS + 3] = {0};
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0 || argc > MOST_FLAGS)
        return fail_with(EXIT_FAILED, "the program cannot find itself");
    self[n] = 0;
    snprintf(twin, sizeof twin, "%s-f64", self);
    arguments_of[0] = twin;
    for (int i = 0; i < argc; i++)
        arguments_of[i + 1] = argv[i];
    fflush(stdout);
    execv(twin, arguments_of);
    return fail_with(EXIT_FAILED,
                     "%s cannot be run: %s; gradients are checked by the "
                     "double twin of this program, install both",
                     twin, strerror(errno));
}

int run_gradcheck(int argc, char **argv)
{
    return hand_over(argc, argv);
}

#else

static const flag flags[] = {
    {"data", "NAME|PATH", "where the batch comes from", "synthetic:64", NULL,
     0},
    {"batch-size", "N", "images in the batch", "4", NULL, 'b'},
    {"samples", "N", "values checked in each parameter", "8", NULL, 0},
    {"seed", "N", "of weights, draws and choices", "1", NULL, 0},
    {"tolerance", "T", "relative error that passes", "1e-6", NULL, 0},
    {0},
};

/* The loss of the batch, everything random held fixed. */
static double loss_at(const hg_model *m, workbench *w, const int64_t *rows,
                      int64_t n, bool backward)
{
    uint64_t steps[2] = {7, 7};
    hg_context_set_steps(w->context, steps);
    hg_batch b;
    hg_scope *s = hg_scope_open(w->context, HG_TRAIN);
    double value = NAN;
    if (s && hg_data_batch(w->train, rows, n, &b)) {
        hg_tensor *loss = hg_mean(m->loss(w->state, &b), HG_ALL);
        value = (double)hg_item(loss);
        if (backward && !hg_backward(loss))
            value = NAN;
    }
    if (s)
        hg_scope_close(s);
    return value;
}

/* Central differences of fourth order along one value. */
static double numeric(const hg_model *m, workbench *w, const int64_t *rows,
                      int64_t n, hg_tensor *p, hg_real *values, int64_t at)
{
    static const double places[] = {-2, -1, 1, 2};
    static const double weights[] = {1, -8, 8, -1};
    hg_real was = values[at];
    double h = 1e-4 * fmax(1, fabs((double)was)), sum = 0;
    for (int i = 0; i < 4; i++) {
        values[at] = was + (hg_real)(places[i] * h);
        if (!hg_write(p, values, hg_numel(p)))
            return NAN;
        sum += weights[i] * loss_at(m, w, rows, n, false);
    }
    values[at] = was;
    return hg_write(p, values, hg_numel(p)) ? sum / (12 * h) : NAN;
}

typedef struct {
    double worst;
    int64_t checked, off;
} outcome;

static bool check_parameter(const hg_model *m, workbench *w,
                            const int64_t *rows, int64_t n, hg_tensor *p,
                            int64_t samples, double tolerance, outcome *all)
{
    int64_t size = hg_numel(p);
    hg_real *values = malloc((size_t)size * 2 * sizeof *values);
    hg_real *gradient = values + size;
    bool ok = values && p->grad && hg_read(p, values, size) &&
              hg_read(p->grad, gradient, size);
    double scale = 0, worst = 0;
    for (int64_t i = 0; ok && i < size; i++)
        scale = fmax(scale, fabs((double)gradient[i]));
    for (int64_t k = 0; ok && k < samples && k < size; k++) {
        int64_t at = k * (size - 1) / (samples > 1 ? samples - 1 : 1) % size;
        double want = numeric(m, w, rows, n, p, values, at);
        double got = (double)gradient[at];
        double size_of = fmax(fmax(fabs(want), fabs(got)), 1e-3 * scale);
        double error = size_of > 0 ? fabs(want - got) / size_of : 0;
        worst = fmax(worst, error);
        all->checked++;
        all->off += !(error <= tolerance);
    }
    if (ok)
        printf("  %-32s %-18s %.1e\n", p->name, HG_SHAPE_TEXT(p->shape), worst);
    all->worst = fmax(all->worst, worst);
    free(values);
    return ok ? !hg_error()
              : hg_fail(HG_ERROR_STATE, "%s has no gradient", p->name);
}

static bool check_model(const hg_model *m, const arguments *a, int *code)
{
    settings s = {.model = m,
                  .data = flag_text(a, "data"),
                  .device = "cpu",
                  .seed = (uint64_t)flag_int(a, "seed", 0, code)};
    int64_t n = flag_int(a, "batch-size", 1, code), rows[256];
    int64_t samples = flag_int(a, "samples", 1, code);
    double tolerance = flag_number(a, "tolerance", 0, code);
    const char *options[MOST_FLAGS];
    workbench w = {0};
    outcome all = {0};
    given_options(a, options);
    n = n < 256 ? n : 256;
    for (int64_t i = 0; i < n; i++)
        rows[i] = i;
    printf("%s: loss and gradients of %lld images, relative errors\n", m->name,
           (long long)n);
    bool ok = workbench_open(&w, &s, options) &&
              !isnan(loss_at(m, &w, rows, n, true));
    hg_tensor *p;
    for (int64_t i = 0; ok && (p = hg_params_entry(w.params, i)); i++)
        if (!hg_is_buffer(p) && p->grad)
            ok = check_parameter(m, &w, rows, n, p, samples, tolerance, &all);
    if (ok)
        printf("  %lld values checked, %lld off, worst %.1e\n",
               (long long)all.checked, (long long)all.off, all.worst);
    workbench_close(&w);
    if (ok && (all.off || !all.checked))
        ok = hg_fail(
            HG_ERROR_CHECK, "%s: %lld of %lld gradients differ by more than %g",
            m->name, (long long)all.off, (long long)all.checked, tolerance);
    return ok;
}

int run_gradcheck(int argc, char **argv)
{
    arguments a = {.flags = flags};
    const hg_model *model = NULL;
    if (argc > 1 && argv[1][0] != '-') {
        model = model_or_complain(argv[1]);
        if (!model)
            return EXIT_USAGE;
        a.options = model->options;
    }
    int code = parse_arguments(&a, argc, argv,
                               "usage: hourglass gradcheck [MODEL] [options]\n"
                               "without MODEL: the whole zoo");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    for (int i = 0; hg_model_at(i); i++)
        if ((!model || model == hg_model_at(i)) &&
            !check_model(hg_model_at(i), &a, &code))
            return report_error();
    return code;
}

#endif
