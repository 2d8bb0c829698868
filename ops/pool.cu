/* pool.cu - pooling on a GPU and its mirrors: one result a thread. */
#include "ops/divisor.cuh"
#include "ops/kernels.cuh"
#include "ops/pool.h"

struct pool_job {
    hg_pool_attr a;
    const hg_real *in, *x; /* what is taken; what decides where, if any */
    hg_real *out;
    int64_t n, height, width, rows, columns; /* an image's; its places' */
    hg_divisor area, across;                 /* of the results */

    __device__ hg_window window(int64_t i, int64_t j) const
    {
        return hg_window_at(&a, height, width, i, j);
    }
};

/* ---- One result a window ------------------------------------------------ */

static __global__ void take_maximum(pool_job job)
{
    for (HG_EACH(e, job.n)) {
        int64_t j = e, plane = job.area.split(j), i = job.across.split(j);
        int64_t from = plane * job.height * job.width;
        int64_t at = hg_maximum_at(job.x + from, job.width, job.window(i, j));
        job.out[e] = job.in[from + at];
    }
}

static __global__ void take_mean(pool_job job)
{
    hg_real size = (hg_real)(job.a.kernel * job.a.kernel);
    for (HG_EACH(e, job.n)) {
        int64_t j = e, plane = job.area.split(j), i = job.across.split(j);
        const hg_real *image = job.in + plane * job.height * job.width;
        job.out[e] = hg_window_sum(image, job.width, job.window(i, j)) / size;
    }
}

/* ---- One result a pixel: the sum over the windows that have it ---------- */

/* Places [first, last) along an axis whose windows reach `at`. */
struct reach {
    int64_t first, last;

    __device__ reach(const hg_pool_attr &a, int64_t at, int64_t places)
    {
        int64_t end = at + a.padding, start = end - a.kernel + 1;
        first = start > 0 ? (start + a.stride - 1) / a.stride : 0;
        last = end / a.stride + 1;
        last = last < places ? last : places;
    }
};

template <typename F>
static __device__ hg_real over_windows(const pool_job &job, int64_t h,
                                       int64_t w, F value)
{
    hg_real sum = 0;
    reach rows(job.a, h, job.rows), columns(job.a, w, job.columns);
    for (int64_t i = rows.first; i < rows.last; i++)
        for (int64_t j = columns.first; j < columns.last; j++)
            sum += value(i, j);
    return sum;
}

static __global__ void put_maximum(pool_job job)
{
    for (HG_EACH(e, job.n)) {
        int64_t w = e, plane = job.area.split(w), h = job.across.split(w);
        const hg_real *x = job.x + plane * job.height * job.width;
        const hg_real *in = job.in + plane * job.rows * job.columns;
        int64_t here = h * job.width + w;
        job.out[e] = over_windows(job, h, w, [&](int64_t i, int64_t j) {
            bool mine = hg_maximum_at(x, job.width, job.window(i, j)) == here;
            return mine ? in[i * job.columns + j] : hg_real(0);
        });
    }
}

static __global__ void put_mean(pool_job job)
{
    hg_real size = (hg_real)(job.a.kernel * job.a.kernel);
    for (HG_EACH(e, job.n)) {
        int64_t w = e, plane = job.area.split(w), h = job.across.split(w);
        const hg_real *in = job.in + plane * job.rows * job.columns;
        job.out[e] = over_windows(job, h, w, [&](int64_t i, int64_t j) {
            return in[i * job.columns + j] / size;
        });
    }
}

/* ---- Launching ---------------------------------------------------------- */

static pool_job job_of(const hg_kernel *k, const hg_shape &images,
                       const hg_shape &places)
{
    pool_job job = {};
    job.a = *(const hg_pool_attr *)k->attr;
    job.in = k->in[0];
    job.x = k->arity > 1 ? k->in[1] : NULL;
    job.out = k->out;
    job.n = k->n;
    job.height = images.dim[2];
    job.width = images.dim[3];
    job.rows = places.dim[2];
    job.columns = places.dim[3];
    job.area = hg_divisor(k->out_shape.dim[2] * k->out_shape.dim[3]);
    job.across = hg_divisor(k->out_shape.dim[3]);
    return job;
}

static void run_windows(const hg_kernel *k, void (*kernel)(pool_job))
{
    HG_RUN(kernel, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k,
           job_of(k, k->in_shape[0], k->out_shape));
}

static void run_pixels(const hg_kernel *k, void (*kernel)(pool_job))
{
    HG_RUN(kernel, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k,
           job_of(k, k->out_shape, k->in_shape[0]));
}

extern "C" void hg_max_pool2d_cuda(const hg_kernel *k)
{
    run_windows(k, take_maximum);
}

extern "C" void hg_max_pool2d_mirror_cuda(const hg_kernel *k)
{
    run_pixels(k, put_maximum);
}

extern "C" void hg_avg_pool2d_cuda(const hg_kernel *k)
{
    run_windows(k, take_mean);
}

extern "C" void hg_avg_pool2d_mirror_cuda(const hg_kernel *k)
{
    run_pixels(k, put_mean);
}
