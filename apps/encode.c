/* encode.c - `hourglass encode RUN`: codes as a table of tab-separated values,
 * a row an image, with the name of its file where it has one. */
#include "apps/view.h"

#include <stdlib.h>
#include <string.h>

static const flag flags[] = {
    {"", NULL, "what is written", NULL, NULL, 0},
    {"count", "N", "how many images (0: all)", "0", NULL, 'n'},
    {"draw", NULL, "draws from q(z|x) instead of its mean", NULL, NULL, 0},
    {"to", "FILE", "the table (-: standard output)", "-", NULL, 0},
    VIEW_FLAGS,
    {0},
};

static void put_table(FILE *f, const view *v, const cloud *codes)
{
    bool labels = hg_data_classes(v->w.all) > 0;
    bool files = hg_data_item_name(v->data, 0) != NULL;
    fprintf(f, "row%s%s", files ? "\tfile" : "", labels ? "\tlabel" : "");
    for (int64_t j = 0; j < codes->width; j++)
        fprintf(f, "\tz%lld", (long long)j);
    fputc('\n', f);
    for (int64_t i = 0; i < codes->count; i++) {
        fprintf(f, "%lld", (long long)i);
        if (files) {
            fputc('\t', f);
            put_cell(f, hg_data_item_name(v->data, i));
        }
        if (labels)
            fprintf(f, "\t%d", (int)hg_data_label(v->data, i));
        for (int64_t j = 0; j < codes->width; j++)
            fprintf(f, "\t%.7g", cloud_row(codes, i)[j]);
        fputc('\n', f);
    }
}

static bool write_table(const char *path, const view *v, const cloud *codes)
{
    char *text = NULL;
    size_t size = 0;
    if (!strcmp(path, "-")) {
        put_table(stdout, v, codes);
        return !fflush(stdout) ||
               hg_fail(HG_ERROR_IO, "standard output cannot be written");
    }
    FILE *f = open_memstream(&text, &size);
    if (f)
        put_table(f, v, codes);
    bool ok = f && !fclose(f) && write_file(path, text, size);
    free(text);
    return ok || hg_fail(HG_ERROR_MEMORY, "no memory for %s", path);
}

static bool show(view *v, const arguments *a)
{
    int code = 0;
    cloud codes = {0};
    int64_t count = flag_count(a, "count", 0, &code);
    bool ok = !code &&
              view_can(v, hg_model_has_code(v->model), "has no encoder") &&
              cloud_items(&codes, &v->w, v->model, v->data, count,
                          flag_given(a, "draw") ? POSTERIOR : CODES) &&
              write_table(flag_text(a, "to"), v, &codes);
    cloud_free(&codes);
    return ok;
}

int run_encode(int argc, char **argv)
{
    return view_path(argc, argv, flags,
                     "usage: hourglass encode [RUN] [options]\n"
                     "  hourglass encode runs/first --to codes.tsv\n"
                     "  hourglass encode runs/first --data scans/\n"
                     "without RUN: the newest below --out",
                     show);
}
