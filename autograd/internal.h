/* internal.h - the backward pass as rooms above see it. */
#ifndef HG_AUTOGRAD_INTERNAL_H
#define HG_AUTOGRAD_INTERNAL_H

#include "autograd/autograd.h"
#include "tensor/internal.h"

/* The leaves whose gradient a pass computes, and what messages call it. */
typedef struct {
    bool (*has)(const hg_tensor *leaf, void *user);
    void *user;
    const char *who;
} hg_leaves;

/* hg_backward into these leaves; NULL: all. */
bool hg_backward_among(hg_tensor *loss, const hg_leaves *);

/* hg_grad; NULL without an error where y does not depend on x. */
hg_tensor *hg_grad_or_none(hg_tensor *y, hg_tensor *x, hg_tensor *v);

/* Fails with a sentence that says why the loss reaches no parameter, or none of
 * those that are asked for. */
bool hg_fail_unreached(const hg_tensor *loss, const char *who);

/* Forgets a leaf's gradient and gives its memory back. */
void hg_clear_gradient(hg_tensor *leaf);

/* a + b, for gradients that arrive by several ways (an operation). */
hg_tensor *hg_accumulate(hg_tensor *a, hg_tensor *b);

/* t itself if its values lie densely, else a dense copy (an operation). */
hg_tensor *hg_dense(hg_tensor *t);

/* Anomaly mode: false with a sentence if z is the first non-finite value. */
bool hg_anomaly_check(const hg_tensor *z);

#endif
