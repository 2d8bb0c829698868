/* optimizer.h - what an optimiser is made of. */
#ifndef HG_OPTIMIZER_H
#define HG_OPTIMIZER_H

#include "nn/internal.h"
#include "nn/update.h"

/* ---- Kernels: one loop over the elements of one parameter --------------- */

typedef void hg_update_run(hg_real *w, const hg_real *g, hg_real *const *state,
                           int64_t n, const hg_update *);

/* One table an instruction set. `squares` adds up squared values, each first
 * cut to [-bound, bound]. */
typedef struct {
    hg_update_run *update[HG_UPDATE_COUNT];
    double (*squares)(const hg_real *g, int64_t n, hg_real bound);
} hg_update_table;

extern const hg_update_table hg_update_base;
#if defined(__x86_64__) && !defined(HG_DOUBLE)
extern const hg_update_table hg_update_v3, hg_update_v4;
#endif
const hg_update_table *hg_update_kernels(const hg_context *);

/* ---- Optimisers --------------------------------------------------------- */

/* One parameter with its state. */
typedef struct {
    hg_entry *entry;
    hg_real *state[HG_MOST_STATES];
    int64_t steps;
    int64_t waiting; /* 1: gradients of this window's rounds were added up */
    bool reported;
    const hg_real *g;   /* in the running step */
    int64_t first_line; /* and where its work begins, see step.c */
    hg_update update;
} hg_span;

/* The numbers of a formula at the n-th step of a parameter. */
typedef void hg_numbers(const hg_optimizer *, double rate, int64_t n,
                        hg_update *);

struct hg_optimizer {
    hg_owner owner;
    hg_region moments; /* the state, in order of the parameters */
    const char *name;
    hg_numbers *numbers;
    int kernel;
    const char *state_name[HG_MOST_STATES];     /* NULL: not kept */
    double beta1, beta2, eps, decay, dampening; /* momentum is beta1 */
    bool decoupled, keep_gradients;
    hg_real clip_norm, clip_value;
    hg_tensor *rate, *norm; /* norm: on a GPU, the factor of clipping */
    hg_params **sets;
    int64_t *seen; /* entries of each set's store when last looked at */
    int set_count;
    hg_span *spans;
    hg_span **active; /* of the running step */
    int64_t count, active_count, steps;
    int64_t rounds, round; /* see hg_optimizer_accumulate */
};

/* Adds this round's gradients to those of the rounds before; true when the
 * update is due, with their mean as the gradients. */
bool hg_optimizer_round(hg_optimizer *);

#endif
