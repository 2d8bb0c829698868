/* output.c - files that appear whole or not at all: written beside the old one,
 * synced, then renamed over it. */
#include "datasets/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool hg_write_whole(const char *path, bool (*write)(FILE *, const void *),
                    const void *user)
{
    char part[4096];
    snprintf(part, sizeof part, "%.4000s.tmp", path);
    FILE *f = fopen(part, "wb");
    bool good = f && write(f, user) && !fflush(f) && !fsync(fileno(f));
    int why = errno;
    if (f && fclose(f))
        good = false;
    if (good && !rename(part, path))
        return true;
    if (f)
        unlink(part);
    return hg_fail(HG_ERROR_IO, "%s cannot be written: %s", path,
                   strerror(why ? why : errno));
}
