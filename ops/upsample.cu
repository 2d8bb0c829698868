/* upsample.cu - images in another size on a GPU, and the mirror: one result a
 * thread. */
#include "ops/divisor.cuh"
#include "ops/kernels.cuh"
#include "ops/upsample.h"

struct upsample_job {
    const hg_real *in;
    hg_real *out;
    int64_t n, mode;
    int64_t height, width;   /* of the images before */
    int64_t rows, columns;   /* of the images after */
    hg_divisor area, across; /* of the results */
};

static __global__ void enlarge(upsample_job job)
{
    for (HG_EACH(e, job.n)) {
        int64_t w = e, plane = job.area.split(w), h = job.across.split(w);
        hg_source r = hg_source_of(h, job.height, job.rows, job.mode);
        hg_source c = hg_source_of(w, job.width, job.columns, job.mode);
        const hg_real *image = job.in + plane * job.height * job.width;
        const hg_real *a = image + r.first * job.width;
        const hg_real *b = image + r.second * job.width;
        hg_real top = a[c.first], low = b[c.first];
        if (c.weight != 0) {
            top += c.weight * (a[c.second] - top);
            low += c.weight * (b[c.second] - low);
        }
        job.out[e] = r.weight != 0 ? top + r.weight * (low - top) : top;
    }
}

/* Rows (or columns) [first, last) of the result that may have come from row
 * `at`; some at the ends may not. */
struct reach {
    int64_t first, last;

    __device__ reach(int64_t at, int64_t from, int64_t to)
    {
        double scale = (double)to / (double)from;
        first = (int64_t)(((double)at - 0.5) * scale - 0.5) - 1;
        first = first > 0 ? first : 0;
        last = (int64_t)(((double)at + 1.5) * scale) + 2;
        last = last < to ? last : to;
    }
};

/* What pixel (i, j) receives of the result g between these rows and columns. */
static __device__ hg_real share(hg_real g, hg_source r, hg_source c, int64_t i,
                                int64_t j)
{
    hg_real low = g * r.weight, top = g - low, sum = 0;
    if (r.first == i && c.first == j)
        sum += top - top * c.weight;
    if (r.second == i && c.first == j)
        sum += low - low * c.weight;
    if (c.weight != 0 && r.first == i && c.second == j)
        sum += top * c.weight;
    if (c.weight != 0 && r.second == i && c.second == j)
        sum += low * c.weight;
    return sum;
}

static __global__ void gather_back(upsample_job job)
{
    for (HG_EACH(e, job.n)) {
        int64_t j = e, plane = job.area.split(j), i = job.across.split(j);
        reach rows(i, job.height, job.rows);
        reach columns(j, job.width, job.columns);
        const hg_real *in = job.in + plane * job.rows * job.columns;
        hg_real sum = 0;
        for (int64_t h = rows.first; h < rows.last; h++) {
            hg_source r = hg_source_of(h, job.height, job.rows, job.mode);
            if (r.first != i && r.second != i)
                continue;
            for (int64_t w = columns.first; w < columns.last; w++)
                sum += share(in[h * job.columns + w], r,
                             hg_source_of(w, job.width, job.columns, job.mode),
                             i, j);
        }
        job.out[e] = sum;
    }
}

static upsample_job job_of(const hg_kernel *k, const hg_shape &before,
                           const hg_shape &after)
{
    upsample_job job = {};
    job.in = k->in[0];
    job.out = k->out;
    job.n = k->n;
    job.mode = ((const hg_upsample_attr *)k->attr)->mode;
    job.height = before.dim[2];
    job.width = before.dim[3];
    job.rows = after.dim[2];
    job.columns = after.dim[3];
    job.area = hg_divisor(k->out_shape.dim[2] * k->out_shape.dim[3]);
    job.across = hg_divisor(k->out_shape.dim[3]);
    return job;
}

extern "C" void hg_upsample_cuda(const hg_kernel *k)
{
    HG_RUN(enlarge, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k,
           job_of(k, k->in_shape[0], k->out_shape));
}

extern "C" void hg_upsample_mirror_cuda(const hg_kernel *k)
{
    HG_RUN(gather_back, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k,
           job_of(k, k->out_shape, k->in_shape[0]));
}
