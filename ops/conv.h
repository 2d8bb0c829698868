/* conv.h - the trilinear form behind convolution and its gradients,
 *
 *     sum over n, o, p, c, t of y[n, o, p] w[o, c, t] x[n, c, place(p, t)],
 *
 * p a place of the output, t a tap of the window. Its derivative in y is the
 * forward convolution, in x the transposed one, in w the weight gradient. */
#ifndef HG_CONV_H
#define HG_CONV_H

#include "autograd/parts.h"

HG_BEGIN_DECLS

typedef struct {
    int64_t n;         /* images */
    int64_t c, h, w;   /* of x */
    int64_t o, oh, ow; /* of y */
    int64_t kh, kw;    /* of the window */
    int64_t stride, padding, dilation;
} hg_conv;

/* y from x and weight; x from y and weight; weight from x and y. The bias,
 * one number a channel of the result, may be NULL. All are dense. */
typedef struct {
    hg_conv shape;
    const hg_real *x, *weight, *y, *bias;
    hg_real *out;
} hg_conv_job;

/* With the kernel that suits k's device and the shape. */
void hg_conv_forward(const hg_kernel *, const hg_conv_job *);
void hg_conv_input(const hg_kernel *, const hg_conv_job *);
void hg_conv_weight(const hg_kernel *, const hg_conv_job *);

/* Their parts (autograd/parts.h). */
int hg_conv_forward_parts(const hg_kernel *, const hg_conv_job *, hg_part *);
int hg_conv_input_parts(const hg_kernel *, const hg_conv_job *, hg_part *);
int hg_conv_weight_parts(const hg_kernel *, const hg_conv_job *, hg_part *);

/* Plain C: fallback and oracle. */
void hg_conv_forward_reference(const hg_kernel *, const hg_conv_job *);
void hg_conv_input_reference(const hg_kernel *, const hg_conv_job *);
void hg_conv_weight_reference(const hg_kernel *, const hg_conv_job *);

/* On a GPU; those that end in `direct` are one sum a result. */
void hg_conv_forward_cuda(const hg_kernel *, const hg_conv_job *);
void hg_conv_input_cuda(const hg_kernel *, const hg_conv_job *);
void hg_conv_weight_cuda(const hg_kernel *, const hg_conv_job *);
void hg_conv_forward_direct(const hg_kernel *, const hg_conv_job *);
void hg_conv_input_direct(const hg_kernel *, const hg_conv_job *);
void hg_conv_weight_direct(const hg_kernel *, const hg_conv_job *);
int hg_conv_forward_parts_cuda(const hg_kernel *, const hg_conv_job *,
                               hg_part *);
int hg_conv_input_parts_cuda(const hg_kernel *, const hg_conv_job *, hg_part *);
int hg_conv_weight_parts_cuda(const hg_kernel *, const hg_conv_job *,
                              hg_part *);
/* Adds the bias to an input gradient. */
void hg_conv_bias_cuda(const hg_kernel *, const hg_conv_job *);

HG_END_DECLS

#endif
