/* op.h - how an operation is described, and the funnel they all go through.
 *
 * An operation is one struct: a name, a shape rule, a kernel a device and a
 * backward rule written in operations. The library's own and the user's go
 * through the same hg_apply:
 *
 *     static bool double_shape(hg_tensor *z, hg_shape *out)
 *     { *out = z->in[0]->shape; return true; }
 *     static void double_cpu(const hg_kernel *k)
 *     { for (int64_t i = 0; i < k->n; i++) k->out[i] = 2 * k->in[0][i]; }
 *     static void double_backward(hg_tensor *z, hg_tensor *g, hg_tensor **dx)
 *     { (void)z; dx[0] = hg_scale(g, 2); }
 *     static const hg_op double_op = {
 *         .name = "double", .arity = 1, .contiguous = true,
 *         .shape = double_shape, .cpu = double_cpu,
 *         .backward = double_backward, .reads = HG_READS_NOTHING };
 *     hg_tensor *y = hg_apply(&double_op, NULL, x);
 */
#ifndef HG_OP_H
#define HG_OP_H

#include "tensor/tensor.h"

/* What a kernel sees: raw pointers and sizes, nothing else. int32 tensors are
 * reached through `out_int` and `in_int`. The output is dense. */
typedef struct {
    union {
        hg_real *out;
        int32_t *out_int;
    };
    union {
        const hg_real *in[HG_MAX_INPUTS];
        const int32_t *in_int[HG_MAX_INPUTS];
    };
    hg_shape out_shape;
    hg_shape in_shape[HG_MAX_INPUTS];
    int64_t in_stride[HG_MAX_INPUTS]
                     [HG_MAX_RANK]; /* elements; 0 if broadcast */
    int arity;
    int64_t n; /* elements of the output */
    const void *attr;
    const hg_op *op;
    void *stream;                /* hg_stream of a device, or NULL */
    hg_context *context;         /* for the library's kernels */
    uint64_t seed, step, domain; /* of random draws, see tensor/random.h */
    const uint64_t *step_at; /* on a device: where `step` lies, which a replay
                                of this call changes */
    int threads;
    int isa;        /* instruction set to use, see tensor/cpu.h */
    int precision;  /* of products, an hg_precision */
    bool reference; /* plain C only */
} hg_kernel;

/* Which values a backward rule reads. 0 means all inputs and the output. */
#define HG_READS_NOTHING 0x100u
#define HG_READS_OUT     0x200u
#define HG_READS_IN(i)   (1u << (i))
/* A product of two: the gradient of one reads the other. */
#define HG_READS_OTHER 0x400u

struct hg_part;
struct hg_op {
    const char *name;
    int arity;       /* HG_ANY_ARITY: 0 to HG_MAX_INPUTS */
    bool contiguous; /* inputs are made dense first */
    /* Checks z->in and z->attr, writes the output's shape; on a mistake calls
     * hg_fail and returns false. */
    bool (*shape)(hg_tensor *z, hg_shape *out);
    size_t attr_size;
    void (*cpu)(const hg_kernel *);
    void (*cuda)(const hg_kernel *);
    /* On a GPU: what a call consists of, see autograd/parts.h. NULL: it shares
     * its launch with nobody, and nothing queued after it runs before it. */
    int (*parts)(const hg_kernel *, struct hg_part *);
    /* Given g, the gradient of the result, puts the gradient of input i into
     * dx[i], built from operations. May skip inputs for which
     * hg_needs(z, i) is false. NULL: the result is not differentiable. */
    void (*backward)(hg_tensor *z, hg_tensor *g, hg_tensor **dx);
    unsigned reads;
    bool out_int; /* the result is int32 */
    /* Instead of kernels: sets strides and offset of z, which shares the
     * storage of its first input. */
    void (*view)(hg_tensor *z);
    /* Bit i: input i may be int32. */
    unsigned int_inputs;
    const char *doc; /* one line for the manual's table */
};

#define HG_ANY_ARITY (-1)

/* Attributes are compared, printed and hashed as bytes: no padding, no
 * pointers. HG_NO_PADDING(struct window, 9 * sizeof(int64_t)) checks it. */
#ifdef __cplusplus
#define HG_STATIC_ASSERT static_assert
#else
#define HG_STATIC_ASSERT _Static_assert
#endif
#define HG_NO_PADDING(type, bytes)                                             \
    HG_STATIC_ASSERT(sizeof(type) == (bytes), #type " must not be padded")

HG_BEGIN_DECLS

/* Applies an operation: the result, owned by the open scope, or NULL. `attr`
 * is copied. */
HG_API hg_tensor *hg_apply_n(const hg_op *, const void *attr,
                             hg_tensor *const *inputs, int count);
#define hg_apply(op, attr, ...)                                                \
    hg_apply_n(op, attr, HG_ARRAY(hg_tensor *, __VA_ARGS__),                   \
               HG_COUNT(hg_tensor *, __VA_ARGS__))

/* In a backward rule: is the gradient of input i asked for? */
HG_API bool hg_needs(const hg_tensor *z, int i);
/* In a backward rule: may its gradients be differentiated again (hg_grad)? A
 * rule with a faster form that is not differentiable asks. */
HG_API bool hg_creates_graph(const hg_tensor *z);

HG_END_DECLS

#endif
