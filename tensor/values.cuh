/* values.cuh - running sums, for the kernels that make them. */
#ifndef HG_VALUES_CUH
#define HG_VALUES_CUH

#include "tensor/launch.cuh"

struct hg_report_job {
    double *sum;
    const hg_real *x;
    int64_t n;
};

/* *sum += x[0] + ... + x[n - 1] by one block, always in the same order. `room`
 * holds a value a thread. */
static __device__ inline void hg_report(const hg_report_job &job, double *room)
{
    double mine = 0;
    for (int64_t i = threadIdx.x; i < job.n; i += HG_BLOCK)
        mine += (double)job.x[i];
    room[threadIdx.x] = mine;
    for (int step = HG_BLOCK / 2; step > 0; step /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < step)
            room[threadIdx.x] += room[threadIdx.x + step];
    }
    if (threadIdx.x == 0)
        *job.sum += room[0];
}

#endif
