/* conv_choose.c - which kernel convolves: the one with images in lanes, and
 * the reference where there is nothing to compute or too much to number. */
#include "ops/conv_lanes.h"

#include <limits.h>

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

void hg_conv_forward(const hg_kernel *k, const hg_conv_job *job)
{
    (lanes_fit(k, &job->shape) ? hg_conv_forward_lanes
                               : hg_conv_forward_reference)(k, job);
}

void hg_conv_input(const hg_kernel *k, const hg_conv_job *job)
{
    (lanes_fit(k, &job->shape) ? hg_conv_input_lanes
                               : hg_conv_input_reference)(k, job);
}

void hg_conv_weight(const hg_kernel *k, const hg_conv_job *job)
{
    (lanes_fit(k, &job->shape) ? hg_conv_weight_lanes
                               : hg_conv_weight_reference)(k, job);
}
