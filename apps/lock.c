/* lock.c - one process trains a run. RUN/lock is locked as long as it does; the
 * lock ends with the process, however that ends, and a file that a killed one
 * leaves behind means nothing. */
#include "apps/train.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail_busy(const trainer *t, FILE *f)
{
    long long owner = 0;
    char who[48] = "another process";
    rewind(f);
    if (fscanf(f, "%lld", &owner) == 1)
        snprintf(who, sizeof who, "process %lld", owner);
    fclose(f);
    return hg_fail(HG_ERROR_STATE,
                   "%s is being trained by %s; wait for it, stop it, or "
                   "choose another --name",
                   t->folder, who);
}

/* Its owner may have removed it between our opening and our locking it. */
static bool is_still_there(FILE *f, const char *path)
{
    struct stat own, there;
    return !fstat(fileno(f), &own) && !stat(path, &there) &&
           own.st_ino == there.st_ino && own.st_dev == there.st_dev;
}

/* Whose it is, for others to read; the lock holds without. */
static void sign(FILE *f)
{
    if (!ftruncate(fileno(f), 0))
        fprintf(f, "%lld\n", (long long)getpid());
    fflush(f);
}

bool lock_run(trainer *t)
{
    path_text path = path_join(t->folder, "lock");
    for (;;) {
        FILE *f = fopen(path.text, "a+e");
        if (!f)
            return fail_to_write(path.text, errno);
        /* Other errors: a file system without locks. */
        if (flock(fileno(f), LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
            return fail_busy(t, f);
        if (is_still_there(f, path.text)) {
            sign(f);
            t->lock = f;
            return true;
        }
        fclose(f);
    }
}

void unlock_run(trainer *t)
{
    if (!t->lock)
        return;
    unlink(path_join(t->folder, "lock").text);
    fclose(t->lock);
    t->lock = NULL;
}
