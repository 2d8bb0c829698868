/* optimizer.h - what an optimiser is made of. */
#ifndef HG_OPTIMIZER_H
#define HG_OPTIMIZER_H

#include "nn/internal.h"

/* ---- Kernels: one loop over the elements of one parameter --------------- */

enum {
    HG_UPDATE_ADAM,
    HG_UPDATE_SGD,
    HG_UPDATE_SGD_MOMENTUM,
    HG_UPDATE_SGD_NESTEROV,
    HG_UPDATE_RMSPROP,
    HG_UPDATE_RMSPROP_MOMENTUM,
    HG_UPDATE_RMSPROP_CENTERED,
    HG_UPDATE_RMSPROP_CENTERED_MOMENTUM,
    HG_UPDATE_ADADELTA,
    HG_UPDATE_COUNT
};

#define HG_MOST_STATES 4
#define HG_ACCUMULATED 3 /* the state that adds up gradients */

/* The numbers of one parameter's update. */
typedef struct {
    hg_real bound, scale; /* gradients are cut to [-bound, bound], scaled */
    hg_real decay;        /* of the weights, added to the gradient */
    hg_real shrink;       /* 1 - rate * decay, decoupled */
    hg_real rate;         /* Adam: over the first bias correction */
    hg_real keep1, add1;  /* first moment or momentum: keep1 m + add1 g */
    hg_real keep2, add2;  /* second moment */
    hg_real correct;      /* Adam: of the second moment's square root */
    hg_real eps;
} hg_update;

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
    bool reported, waiting; /* waiting: its gradients were added up */
    const hg_real *g;       /* in the running step */
    int64_t first_line;     /* and where its work begins, see step.c */
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
    hg_tensor *rate;
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
