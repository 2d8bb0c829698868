/* unfold.cu - windows as columns on a GPU, and back: one result a thread. */
#include "ops/divisor.cuh"
#include "ops/kernels.cuh"
#include "ops/unfold.h"

struct unfold_job {
    hg_unfold_attr a;
    const hg_real *in;
    hg_real *out;
    int64_t n, height, width, rows, columns; /* an image's; its places' */
    hg_divisor area, across, window, side;   /* of the results; the taps */
    hg_divisor stride;
};

/* ---- Unfold: [N, C taps, places] ---------------------------------------- */

static __global__ void unfold(unfold_job job)
{
    const hg_unfold_attr &a = job.a;
    for (HG_EACH(e, job.n)) {
        int64_t q = e, j = job.area.split(q), p = job.across.split(q);
        int64_t plane = job.window.split(j), i = job.side.split(j);
        int64_t h = p * a.stride - a.padding + i * a.dilation;
        int64_t w = q * a.stride - a.padding + j * a.dilation;
        bool inside = h >= 0 && h < job.height && w >= 0 && w < job.width;
        job.out[e] =
            inside ? job.in[(plane * job.height + h) * job.width + w] : 0;
    }
}

/* ---- Fold: every pixel adds what the windows over it hold --------------- */

static __global__ void fold(unfold_job job)
{
    const hg_unfold_attr &a = job.a;
    for (HG_EACH(e, job.n)) {
        int64_t w = e, plane = job.area.split(w), h = job.across.split(w);
        hg_real sum = 0;
        for (int64_t i = 0; i < a.kh; i++) {
            int64_t p = hg_place_of(h + a.padding - i * a.dilation, job.stride,
                                    job.rows);
            for (int64_t j = 0; j < a.kw && p >= 0; j++) {
                int64_t q = hg_place_of(w + a.padding - j * a.dilation,
                                        job.stride, job.columns);
                int64_t row = (plane * a.kh + i) * a.kw + j;
                if (q >= 0)
                    sum += job.in[(row * job.rows + p) * job.columns + q];
            }
        }
        job.out[e] = sum;
    }
}

/* ---- Launching ---------------------------------------------------------- */

static int64_t places(const hg_unfold_attr &a, int64_t size, int64_t kernel)
{
    return (size + 2 * a.padding - a.dilation * (kernel - 1) - 1) / a.stride +
           1;
}

static unfold_job job_of(const hg_kernel *k, const hg_shape &images)
{
    unfold_job job = {};
    job.a = *(const hg_unfold_attr *)k->attr;
    job.in = k->in[0];
    job.out = k->out;
    job.n = k->n;
    job.height = images.dim[2];
    job.width = images.dim[3];
    job.rows = places(job.a, job.height, job.a.kh);
    job.columns = places(job.a, job.width, job.a.kw);
    job.window = hg_divisor(job.a.kh * job.a.kw);
    job.side = hg_divisor(job.a.kw);
    job.stride = hg_divisor(job.a.stride);
    return job;
}

extern "C" void hg_unfold_cuda(const hg_kernel *k)
{
    unfold_job job = job_of(k, k->in_shape[0]);
    job.area = hg_divisor(job.rows * job.columns);
    job.across = hg_divisor(job.columns);
    HG_RUN(unfold, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, job);
}

extern "C" void hg_fold_cuda(const hg_kernel *k)
{
    unfold_job job = job_of(k, k->out_shape);
    job.area = hg_divisor(job.height * job.width);
    job.across = hg_divisor(job.width);
    HG_RUN(fold, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, job);
}
