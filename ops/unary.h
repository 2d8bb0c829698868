/* unary.h - an own function of one variable in one line, outside the library:
 *
 *     HG_UNARY(softsign, x / (1 + fabs(x)), g / pow(1 + fabs(x), 2),
 *              -2 * (x < 0 ? -1 : 1) / pow(1 + fabs(x), 3), "x / (1 + |x|)")
 *
 *     hg_tensor *y = softsign(x);
 *     hg_check_op(ctx, &softsign_op, NULL, &shape, 1);
 *
 * value: of x. gradient: of x given g, that of the result z. curvature: f''(x),
 * from x and z; 0 where there is none. All three must pass NaN through. */
#ifndef HG_UNARY_H
#define HG_UNARY_H

#include "autograd/op.h"

HG_BEGIN_DECLS

/* Shared by all of them: the input's shape; the sentence at the third
 * derivative. */
HG_API bool hg_unary_shape(hg_tensor *z, hg_shape *out);
HG_API void hg_unary_third(hg_tensor *z, hg_tensor *g, hg_tensor **dx);
/* The gradient of g f'(x), computed by `gradient`, in g and in x. */
HG_API void hg_unary_second(hg_tensor *z, hg_tensor *h, hg_tensor **dx,
                            const hg_op *curvature);

HG_END_DECLS

#define HG_UNARY_KERNEL(run, load, formula)                                    \
    static void run(const hg_kernel *k)                                        \
    {                                                                          \
        for (int64_t i = 0; i < k->n; i++) {                                   \
            load;                                                              \
            k->out[i] = (hg_real)(formula);                                    \
        }                                                                      \
    }
#define HG_UNARY_LOAD(j, v)                                                    \
    hg_real v = k->in[j][i];                                                   \
    (void)v

#define HG_UNARY_OP(n, inputs, rule, text)                                     \
    static const hg_op n##_op = {                                              \
        .name = #n,                                                            \
        .arity = inputs,                                                       \
        .contiguous = true,                                                    \
        .shape = hg_unary_shape,                                               \
        .cpu = n##_cpu,                                                        \
        .backward = rule,                                                      \
        .doc = text,                                                           \
    };

#define HG_UNARY(n, value, gradient, curvature, doc)                           \
    HG_UNARY_KERNEL(n##_cpu, HG_UNARY_LOAD(0, x), value)                       \
    HG_UNARY_KERNEL(n##_dx_cpu, HG_UNARY_LOAD(0, g); HG_UNARY_LOAD(1, x);      \
                    HG_UNARY_LOAD(2, z), gradient)                             \
    HG_UNARY_KERNEL(n##_d2_cpu, HG_UNARY_LOAD(0, x);                           \
                    HG_UNARY_LOAD(1, z), curvature)                            \
    HG_UNARY_OP(n##_d2, 2, hg_unary_third, "second derivative of " #n)         \
    static void n##_dx_backward(hg_tensor *z, hg_tensor *h, hg_tensor **dx)    \
    {                                                                          \
        hg_unary_second(z, h, dx, &n##_d2_op);                                 \
    }                                                                          \
    HG_UNARY_OP(n##_dx, 3, n##_dx_backward, "gradient of " #n)                 \
    static void n##_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)       \
    {                                                                          \
        dx[0] = hg_apply(&n##_dx_op, NULL, g, z->in[0], z);                    \
    }                                                                          \
    HG_UNARY_OP(n, 1, n##_backward, doc)                                       \
    static hg_tensor *n(hg_tensor *x)                                          \
    {                                                                          \
        return hg_apply(&n##_op, NULL, x);                                     \
    }

#endif
