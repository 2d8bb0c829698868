/* report.c - report.html: what a run was, what became of it and what it makes,
 * on one self-contained page. */
#include "apps/report.h"
#include "apps/page.h"
#include "apps/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the figures mean, in the order they are shown. */
static const struct {
    const char *name, *title, *about;
} results[] = {
    {"recon_mse", "reconstruction error",
     "squared error of a pixel, mean; pixels go from 0 to 1"},
    {"kl", "KL, nats",
     "what the code of an image costs: its distance from the prior"},
    {"elbo", "ELBO, nats",
     "lower bound of an image's log likelihood, without constants"},
    {"recon_bce", "cross-entropy, nats",
     "of the reconstruction, sum over the pixels of an image"},
    {"loss", "loss", "the recipe's own, mean per image"},
    {"prior_ks", "codes from prior",
     "Kolmogorov-Smirnov distance of the codes' marginals from the prior's, "
     "mean over the dimensions: 0 is equal, 1 is apart"},
    {"prior_ks_worst", "worst dimension", "the same, of the worst dimension"},
    {"prior_ks_line", "line of chance",
     "in one dimension two sets of draws from the prior itself lie above it "
     "once in a hundred"},
    {"prior_ks_within", "dimensions within", "how many lie below that line"},
    {"recon_sse", "squared error",
     "of the reconstruction, sum over the pixels of an image"},
    {"images", "test images", "that all this was measured on"},
};

enum { RESULTS = sizeof results / sizeof results[0], TILES = 4 };

static void number_text(const json_t *value, char *text, size_t size)
{
    snprintf(text, size, "%.5g", json_number_value(value));
}

/* ---- Numbers ------------------------------------------------------------ */

static void put_tiles(page *p, const json_t *final)
{
    char text[32];
    int shown = 0;
    fputs("<div class=\"tiles\">\n", p->out);
    for (int i = 0; i < RESULTS && shown < TILES; i++) {
        const json_t *value = json_object_get(final, results[i].name);
        if (!json_is_number(value))
            continue;
        shown++;
        number_text(value, text, sizeof text);
        fputs("<div class=\"tile\"><b>", p->out);
        put_text(p, text);
        fputs("</b>", p->out);
        put_text(p, results[i].title);
        fputs("</div>\n", p->out);
    }
    fputs("</div>\n<p class=\"dim\">measured on test images that were never "
          "trained on; what each figure means stands below</p>\n",
          p->out);
}

static void put_results(page *p, const json_t *final)
{
    char text[32];
    fputs("<h2>All results</h2>\n<div class=\"wide\"><table>\n", p->out);
    for (int i = 0; i < RESULTS; i++) {
        const json_t *value = json_object_get(final, results[i].name);
        if (!json_is_number(value))
            continue;
        number_text(value, text, sizeof text);
        put_row(p, results[i].name, text, results[i].about);
    }
    fputs("</table></div>\n", p->out);
}

/* The last line of each kind is how things stand; it has a text unless all is
 * well again. */
static json_t *standing_warnings(const char *run)
{
    size_t i;
    const char *kind;
    json_t *line, *lines = run_lines(run, "warnings.jsonl");
    json_t *last = json_object(), *standing = json_array();
    json_array_foreach(lines, i, line)
    {
        kind = json_string_value(json_object_get(line, "kind"));
        if (kind)
            json_object_set(last, kind, line);
    }
    json_object_foreach(last, kind, line)
    {
        if (json_object_get(line, "text"))
            json_array_append(standing, line);
    }
    json_decref(last);
    json_decref(lines);
    return standing;
}

static void put_warnings(page *p, const char *run)
{
    size_t i;
    json_t *line, *lines = standing_warnings(run);
    if (json_array_size(lines))
        put_tag(p, "h2", "Worth a look");
    json_array_foreach(lines, i, line)
    {
        fputs("<div class=\"warning\"><b>", p->out);
        put_text(p, json_string_value(json_object_get(line, "text")));
        fprintf(p->out, "</b> <span class=\"dim\">epoch %lld</span><p>",
                (long long)json_integer_value(json_object_get(line, "epoch")));
        put_prose(p, json_string_value(json_object_get(line, "meaning")));
        fputs("</p></div>\n", p->out);
    }
    json_decref(lines);
}

/* ---- Curves ------------------------------------------------------------- */

static bool is_term(const char *key, const json_t *value)
{
    static const char *const others[] = {"epoch", "step",         "loss",
                                         "split", "images_per_s", "ms_per_step",
                                         "event"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!strcmp(key, others[i]))
            return false;
    return json_is_number(value);
}

static void add_terms_chart(page *p, const json_t *lines)
{
    const char *key;
    int hue = 0;
    json_t *value, *first = json_array_get(lines, 0);
    json_t *chart = add_chart(
        p, "Terms of the training",
        "What the model reports by name, mean over each epoch: the parts of "
        "its loss, and where several players train, the loss of each.",
        "mean per image", false);
    json_object_foreach(first, key, value)
    {
        if (is_term(key, value))
            add_curve(chart, key, lines, "train", key, hue++);
    }
    add_curve(chart, "kl, validation", lines, "val", "kl", hue);
    drop_empty_chart(p);
}

static void add_charts(page *p, const json_t *lines)
{
    json_t *chart = add_chart(
        p, "Loss",
        "What training lowers. Where the validation curve turns up "
        "while the training curve still falls, the model learns its "
        "training images by heart. The training curve is the mean over "
        "an epoch in which the model still changed.",
        "loss, mean per image", false);
    add_curve(chart, "training", lines, "train", "loss", 0);
    add_curve(chart, "validation", lines, "val", "loss", 1);
    drop_empty_chart(p);
    add_terms_chart(p, lines);
    chart = add_chart(p, "Reconstruction error",
                      "How far reconstructions of validation images are from "
                      "the images; 0 is perfect.",
                      "squared error of a pixel", true);
    add_curve(chart, "validation", lines, "val", "recon_mse", 1);
    drop_empty_chart(p);
    chart = add_chart(p, "Speed", "Images trained on in a second.",
                      "images per second", false);
    add_curve(chart, "training", lines, "train", "images_per_s", 0);
    drop_empty_chart(p);
}

/* ---- Pictures ----------------------------------------------------------- */

static void put_pictures(page *p, const char *run)
{
    put_tag(p, "h2", "What it makes");
    fputs("<div class=\"grid\">\n", p->out);
    put_slides(p, run, "recon", "Reconstructions",
               "Three rows each: test images, what the model makes of them, "
               "and the difference (grey: right, darker: too dark, lighter: "
               "too bright). The same images all through the run. Of points in "
               "the plane: what the model makes of them in colour, over the "
               "data in grey.",
               false);
    put_slides(p, run, "samples", "Samples",
               "Images decoded from random codes, the same codes all through "
               "the run: what the model takes for typical.",
               false);
    fputs("</div>\n", p->out);
    put_tag(p, "h2", "Its codes");
    fputs("<div class=\"grid one\">\n", p->out);
    put_picture(p, run, "latent/map.png", "Map",
                "Each point is the code of a test image, its colour the class. "
                "Of codes with more than two dimensions the plane is shown in "
                "which they spread the most.",
                true);
    put_picture(p, run, "latent/tsne.png", "Neighbours",
                "The same codes laid out so that neighbours stay neighbours "
                "(t-SNE, van der Maaten and Hinton, 2008). Which images are "
                "near one another means something; how far apart and how "
                "large the groups are does not.",
                true);
    put_slides(p, run, "marginals", "Codes and prior",
               "How the values of the codes are distributed (coloured area), "
               "and how the prior has them (line). Where the two differ, "
               "samples come from codes that no image has.",
               true);
    put_slides(p, run, "filters", "First layer",
               "The weights of the first layer's units as images: grey is "
               "zero, white positive, black negative; each is scaled by its "
               "own largest weight. Noise: the unit has learnt nothing yet.",
               false);
    fputs("</div>\n", p->out);
}

/* ---- The page ----------------------------------------------------------- */

static void put_lead(page *p, const json_t *config, const json_t *final)
{
    int64_t epochs = json_integer_value(json_object_get(final, "epoch"));
    int64_t steps = json_integer_value(json_object_get(final, "step"));
    int64_t images = json_integer_value(json_object_get(config, "batch_size"));
    fprintf(p->out,
            "<p>Trained for %lld epoch%s (%lld step%s of %lld image%s), "
            "seed %lld.</p>\n",
            (long long)epochs, plural(epochs), (long long)steps, plural(steps),
            (long long)images, plural(images),
            (long long)json_integer_value(json_object_get(config, "seed")));
}

static void put_file(page *p, const char *run, const char *name,
                     const char *title, bool open)
{
    size_t size = 0;
    char *text = read_file(path_join(run, name).text, &size);
    if (text) {
        fprintf(p->out, "<details%s><summary>", open ? " open" : "");
        put_text(p, title);
        fputs("</summary>\n", p->out);
        put_tag(p, "pre", text);
        fputs("</details>\n", p->out);
    }
    free(text);
}

static void put_settings(page *p, const char *run, json_t *config)
{
    json_t *environment =
        json_load_file(path_join(run, "environment.json").text, 0, NULL);
    put_tag(p, "h2", "How to have it again");
    put_file(p, run, "command.txt", "Commands", true);
    put_file(p, run, "model.c", "The model's file", false);
    fputs("<details><summary>Settings</summary><div class=\"wide\"><table>\n",
          p->out);
    put_object(p, config);
    fputs("</table></div></details>\n<details><summary>Environment</summary>"
          "<div class=\"wide\"><table>\n",
          p->out);
    put_object(p, environment);
    fputs("</table></div></details>\n", p->out);
    json_decref(environment);
}

static void put_page(page *p, const char *run, json_t *config)
{
    json_t *lines = run_lines(run, "metrics.jsonl");
    json_t *final = final_line(lines);
    put_lead(p, config, final);
    put_tiles(p, final);
    put_warnings(p, run);
    put_tag(p, "h2", "How training went");
    fputs("<div id=\"charts\" class=\"grid\"></div><noscript>", p->out);
    put_picture(p, run, "loss.png", "Curves", "means over each epoch", true);
    fputs("</noscript>\n", p->out);
    add_charts(p, lines);
    put_pictures(p, run);
    put_results(p, final);
    put_settings(p, run, config);
    json_decref(lines);
}

bool report_write(const char *run)
{
    char title[256];
    page p;
    json_t *config = run_config(run);
    if (!config)
        return false;
    const char *model = json_string_value(json_object_get(config, "model"));
    const char *data = json_string_value(json_object_get(config, "data"));
    snprintf(title, sizeof title, "%s on %s", model ? model : "?",
             data ? data : "?");
    bool ok = page_open(&p, title);
    if (ok) {
        put_tag(&p, "h1", title);
        put_page(&p, run, config);
        ok = page_close(&p, path_join(run, "report.html").text);
    }
    json_decref(config);
    return ok;
}
