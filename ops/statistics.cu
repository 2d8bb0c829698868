/* statistics.cu - the kernels of statistics.c on a GPU. */
#include "ops/reduce.cuh"

namespace
{
/* Shifted by the largest, which keeps exp from overflowing; an infinite shift
 * would make NaN of infinity - infinity, and 0 does then. */
struct exponentials : hg_sum_total {
    enum { shifted = true };
    __device__ hg_real add(hg_real sum, hg_real x, int64_t, hg_real shift) const
    {
        return sum + EXP(x - (isinf(shift) ? 0 : shift));
    }
    __device__ hg_real finish(double sum, hg_real shift) const
    {
        return (hg_real)(log(sum) + (isinf(shift) ? 0 : (double)shift));
    }
};

struct squares : hg_sum_total {
    __device__ hg_real add(hg_real sum, hg_real x, int64_t, hg_real) const
    {
        return sum + x * x;
    }
    __device__ hg_real finish(double sum, hg_real) const
    {
        return (hg_real)sqrt(sum);
    }
};

struct powers : hg_sum_total {
    double p;
    explicit powers(double exponent) : p(exponent)
    {
    }
    __device__ hg_real add(hg_real sum, hg_real x, int64_t, hg_real) const
    {
        return sum + POW(ABS(x), (hg_real)p);
    }
    __device__ hg_real finish(double sum, hg_real) const
    {
        return (hg_real)pow(sum, 1 / p);
    }
};
} // namespace

extern "C" void hg_logsumexp_cuda(const hg_kernel *k)
{
    unsigned mask = (unsigned)((const hg_reduce_attr *)k->attr)->mask;
    hg_fold(k, k->out, mask, hg_largest{1});
    hg_fold(k, k->out, mask, exponentials());
}

extern "C" void hg_norm_cuda(const hg_kernel *k)
{
    const hg_reduce_attr *a = (const hg_reduce_attr *)k->attr;
    if (a->a == 2)
        hg_fold(k, k->out, (unsigned)a->mask, squares());
    else
        hg_fold(k, k->out, (unsigned)a->mask, powers(a->a));
}
