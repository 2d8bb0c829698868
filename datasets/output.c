/* output.c - files that appear whole or not at all: written beside the old one,
 * synced, then renamed over it. */
#include "datasets/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* /dev/stdout or a pipe: in its place nothing could be put. */
static bool is_no_file(const char *path)
{
    struct stat s;
    return !stat(path, &s) && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode);
}

bool hg_write_whole(const char *path, bool (*write)(FILE *, const void *),
                    const void *user)
{
    char part[4096];
    bool through = is_no_file(path);
    snprintf(part, sizeof part, "%.4000s%s", path, through ? "" : ".tmp");
    FILE *f = fopen(part, "wb");
    bool good =
        f && write(f, user) && !fflush(f) && (through || !fsync(fileno(f)));
    int why = good ? 0 : errno; /* of what failed first */
    if (f && fclose(f) && good) {
        good = false;
        why = errno;
    }
    if (good && (through || !rename(part, path)))
        return true;
    why = why ? why : errno;
    if (f && !through)
        unlink(part);
    return hg_fail(HG_ERROR_IO, "%s cannot be written: %s", path,
                   strerror(why));
}
