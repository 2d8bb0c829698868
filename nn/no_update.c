/* no_update.c - stands in for update.cu in a build without CUDA; no context of
 * such a build has a device to call it for. */
#include "nn/update.h"

bool hg_update_on_device(hg_context *context, const hg_update_there *rows,
                         int count)
{
    (void)context, (void)rows, (void)count;
    return false;
}

bool hg_norm_on_device(hg_context *context, const hg_update_there *rows,
                       int count, hg_real most, hg_real *out)
{
    (void)most, (void)out;
    return hg_update_on_device(context, rows, count);
}

bool hg_rework_on_device(hg_context *context, const hg_update_there *rows,
                         int count, hg_rework_kind kind, hg_real a)
{
    (void)kind, (void)a;
    return hg_update_on_device(context, rows, count);
}
