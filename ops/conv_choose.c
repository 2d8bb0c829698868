/* conv_choose.c - which kernel convolves. */
#include "ops/conv.h"

void hg_conv_forward(const hg_kernel *k, const hg_conv_job *job)
{
    hg_conv_forward_reference(k, job);
}

void hg_conv_input(const hg_kernel *k, const hg_conv_job *job)
{
    hg_conv_input_reference(k, job);
}

void hg_conv_weight(const hg_kernel *k, const hg_conv_job *job)
{
    hg_conv_weight_reference(k, job);
}
