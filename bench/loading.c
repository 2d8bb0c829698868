/* loading.c - microseconds of processor time a batch takes to be made: rows
 * chosen, fetched, scaled, and what a transform does to them.
 *
 *     build/bench/loading [DATA [BATCH]]      mnist, 32; one thread
 */
#include "hourglass.h"

#include <stdlib.h>
#include <time.h>

static double microseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

/* Two epochs; false with an error. */
static bool measure(hg_context *context, const char *name, int64_t size,
                    const char *transform)
{
    hg_data_options how = {.transform = transform};
    hg_data *data = hg_data_open(context, name, how);
    hg_loader *loader =
        hg_loader_new(hg_data_split(data, "train", 0.1), size, true);
    double sum = 0, least = 1e12;
    int64_t count = 0;
    while (!hg_error() && hg_loader_epoch(loader) < 2) {
        hg_batch b;
        double begun = microseconds();
        hg_scope *s = hg_next(loader, HG_TRAIN, &b);
        if (!s)
            continue; /* an epoch ended */
        hg_scope_close(s);
        double taken = microseconds() - begun;
        least = taken < least ? taken : least;
        sum += taken;
        count++;
    }
    if (hg_error())
        return false;
    printf("%-14s mean %7.1f  least %7.1f us a batch\n",
           transform ? transform : "as it is", sum / (double)count, least);
    return true;
}

int main(int argc, char **argv)
{
    static const char *const transforms[] = {
        NULL,       "gaussian:0.3", "mask",  "salt-pepper",
        "binarize", "dequantize",   "shift", "flip"};
    hg_context *context = hg_context_new("cpu", 1);
    const char *name = argc > 1 ? argv[1] : "mnist";
    int64_t size = argc > 2 ? strtoll(argv[2], NULL, 10) : 32;
    hg_context_set_threads(context, 1);
    for (int i = 0; i < 8; i++)
        if (!measure(context, name, size, transforms[i])) {
            fprintf(stderr, "error: %s\n", hg_error());
            return 1;
        }
    hg_context_free(context);
    return 0;
}
