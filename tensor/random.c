/* random.c - keyed permutations, for those who need a few places only. */
#include "tensor/random.h"

int64_t hg_permuted(uint64_t seed, uint64_t stream, int64_t n, int64_t index)
{
    hg_permutation p = hg_permutation_of(seed, stream, n);
    return hg_permutation_at(&p, index);
}
