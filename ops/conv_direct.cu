/* conv_direct.cu - convolution and its gradients on a GPU as plain sums, a
 * thread (or, for the weight, a block) for each result: right for all shapes,
 * and fast where channels are few. */
#include "ops/conv.h"
#include "ops/divisor.cuh"
#include "ops/kernels.cuh"

/* ---- Forward: some channels of one place a thread ----------------------- */

enum { CHANNELS = 4 };

struct forward_job {
    hg_conv_job job;
    int64_t count;                 /* of threads */
    hg_divisor area, width, teams; /* of a plane; channels by fours */
};

static __device__ void add_channel(const hg_conv_job &j, int64_t image,
                                   int64_t o, int64_t c, int64_t p, int64_t q,
                                   hg_real sum[CHANNELS])
{
    const hg_conv &s = j.shape;
    const hg_real *x = j.x + (image * s.c + c) * s.h * s.w;
    int64_t last = s.o - 1 - o;
    for (int64_t t = 0; t < s.kh; t++)
        for (int64_t u = 0; u < s.kw; u++) {
            int64_t h = p * s.stride - s.padding + t * s.dilation;
            int64_t w = q * s.stride - s.padding + u * s.dilation;
            if (h < 0 || h >= s.h || w < 0 || w >= s.w)
                continue;
            hg_real value = x[h * s.w + w];
            for (int i = 0; i < CHANNELS; i++) {
                int64_t at = o + (i < last ? i : last);
                sum[i] +=
                    value * j.weight[((at * s.c + c) * s.kh + t) * s.kw + u];
            }
        }
}

static __global__ void forward(forward_job f)
{
    const hg_conv &s = f.job.shape;
    for (HG_EACH(i, f.count)) {
        int64_t q = i, plane = f.area.split(q), p = f.width.split(q);
        int64_t team = plane, image = f.teams.split(team);
        hg_real sum[CHANNELS] = {};
        for (int64_t c = 0; c < s.c; c++)
            add_channel(f.job, image, team * CHANNELS, c, p, q, sum);
        for (int l = 0; l < CHANNELS; l++) {
            int64_t o = team * CHANNELS + l;
            if (o < s.o)
                f.job.out[((image * s.o + o) * s.oh + p) * s.ow + q] =
                    f.job.bias ? sum[l] + f.job.bias[o] : sum[l];
        }
    }
}

extern "C" void hg_conv_forward_direct(const hg_kernel *k,
                                       const hg_conv_job *job)
{
    const hg_conv &s = job->shape;
    int64_t teams = (s.o + CHANNELS - 1) / CHANNELS;
    forward_job f = {*job, s.n * teams * s.oh * s.ow, hg_divisor(s.oh * s.ow),
                     hg_divisor(s.ow), hg_divisor(teams)};
    HG_RUN(forward, hg_blocks(f.count, HG_BLOCK), HG_BLOCK, 0, k, f);
}

/* ---- The input gradient: one pixel a thread ----------------------------- */

struct input_job {
    hg_conv_job job;
    int64_t count;
    hg_divisor area, width, channels, stride;
};

static __device__ hg_real pixel(const input_job &in, int64_t image, int64_t c,
                                int64_t h, int64_t w)
{
    const hg_conv_job &j = in.job;
    const hg_conv &s = j.shape;
    hg_real sum = j.bias ? j.bias[c] : 0;
    for (int64_t t = 0; t < s.kh; t++) {
        int64_t p =
            hg_place_of(h + s.padding - t * s.dilation, in.stride, s.oh);
        for (int64_t u = 0; u < s.kw && p >= 0; u++) {
            int64_t q =
                hg_place_of(w + s.padding - u * s.dilation, in.stride, s.ow);
            const hg_real *y = j.y + (image * s.o * s.oh + p) * s.ow + q;
            const hg_real *weight = j.weight + (c * s.kh + t) * s.kw + u;
            for (int64_t o = 0; o < s.o && q >= 0; o++)
                sum += y[o * s.oh * s.ow] * weight[o * s.c * s.kh * s.kw];
        }
    }
    return sum;
}

static __global__ void input(input_job in)
{
    for (HG_EACH(i, in.count)) {
        int64_t w = i, plane = in.area.split(w), h = in.width.split(w);
        int64_t c = plane, image = in.channels.split(c);
        in.job.out[i] = pixel(in, image, c, h, w);
    }
}

extern "C" void hg_conv_input_direct(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv &s = job->shape;
    input_job in = {*job,
                    k->n,
                    hg_divisor(s.h * s.w),
                    hg_divisor(s.w),
                    hg_divisor(s.c),
                    hg_divisor(s.stride)};
    HG_RUN(input, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, in);
}

/* ---- The weight gradient: one weight a block ---------------------------- */

static __device__ hg_real product_at(const hg_conv_job &j, int64_t i, int64_t o,
                                     int64_t c, int64_t t, int64_t u)
{
    const hg_conv &s = j.shape;
    int64_t image = i / (s.oh * s.ow), place = i % (s.oh * s.ow);
    int64_t h = place / s.ow * s.stride - s.padding + t * s.dilation;
    int64_t w = place % s.ow * s.stride - s.padding + u * s.dilation;
    if (h < 0 || h >= s.h || w < 0 || w >= s.w)
        return 0;
    return j.y[(image * s.o + o) * s.oh * s.ow + place] *
           j.x[((image * s.c + c) * s.h + h) * s.w + w];
}

static __global__ void weight(hg_conv_job j, int64_t count)
{
    __shared__ double room[HG_BLOCK / HG_WARP];
    const hg_conv &s = j.shape;
    for (int64_t i = blockIdx.x; i < count; i += gridDim.x) {
        int64_t u = i % s.kw, t = i / s.kw % s.kh;
        int64_t c = i / (s.kw * s.kh) % s.c, o = i / (s.kw * s.kh * s.c);
        double sum = 0;
        for (int64_t p = threadIdx.x; p < s.n * s.oh * s.ow; p += HG_BLOCK)
            sum += (double)product_at(j, p, o, c, t, u);
        sum = hg_block_sum(sum, room);
        if (threadIdx.x == 0)
            j.out[i] = (hg_real)sum;
    }
}

extern "C" void hg_conv_weight_direct(const hg_kernel *k,
                                      const hg_conv_job *job)
{
    HG_RUN(weight, hg_blocks(k->n, 1), HG_BLOCK, 0, k, *job, k->n);
}

/* ---- The bias alone ----------------------------------------------------- */

static __global__ void add_bias(hg_real *x, const hg_real *bias, int64_t n,
                                hg_divisor area, hg_divisor channels)
{
    for (HG_EACH(i, n)) {
        int64_t left = i, c = area.split(left);
        channels.split(c);
        x[i] += bias[c];
    }
}

extern "C" void hg_conv_bias_cuda(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv &s = job->shape;
    HG_RUN(add_bias, hg_blocks(k->n, HG_BLOCK), HG_BLOCK, 0, k, job->out,
           job->bias, k->n, hg_divisor(s.h * s.w), hg_divisor(s.c));
}
