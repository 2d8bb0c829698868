/* random.c - keyed permutations from Philox words. */
#include "tensor/random.h"

/* One round of mixing for a half of at most 31 bits. */
static uint32_t mix(uint32_t half, uint32_t key)
{
    uint32_t h = (half ^ key) * 0x9E3779B1u;
    h ^= h >> 15;
    h *= 0x85EBCA77u;
    h ^= h >> 13;
    h *= 0xC2B2AE3Du;
    return h ^ h >> 16;
}

/* A Feistel network over the next even power of two is a bijection whatever
 * its round function; walking on until the value falls below n makes it one
 * of n things (Black and Rogaway, "Ciphers with Arbitrary Finite Domains"). */
int64_t hg_permuted(uint64_t seed, uint64_t stream, int64_t n, int64_t index)
{
    int half = 1;
    while ((int64_t)1 << (2 * half) < n)
        half++;
    uint32_t mask = (uint32_t)(((uint64_t)1 << half) - 1), key[8];
    hg_philox p = hg_philox_make(seed, HG_DOMAIN_DATA, stream);
    hg_philox_block(&p, 0, key);
    hg_philox_block(&p, 1, key + 4);
    uint64_t value = (uint64_t)index;
    do {
        uint32_t left = (uint32_t)(value >> half),
                 right = (uint32_t)value & mask;
        for (int round = 0; round < 8; round++) {
            uint32_t next = left ^ (mix(right, key[round]) & mask);
            left = right;
            right = next;
        }
        value = (uint64_t)left << half | right;
    } while (value >= (uint64_t)n);
    return (int64_t)value;
}
