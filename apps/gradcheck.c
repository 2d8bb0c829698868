/* gradcheck.c - `hourglass gradcheck [MODEL]`: a model's gradients against
 * central differences, in double.
 *
 * The float program hands over to its twin `hourglass-f64`, which was compiled
 * with double throughout. */
#include "apps/run.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const flag flags[] = {
    {"data", "NAME|PATH", "where the batch comes from", "synthetic:64", NULL,
     0},
    {"batch-size", "N", "images in the batch", "4", NULL, 'b'},
    {"values", "N", "elements checked in each parameter", "8", NULL, 0},
    {"seed", "N", "of weights, draws and choices", "1", NULL, 0},
    {"tolerance", "T", "relative error that passes", "1e-6", NULL, 0},
    {0},
};

static int parse(arguments *a, int argc, char **argv, const hg_model **model)
{
    return parse_model_arguments(
        a, argc, argv,
        "usage: hourglass gradcheck [MODEL] [options]\n"
        "without MODEL: the whole zoo",
        model);
}

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

/* Help is given without the twin. */
int run_gradcheck(int argc, char **argv)
{
    arguments a = {.flags = flags, .most = 1};
    const hg_model *model;
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
            int code = parse(&a, argc, argv, &model);
            return code == SHOWN_HELP ? EXIT_DONE : code;
        }
    return hand_over(argc, argv);
}

#else

/* The loss of the first n images, everything random held fixed. */
static double loss_at(const hg_model *m, workbench *w, int64_t n, bool backward)
{
    uint64_t steps[2] = {7, 7};
    hg_context_set_steps(w->context, steps);
    hg_batch b;
    hg_scope *s = hg_scope_open(w->context, HG_TRAIN);
    double value = NAN;
    if (s && hg_data_batch_from(w->train, 0, n, &b)) {
        hg_tensor *loss = hg_mean(hg_model_loss(m, w->state, &b), HG_ALL);
        value = (double)hg_item(loss);
        if (backward && !hg_backward(loss))
            value = NAN;
    }
    if (s)
        hg_scope_close(s);
    return value;
}

/* Central differences of fourth order along one value, at step h. */
static double difference(const hg_model *m, workbench *w, int64_t n,
                         hg_tensor *p, hg_real *values, int64_t at, double h)
{
    static const double places[] = {-2, -1, 1, 2};
    static const double weights[] = {1, -8, 8, -1};
    hg_real was = values[at];
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        values[at] = was + (hg_real)(places[i] * h);
        if (!hg_write(p, values, hg_numel(p)))
            return NAN;
        sum += weights[i] * loss_at(m, w, n, false);
    }
    values[at] = was;
    return hg_write(p, values, hg_numel(p)) ? sum / (12 * h) : NAN;
}

typedef struct {
    double tolerance;
    double loss, scale; /* and the largest of all gradients of the model */
    double worst;
    int64_t samples, checked, off, kinks;
} outcome;

/* Relative to the larger value, but not below a small part of the model's
 * largest gradient: what ought to be zero is rounding there. What rounding of
 * the loss makes of a difference over the step h counts as 1e-6 at most. */
static double distance(const outcome *all, double a, double b, double h)
{
    double rounding = 4 * DBL_EPSILON * fabs(all->loss) / h;
    double size = fmax(fmax(fabs(a), fabs(b)), 1e-4 * all->scale);
    size = fmax(size, 1e6 * rounding);
    return size > 0 ? fabs(a - b) / size : 0;
}

/* Where two steps give different differences the loss has a kink between
 * (ReLU): false, nothing can be compared there. */
static bool slope(const hg_model *m, workbench *w, int64_t n, hg_tensor *p,
                  hg_real *values, int64_t at, const outcome *all, double h,
                  double *out)
{
    double narrow = difference(m, w, n, p, values, at, h / 2);
    *out = difference(m, w, n, p, values, at, h);
    return distance(all, *out, narrow, h) <= all->tolerance / 2;
}

/* A smaller step may stay on one side of a kink; a wrong gradient is off
 * whatever the step. */
static void check_value(const hg_model *m, workbench *w, int64_t n,
                        hg_tensor *p, hg_real *values, int64_t at, double got,
                        double *worst, outcome *all)
{
    static const double steps[] = {4e-4, 4e-5, 4e-6};
    double want, error = INFINITY;
    bool seen = false;
    for (int i = 0; i < 3 && !(error <= all->tolerance); i++)
        if (slope(m, w, n, p, values, at, all, steps[i], &want)) {
            error = fmin(error, distance(all, want, got, steps[i]));
            seen = true;
        }
    if (!seen) {
        all->kinks++;
        return;
    }
    *worst = fmax(*worst, error);
    all->checked++;
    all->off += !(error <= all->tolerance);
}

static bool check_parameter(const hg_model *m, workbench *w, int64_t n,
                            hg_tensor *p, outcome *all)
{
    int64_t size = hg_numel(p), k = all->samples;
    hg_real *values = malloc((size_t)size * 2 * sizeof *values);
    hg_real *gradient = values + size;
    bool ok =
        values && hg_read(p, values, size) && hg_read(p->grad, gradient, size);
    double worst = 0;
    for (int64_t i = 0; ok && i < k && i < size; i++) {
        int64_t at = size <= k ? i : i * (size - 1) / (k > 1 ? k - 1 : 1);
        check_value(m, w, n, p, values, at, (double)gradient[at], &worst, all);
    }
    if (ok)
        printf("  %-32s %-18s %.1e\n", p->name, HG_SHAPE_TEXT(p->shape), worst);
    all->worst = fmax(all->worst, worst);
    free(values);
    return ok && !hg_error();
}

static bool is_checked(hg_tensor *p)
{
    return !hg_is_buffer(p) && p->grad;
}

static bool find_scale(workbench *w, outcome *all)
{
    hg_tensor *p;
    for (int64_t i = 0; (p = hg_params_entry(w->params, i)); i++) {
        int64_t size = hg_numel(p);
        hg_real *gradient = malloc((size_t)size * sizeof *gradient);
        bool ok =
            gradient && (!is_checked(p) || hg_read(p->grad, gradient, size));
        for (int64_t j = 0; ok && is_checked(p) && j < size; j++)
            all->scale = fmax(all->scale, fabs((double)gradient[j]));
        free(gradient);
        if (!ok)
            return hg_fail(HG_ERROR_MEMORY, "no memory for the gradients");
    }
    return true;
}

static bool loss_is_finite(const hg_model *m, workbench *w, int64_t n,
                           double *loss)
{
    double value = *loss = loss_at(m, w, n, true);
    return !hg_error() &&
           (isfinite(value) ||
            hg_fail(HG_ERROR_NONFINITE,
                    "%s: the loss is %s; there are no gradients "
                    "to check%s",
                    m->name, isnan(value) ? "nan" : "infinite",
                    m->prepare ? " (only training calls prepare;"
                                 " what it sets needs a value before)"
                               : ""));
}

static bool check_all(const hg_model *m, workbench *w, int64_t n, outcome *all)
{
    if (!loss_is_finite(m, w, n, &all->loss) || !find_scale(w, all))
        return false;
    printf("%s: loss and gradients of %lld images, relative errors\n", m->name,
           (long long)n);
    bool ok = true;
    hg_tensor *p;
    for (int64_t i = 0; ok && (p = hg_params_entry(w->params, i)); i++)
        if (is_checked(p))
            ok = check_parameter(m, w, n, p, all);
    if (!ok)
        return false;
    printf("  %lld values checked, %lld at kinks, %lld off, worst %.1e\n",
           (long long)all->checked, (long long)all->kinks, (long long)all->off,
           all->worst);
    return true;
}

/* What is asked for of every model; 0, or an exit code after a message. */
static int read_check(const arguments *a, settings *s, outcome *all)
{
    int code = 0;
    *s = (settings){.data = flag_text(a, "data"), .device = "cpu"};
    s->seed = (uint64_t)flag_int(a, "seed", 0, &code);
    s->batch_size = flag_count(a, "batch-size", 1, &code);
    *all = (outcome){.samples = flag_count(a, "values", 1, &code)};
    all->tolerance = flag_number(a, "tolerance", 0, &code);
    return code;
}

static bool check_model(const hg_model *m, const arguments *a, settings s,
                        outcome all)
{
    const char *options[MOST_FLAGS];
    workbench w = {0};
    int64_t n = s.batch_size < 256 ? s.batch_size : 256;
    s.model = m;
    given_options(a, options);
    bool ok = workbench_open(&w, &s, options);
    bool any = ok && hg_params_count(w.params) > 0;
    if (ok && !any)
        printf("%s: has no parameters to check\n", m->name);
    ok = ok && (!any || check_all(m, &w, n, &all));
    workbench_close(&w);
    if (ok && any && (all.off || !all.checked))
        ok = hg_fail(
            HG_ERROR_CHECK, "%s: %lld of %lld gradients differ by more than %g",
            m->name, (long long)all.off, (long long)all.checked, all.tolerance);
    return ok;
}

int run_gradcheck(int argc, char **argv)
{
    arguments a = {.flags = flags, .most = 1};
    const hg_model *model;
    settings s;
    outcome all;
    int code = parse(&a, argc, argv, &model);
    if (!code)
        code = read_check(&a, &s, &all);
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    if (model)
        return check_model(model, &a, s, all) ? EXIT_DONE : report_error();
    for (int i = 0; hg_model_at(i); i++)
        if (!check_model(hg_model_at(i), &a, s, all))
            return report_error();
    return EXIT_DONE;
}

#endif
