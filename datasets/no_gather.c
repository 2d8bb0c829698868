/* no_gather.c - stands in for gather.cu in a build without CUDA; no context of
 * such a build has a device to call it for. */
#include "datasets/gather.h"

bool hg_gather_on_device(hg_context *context, const hg_gather_job *job)
{
    (void)context, (void)job;
    return false;
}
