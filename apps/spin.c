/* spin.c - how long a thread of OpenMP waits for its next piece of work before
 * it sleeps.
 *
 * The runtime of gcc spins for milliseconds, which is right on a machine of
 * one's own: pieces follow one another within microseconds. Where another
 * program wants the cores too, a thread that spins takes the very core that the
 * others are waiting for, and a step becomes a hundred times slower. Three
 * thousand rounds, some 50 microseconds, are longer than almost any gap inside
 * a step and short for whoever waits (bench/log.md). The count is read before
 * main begins: the program starts itself again, once. */
#define _POSIX_C_SOURCE 200809L
#include "apps/app.h"

#include <stdlib.h>
#include <unistd.h>

#if defined(_OPENMP) && defined(__GNUC__) && !defined(__clang__)
#define HAVE_SPIN_COUNT 1
#else
#define HAVE_SPIN_COUNT 0
#endif

void bound_spinning(char **argv)
{
    if (!HAVE_SPIN_COUNT || getenv("GOMP_SPINCOUNT") ||
        getenv("OMP_WAIT_POLICY") || setenv("GOMP_SPINCOUNT", "3000", 1))
        return;
    execv("/proc/self/exe", argv); /* comes back only if it cannot */
}

void describe_spinning(char *text, size_t size)
{
    const char *policy = getenv("OMP_WAIT_POLICY");
    const char *rounds = getenv("GOMP_SPINCOUNT");
    if (!HAVE_SPIN_COUNT)
        snprintf(text, size, "as the OpenMP runtime has it");
    else if (rounds)
        snprintf(text, size,
                 "%s rounds of waiting, then sleep (GOMP_SPINCOUNT)", rounds);
    else
        snprintf(text, size, "%s (OMP_WAIT_POLICY)", policy ? policy : "long");
}
