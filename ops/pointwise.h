/* pointwise.h - kernels of pointwise.def, one table an instruction set. */
#ifndef HG_POINTWISE_H
#define HG_POINTWISE_H

#include "autograd/joint_walk.h"

/* Every kernel of every row: name, name_dx (fused with g), name_d2, ... */
enum {
#define KERNEL(name) HG_POINTWISE_##name,
#include "ops/pointwise_list.h"
#undef KERNEL
    HG_POINTWISE_COUNT
};

/* Inputs of the widest kernel: g, x, y, z. */
#define HG_POINTWISE_INPUTS HG_JOINT_INPUTS

/* One run of n elements, all inputs dense. */
typedef void hg_pointwise_run(hg_real *out, const hg_real *const *in, int64_t n,
                              hg_real a, hg_real b);

extern hg_pointwise_run *const hg_pointwise_reference[];
extern hg_pointwise_run *const hg_pointwise_base[];
#if defined(__x86_64__) && !defined(HG_DOUBLE)
extern hg_pointwise_run *const hg_pointwise_v3[];
extern hg_pointwise_run *const hg_pointwise_v4[];
#endif

typedef struct {
    int64_t kernel; /* HG_POINTWISE_... */
    double a, b;
} hg_pointwise_attr;
HG_NO_PADDING(hg_pointwise_attr, 3 * 8);

/* The kernel named by the attributes, over inputs of any strides. */
void hg_pointwise_cpu(const hg_kernel *);

/* All inputs have the output's shape. */
bool hg_pointwise_shape(hg_tensor *z, hg_shape *out);

#endif
