/* autograd.h - gradients by walking the tape backwards.
 *
 * While a scope records, every operation that depends on a parameter is
 * appended to its tape. hg_backward visits the tape newest first, asks each
 * node's rule for the gradients of its inputs and adds them up:
 *
 *     hg_scope *s = hg_scope_open(ctx, HG_TRAIN);
 *     hg_tensor *x = hg_watch(hg_full(HG_SCALAR, 3));
 *     hg_tensor *y = hg_mul(x, x);
 *     if (hg_backward(y))
 *         hg_print(stdout, x->grad);          // 6
 *     hg_scope_close(s);
 *
 * Rules are written in operations, so they run on every device and can be
 * differentiated again: hg_grad returns gradients that are themselves on the
 * tape.
 */
#ifndef HG_AUTOGRAD_H
#define HG_AUTOGRAD_H

#include "autograd/op.h"

HG_BEGIN_DECLS

/* Adds the gradient of a scalar loss into `grad` of every leaf that it
 * reaches. A second backward of the same loss is an error (*spent*); so is
 * one that would read a value changed since (*stale*). */
HG_API HG_CHECK bool hg_backward(hg_tensor *loss);

/* The gradient of sum(y * v) in x, on the tape; v == NULL means ones. Touches
 * no leaf's gradient and does not spend the tape. x may be a leaf or made
 * from one. NULL with an error if y does not depend on x. */
HG_API hg_tensor *hg_grad(hg_tensor *y, hg_tensor *x, hg_tensor *v);

/* Constants of a shape, owned by the open scope; they want no gradient. */
HG_API hg_tensor *hg_full(hg_shape, hg_real value);
HG_API hg_tensor *hg_zeros(hg_shape);
HG_API hg_tensor *hg_ones(hg_shape);

/* The same value, through which no gradient flows. */
HG_API hg_tensor *hg_detach(hg_tensor *);
/* The same value as a new leaf, which receives a gradient (x->grad). */
HG_API hg_tensor *hg_watch(hg_tensor *);
/* Keeps the gradient of an intermediate for inspection (t->grad). */
HG_API void hg_retain_grad(hg_tensor *);
/* The value of `value`; the gradient goes to `through` unchanged (Bengio et
 * al., 2013). Both have the same shape. */
HG_API hg_tensor *hg_straight_through(hg_tensor *value, hg_tensor *through);

/* For the log: adds the elements of t, real and of any shape, to a running mean
 * under a name. Of a term of shape [batch] every image then counts once, also
 * in a smaller last batch. hg_model_evaluate leaves these means alone. */
HG_API void hg_report(const char *name, hg_tensor *t);
/* The mean since the last call, which starts it afresh; false, without an error
 * of its own, if nothing was reported under this name since. */
HG_API HG_CHECK bool hg_report_mean(hg_context *, const char *name,
                                    hg_real *mean);
/* The same without starting afresh, as sum and count of elements; and putting
 * them back, so that a resumed run has the means of an undisturbed one. */
HG_API HG_CHECK bool hg_report_sum(hg_context *, const char *name, double *sum,
                                   int64_t *count);
HG_API HG_CHECK bool hg_report_set(hg_context *, const char *name, double sum,
                                   int64_t count);
/* A note of all sums as they are now, to be read when it has arrived, so that
 * a log need not wait for a GPU. At most HG_REPORT_NOTES may be on their way.
 * `tag` says what the note is for. */
enum { HG_REPORT_NOTES = 8 };
HG_API HG_CHECK bool hg_report_note(hg_context *, int64_t tag);
/* Takes the oldest note if it is there, or waits for it; false if there is
 * none. Until the next one its sums can be asked for. */
HG_API HG_CHECK bool hg_report_take(hg_context *, bool wait, int64_t *tag);
HG_API HG_CHECK bool hg_report_noted(const hg_context *, const char *name,
                                     double *sum, int64_t *count);
/* The name of the i-th term ever reported, or NULL. */
HG_API const char *hg_report_name(const hg_context *, int i);

/* ---- Gradient checks ---------------------------------------------------- */

/* A function under test: a tensor of any shape from `count` inputs. */
typedef hg_tensor *(*hg_function)(void *user, hg_tensor *const *inputs,
                                  int count);

typedef struct {
    double tolerance; /* relative error; 0: 1e-6 in double, 2e-2 in float */
    double step;      /* of the central difference; 0: chosen */
    double low, high; /* hg_check_op: range of the inputs; 0, 0: 0.5 to 1.5 */
    int64_t samples;  /* elements of an input tried one by one, drawn at random
                         where it has more; 0: 200 */
    bool second;      /* second derivatives too */
    uint64_t seed;    /* of the random output gradient and directions */
} hg_check_options;

/* Compares hg_grad with central differences and with the slope of the Taylor
 * remainder at the inputs' values. On disagreement: false, and a sentence
 * with input, index, both values and the likely cause. Input i has the shape
 * shapes[i] and the values values[i], row by row. Run it in hourglass-f64.
 * Opens its own scopes. */
HG_API HG_CHECK bool hg_check_function(hg_context *, hg_function, void *user,
                                       const hg_real *const *values,
                                       const hg_shape *shapes, int count,
                                       hg_check_options);
/* The same for one operation at random inputs of the given shapes, dense and
 * as strided views, first and second derivatives. */
HG_API HG_CHECK bool hg_check_op(hg_context *, const hg_op *, const void *attr,
                                 const hg_shape *shapes, int count);
/* The same with options: another range for functions of a smaller domain,
 * first derivatives only, ... int32 inputs are drawn from 0 and 1. */
HG_API HG_CHECK bool hg_check_op_in(hg_context *, const hg_op *,
                                    const void *attr, const hg_shape *shapes,
                                    int count, hg_check_options);

/* ---- Looking at the tape ------------------------------------------------ */

typedef enum { HG_TEXT, HG_DOT } hg_tape_format;

/* Writes the tape of the open scope, oldest first: shapes, values (of more than
 * eight the least, mean and largest), gradients and rules. Node 3 is %3; a leaf
 * goes by its name, or is %3.0 where it is input 0 of node 3. A gradient is
 * "not run yet" before the backward. After it leaves have theirs, others only
 * after hg_retain_grad, else it was "passed on, not kept". */
HG_API HG_CHECK bool hg_tape_write(FILE *, hg_tape_format);

HG_END_DECLS

#endif
