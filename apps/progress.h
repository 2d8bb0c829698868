/* progress.h - the line that shows how far an epoch is. */
#ifndef HG_PROGRESS_H
#define HG_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *what;   /* "epoch 3/20" */
    int64_t steps, all; /* of the epoch: done, and its number */
    int64_t timed;      /* of those done, in `seconds`; at least one */
    double seconds;
    int64_t batch; /* images a step */
    double loss;   /* NaN: not known */
} progress;

/* Is it time for a line? On a terminal ten times a second, elsewhere now and
 * then; asked after every step. */
bool progress_due(void);
/* Redraws it on a terminal; elsewhere a plain line. */
void progress_draw(const progress *);
/* Takes it away before something else is said. */
void clear_progress(void);

#endif
