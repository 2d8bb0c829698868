/* on_device.h - a data set on its context's GPU. */
#ifndef HG_DATA_ON_DEVICE_H
#define HG_DATA_ON_DEVICE_H

#include "datasets/gather.h"
#include "datasets/internal.h"

#include <string.h>

/* Can a batch of so many items be gathered on the device? Sends the set there
 * if it has not been yet. */
bool hg_data_is_there(const hg_data *, int64_t size);
/* Fills the batch's tensors with these rows of the set, one an item; NULL: with
 * what the epoch's order has from a place on. */
bool hg_data_gather(const hg_data *, const int64_t *rows,
                    const hg_gather_turn *, hg_batch *);
/* The host's array is about to be released. */
void hg_data_leave_device(hg_context *, const void *here);

#endif
