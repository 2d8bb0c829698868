/* page.h - the parts that report pages are made of. */
#ifndef HG_PAGE_H
#define HG_PAGE_H

#include "apps/app.h"

/* A page in the making. `data` is what its script draws:
 * {"charts": [...], "slides": [...]}. */
typedef struct {
    FILE *out;
    char *text;
    size_t size;
    json_t *data;
} page;

bool page_open(page *, const char *title);
/* Ends the page and writes it; frees everything, also after an error. */
bool page_close(page *, const char *path);

void put_text(page *, const char *text);
/* The same for sentences: no line ends within a --flag. */
void put_prose(page *, const char *text);
/* Text between tags: put_tag(p, "h2", "Curves"). */
void put_tag(page *, const char *tag, const char *text);
/* A row of a table: name, value, meaning. */
void put_row(page *, const char *name, const char *value, const char *meaning);
/* An object's entries as rows, groups inside it too. */
void put_object(page *, const json_t *);

/* A PNG of a folder as a figure; nothing where there is none. */
void put_picture(page *, const char *run, const char *file, const char *title,
                 const char *about, bool smooth);
/* All epoch_NNNN.png of RUN/FOLDER as one figure with a slider. */
void put_slides(page *, const char *run, const char *folder, const char *title,
                const char *about, bool smooth);

/* Lines of RUN/metrics.jsonl or warnings.jsonl as an array; empty where there
 * is no such file. */
json_t *run_lines(const char *run, const char *file);
/* What they say last of the test images, borrowed; NULL before that. */
json_t *final_line(const json_t *lines);
/* An empty chart of the page; y is the unit of its axis. */
json_t *add_chart(page *, const char *title, const char *about, const char *y,
                  bool logarithmic);
/* A curve from what the epochs of a split have under a key, in one of ten
 * colours; left out where that is nothing. */
void add_curve(json_t *chart, const char *name, const json_t *lines,
               const char *split, const char *key, int hue);
/* Takes the last chart back if it has no curve. */
void drop_empty_chart(page *);

#endif
