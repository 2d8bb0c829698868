/* device.h - which device the tests run on (HOURGLASS_TEST_DEVICE, or the
 * CPU), and values brought from there. */
#ifndef HG_TEST_DEVICE_H
#define HG_TEST_DEVICE_H

#include "tensor/internal.h"

#include <stdlib.h>
#include <string.h>

static inline const char *test_device(void)
{
    const char *device = getenv("HOURGLASS_TEST_DEVICE");
    return device ? device : "cpu";
}

static inline bool on_cpu(void)
{
    return !strcmp(test_device(), "cpu");
}

/* Values that were fetched; good as long as no other work was queued. */
typedef struct {
    const hg_tensor *t;
    uint64_t queued;
    void *values;
} fetched;

/* Of each thread its own. */
static _Thread_local fetched test_fetched[64];

/* Before each test: contexts of the next one may lie where the last one's did.
 * And at the end of a thread. */
static inline void forget_fetched(void)
{
    for (int i = 0; i < 64; i++) {
        free(test_fetched[i].values);
        test_fetched[i] = (fetched){0};
    }
}

/* The values of a tensor, dense, on the host, to be read until 64 others were
 * asked for. */
static inline const void *host_values(const hg_tensor *t)
{
    static _Thread_local int next;
    fetched *ring = test_fetched;
    const hg_context *context = t->storage->context;
    for (int i = 0; i < 64 && context->gpu; i++)
        if (ring[i].t == t && ring[i].queued == context->queued)
            return ring[i].values;
    size_t bytes = (size_t)hg_numel(t) * hg_dtype_size(t->dtype);
    fetched *f = &ring[next];
    next = (next + 1) % 64;
    free(f->values);
    f->t = t;
    f->values = malloc(bytes + 1);
    if (f->values && !hg_gather_values(t, f->values))
        memset(f->values, 0xff, bytes);
    f->queued = context->queued;
    return f->values;
}

#endif
