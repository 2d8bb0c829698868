/* report.c - report.html: one self-contained page from a run's folder. */
#include "apps/report.h"
#include "apps/run.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1rem;color:#222}h1,h2{line-height:1.2}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;"
    "border-bottom:1px solid #ddd}td.n{text-align:right;"
    "font-variant-numeric:tabular-nums}figure{margin:1rem 0}"
    "img{max-width:100%;height:auto}figcaption{color:#555;font-size:.9em}"
    "code{background:#f3f3f3;padding:.1em .3em}</style>\n";

/* ---- Text and bytes into a page ----------------------------------------- */

static void put_text(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            fputc(*text, f);
        }
}

static void put_base64(FILE *f, FILE *in)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                "stuvwxyz0123456789+/";
    unsigned char b[3];
    for (size_t n; (n = fread(b, 1, 3, in)) > 0;) {
        memset(b + n, 0, 3 - n);
        unsigned bits = (unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2];
        fputc(digit[bits >> 18], f);
        fputc(digit[bits >> 12 & 63], f);
        fputc(n > 1 ? digit[bits >> 6 & 63] : '=', f);
        fputc(n > 2 ? digit[bits & 63] : '=', f);
    }
}

static void put_picture(FILE *f, const char *run, const char *name,
                        const char *caption)
{
    FILE *in = fopen(path_join(run, name).text, "rb");
    if (!in)
        return;
    fputs("<figure><img alt=\"", f);
    put_text(f, caption);
    fputs("\" src=\"data:image/png;base64,", f);
    put_base64(f, in);
    fputs("\"><figcaption>", f);
    put_text(f, caption);
    fputs("</figcaption></figure>\n", f);
    fclose(in);
}

/* ---- The parts ---------------------------------------------------------- */

static void put_row(FILE *f, const char *name, const char *value,
                    const char *meaning)
{
    fputs("<tr><td>", f);
    put_text(f, name);
    fputs("</td><td class=\"n\">", f);
    put_text(f, value);
    fputs("</td><td>", f);
    put_text(f, meaning);
    fputs("</td></tr>\n", f);
}

static json_t *final_line(const char *run)
{
    char line[4096];
    json_t *last = NULL;
    FILE *f = fopen(path_join(run, "metrics.jsonl").text, "r");
    while (f && fgets(line, sizeof line, f)) {
        json_t *object = json_loads(line, 0, NULL);
        const char *event = json_string_value(json_object_get(object, "event"));
        if (event && !strcmp(event, "final")) {
            json_decref(last);
            last = json_incref(object);
        }
        json_decref(object);
    }
    if (f)
        fclose(f);
    return last;
}

static void put_results(FILE *f, const char *run)
{
    static const char *const rows[][2] = {
        {"loss", "the recipe's own loss, mean per image"},
        {"recon_mse", "squared error of the reconstruction, mean over pixels"},
        {"recon_sse", "squared error of the reconstruction, sum over pixels"},
        {"recon_bce", "cross-entropy of the reconstruction, nats per image"},
        {"kl", "what the code costs: KL to the prior, nats per image"},
        {"elbo", "lower bound of the log likelihood, nats per image, without "
                 "constants"},
        {"prior_ks", "distance of the codes' marginals from the prior's "
                     "(Kolmogorov-Smirnov), mean over the dimensions"},
        {"images", "test images"},
    };
    json_t *final = final_line(run);
    fputs("<h2>Results on the test set</h2>\n<table>\n", f);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[32];
        json_t *value = json_object_get(final, rows[i][0]);
        if (!json_is_number(value))
            continue;
        snprintf(text, sizeof text, "%.6g", json_number_value(value));
        put_row(f, rows[i][0], text, rows[i][1]);
    }
    fputs("</table>\n", f);
    json_decref(final);
}

static void put_settings(FILE *f, const char *title, json_t *object)
{
    const char *name;
    json_t *value;
    fprintf(f, "<h2>%s</h2>\n<table>\n", title);
    json_object_foreach(object, name, value)
    {
        char *text =
            json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        put_row(f, name, text ? text : "", "");
        free(text);
    }
    fputs("</table>\n", f);
}

/* The picture of the last epoch in a folder, by its name's order. */
static bool last_picture(const char *run, const char *folder, char *name,
                         size_t size)
{
    DIR *d = opendir(path_join(run, folder).text);
    char best[256] = "";
    for (struct dirent *e; d && (e = readdir(d));)
        if (strstr(e->d_name, ".png") && strcmp(e->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", e->d_name);
    if (d)
        closedir(d);
    snprintf(name, size, "%s/%s", folder, best);
    return best[0] != 0;
}

static void put_pictures(FILE *f, const char *run)
{
    char name[512];
    fputs("<h2>Pictures</h2>\n", f);
    if (last_picture(run, "recon", name, sizeof name))
        put_picture(f, run, name,
                    "Reconstructions: test images, and below each row what "
                    "the model makes of them");
    if (last_picture(run, "samples", name, sizeof name))
        put_picture(f, run, name, "Samples: decoded draws from the prior");
    put_picture(f, run, "latent/map.png",
                "Latent map: each point is a test image, coloured by its "
                "class");
    put_picture(f, run, "latent/marginals.png",
                "Codes and prior: how the values of all code dimensions are "
                "distributed, beside draws from the prior");
    put_picture(f, run, "loss.png",
                "Training: means over each epoch, logarithmic axis");
}

static void put_page(FILE *f, const char *run, json_t *config)
{
    const char *model = json_string_value(json_object_get(config, "model"));
    const char *data = json_string_value(json_object_get(config, "data"));
    fputs(head, f);
    fputs("<title>", f);
    put_text(f, model);
    fputs(" on ", f);
    put_text(f, data);
    fputs("</title>\n<h1>", f);
    put_text(f, model);
    fputs(" on ", f);
    put_text(f, data);
    fputs("</h1>\n", f);
    put_results(f, run);
    put_pictures(f, run);
    put_settings(f, "Settings", config);
    json_t *environment =
        json_load_file(path_join(run, "environment.json").text, 0, NULL);
    put_settings(f, "Environment", environment);
    json_decref(environment);
    fputs("</html>\n", f);
}

bool report_write(const char *run)
{
    char *text = NULL;
    size_t size = 0;
    json_t *config = run_config(run);
    FILE *f = config ? open_memstream(&text, &size) : NULL;
    if (f)
        put_page(f, run, config);
    bool ok = f && !fclose(f) &&
              write_file(path_join(run, "report.html").text, text, size);
    free(text);
    json_decref(config);
    return ok || hg_fail(HG_ERROR_IO, "%s/report.html cannot be written", run);
}
