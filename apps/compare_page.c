/* compare_page.c - several runs on one page: results, what was set differently,
 * curves over each other, pictures side by side. */
#include "apps/page.h"
#include "apps/report.h"
#include "apps/run.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *const *runs;
    int count;
} set_of_runs;

static void put_heads(page *p, const set_of_runs *s)
{
    fputs("<tr><th></th>", p->out);
    for (int i = 0; i < s->count; i++)
        put_tag(p, "th", last_part(s->runs[i]));
    fputs("</tr>\n", p->out);
}

static void put_value(page *p, const json_t *value, bool differs)
{
    char *text =
        value ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(5))
              : NULL;
    fprintf(p->out, "<td class=\"n%s\">", differs ? " differs" : "");
    put_text(p, json_is_string(value) ? json_string_value(value)
                : text                ? text
                                      : "-");
    fputs("</td>", p->out);
    free(text);
}

/* ---- Results ------------------------------------------------------------ */

static void put_results(page *p, const set_of_runs *s, const json_t *table)
{
    static const char *const rows[][2] = {
        {"model", "model"},
        {"parameters", "parameters"},
        {"latent", "width of the code"},
        {"recon_mse", "reconstruction error: squared, mean over pixels"},
        {"recon_bce", "cross-entropy of the reconstruction, nats an image"},
        {"kl", "KL to the prior, nats an image"},
        {"elbo", "ELBO, nats an image, without constants"},
        {"prior_ks", "distance of the codes' marginals from the prior's"},
    };
    put_tag(p, "h2", "Results on the same images");
    fputs("<div class=\"wide\"><table>\n", p->out);
    put_heads(p, s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fputs("<tr>", p->out);
        put_tag(p, "td", rows[i][1]);
        for (int j = 0; j < s->count; j++)
            put_value(
                p,
                json_object_get(json_array_get(table, (size_t)j), rows[i][0]),
                false);
        fputs("</tr>\n", p->out);
    }
    fputs("</table></div>\n", p->out);
}

/* ---- Settings ----------------------------------------------------------- */

/* Entries of groups beside the others. */
static void flatten(json_t *into, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_is_object(value))
            flatten(into, value);
        else
            json_object_set(into, name, value);
    }
}

static void put_difference(page *p, const set_of_runs *s, json_t *const *flat,
                           const char *name)
{
    const json_t *first = json_object_get(flat[0], name);
    bool differ = false;
    for (int i = 1; i < s->count; i++)
        differ |= !json_equal(first, json_object_get(flat[i], name));
    if (!differ)
        return;
    fputs("<tr>", p->out);
    put_tag(p, "td", name);
    for (int i = 0; i < s->count; i++)
        put_value(p, json_object_get(flat[i], name), true);
    fputs("</tr>\n", p->out);
}

static bool put_settings(page *p, const set_of_runs *s)
{
    json_t *flat[MOST_POSITIONAL] = {0}, *names = json_object(), *value;
    const char *name;
    bool ok = true;
    for (int i = 0; i < s->count; i++) {
        json_t *config = run_config(s->runs[i]);
        ok = ok && config;
        flat[i] = json_object();
        flatten(flat[i], config);
        json_object_update(names, flat[i]);
        json_decref(config);
    }
    put_tag(p, "h2", "What was set differently");
    fputs("<div class=\"wide\"><table>\n", p->out);
    put_heads(p, s);
    json_object_foreach(names, name, value)
    {
        put_difference(p, s, flat, name);
    }
    fputs("</table></div>\n", p->out);
    for (int i = 0; i < s->count; i++)
        json_decref(flat[i]);
    json_decref(names);
    return ok;
}

/* ---- Curves and pictures ------------------------------------------------ */

static void add_charts(page *p, const set_of_runs *s)
{
    static const struct {
        const char *title, *about, *unit, *split, *key;
        bool log;
    } charts[] = {
        {"Reconstruction error",
         "Of validation images; can be compared "
         "between all models.",
         "squared error of a pixel", "val", "recon_mse", true},
        {"KL",
         "What the codes of validation images cost, for models that "
         "have a prior.",
         "nats per image", "val", "kl", false},
        {"Training loss",
         "Each model's own: only runs of the same model and "
         "objective can be compared here.",
         "loss, mean per image", "train", "loss", true},
        {"Speed", "Images trained on in a second.", "images per second",
         "train", "images_per_s", false},
    };
    json_t *lines[MOST_POSITIONAL];
    for (int j = 0; j < s->count; j++)
        lines[j] = run_lines(s->runs[j], "metrics.jsonl");
    for (size_t i = 0; i < sizeof charts / sizeof charts[0]; i++) {
        json_t *chart = add_chart(p, charts[i].title, charts[i].about,
                                  charts[i].unit, charts[i].log);
        for (int j = 0; j < s->count; j++)
            add_curve(chart, last_part(s->runs[j]), lines[j], charts[i].split,
                      charts[i].key, j);
        drop_empty_chart(p);
    }
    for (int j = 0; j < s->count; j++)
        json_decref(lines[j]);
}

static void put_pictures(page *p, const set_of_runs *s, const char *folder,
                         const char *title, const char *about)
{
    put_tag(p, "h2", title);
    put_tag(p, "p", about);
    fputs("<div class=\"grid\">\n", p->out);
    for (int i = 0; i < s->count; i++)
        put_slides(p, s->runs[i], folder, last_part(s->runs[i]), "", false);
    fputs("</div>\n", p->out);
}

bool report_compare(const char *path, const char *const *runs, int count,
                    const json_t *table)
{
    set_of_runs s = {runs, count};
    char title[64];
    page p;
    snprintf(title, sizeof title, "%d run%s compared", count, plural(count));
    if (!page_open(&p, title))
        return false;
    put_tag(&p, "h1", title);
    put_results(&p, &s, table);
    bool ok = put_settings(&p, &s);
    put_tag(&p, "h2", "How training went");
    fputs("<div id=\"charts\" class=\"grid\"></div>\n", p.out);
    add_charts(&p, &s);
    put_pictures(&p, &s, "recon", "Reconstructions",
                 "Test images, what each model makes of them, and the "
                 "difference (grey: right, darker: too dark, lighter: too "
                 "bright).");
    put_pictures(&p, &s, "samples", "Samples",
                 "Images decoded from random codes of each prior.");
    return page_close(&p, path) && ok;
}
