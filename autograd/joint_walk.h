/* joint_walk.h - the axes of an output and of all its inputs walked together,
 * for kernels that take inputs of any strides. */
#ifndef HG_JOINT_WALK_H
#define HG_JOINT_WALK_H

#include "autograd/op.h"
#include "tensor/inline.h"

/* Inputs of the widest kernel of this kind. */
enum { HG_JOINT_INPUTS = 4 };

/* The iteration space with needless axes merged away. */
typedef struct {
    int rank; /* at least 1 */
    int64_t dim[HG_MAX_RANK];
    int64_t stride[HG_JOINT_INPUTS][HG_MAX_RANK];
    bool dense[HG_JOINT_INPUTS];
} hg_joint_walk;

/* Can axis d of the output be walked as one with the last axis of w? */
static inline bool hg_joint_merges(const hg_joint_walk *w, const hg_kernel *k,
                                   int d)
{
    int last = w->rank - 1;
    for (int i = 0; i < k->arity; i++)
        if (w->stride[i][last] != k->in_stride[i][d] * k->out_shape.dim[d])
            return false;
    return true;
}

static inline void hg_joint_add(hg_joint_walk *w, const hg_kernel *k, int d)
{
    int64_t size = k->out_shape.dim[d];
    if (size == 1)
        return;
    if (w->rank && hg_joint_merges(w, k, d))
        w->dim[w->rank - 1] *= size;
    else
        w->dim[w->rank++] = size;
    for (int i = 0; i < k->arity; i++)
        w->stride[i][w->rank - 1] = k->in_stride[i][d];
}

static inline bool hg_joint_is_dense(const hg_joint_walk *w, int input)
{
    int64_t expected = 1;
    for (int d = w->rank - 1; d >= 0; d--) {
        if (w->stride[input][d] != expected)
            return false;
        expected *= w->dim[d];
    }
    return true;
}

/* At most HG_JOINT_INPUTS inputs, all of the output's shape. */
static inline hg_joint_walk hg_joint_walk_of(const hg_kernel *k)
{
    hg_joint_walk w;
    w.rank = 0;
    for (int d = 0; d < k->out_shape.rank; d++)
        hg_joint_add(&w, k, d);
    if (!w.rank) {
        w.rank = 1;
        w.dim[0] = 1;
        for (int i = 0; i < k->arity; i++)
            w.stride[i][0] = 1;
    }
    for (int i = 0; i < k->arity; i++)
        w.dense[i] = hg_joint_is_dense(&w, i);
    return w;
}

/* Where element i of the first `inputs` inputs lies. */
HG_INLINE void hg_joint_offsets(const hg_joint_walk *w, int64_t i, int inputs,
                                int64_t *offset)
{
    for (int j = 0; j < inputs; j++)
        offset[j] = 0;
    for (int d = w->rank - 1; d >= 0; d--) {
        int64_t at = d ? i % w->dim[d] : i;
        for (int j = 0; j < inputs; j++)
            offset[j] += at * w->stride[j][d];
        i /= w->dim[d];
    }
}

#endif
