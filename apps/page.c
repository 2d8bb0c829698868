/* page.c - report pages: one file with style, script, data and pictures. */
#include "apps/page.h"
#include "apps/page_files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 24 };

/* ---- The page ----------------------------------------------------------- */

static void put_style(page *p)
{
    fputs("<style>\n", p->out);
    fwrite(page_css, 1, sizeof page_css, p->out);
    fputs("</style>\n", p->out);
}

bool page_open(page *p, const char *title)
{
    *p = (page){.data = json_pack("{s:[], s:[]}", "charts", "slides")};
    p->out = open_memstream(&p->text, &p->size);
    if (!p->out || !p->data) {
        if (p->out)
            fclose(p->out);
        free(p->text);
        json_decref(p->data);
        return hg_fail(HG_ERROR_MEMORY, "no memory for the report");
    }
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, "
          "initial-scale=1\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n",
          p->out);
    put_tag(p, "title", title);
    put_style(p);
    fputs("</head><body>\n", p->out);
    return true;
}

/* Slashes are escaped, so that no text in it can end the script. */
static void put_script(page *p)
{
    fputs("<script type=\"application/json\" id=\"data\">", p->out);
    json_dumpf(p->data, p->out, JSON_COMPACT | JSON_ESCAPE_SLASH);
    fputs("</script>\n<script>\n", p->out);
    fwrite(page_js, 1, sizeof page_js, p->out);
    fputs("</script>\n</body></html>\n", p->out);
}

bool page_close(page *p, const char *path)
{
    bool ok = p->out != NULL;
    if (ok)
        put_script(p);
    ok = ok && !fclose(p->out) && write_file(path, p->text, p->size);
    json_decref(p->data);
    free(p->text);
    *p = (page){0};
    return ok || hg_fail(HG_ERROR_IO, "%s cannot be written", path);
}

/* ---- Text --------------------------------------------------------------- */

static void put_n(page *p, const char *text, size_t n)
{
    for (const char *end = text + n; text < end; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", p->out);
            break;
        case '&':
            fputs("&amp;", p->out);
            break;
        case '"':
            fputs("&quot;", p->out);
            break;
        default:
            fputc(*text, p->out);
        }
}

void put_text(page *p, const char *text)
{
    put_n(p, text, text ? strlen(text) : 0);
}

void put_prose(page *p, const char *text)
{
    const char *flag;
    while (text && (flag = strstr(text, "--"))) {
        size_t n = strspn(flag, "-abcdefghijklmnopqrstuvwxyz");
        put_n(p, text, (size_t)(flag - text));
        fprintf(p->out, "<code>%.*s</code>", (int)n, flag);
        text = flag + n;
    }
    put_text(p, text);
}

void put_tag(page *p, const char *tag, const char *text)
{
    fprintf(p->out, "<%s>", tag);
    put_text(p, text);
    fprintf(p->out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

void put_row(page *p, const char *name, const char *value, const char *meaning)
{
    fputs("<tr><td>", p->out);
    put_text(p, name);
    fputs("</td><td class=\"n\">", p->out);
    put_text(p, value);
    fputs("</td><td class=\"dim\">", p->out);
    put_text(p, meaning);
    fputs("</td></tr>\n", p->out);
}

void put_object(page *p, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_is_object(value)) {
            put_object(p, value);
            continue;
        }
        char *text =
            json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        put_row(p, name,
                json_is_string(value) ? json_string_value(value) : text, "");
        free(text);
    }
}

/* ---- Pictures ----------------------------------------------------------- */

static const char digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(FILE *f, FILE *in)
{
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

/* "data:image/png;base64,..." of a file, to be freed; NULL without it. */
static char *picture_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "rb");
    FILE *f = in ? open_memstream(&text, &size) : NULL;
    if (f) {
        fputs("data:image/png;base64,", f);
        put_base64(f, in);
        fclose(f);
    }
    if (in)
        fclose(in);
    return text;
}

static void put_figure(page *p, const char *source, const char *title,
                       const char *about, bool smooth, int slides)
{
    if (slides >= 0)
        fprintf(p->out, "<figure data-slides=\"%d\">", slides);
    else
        fputs("<figure>", p->out);
    put_tag(p, "h3", title);
    fprintf(p->out, "<img%s alt=\"", smooth ? " class=\"smooth\"" : "");
    put_text(p, title);
    fprintf(p->out, "\" src=\"%s\"><figcaption>", source);
    put_text(p, about);
    fputs("</figcaption></figure>\n", p->out);
}

void put_picture(page *p, const char *run, const char *file, const char *title,
                 const char *about, bool smooth)
{
    char *source = picture_text(path_join(run, file).text);
    if (source)
        put_figure(p, source, title, about, smooth, -1);
    free(source);
}

static int is_epoch(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return !strncmp(e->d_name, "epoch_", 6) && dot && !strcmp(dot, ".png");
}

/* Of more than 9,999, names are not in this order. */
static int by_epoch(const struct dirent **a, const struct dirent **b)
{
    int x = atoi((*a)->d_name + 6), y = atoi((*b)->d_name + 6);
    return (x > y) - (x < y);
}

static json_t *frame_of(const char *folder, const char *file)
{
    char *source = picture_text(path_join(folder, file).text);
    json_t *frame = json_pack("{s:i, s:s}", "epoch", atoi(file + 6), "src",
                              source ? source : "");
    free(source);
    return frame;
}

/* The first, the last, and of many those evenly between. */
static json_t *frames_of(const char *folder)
{
    struct dirent **list;
    json_t *frames = json_array();
    int n = scandir(folder, &list, is_epoch, by_epoch);
    int shown = n < MOST_FRAMES ? n : MOST_FRAMES;
    for (int i = 0; i < shown; i++) {
        int at = shown > 1 ? i * (n - 1) / (shown - 1) : 0;
        json_array_append_new(frames, frame_of(folder, list[at]->d_name));
    }
    for (int i = 0; i < n; i++)
        free(list[i]);
    if (n >= 0)
        free(list);
    return frames;
}

void put_slides(page *p, const char *run, const char *folder, const char *title,
                const char *about, bool smooth)
{
    json_t *frames = frames_of(path_join(run, folder).text);
    json_t *slides = json_object_get(p->data, "slides");
    size_t n = json_array_size(frames);
    const json_t *last = n ? json_array_get(frames, n - 1) : NULL;
    if (last) {
        put_figure(p, json_string_value(json_object_get(last, "src")), title,
                   about, smooth, (int)json_array_size(slides));
        json_array_append_new(slides, json_pack("{s:O}", "frames", frames));
    }
    json_decref(frames);
}

/* ---- Curves ------------------------------------------------------------- */

json_t *run_lines(const char *run, const char *file)
{
    char *line = NULL;
    size_t size = 0;
    json_t *lines = json_array();
    FILE *f = fopen(path_join(run, file).text, "r");
    while (f && getline(&line, &size, f) > 0) {
        json_t *object = json_loads(line, 0, NULL);
        if (object)
            json_array_append_new(lines, object);
    }
    free(line);
    if (f)
        fclose(f);
    return lines;
}

json_t *final_line(const json_t *lines)
{
    size_t i;
    json_t *line, *last = NULL;
    json_array_foreach(lines, i, line)
    {
        const char *event = json_string_value(json_object_get(line, "event"));
        if (event && !strcmp(event, "final"))
            last = line;
    }
    return last;
}

json_t *add_chart(page *p, const char *title, const char *about, const char *y,
                  bool logarithmic)
{
    json_t *chart =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:[]}", "title", title, "about",
                  about, "x", "epoch", "y", y, "log", logarithmic, "series");
    json_array_append_new(json_object_get(p->data, "charts"), chart);
    return chart;
}

void add_curve(json_t *chart, const char *name, const json_t *lines,
               const char *split, const char *key, int hue)
{
    size_t i;
    json_t *line, *points = json_array();
    json_array_foreach(lines, i, line)
    {
        const char *event = json_string_value(json_object_get(line, "event"));
        const char *part = json_string_value(json_object_get(line, "split"));
        json_t *value = json_object_get(line, key);
        if (event && part && !strcmp(event, "epoch") && !strcmp(part, split) &&
            json_is_number(value))
            json_array_append_new(
                points,
                json_pack("[O, O]", json_object_get(line, "epoch"), value));
    }
    if (json_array_size(points))
        json_array_append_new(json_object_get(chart, "series"),
                              json_pack("{s:s, s:O, s:i}", "name", name,
                                        "points", points, "hue", hue));
    json_decref(points);
}

void drop_empty_chart(page *p)
{
    json_t *charts = json_object_get(p->data, "charts");
    size_t n = json_array_size(charts);
    const json_t *last = n ? json_array_get(charts, n - 1) : NULL;
    if (last && !json_array_size(json_object_get(last, "series")))
        json_array_remove(charts, n - 1);
}
