/* conv_choose.c - which kernel convolves: a product of matrices where the
 * window is the whole image; elsewhere a GPU's, or the one with images in
 * lanes, and the reference where there is nothing to compute or too much to
 * number. */
#include "ops/conv_lanes.h"
#include "ops/conv_winograd.h"
#include "ops/gemm.h"

#include <limits.h>

typedef void kernel(const hg_kernel *, const hg_conv_job *);

static kernel *const forward_cuda = HG_CUDA(hg_conv_forward_cuda);
static kernel *const input_cuda = HG_CUDA(hg_conv_input_cuda);
static kernel *const weight_cuda = HG_CUDA(hg_conv_weight_cuda);
static kernel *const bias_cuda = HG_CUDA(hg_conv_bias_cuda);

static bool lanes_fit(const hg_kernel *k, const hg_conv *s)
{
    int64_t widest = s->h > s->w ? s->h : s->w;
    int64_t kernel = s->kh > s->kw ? s->kh : s->kw;
    int64_t side = widest + 2 * s->padding + 2 * kernel * s->dilation;
    int64_t channels = s->c > s->o ? s->c : s->o;
    if (k->reference || !s->n || !s->c || !s->o || s->stride > 64)
        return false;
    return side < 1 << 15 && channels < INT_MAX / (side * side);
}

/* One place, and every pixel under its own tap: then the form is that of
 * matrices, x [n, c h w], weight [o, c h w], y [n, o]. */
static bool is_product(const hg_kernel *k, const hg_conv *s)
{
    return !k->reference && s->oh == 1 && s->ow == 1 && s->kh == s->h &&
           s->kw == s->w && !s->padding && s->dilation == 1;
}

static void forward_product(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    int64_t size = s->c * s->h * s->w;
    hg_gemm(k, &(hg_gemm_job){.m = s->n,
                              .n = s->o,
                              .k = size,
                              .a = job->x,
                              .a_row = size,
                              .a_col = 1,
                              .b = job->weight,
                              .b_row = 1,
                              .b_col = size,
                              .c = job->out,
                              .c_row = s->o,
                              .c_col = 1,
                              .bias = job->bias,
                              .bias_col = 1});
}

static void add_bias(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    for (int64_t i = 0; i < k->n; i++)
        job->out[i] += job->bias[i / (s->h * s->w) % s->c];
}

static void input_product(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    int64_t size = s->c * s->h * s->w;
    hg_gemm(k, &(hg_gemm_job){.m = s->n,
                              .n = size,
                              .k = s->o,
                              .a = job->y,
                              .a_row = s->o,
                              .a_col = 1,
                              .b = job->weight,
                              .b_row = size,
                              .b_col = 1,
                              .c = job->out,
                              .c_row = size,
                              .c_col = 1});
    if (job->bias)
        (k->stream ? bias_cuda : add_bias)(k, job);
}

static void weight_product(const hg_kernel *k, const hg_conv_job *job)
{
    const hg_conv *s = &job->shape;
    int64_t size = s->c * s->h * s->w;
    hg_gemm(k, &(hg_gemm_job){.m = s->o,
                              .n = size,
                              .k = s->n,
                              .a = job->y,
                              .a_row = 1,
                              .a_col = s->o,
                              .b = job->x,
                              .b_row = size,
                              .b_col = 1,
                              .c = job->out,
                              .c_row = size,
                              .c_col = 1});
}

/* What there is for one of the three. */
typedef struct {
    kernel *product, *winograd, *lanes, *reference;
} kernels;

static void choose(const hg_kernel *k, const hg_conv_job *job, kernel *cuda,
                   kernels of)
{
    const hg_conv *s = &job->shape;
    bool fit = lanes_fit(k, s);
    (is_product(k, s)              ? of.product
     : k->stream                   ? cuda
     : fit && hg_winograd_suits(s) ? of.winograd
     : fit                         ? of.lanes
                                   : of.reference)(k, job);
}

void hg_conv_forward(const hg_kernel *k, const hg_conv_job *job)
{
    choose(k, job, forward_cuda,
           (kernels){forward_product, hg_conv_forward_winograd,
                     hg_conv_forward_lanes, hg_conv_forward_reference});
}

void hg_conv_input(const hg_kernel *k, const hg_conv_job *job)
{
    choose(k, job, input_cuda,
           (kernels){input_product, hg_conv_input_winograd, hg_conv_input_lanes,
                     hg_conv_input_reference});
}

void hg_conv_weight(const hg_kernel *k, const hg_conv_job *job)
{
    choose(k, job, weight_cuda,
           (kernels){weight_product, hg_conv_weight_winograd,
                     hg_conv_weight_lanes, hg_conv_weight_reference});
}

/* ---- Parts -------------------------------------------------------------- */

typedef int parts(const hg_kernel *, const hg_conv_job *, hg_part *);

static parts *const forward_parts = HG_CUDA(hg_conv_forward_parts_cuda);
static parts *const input_parts = HG_CUDA(hg_conv_input_parts_cuda);
static parts *const weight_parts = HG_CUDA(hg_conv_weight_parts_cuda);

static int parts_of(const hg_kernel *k, const hg_conv_job *job, hg_part *p,
                    parts *cuda)
{
    return cuda && !is_product(k, &job->shape) ? cuda(k, job, p)
                                               : hg_alone_parts(k, p);
}

int hg_conv_forward_parts(const hg_kernel *k, const hg_conv_job *job,
                          hg_part *p)
{
    return parts_of(k, job, p, forward_parts);
}

int hg_conv_input_parts(const hg_kernel *k, const hg_conv_job *job, hg_part *p)
{
    return parts_of(k, job, p, input_parts);
}

int hg_conv_weight_parts(const hg_kernel *k, const hg_conv_job *job, hg_part *p)
{
    return parts_of(k, job, p, weight_parts);
}
