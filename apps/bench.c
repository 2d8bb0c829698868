/* bench.c - `hourglass bench [WORKLOAD]`: milliseconds of a training step. */
#include "apps/explain.h"
#include "apps/probe.h"
#include "apps/run.h"
#include "tensor/device.h"

#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"json", NULL, "one JSON object a workload", NULL, NULL, 0},
    DEVICE_FLAGS("auto", "fp32"),
    {"steps", "N", "in a block (0: the workload's)", "0", NULL, 0},
    {"blocks", "N", "of which the median is taken", "7", NULL, 0},
    {"serve", NULL, "run a block for each line `run N` read", NULL, NULL, 0},
    {"explain", NULL, "say which steps a GPU replayed, and why not others",
     NULL, NULL, 0},
    {"reference", NULL, "plain-C kernels only", NULL, NULL, 0},
    {0},
};

/* gflop: multiply-adds count twice; forward, backward, no optimiser. */
typedef struct {
    const char *name, *model;
    int64_t batch, steps;
    double gflop;
} workload;

static const workload workloads[] = {
    {"ae-b32", "ae", 32, 200, 0.0710},
    {"ae-b128", "ae", 128, 200, 0.284},
    {"vae-b32", "vae", 32, 200, 0.0709},
    {"aae-b100", "aae", 100, 25, 3.97},
    {"convvae-b256", "conv-vae", 256, 50, 0.453},
    {"tfpvae-b64", "tfp-vae", 64, 8, 25.5},
};

enum {
    WORKLOADS = sizeof workloads / sizeof workloads[0],
    IMAGES = 4096,
    MOST_BLOCKS = 64
};

typedef struct {
    const workload *load;
    const char *precision;
    int threads, blocks;
    int64_t steps;
    settings s;
    workbench w;
    hg_loader *loader;
    uint8_t *images;
    double peak_gflops;
    bool explain;
    explanation explained;
} bench;

/* Grey noise: no zeros, since some products run faster on them. */
static bool make_images(bench *b)
{
    hg_data_options borrow = {.borrow = true};
    b->images = malloc((size_t)IMAGES * 784);
    if (!b->images)
        return hg_fail(HG_ERROR_MEMORY, "no memory for the images");
    uint32_t x = 2463534242u;
    for (int64_t i = 0; i < (int64_t)IMAGES * 784; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        b->images[i] = (uint8_t)(x >> 24);
    }
    b->w.all = hg_data_from(b->w.context, b->images, "u1",
                            HG_SHAPE(IMAGES, 1, 28, 28), NULL, borrow);
    return b->w.all != NULL;
}

static bool bench_open(bench *b, const arguments *a)
{
    workbench *w = &b->w;
    b->s.model = hg_model_find(b->load->model);
    w->context = hg_context_new(flag_text(a, "device"), 1);
    if (!w->context)
        return false;
    if (!set_precision(w->context, b->precision))
        return false;
    hg_context_set_threads(w->context, b->threads);
    hg_context_set_reference(w->context, flag_given(a, "reference"));
    if (!make_images(b))
        return false;
    w->params = hg_params_new(w->context);
    w->config = hg_config_new(w->context, b->s.model, w->all);
    w->state = hg_model_build(b->s.model, w->params, w->config);
    b->loader = hg_loader_new(w->all, b->load->batch, true);
    return w->state && b->loader &&
           hg_model_optimizers(b->s.model, w->state, w->params, w->config,
                               &w->optimizers);
}

static void bench_close(bench *b)
{
    hg_context_free(b->w.context);
    free(b->images);
}

/* A GPU may still be at work on what it was told: a read waits for it. */
static bool wait_for_device(hg_context *context)
{
    uint64_t step;
    return !context->gpu ||
           hg_device_download(context, &step, hg_control_step(context),
                              sizeof step);
}

/* Milliseconds a step; negative with an error. */
static double run_block(bench *b, int64_t steps)
{
    double started = seconds_now();
    hg_batch batch;
    for (int64_t done = 0; done < steps;) {
        explain_begin(&b->explained, b->w.context);
        hg_scope *s = hg_next(b->loader, HG_TRAIN, &batch);
        if (!s && hg_error())
            return -1;
        if (!s)
            continue; /* the next epoch */
        bool ok =
            hg_model_step(b->s.model, b->w.state, &batch, &b->w.optimizers);
        hg_scope_close(s);
        if (!ok)
            return -1;
        explain_step(&b->explained, b->w.context, batch.size == b->load->batch);
        done++;
    }
    if (!wait_for_device(b->w.context))
        return -1;
    return 1e3 * (seconds_now() - started) / (double)steps;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the memory that the steps take: the device's, or the process's. */
static double peak_mib(const bench *b)
{
    const hg_context *context = b->w.context;
    return context->gpu ? (double)context->device_peak / (1 << 20)
                        : probe_peak_mib();
}

static json_t *result(bench *b, double *ms, int blocks, int64_t steps,
                      uint64_t launches)
{
    qsort(ms, (size_t)blocks, sizeof *ms, by_size);
    double median = (ms[(blocks - 1) / 2] + ms[blocks / 2]) / 2;
    return json_pack("{s:s, s:s, s:i, s:f, s:f, s:I, s:f, s:f, s:f, s:I, s:s}",
                     "workload", b->load->name, "device",
                     hg_context_device(b->w.context), "threads",
                     hg_context_threads(b->w.context), "ms_per_step", median,
                     "ms_min", ms[0], "steps", (json_int_t)steps, "gflops",
                     1e3 * b->load->gflop / median, "peak_gflops",
                     b->peak_gflops, "peak_mib", peak_mib(b), "launches",
                     (json_int_t)(launches / (uint64_t)(blocks * steps)),
                     "precision", b->precision);
}

static void print_result(const json_t *r, bool json)
{
    if (json) {
        json_dumpf(r, stdout, JSON_COMPACT);
        printf("\n");
    } else {
        printf("%-14s %9.3f ms a step (least %.3f)  %6.1f of %.0f GFLOP/s  "
               "%.0f MiB  %lld launches\n",
               json_string_value(json_object_get(r, "workload")),
               json_real_value(json_object_get(r, "ms_per_step")),
               json_real_value(json_object_get(r, "ms_min")),
               json_real_value(json_object_get(r, "gflops")),
               json_real_value(json_object_get(r, "peak_gflops")),
               json_real_value(json_object_get(r, "peak_mib")),
               (long long)json_integer_value(json_object_get(r, "launches")));
    }
    fflush(stdout);
}

static bool measure(bench *b, int blocks, int64_t steps, bool json)
{
    double ms[MOST_BLOCKS];
    char text[640];
    uint64_t before = hg_context_launches(b->w.context);
    for (int i = 0; i < blocks; i++)
        if ((ms[i] = run_block(b, steps)) < 0)
            return false;
    json_t *r = result(b, ms, blocks, steps,
                       hg_context_launches(b->w.context) - before);
    if (b->explain && json)
        json_object_set_new(r, "explain",
                            explain_json(&b->explained, b->w.context));
    print_result(r, json);
    json_decref(r);
    explain_text(&b->explained, b->w.context, text, sizeof text);
    if (b->explain && !json)
        printf("  %s\n", text);
    return true;
}

static bool serve(bench *b)
{
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        int64_t steps = 0;
        if (!strncmp(line, "run ", 4))
            steps = strtoll(line + 4, NULL, 10);
        if (steps < 1)
            return hg_fail(HG_ERROR_ARGUMENT, "--serve reads lines `run N`");
        if (!measure(b, 1, steps, true))
            return false;
    }
    return true;
}

/* 0, or an exit code after a message. */
static int read_options(const arguments *a, bench *b)
{
    int code = 0;
    *b = (bench){.precision = flag_text(a, "precision"),
                 .explain = flag_given(a, "explain")};
    b->threads = flag_count(a, "threads", 0, &code);
    b->steps = flag_int(a, "steps", 0, &code);
    b->blocks = flag_within(a, "blocks", 1, MOST_BLOCKS, &code);
    return code;
}

static bool run_workload(bench b, const workload *load, const arguments *a)
{
    b.load = load;
    b.steps = b.steps ? b.steps : load->steps;
    bool ok = bench_open(&b, a) && run_block(&b, 10) >= 0;
    if (ok)
        b.peak_gflops = probe_peak_gflops(hg_context_threads(b.w.context));
    ok = ok && (flag_given(a, "serve")
                    ? serve(&b)
                    : measure(&b, b.blocks, b.steps, flag_given(a, "json")));
    bench_close(&b);
    return ok;
}

static const workload *find_workload(const char *name)
{
    const char *names[WORKLOADS + 1] = {0};
    for (int i = 0; i < WORKLOADS; i++) {
        names[i] = workloads[i].name;
        if (!strcmp(name, workloads[i].name))
            return &workloads[i];
    }
    const char *near = nearest(name, names);
    fail_with(EXIT_USAGE, "there is no workload %s; %s%s%s", name,
              near ? "did you mean " : "see `hourglass bench --help`",
              near ? near : "", near ? "?" : "");
    return NULL;
}

int run_bench(int argc, char **argv)
{
    arguments a = {.flags = flags, .most = 1};
    int code = parse_arguments(
        &a, argc, argv,
        "usage: hourglass bench [WORKLOAD] [options]\n"
        "workloads: ae-b32 ae-b128 vae-b32 aae-b100 convvae-b256 tfpvae-b64\n"
        "without WORKLOAD: all of them");
    if (code)
        return code == SHOWN_HELP ? EXIT_DONE : code;
    bench b;
    const workload *one = NULL;
    code = read_options(&a, &b);
    if (code)
        return code;
    if (a.count && !(one = find_workload(a.positional[0])))
        return EXIT_USAGE;
    for (int i = 0; i < WORKLOADS; i++)
        if ((!one || one == &workloads[i]) &&
            !run_workload(b, &workloads[i], &a))
            return report_error();
    return EXIT_DONE;
}
