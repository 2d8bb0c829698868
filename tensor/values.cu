/* values.cu - copies, fills and sums on the device, as entries of the queue. */
#include <stdint.h>
#include <string.h>

#include "tensor/fuse.h"
#include "tensor/launch.cuh"
#include "tensor/values.cuh"

/* A map whose one input is `from`, every `stride` values. */
static int map_of(hg_part *p, hg_real *to, const hg_real *from, int64_t n,
                  int stride)
{
    size_t bytes = (size_t)n * sizeof(hg_real);
    if (n > INT32_MAX)
        return 0;
    p->role = HG_MAP;
    p->n = n;
    p->step.code = HG_STEP_COPY;
    p->step.inputs = 1;
    p->step.reads = 1;
    p->step.dense = stride == 1;
    p->step.out = to;
    p->step.in[0] = from;
    p->step.more.walk.rank = 1;
    p->step.more.walk.dim[0] = (int32_t)n;
    p->step.more.walk.stride[0][0] = stride;
    hg_part_touches(p, from, stride ? bytes : sizeof(hg_real), false, stride);
    hg_part_touches(p, to, bytes, true, true);
    return 1;
}

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

/* Whole values are copied by a kernel that others share. */
static int copy_parts(const void *arguments, hg_part *p)
{
    const copy_job *job = (const copy_job *)arguments;
    size_t size = sizeof(hg_real);
    if (((uintptr_t)job->to | (uintptr_t)job->from | job->bytes) % size)
        return 0;
    return map_of(p, (hg_real *)job->to, (const hg_real *)job->from,
                  (int64_t)(job->bytes / size), 1);
}

static const hg_work copying = {run_copy, copy_parts};

extern "C" bool hg_device_copy(hg_context *context, void *to, const void *from,
                               size_t bytes)
{
    copy_job job = {to, from, bytes};
    return !bytes ||
           hg_queue(context, "copy", &copying, &job, sizeof job, NULL, 0);
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

static const hg_work copying_strided = {run_strided, NULL};

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
    return !job.n || hg_queue(context, "dense", &copying_strided, &job,
                              sizeof job, NULL, 0);
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

static int fill_parts(const void *arguments, hg_part *p)
{
    const fill_job *job = (const fill_job *)arguments;
    return map_of(p, job->to, job->value, job->n, 0);
}

static const hg_work filling = {run_fill, fill_parts};

extern "C" bool hg_device_fill(hg_context *context, hg_real *to, int64_t n,
                               hg_real value)
{
    if (!n)
        return true;
    fill_job job = {
        to, (const hg_real *)hg_control_put(context, &value, sizeof value), n};
    return job.value &&
           hg_queue(context, "fill", &filling, &job, sizeof job, NULL, 0);
}

/* ---- Running sums ------------------------------------------------------- */

static __global__ void add(hg_report_job job)
{
    __shared__ double room[HG_BLOCK];
    hg_report(job, room);
}

static void run_add(hg_stream *stream, const void *arguments)
{
    HG_LAUNCH(add, 1, HG_BLOCK, 0, stream, *(const hg_report_job *)arguments);
}

static int add_parts(const void *arguments, hg_part *p)
{
    const hg_report_job *job = (const hg_report_job *)arguments;
    p->role = HG_MAKER;
    p->maker = HG_MAKER_REPORT;
    p->blocks = 1;
    memcpy(p->job, job, sizeof *job);
    hg_part_touches(p, job->x, (size_t)job->n * sizeof(hg_real), false, false);
    hg_part_touches(p, job->sum, sizeof *job->sum, true, false);
    return 1;
}

static const hg_work adding = {run_add, add_parts};

extern "C" bool hg_device_add(hg_context *context, double *sum,
                              const hg_real *x, int64_t n)
{
    hg_report_job job = {sum, x, n};
    return hg_queue(context, "report", &adding, &job, sizeof job, NULL, 0);
}
