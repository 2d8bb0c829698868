/* check.h - what a gradient check knows, shared by check.c, which prepares it,
 * check_compare.c, which measures, and check_cause.c, which says what is
 * wrong. */
#ifndef HG_CHECK_H
#define HG_CHECK_H

#include "autograd/internal.h"

#ifdef HG_DOUBLE
#define EPSILON   2.3e-16
#define TOLERANCE 1e-6
#define STEP      2e-4
#define TAYLOR    2e-3
#define SLOPE     1.9
#else
#define EPSILON   1.2e-7
#define TOLERANCE 2e-2
#define STEP      1e-2
#define TAYLOR    2e-1
#define SLOPE     1.5
#endif

/* One input under test; the last one is the output gradient v. */
typedef struct {
    hg_shape shape;
    int64_t n;
    bool fixed; /* int32, not differentiable */
    hg_real *value;
    hg_real *weight; /* of its gradient, where that is differentiated again */
    double *gradient;
    double *numeric; /* NaN where not tried */
    double *along;   /* the direction of the Taylor test */
} hg_check_input;

typedef struct {
    hg_context *context;
    hg_region *region;
    hg_function function;
    void *user;
    const char *what; /* names the test in a sentence */
    int count;        /* without v */
    int order;        /* of the derivative under test: 1 or 2 */
    bool strided;     /* inputs lie scattered in their storage */
    hg_check_input *in;
    hg_tensor **leaf;
    hg_check_options o;
    hg_shape out;
    double size;  /* sum of the magnitudes of the terms of L */
    double noise; /* between differences over one step and over two, at most */
    double slope; /* of the Taylor remainder; 0: no remainder */
} hg_check;

/* Input i as a leaf of the open scope. */
hg_tensor *hg_check_leaf(const hg_check *, const hg_check_input *);
/* What the function gives for the inputs' present values. */
hg_tensor *hg_check_output(hg_check *);
/* Derivatives of this order, at dense or strided inputs. */
bool hg_check_compare(hg_check *, int order, bool strided);
/* Rounding of L that its size does not tell of: where L is about 0, what it is
 * the difference of may be about 1. */
double hg_check_rounding(const hg_check *);
/* The element of the input with the largest relative error, and that error. */
double hg_check_worst(const hg_check *, const hg_check_input *, int64_t *where);
/* Fails with a sentence about element k of input j. */
bool hg_check_fail(const hg_check *, int j, int64_t k, double error);
const char *hg_check_kind(const hg_check *);

#endif
