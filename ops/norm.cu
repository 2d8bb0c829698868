/* norm.cu - normalisation of rows on a GPU: a block a row. */
#include "ops/moments.cuh"
#include "ops/norm.h"

enum { WARPS = HG_BLOCK / HG_WARP };

static __device__ hg_moments moments_of(const hg_real *x, int64_t length,
                                        double eps, double *room)
{
    return hg_moments_of(
        threadIdx.x, length, blockDim.x, eps, [&](int64_t i) { return x[i]; },
        [&](double sum) { return hg_block_sum(sum, room); }, (double)length);
}

static __global__ void forward(hg_real *out, const hg_real *x, int64_t rows,
                               int64_t length, double eps)
{
    __shared__ double room[WARPS];
    for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
        const hg_real *in = x + row * length;
        hg_moments s = moments_of(in, length, eps, room);
        hg_real shift = -s.mean * s.inverse;
        for (int64_t i = threadIdx.x; i < length; i += blockDim.x)
            out[row * length + i] = s.inverse * in[i] + shift;
    }
}

/* (g - mean(g) - xhat mean(g xhat)) / std */
static __global__ void backward(hg_real *out, const hg_real *gradient,
                                const hg_real *x, int64_t rows, int64_t length,
                                double eps)
{
    __shared__ double room[WARPS];
    for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
        const hg_real *in = x + row * length, *g = gradient + row * length;
        hg_moments s = moments_of(in, length, eps, room);
        double sum, dot, share = 1 / (double)length;
        hg_dots_of(
            threadIdx.x, length, blockDim.x, s.mean,
            [&](int64_t i) { return g[i]; }, [&](int64_t i) { return in[i]; },
            [&](double part) { return hg_block_sum(part, room); }, &sum, &dot);
        double a = (double)s.inverse, slope = -a * a * a * dot * share;
        double shift = -a * sum * share - slope * (double)s.mean;
        for (int64_t i = threadIdx.x; i < length; i += blockDim.x)
            out[row * length + i] =
                s.inverse * g[i] + (hg_real)slope * in[i] + (hg_real)shift;
    }
}

extern "C" void hg_normalize_rows_cuda(const hg_kernel *k)
{
    int64_t rows = k->out_shape.dim[0], length = k->out_shape.dim[1];
    HG_RUN(forward, hg_blocks(rows, 1), hg_threads_for(length), 0, k, k->out,
           k->in[0], rows, length, ((const hg_rows_attr *)k->attr)->eps);
}

extern "C" void hg_normalize_rows_dx_cuda(const hg_kernel *k)
{
    int64_t rows = k->out_shape.dim[0], length = k->out_shape.dim[1];
    HG_RUN(backward, hg_blocks(rows, 1), hg_threads_for(length), 0, k, k->out,
           k->in[0], k->in[1], rows, length,
           ((const hg_rows_attr *)k->attr)->eps);
}
