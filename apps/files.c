/* files.c - folders, files that appear whole or not at all, and the clock. */
#include "apps/app.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = sizeof(path_text) - 1 };

#define TOO_LONG "a path is too long, it may have %d bytes: "

path_text path_join(const char *a, const char *b)
{
    path_text p;
    int n = snprintf(p.text, sizeof p.text, "%s/%s", a, b);
    if (n < 0 || (size_t)n >= sizeof p.text)
        hg_fail(HG_ERROR_ARGUMENT, TOO_LONG "%s/%s", LONGEST, a, b);
    return p;
}

const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool make_folder(const char *path)
{
    char part[LONGEST + 1];
    if (strlen(path) >= sizeof part)
        return hg_fail(HG_ERROR_ARGUMENT, TOO_LONG "%s", LONGEST, path);
    snprintf(part, sizeof part, "%s", path);
    int parent = 0; /* why one of them could not be made */
    for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            parent = errno;
        *slash = '/';
    }
    struct stat s;
    if (!mkdir(part, 0777) ||
        (errno == EEXIST && !stat(part, &s) && S_ISDIR(s.st_mode)))
        return true;
    if (errno == ENOENT && parent)
        errno = parent;
    return hg_fail(HG_ERROR_IO,
                   "the folder %s cannot be made: %s; choose another with "
                   "--out",
                   path, strerror(errno));
}

void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct stat s;
    for (struct dirent *e; folder && (e = readdir(folder));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        path_text inside = path_join(path, e->d_name);
        if (!lstat(inside.text, &s) && S_ISDIR(s.st_mode))
            remove_folder(inside.text);
        else
            unlink(inside.text);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static const char *remedy(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return "; make room and try again";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; choose a folder that you may write to";
    case ENOENT:
        return "; its folder is not there";
    case EISDIR:
    case ENOTDIR:
    case ENOTEMPTY:
        return "; something else has that name, choose another";
    default:
        return "";
    }
}

bool fail_to_write(const char *path, int error)
{
    return hg_fail(HG_ERROR_IO, "%s cannot be written: %s%s", path,
                   strerror(error), remedy(error));
}

bool sync_folder(const char *path)
{
    int f = open(path, O_RDONLY | O_DIRECTORY);
    bool ok = f >= 0 && (!fsync(f) || errno == EINVAL);
    int why = errno;
    if (f >= 0)
        close(f);
    return ok || fail_to_write(path, why);
}

char *read_file(const char *path, size_t *size)
{
    char *text = NULL, part[4096];
    FILE *in = fopen(path, "rb");
    FILE *out = in ? open_memstream(&text, size) : NULL;
    for (size_t n; out && (n = fread(part, 1, sizeof part, in)) > 0;)
        fwrite(part, 1, n, out);
    bool ok = out && !ferror(in) && !ferror(out);
    if (out && fclose(out))
        ok = false;
    if (in)
        fclose(in);
    if (ok)
        return text;
    free(text);
    return NULL;
}

static bool write_all(int f, const char *text, size_t size)
{
    while (size) {
        ssize_t n = write(f, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        size -= (size_t)n;
    }
    return true;
}

/* What nothing could be renamed over: /dev/stdout, a pipe. */
static bool write_through(const char *path, const char *text, size_t size)
{
    int f = open(path, O_WRONLY);
    bool ok = f >= 0 && write_all(f, text, size);
    int why = errno;
    if (f >= 0)
        close(f);
    return ok || fail_to_write(path, why);
}

static bool write_whole(const char *path, const char *text, size_t size,
                        bool synced)
{
    char temporary[1100];
    struct stat s;
    if (!stat(path, &s) && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
        return write_through(path, text, size);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    int f = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool ok = f >= 0 && write_all(f, text, size) && (!synced || !fsync(f));
    int why = errno;
    if (f >= 0 && close(f)) {
        ok = false;
        why = errno;
    }
    if (ok && !rename(temporary, path))
        return true;
    if (ok)
        why = errno;
    unlink(temporary);
    return fail_to_write(path, why);
}

bool write_file_soon(const char *path, const char *text, size_t size)
{
    return write_whole(path, text, size, false);
}

bool write_file(const char *path, const char *text, size_t size)
{
    return write_whole(path, text, size, true);
}

bool sync_file(const char *path)
{
    int f = open(path, O_RDONLY);
    bool ok = f >= 0 && !fsync(f);
    int why = errno;
    if (f >= 0)
        close(f);
    return ok || fail_to_write(path, why);
}

static bool write_json_by(bool (*write)(const char *, const char *, size_t),
                          const char *path, const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2));
    if (!text)
        return hg_fail(HG_ERROR_MEMORY, "%s: no memory for its text", path);
    size_t size = strlen(text);
    text[size] = '\n'; /* in place of the end */
    bool ok = write(path, text, size + 1);
    free(text);
    return ok;
}

bool write_json(const char *path, const json_t *value)
{
    return write_json_by(write_file, path, value);
}

bool write_json_soon(const char *path, const json_t *value)
{
    return write_json_by(write_file_soon, path, value);
}

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
