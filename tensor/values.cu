/* values.cu - copies, fills and sums on the device, as entries of the queue. */
#include <stdint.h>

#include "tensor/launch.cuh"

/* ---- Bytes -------------------------------------------------------------- */

struct copy_job {
    void *to;
    const void *from;
    size_t bytes;
};

static void run_copy(hg_stream *stream, const void *arguments)
{
    const copy_job *job = (const copy_job *)arguments;
    stream->launches++;
    cudaMemcpyAsync(job->to, job->from, job->bytes, cudaMemcpyDeviceToDevice,
                    (cudaStream_t)stream->handle);
}

extern "C" bool hg_device_copy(hg_context *context, void *to, const void *from,
                               size_t bytes)
{
    copy_job job = {to, from, bytes};
    return !bytes ||
           hg_queue(context, "copy", run_copy, &job, sizeof job, NULL, 0);
}

extern "C" bool hg_device_write(hg_context *context, void *to, const void *from,
                                size_t bytes)
{
    if (bytes > hg_control_room() / 8)
        return hg_device_upload(context, to, from, bytes);
    if (!bytes)
        return true;
    const void *there = hg_control_put(context, from, bytes);
    return there && hg_device_copy(context, to, there, bytes);
}

/* ---- Strided ------------------------------------------------------------ */

struct walk {
    int rank;
    int64_t dim[HG_MAX_RANK], stride[HG_MAX_RANK];
};

struct strided_job {
    void *to;
    const void *from;
    int64_t n;
    size_t size;
    walk w;
};

template <typename T>
__global__ void copy_strided(T *to, const T *from, int64_t n, walk w)
{
    for (HG_EACH(i, n)) {
        int64_t left = i, offset = 0;
        for (int d = w.rank - 1; d >= 0; d--) {
            offset += left % w.dim[d] * w.stride[d];
            left /= w.dim[d];
        }
        to[i] = from[offset];
    }
}

static void run_strided(hg_stream *stream, const void *arguments)
{
    const strided_job *job = (const strided_job *)arguments;
    unsigned blocks = hg_blocks(job->n, HG_BLOCK);
    if (job->size == sizeof(float))
        HG_LAUNCH(copy_strided<float>, blocks, HG_BLOCK, 0, stream,
                  (float *)job->to, (const float *)job->from, job->n, job->w);
    else
        HG_LAUNCH(copy_strided<double>, blocks, HG_BLOCK, 0, stream,
                  (double *)job->to, (const double *)job->from, job->n, job->w);
}

extern "C" bool hg_device_copy_strided(hg_context *context, void *to,
                                       const void *from, hg_shape shape,
                                       const int64_t *stride, size_t size)
{
    strided_job job = {to, from, 1, size, {shape.rank, {0}, {0}}};
    for (int d = 0; d < shape.rank; d++) {
        job.w.dim[d] = shape.dim[d];
        job.w.stride[d] = stride[d];
        job.n *= shape.dim[d];
    }
    return !job.n ||
           hg_queue(context, "dense", run_strided, &job, sizeof job, NULL, 0);
}

/* ---- One value ---------------------------------------------------------- */

struct fill_job {
    hg_real *to;
    const hg_real *value; /* in the control block: may change in a replay */
    int64_t n;
};

__global__ void fill(hg_real *to, const hg_real *value, int64_t n)
{
    hg_real v = *value;
    for (HG_EACH(i, n))
        to[i] = v;
}

static void run_fill(hg_stream *stream, const void *arguments)
{
    const fill_job *job = (const fill_job *)arguments;
    HG_LAUNCH(fill, hg_blocks(job->n, HG_BLOCK), HG_BLOCK, 0, stream, job->to,
              job->value, job->n);
}

extern "C" bool hg_device_fill(hg_context *context, hg_real *to, int64_t n,
                               hg_real value)
{
    if (!n)
        return true;
    fill_job job = {
        to, (const hg_real *)hg_control_put(context, &value, sizeof value), n};
    return job.value &&
           hg_queue(context, "fill", run_fill, &job, sizeof job, NULL, 0);
}

/* ---- Running sums ------------------------------------------------------- */

enum { ADDERS = 256 };

struct add_job {
    double *sum;
    const hg_real *x;
    int64_t n;
};

/* One block: the order of the additions is always the same. */
__global__ void add(double *sum, const hg_real *x, int64_t n)
{
    __shared__ double part[ADDERS];
    double mine = 0;
    for (int64_t i = threadIdx.x; i < n; i += ADDERS)
        mine += (double)x[i];
    part[threadIdx.x] = mine;
    for (int step = ADDERS / 2; step > 0; step /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < step)
            part[threadIdx.x] += part[threadIdx.x + step];
    }
    if (threadIdx.x == 0)
        *sum += part[0];
}

static void run_add(hg_stream *stream, const void *arguments)
{
    const add_job *job = (const add_job *)arguments;
    HG_LAUNCH(add, 1, ADDERS, 0, stream, job->sum, job->x, job->n);
}

extern "C" bool hg_device_add(hg_context *context, double *sum,
                              const hg_real *x, int64_t n)
{
    add_job job = {sum, x, n};
    return hg_queue(context, "report", run_add, &job, sizeof job, NULL, 0);
}
