/* source.c - what a model of one's own was compiled from, in the run as it
 * began with it, since its weights came about by that: RUN/model.c, and the
 * headers that it includes with "..." and that lie beside it. Headers of other
 * folders are other projects', which have a history of their own. */
#include "apps/train.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 256 };

/* From a file to the headers that it includes, and on to theirs. */
typedef struct walk {
    trainer *t;
    path_text folder; /* of all of them */
    json_t *seen;     /* names of headers, as a set */
    bool (*visit)(const struct walk *, const char *name, const char *text,
                  size_t size);
} walk;

static bool includes_header(const char *line, char name[NAME])
{
    char quote[2];
    line += strspn(line, " \t");
    if (*line != '#') /* sscanf looks for the end of the whole text first */
        return false;
    if (sscanf(line, "# include \"%255[^\"/\n]%1[\"]", name, quote) != 2)
        return false;
    size_t n = strlen(name);
    return n > 2 && !strcmp(name + n - 2, ".h");
}

/* A header that cannot be read here lies elsewhere. */
static bool walk_on(const walk *w, const char *name)
{
    char header[NAME];
    size_t size = 0;
    char *text = read_file(path_join(w->folder.text, name).text, &size);
    bool ok = !text || w->visit(w, name, text, size);
    for (const char *line = text; ok && line;) {
        if (includes_header(line, header) &&
            !json_object_get(w->seen, header) &&
            !json_object_set_new(w->seen, header, json_true()))
            ok = walk_on(w, header);
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    free(text);
    return ok;
}

static bool walk_from(walk *w, const char *name)
{
    w->seen = json_object();
    bool ok = walk_on(w, name);
    json_decref(w->seen);
    return ok;
}

static path_text folder_of(const char *file)
{
    path_text folder;
    snprintf(folder.text, sizeof folder.text, "%.*s",
             (int)(last_part(file) - file), file);
    return folder;
}

/* ---- Keeping ------------------------------------------------------------ */

static bool keep(const walk *w, const char *name, const char *text, size_t size)
{
    size_t kept_size = 0;
    bool own = !strcmp(name, last_part(model_source(w->t->s.model)));
    path_text to = path_join(w->t->folder, own ? "model.c" : name);
    char *kept = w->t->fresh ? NULL : read_file(to.text, &kept_size);
    if (!kept)
        return write_file_soon(to.text, text, size);
    bool same = size == kept_size && !memcmp(text, kept, size);
    if (!same && !w->t->changed.text[0])
        w->t->changed = path_join(w->folder.text, name);
    free(kept);
    return true;
}

bool keep_source(trainer *t)
{
    const char *source = model_source(t->s.model);
    if (!source)
        return true;
    walk w = {.t = t, .folder = folder_of(source), .visit = keep};
    return walk_from(&w, last_part(source));
}

/* ---- What was kept ------------------------------------------------------ */

static walk walk_in_run(trainer *t)
{
    walk w = {.t = t};
    snprintf(w.folder.text, sizeof w.folder.text, "%s", t->folder);
    return w;
}

static bool sync_one(const walk *w, const char *name, const char *text,
                     size_t size)
{
    (void)text, (void)size;
    return sync_file(path_join(w->folder.text, name).text);
}

bool sync_source(trainer *t)
{
    walk w = walk_in_run(t);
    w.visit = sync_one;
    return walk_from(&w, "model.c");
}

static bool drop_one(const walk *w, const char *name, const char *text,
                     size_t size)
{
    (void)text, (void)size;
    unlink(path_join(w->folder.text, name).text);
    return true;
}

/* A model may be trained from the very copy that a run has. */
static bool trains_what_it_kept(const trainer *t)
{
    struct stat one, other;
    const char *source = model_source(t->s.model);
    return source && !stat(t->folder, &one) &&
           !stat(folder_of(source).text, &other) &&
           one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

void drop_source(trainer *t)
{
    walk w = walk_in_run(t);
    w.visit = drop_one;
    if (!trains_what_it_kept(t))
        walk_from(&w, "model.c");
}
