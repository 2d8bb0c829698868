/* pointwise.cu - the kernels of pointwise.def on a GPU: one a row and rule,
 * four values a thread and step where all inputs are dense. */
#include "ops/kernels.cuh"
#include "ops/pointwise.h"
#include "ops/vocabulary.h"

#define NONE R(0)

/* ---- One function a kernel ---------------------------------------------- */

#define LOAD(i, v) [[maybe_unused]] hg_real v = in[i]
#define FUNCTION(n, inputs, often, loads, formula)                             \
    struct f_##n {                                                             \
        enum { arity = inputs, common = often };                               \
        static __device__ hg_real of(const hg_real *in,                        \
                                     [[maybe_unused]] hg_real a,               \
                                     [[maybe_unused]] hg_real b)               \
        {                                                                      \
            loads;                                                             \
            return (formula);                                                  \
        }                                                                      \
    };
#define LOAD1(v) LOAD(0, v)
#define LOAD2(v, w)                                                            \
    LOAD1(v);                                                                  \
    LOAD(1, w)
#define LOAD3(v, w, p)                                                         \
    LOAD2(v, w);                                                               \
    LOAD(2, p)
#define LOAD4(v, w, p, q)                                                      \
    LOAD3(v, w, p);                                                            \
    LOAD(3, q)

#define UNARY(n, value, gradient, reads, curvature, ...)                       \
    FUNCTION(n, 1, true, LOAD1(x), value)                                      \
    FUNCTION(n##_dx, 3, true, LOAD3(g, x, z), gradient)                        \
    FUNCTION(n##_d2, 2, false, LOAD2(x, z), curvature)
#define UNARY_A  UNARY
#define UNARY_AB UNARY
#define BINARY(n, value, dx, dy, reads, dxx, dxy, dyy, ...)                    \
    FUNCTION(n, 2, true, LOAD2(x, y), value)                                   \
    FUNCTION(n##_dx, 4, true, LOAD4(g, x, y, z), dx)                           \
    FUNCTION(n##_dy, 4, true, LOAD4(g, x, y, z), dy)                           \
    FUNCTION(n##_dxx, 3, false, LOAD3(x, y, z), dxx)                           \
    FUNCTION(n##_dxy, 3, false, LOAD3(x, y, z), dxy)                           \
    FUNCTION(n##_dyy, 3, false, LOAD3(x, y, z), dyy)
#define LINEAR(n, value, ...)  FUNCTION(n, 2, true, LOAD2(x, y), value)
#define COMPARE(n, value, ...) FUNCTION(n, 2, false, LOAD2(x, y), value)
#define TERNARY(n, value, ...) FUNCTION(n, 3, true, LOAD3(x, y, z), value)
#include "ops/pointwise.def"
#include "ops/pointwise_undef.h"

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
