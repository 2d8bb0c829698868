/* complain.cuh - how a kernel says that a value is wrong, see
 * tensor/complaint.h. Which value is named does not depend on the order of the
 * threads: it is the first one. */
#ifndef HG_COMPLAIN_CUH
#define HG_COMPLAIN_CUH

#include "ops/kernels.cuh"
#include "tensor/complaint.h"

/* The note, and what this call would write on it. */
struct hg_critic {
    hg_complaint *note;
    hg_subject subject;
};

static inline hg_critic hg_critic_of(const hg_kernel *k, int input,
                                     hg_complaint_kind kind, int64_t size)
{
    hg_critic c = {hg_device_complaint(k->context), {}};
    c.subject.op = k->op->name;
    c.subject.call = (uintptr_t)k->out ^ (uintptr_t)k->op;
    c.subject.kind = kind;
    c.subject.shape = k->in_shape[input];
    c.subject.size = size;
    return c;
}

static __device__ inline void hg_complain(const hg_critic &c, int64_t place,
                                          uint32_t bits)
{
    unsigned long long mine = c.subject.call;
    unsigned long long theirs = atomicCAS(&c.note->call, 0ULL, mine);
    if (!theirs)
        c.note->subject = c.subject;
    if (!theirs || theirs == mine)
        atomicMin(&c.note->first, (unsigned long long)place << 32 | bits);
}

/* Is this index one of `size` positions? If not, the context hears of it. */
static __device__ inline bool hg_index_fits(const hg_critic &c,
                                            const int32_t *index, int64_t place)
{
    int32_t i = index[place];
    bool fits = i >= 0 && i < c.subject.size;
    if (!fits)
        hg_complain(c, place, (uint32_t)i);
    return fits;
}

#endif
