/* internal.h - what the models share. */
#ifndef HG_MODELS_INTERNAL_H
#define HG_MODELS_INTERNAL_H

#include "models/model.h"

extern const char *const hg_recipes[];

/* Every published recipe has oddities: `oddity` says what the faithful one
 * does that the corrected one, the default, does not. */
#define HG_RECIPE(oddity)                                                      \
    {                                                                          \
        .name = "recipe",                                                      \
        .about = "corrected, or faithful to the publication: " oddity,         \
        .text = "corrected", .choices = hg_recipes                             \
    }

#endif
