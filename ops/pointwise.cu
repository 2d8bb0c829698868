/* pointwise.cu - the kernels of pointwise.def on a GPU: one a row and rule,
 * four values a thread and step where all inputs are dense. */
#include "ops/kernels.cuh"
#include "ops/pointwise.cuh"

/* ---- The loops ---------------------------------------------------------- */

enum { LANES = 4 };

struct alignas(LANES * sizeof(hg_real)) pack {
    hg_real v[LANES];
};

struct inputs {
    const hg_real *p[HG_POINTWISE_INPUTS];
};

/* Elements [0, LANES * packs) by the pack, the rest one by one. */
template <typename F>
__global__ void dense(hg_real *out, inputs in, int64_t packs, int64_t n,
                      hg_real a, hg_real b)
{
    for (HG_EACH(i, packs)) {
        pack x[F::arity], y;
        for (int j = 0; j < F::arity; j++)
            x[j] = ((const pack *)in.p[j])[i];
        for (int l = 0; l < LANES; l++) {
            hg_real v[F::arity];
            for (int j = 0; j < F::arity; j++)
                v[j] = x[j].v[l];
            y.v[l] = F::of(v, a, b);
        }
        ((pack *)out)[i] = y;
    }
    for (HG_EACH(i, n - LANES * packs)) {
        hg_real v[F::arity];
        for (int j = 0; j < F::arity; j++)
            v[j] = in.p[j][LANES * packs + i];
        out[LANES * packs + i] = F::of(v, a, b);
    }
}

template <typename F>
__global__ void strided(hg_real *out, inputs in, int64_t n, hg_joint_walk w,
                        hg_real a, hg_real b)
{
    for (HG_EACH(i, n)) {
        int64_t offset[F::arity];
        hg_real v[F::arity];
        hg_joint_offsets(&w, i, F::arity, offset);
        for (int j = 0; j < F::arity; j++)
            v[j] = in.p[j][offset[j]];
        out[i] = F::of(v, a, b);
    }
}

static bool is_aligned(const void *p)
{
    return (uintptr_t)p % sizeof(pack) == 0;
}

template <typename F> static void run(const hg_kernel *k)
{
    const hg_pointwise_attr *attr = (const hg_pointwise_attr *)k->attr;
    hg_real a = (hg_real)attr->a, b = (hg_real)attr->b;
    hg_joint_walk w = hg_joint_walk_of(k);
    inputs in = {};
    bool all_dense = true, all_aligned = is_aligned(k->out);
    for (int j = 0; j < F::arity; j++) {
        in.p[j] = k->in[j];
        all_dense &= w.dense[j];
        all_aligned &= is_aligned(k->in[j]);
    }
    /* Second derivatives are rare: one loop serves them. */
    if constexpr (F::common)
        if (all_dense) {
            int64_t packs = all_aligned ? k->n / LANES : 0;
            HG_RUN(dense<F>, hg_blocks(packs ? packs : k->n, HG_BLOCK),
                   HG_BLOCK, 0, k, k->out, in, packs, k->n, a, b);
            return;
        }
    HG_RUN(strided<F>, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, k->out, in,
           k->n, w, a, b);
}

static void (*const table[])(const hg_kernel *) = {
#define KERNEL(n) run<f_##n>,
#include "ops/pointwise_list.h"
#undef KERNEL
};

extern "C" void hg_pointwise_cuda(const hg_kernel *k)
{
    table[((const hg_pointwise_attr *)k->attr)->kernel](k);
}
