/* complaint.c - the sentences about wrong values, found at once on the CPU and
 * by a kernel on a GPU. */
#include "tensor/complaint.h"

#include <string.h>

const hg_complaint hg_no_complaint = {.first = ~0ULL};

bool hg_fail_index(hg_shape shape, int64_t place, int32_t index, int64_t size)
{
    return hg_fail(HG_ERROR_ARGUMENT,
                   "index %d at place %lld of %s is out of range: there are "
                   "%lld positions, counted from 0",
                   index, (long long)place, HG_SHAPE_TEXT(shape),
                   (long long)size);
}

bool hg_fail_int32(hg_shape shape, int64_t place, double x)
{
    return hg_fail(HG_ERROR_ARGUMENT,
                   "the value %g at place %lld of %s is no int32; clamp it "
                   "first",
                   x, (long long)place, HG_SHAPE_TEXT(shape));
}

bool hg_complaint_fails(const hg_complaint *c)
{
    hg_ambient *here = hg_ambient_here();
    const char *outer = here->op;
    int64_t place = (int64_t)(c->first >> 32);
    uint32_t bits = (uint32_t)c->first;
    float x;
    here->op = c->subject.op;
    if (c->subject.kind == HG_COMPLAINT_INDEX)
        hg_fail_index(c->subject.shape, place, (int32_t)bits, c->subject.size);
    else
        hg_fail_int32(c->subject.shape, place,
                      (double)*(float *)memcpy(&x, &bits, sizeof x));
    here->op = outer;
    return false;
}
