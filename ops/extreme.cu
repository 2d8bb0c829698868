/* extreme.cu - the kernels of extreme.c on a GPU. */
#include "ops/place.cuh"

static void largest(const hg_kernel *k, hg_real sign)
{
    const hg_reduce_attr *a = (const hg_reduce_attr *)k->attr;
    hg_fold(k, k->out, (unsigned)a->mask, hg_largest{sign});
}

extern "C" void hg_max_cuda(const hg_kernel *k)
{
    largest(k, 1);
}

extern "C" void hg_min_cuda(const hg_kernel *k)
{
    largest(k, -1);
}

/* ---- argmax and argmin -------------------------------------------------- */

namespace
{
struct first_place : hg_first {
    typedef hg_candidate part, total;
    typedef int32_t result;
    enum { shifted = false };
    hg_real sign;
    explicit first_place(hg_real s) : sign(s)
    {
    }
    __device__ hg_candidate none() const
    {
        return hg_no_candidate();
    }
    __device__ hg_candidate add(hg_candidate best, hg_real x, int64_t place,
                                hg_real) const
    {
        return (*this)(best, {sign * x, (int32_t)place});
    }
    __device__ int32_t finish(hg_candidate best, hg_real) const
    {
        return best.place;
    }
};
} // namespace

extern "C" void hg_place_cuda(const hg_kernel *k)
{
    const hg_place_attr *a = (const hg_place_attr *)k->attr;
    hg_fold(k, k->out_int, 1u << a->axis, first_place(a->largest ? 1 : -1));
}
