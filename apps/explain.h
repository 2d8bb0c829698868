/* explain.h - which steps ran as one graph on a GPU, and why others did not:
 * --explain. Around every step:
 *
 *     explain_begin(&e, context);
 *     ... open the scope, make the step, close the scope ...
 *     explain_step(&e, context, is_usual_batch);
 */
#ifndef HG_EXPLAIN_H
#define HG_EXPLAIN_H

#include "apps/app.h"
#include "tensor/internal.h"

/* Steps by what became of them. One that was cut in two by a read may also be
 * new: it is counted where it comes first in this list. */
typedef enum {
#define EXPLAIN(name, key, text) name,
#include "apps/explain.def"
#undef EXPLAIN
    STEP_KINDS
} step_kind;

typedef struct {
    uint64_t steps, launches, of[STEP_KINDS];
    uint64_t launches_before, ran_before[HG_RAN_KINDS];
} explanation;

void explain_begin(explanation *, hg_context *);
void explain_step(explanation *, const hg_context *, bool usual_batch);
/* One sentence; 640 bytes are enough. */
void explain_text(const explanation *, const hg_context *, char *text,
                  size_t size);
json_t *explain_json(const explanation *, const hg_context *);

#endif
