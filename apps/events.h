/* events.h - TensorBoard's event files: records of length, checksum and a
 * protocol buffer, written without a library. */
#ifndef HG_EVENTS_H
#define HG_EVENTS_H

#include "apps/app.h"

/* Each appends one record and flushes; false with an error. `step` is the x
 * axis there; a tag "train/loss" puts the curve into the group "train". */
bool event_version(FILE *);
bool event_scalar(FILE *, int64_t step, const char *tag, double value);
/* A PNG file. */
bool event_image(FILE *, int64_t step, const char *tag, const char *path);
/* How `count` values are distributed. */
bool event_histogram(FILE *, int64_t step, const char *tag,
                     const hg_real *values, int64_t count);

#endif
