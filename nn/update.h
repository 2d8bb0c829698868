/* update.h - the update of one parameter in numbers, and of whole sets of them
 * on a GPU. */
#ifndef HG_UPDATE_H
#define HG_UPDATE_H

#include "tensor/device.h"

HG_BEGIN_DECLS

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

/* ---- On a GPU: one row a parameter -------------------------------------- */

/* Blocks of so many elements; a block works on one parameter. */
#define HG_UPDATE_PER_BLOCK 512

typedef struct {
    hg_real *w;
    const hg_real *g;
    hg_real *state[HG_MOST_STATES];
    const hg_real *rate; /* on the device */
    const hg_real *norm; /* there too: overrides update.scale; or NULL */
    int64_t n, first_block;
    int64_t kernel;
    hg_real shrink;   /* decay of the weights, decoupled */
    hg_update update; /* of a rate of 1 */
} hg_update_there;

typedef enum {
    HG_REWORK_AVERAGE, /* state[0] += a (w - state[0]) */
    HG_REWORK_SWAP,    /* w and state[0] */
    HG_REWORK_CUT,     /* w = g, cut and scaled */
    HG_REWORK_ADD      /* w += a g */
} hg_rework_kind;

/* So many rows at most go into one call. */
#define HG_MOST_ROWS 512

bool hg_update_on_device(hg_context *, const hg_update_there *, int count);
/* The joint norm of all g (each cut), or what PyTorch multiplies them with if
 * it is to be at most `most`, into *out (on the device). */
bool hg_norm_on_device(hg_context *, const hg_update_there *, int count,
                       hg_real most, hg_real *out);
bool hg_rework_on_device(hg_context *, const hg_update_there *, int count,
                         hg_rework_kind, hg_real a);

HG_END_DECLS

#endif
