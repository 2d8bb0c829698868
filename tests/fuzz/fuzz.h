/* fuzz.h - what the fuzz targets share. A target is one function that takes any
 * bytes and must come back: with a value, or with an error that is a sentence.
 *
 *     ./dev fuzz            five minutes each, under clang's sanitizers
 *     ./dev fuzz 60 npy     one of them for a minute
 *
 * In an ordinary build replay.c feeds the committed inputs to the targets. */
#ifndef FUZZ_H
#define FUZZ_H

#include "tensor/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The bytes as a file of this name, in a folder of the process's own. */
static inline const char *fuzz_file(const char *name, const uint8_t *bytes,
                                    size_t size)
{
    static char folder[64], path[128];
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/tmp/fuzz-XXXXXX");
        if (!mkdtemp(folder))
            abort();
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (size_t done = 0; done < size;) {
        ssize_t n = write(file, bytes + done, size - done);
        if (n <= 0)
            abort();
        done += (size_t)n;
    }
    close(file);
    return path;
}

static inline hg_context *fuzz_context(void)
{
    hg_context *context = hg_context_new("cpu", 1);
    if (!context)
        abort();
    hg_context_set_threads(context, 1);
    return context;
}

/* A failure has a sentence, a success none. */
static inline void fuzz_judge(bool good)
{
    const char *text = hg_error();
    if (good != !text || (text && strlen(text) < 8))
        abort();
    hg_error_clear();
}

#endif
