/* gemm.cuh - products of arrays as problems of product.cuh. */
#ifndef HG_GEMM_CUH
#define HG_GEMM_CUH

#include "ops/gemm.h"
#include "ops/product.cuh"

template <typename T> struct hg_strided {
    typedef T tile;
    int64_t m, n, k, count;
    hg_gemm_job j;
    hg_gemm_batch batch;
    int64_t first; /* place of this product's results in the output */

    __device__ hg_strided of(int64_t number) const
    {
        hg_strided p = *this;
        p.first = number * m * n;
        p.j.c += p.first;
        for (int d = batch.rank - 1; d >= 0; d--) {
            int64_t at = number % batch.dim[d];
            p.j.a += at * batch.a_stride[d];
            p.j.b += at * batch.b_stride[d];
            number /= batch.dim[d];
        }
        return p;
    }
    __device__ bool a_along_k() const
    {
        return j.a_col == 1;
    }
    __device__ bool b_along_k() const
    {
        return j.b_col != 1;
    }
    __device__ hg_real a(int64_t row, int64_t l) const
    {
        return j.a[row * j.a_row + l * j.a_col];
    }
    __device__ hg_real b(int64_t l, int64_t column) const
    {
        return j.b[l * j.b_row + column * j.b_col];
    }
    __device__ int64_t put(int64_t row, int64_t column, hg_real sum) const
    {
        hg_real bias =
            j.bias ? j.bias[row * j.bias_row + column * j.bias_col] : 0;
        int64_t to = row * j.c_row + column * j.c_col;
        j.c[to] = sum + bias;
        return first + to;
    }
};

/* Tiles for few results, for more, and for many. */
typedef hg_tile<16, 16, 64> hg_small_tile;
typedef hg_tile<32, 32, 32> hg_middle_tile;
typedef hg_tile<64, 64, 16> hg_large_tile;

#endif
