/* data_flags.h - how a data set is opened, as options of every command that
 * opens one, and in config.json. */
#ifndef HG_DATA_FLAGS_H
#define HG_DATA_FLAGS_H

#include "apps/app.h"

#define DATA_FLAGS                                                             \
    {"image-size", "N|WxH", "pixels to make pictures of a folder",             \
     NULL,         NULL,    0},                                                \
        {"fit", "HOW", "crop, pad or stretch to that shape", "crop", NULL, 0}, \
        {"colour", "HOW", "of pictures: auto, grey or rgb", "auto", NULL, 0},  \
        {"color", "HOW", "", NULL, "colour", 0},                               \
        {"offline", NULL, "fetch no data set", NULL, NULL, 0},                 \
        {"transform", "LIST", "flip, shift:2, binarize, gaussian:0.3, ...",    \
         NULL,        NULL,   0},                                              \
        {"broken", "HOW", "pictures: stop at them, or skip", "stop", NULL, 0}, \
    {                                                                          \
        "range", "LOW:HIGH", "of the stored numbers, mapped to 0 ... 1", NULL, \
            NULL, 0                                                            \
    }

/* For the data set of this name or path. The texts must outlive the options.
 * Sets *code and complains. */
void read_data_flags(const arguments *, const char *data, hg_data_options *,
                     int *code);
/* What differs from the defaults; and back again, false with a sentence. */
json_t *data_options_json(const hg_data_options *);
bool data_options_of(const json_t *, hg_data_options *);

#endif
