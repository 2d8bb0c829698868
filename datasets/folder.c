/* folder.c - what is in a folder of pictures: files, classes, and what else is
 * there. pictures.c reads it. */
#include "datasets/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEEPEST = 16 };

bool hg_path_join(hg_path out, const char *a, const char *b)
{
    int n = snprintf(out, sizeof(hg_path), "%s%s%s", a, a[0] ? "/" : "", b);
    return n < (int)sizeof(hg_path) ||
           hg_fail(HG_ERROR_IO, "%s/%s: the path is too long", a, b);
}

/* ---- What is there ------------------------------------------------------ */

static void count_skipped(hg_scan *s, const char *name)
{
    const char *dot = strrchr(name, '.');
    int i = 0;
    s->skipped++;
    dot = dot ? dot : "(no extension)";
    while (i < HG_MOST_KINDS - 1 && s->kind[i][0] &&
           strcasecmp(s->kind[i], dot))
        i++;
    if (!s->kind[i][0])
        snprintf(s->kind[i], sizeof s->kind[i], "%s", dot);
    s->of_kind[i]++;
}

static bool make_room(hg_scan *s)
{
    if (s->count < s->room)
        return true;
    int64_t room = s->room ? 2 * s->room : 256;
    hg_entry *more =
        hg_region_take(&s->data->region, (size_t)room * sizeof *more);
    if (!more)
        return false;
    if (s->count)
        memcpy(more, s->list, (size_t)s->count * sizeof *more);
    s->list = more;
    s->room = room;
    return true;
}

static bool add_file(hg_scan *s, const char *at)
{
    if (!hg_image_has_name(at)) {
        count_skipped(s, strrchr(at, '/') ? strrchr(at, '/') + 1 : at);
        return true;
    }
    const char *kept = hg_region_text(&s->data->region, at);
    if (!kept || !make_room(s))
        return false;
    s->list[s->count++] = (hg_entry){kept, -1};
    s->flat += !strchr(at, '/');
    return true;
}

static bool walk(hg_scan *s, const char *below, int depth);

static bool add_entry(hg_scan *s, const char *below, const char *name,
                      int depth)
{
    hg_path at, whole;
    struct stat st;
    if (name[0] == '.')
        return true;
    if (!hg_path_join(at, below, name) || !hg_path_join(whole, s->root, at))
        return false;
    if (stat(whole, &st)) {
        count_skipped(s, name); /* a link to nowhere */
        return true;
    }
    if (S_ISDIR(st.st_mode))
        return walk(s, at, depth + 1);
    return add_file(s, at);
}

static bool walk(hg_scan *s, const char *below, int depth)
{
    hg_path whole;
    if (!hg_path_join(whole, s->root, below))
        return false;
    if (depth > DEEPEST)
        return hg_fail(HG_ERROR_DATA,
                       "%s: folders more than %d deep; does one link back?",
                       whole, DEEPEST);
    DIR *folder = opendir(whole);
    if (!folder)
        return hg_fail(HG_ERROR_IO, "%s: %s%s", whole, strerror(errno),
                       errno == EACCES ? "; give yourself the right to open "
                                         "the folder (chmod u+rx)"
                                       : "");
    bool good = true;
    for (struct dirent *e; good && (e = readdir(folder));)
        good = add_entry(s, below, e->d_name, depth);
    closedir(folder);
    return good;
}

const char *hg_scan_skipped(const hg_scan *s, char text[256])
{
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < HG_MOST_KINDS && s->kind[i][0] && at < 200; i++)
        at += (size_t)snprintf(text + at, 256 - at, "%s%s %lld", i ? ", " : "",
                               s->kind[i], (long long)s->of_kind[i]);
    return text;
}

static bool nothing_found(const hg_scan *s)
{
    char kinds[256];
    return hg_fail(HG_ERROR_DATA,
                   "%s: no picture is in this folder%s%s%s; put PNG, JPEG, PGM "
                   "or PPM files into it, or into one sub-folder a class (an "
                   "IDX set has train-images-idx3-ubyte and its three others)",
                   s->root, s->skipped ? ", only other files: " : "",
                   hg_scan_skipped(s, kinds), s->skipped ? "" : " or below it");
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const hg_entry *)a)->path, ((const hg_entry *)b)->path);
}

/* ---- Classes ------------------------------------------------------------ */

/* The class of each file is its first sub-folder. */
static bool take_classes(hg_scan *s)
{
    hg_data *data = s->data;
    const char **names =
        hg_region_take(&data->region, (size_t)s->count * sizeof *names);
    int32_t label = -1;
    if (!names)
        return false;
    for (int64_t i = 0; i < s->count; i++) {
        size_t length = strcspn(s->list[i].path, "/");
        if (label < 0 || strlen(names[label]) != length ||
            strncmp(names[label], s->list[i].path, length)) {
            char *name = hg_region_take(&data->region, length + 1);
            if (!name)
                return false;
            memcpy(name, s->list[i].path, length);
            name[length] = 0;
            names[++label] = name;
        }
        s->list[i].label = label;
    }
    data->class_names = names;
    data->named_classes = label + 1;
    return true;
}

bool hg_scan_files(hg_scan *s)
{
    if (!walk(s, "", 0))
        return false;
    if (!s->count)
        return nothing_found(s);
    qsort(s->list, (size_t)s->count, sizeof *s->list, by_path);
    return s->flat || take_classes(s);
}
