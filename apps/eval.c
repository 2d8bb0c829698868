/* eval.c - `hourglass eval RUN`: what can be measured on a run. The quick
 * figures always, the slow ones when they are asked for. */
#include "apps/measures.h"

#include <math.h>

static const flag flags[] = {
    {"", NULL, "what is measured besides", NULL, NULL, 0},
    {"nll", "K", "importance-weighted bound of log p(x) with K samples", NULL,
     NULL, 0},
    {"nll-images", "N", "on so many images (0: all)", "500", NULL, 0},
    {"binarise", NULL, "the bound's pixels are drawn as 0 or 1", NULL, NULL, 0},
    {"aggregate", NULL, "all codes together against the prior", NULL, NULL, 0},
    {"quality", NULL,
     "draws against images in the features of a small classifier, which is "
     "trained once",
     NULL, NULL, 0},
    {"probe", NULL, "classes from pixels, PCA and codes, many and few labels",
     NULL, NULL, 0},
    {"full", NULL, "all of these (K is 500 unless given)", NULL, NULL, 0},
    {"json", NULL, "one JSON object on standard output", NULL, NULL, 0},
    {"batch-size", "N", "images at a time", "250", NULL, 'b'},
    {"to", "FILE", "the bound against K [RUN/pictures/bound.png]", NULL, NULL,
     0},
    VIEW_FLAGS,
    {0},
};

/* ---- The table ---------------------------------------------------------- */

static const struct {
    const char *name, *unit;
} rows[] = {
    {"loss", "the recipe's own"},
    {"recon_mse", "squared error, mean over pixels"},
    {"recon_sse", "squared error, sum over pixels"},
    {"recon_bce", "cross-entropy, nats an image"},
    {"ssim", "structural similarity, 1 is equal"},
    {"kl", "nats an image"},
    {"elbo", "nats an image, without constants"},
    {"rate", "nats an image: what the code costs"},
    {"distortion", "nats an image: what it leaves open"},
    {"latent", "dimensions of the code"},
    {"active_units", "of them vary with the image (variance > 0.01)"},
    {"prior_ks", "codes' marginals from the prior's, mean"},
    {"prior_ks_worst", "over the dimensions (Kolmogorov-Smirnov)"},
    {"prior_ks_line",
     "in one dimension chance lies above it once in a hundred"},
    {"prior_ks_within", "dimensions lie below that line"},
    {"mmd", "codes from the prior, squared discrepancy"},
    {"aggregate_kl", "nats: all codes together from the prior"},
    {"information", "nats: between image and code"},
};

static void print_list(const json_t *report, const char *name)
{
    size_t i;
    json_t *value;
    const json_t *list = json_object_get(report, name);
    if (!list)
        return;
    printf("  %-15s", name);
    json_array_foreach(list, i, value)
    {
        printf("%s%.2f", i % 12 || !i ? " " : "\n                 ",
               json_number_value(value));
    }
    printf("\n");
}

static void print_bound(const json_t *nll)
{
    size_t i;
    json_t *point;
    if (!nll)
        return;
    int64_t images = json_integer_value(json_object_get(nll, "images"));
    printf("  at most this many nats an image, %lld image%s%s:\n",
           (long long)images, plural(images),
           json_is_true(json_object_get(nll, "binarised")) ? ", binarised"
                                                           : "");
    json_array_foreach(json_object_get(nll, "curve"), i, point)
    {
        printf("    k = %-6lld %10.4f\n",
               (long long)json_integer_value(json_object_get(point, "k")),
               json_number_value(json_object_get(point, "nats")));
    }
}

static void print_probe(const json_t *probe)
{
    size_t i;
    json_t *row, *value;
    const char *name;
    if (!probe)
        return;
    json_array_foreach(probe, i, row)
    {
        json_object_foreach(row, name, value)
        {
            if (i == 0)
                printf("  %-12s", name);
        }
        printf("\n");
        json_object_foreach(row, name, value)
        {
            if (json_is_string(value))
                printf("  %-12s", json_string_value(value));
            else
                printf("  %-12.4g", json_number_value(value));
        }
    }
    printf("\n");
}

static void print_quality(const json_t *quality)
{
    const char *name;
    json_t *value;
    if (!quality)
        return;
    printf("  in the features of a small classifier (not Inception):\n");
    json_object_foreach((json_t *)(uintptr_t)quality, name, value)
    {
        if (json_is_string(value))
            printf("    %-16s %s\n", name, json_string_value(value));
        else
            printf("    %-16s %.6g\n", name, json_number_value(value));
    }
}

static void print_table(const json_t *report)
{
    int64_t images = json_integer_value(json_object_get(report, "images"));
    printf("%s: %s on %s, %s, %lld image%s\n",
           json_string_value(json_object_get(report, "run")),
           json_string_value(json_object_get(report, "model")),
           json_string_value(json_object_get(report, "data")),
           json_string_value(json_object_get(report, "split")),
           (long long)images, plural(images));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const json_t *value = json_object_get(report, rows[i].name);
        if (json_is_number(value))
            printf("  %-15s %12.6g  %s\n", rows[i].name,
                   json_number_value(value), rows[i].unit);
    }
    print_list(report, "kl_dims");
    print_bound(json_object_get(report, "nll"));
    print_quality(json_object_get(report, "classifier_frechet"));
    print_probe(json_object_get(report, "probe"));
}

/* ---- The command -------------------------------------------------------- */

enum { MOST_SAMPLES = 100000 }; /* of hg_model_likelihood */

static bool measure_all(view *v, const arguments *a, json_t *report)
{
    int code = 0;
    bool full = flag_given(a, "full");
    int64_t batch = flag_count(a, "batch-size", 1, &code);
    hg_bound b = {.samples = flag_given(a, "nll")
                                 ? flag_within(a, "nll", 1, MOST_SAMPLES, &code)
                                 : 500,
                  .images = flag_count(a, "nll-images", 0, &code),
                  .binarise = flag_given(a, "binarise")};
    if (code || !measure_images(v, batch, report) || !measure_codes(v, report))
        return false;
    if (flag_given(a, "nll") || (full && v->model->posterior)) {
        if (!measure_bound(v, &b, report) ||
            !draw_bound(v, &b, view_picture(v, a, "bound.png").text))
            return false;
    }
    if ((flag_given(a, "aggregate") || full) && !measure_aggregate(v, report))
        return false;
    if ((flag_given(a, "quality") || (full && v->model->decode)) &&
        !measure_quality(v, report))
        return false;
    return !(flag_given(a, "probe") || (full && hg_model_has_code(v->model))) ||
           measure_probe(v, report);
}

static bool show(view *v, const arguments *a)
{
    if (!can_be_json("the run", v->run) || !can_be_json("--data", v->s.data))
        return false;
    json_t *report = json_pack("{s:s, s:s, s:s, s:s}", "run", v->run, "model",
                               v->model->name, "data", v->s.data, "split",
                               flag_text(a, "split"));
    bool ok = report && measure_all(v, a, report);
    if (ok && flag_given(a, "json"))
        print_json(report);
    else if (ok)
        print_table(report);
    json_decref(report);
    return ok;
}

int run_eval(int argc, char **argv)
{
    return view_command(argc, argv, flags,
                        "usage: hourglass eval [RUN] [options]\n"
                        "  hourglass eval runs/first --json\n"
                        "  hourglass eval runs/first --nll 5000 --binarise\n"
                        "  hourglass eval runs/first --probe --quality\n"
                        "without RUN: the newest below --out",
                        show);
}
