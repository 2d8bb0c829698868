/* random.h - Philox4x32-10, counter based (Salmon et al., "Parallel Random
 * Numbers: As Easy as 1, 2, 3", 2011).
 *
 * A value is a function of (seed, domain, stream, step, element), never of
 * who asked first, so the draws do not depend on threads, device or replay.
 * The layout is cuRAND's: curand_init(key, subsequence, element) yields the
 * same words, with subsequence = stream << 32 | step.
 */
#ifndef HG_RANDOM_H
#define HG_RANDOM_H

#include <math.h>
#include <stdint.h>

#include "tensor/inline.h"

/* Mixed into the key, so that no two uses share numbers. */
enum {
    HG_DOMAIN_TRAIN = 0, /* draws in recording scopes */
    HG_DOMAIN_EVAL = 1,  /* draws in other scopes */
    HG_DOMAIN_INIT = 2,  /* initial values, stream = hash of the path */
    HG_DOMAIN_DATA = 3   /* shuffling, splits, synthetic data */
};

typedef struct {
    uint32_t key[2];
    uint32_t sequence[2]; /* upper half of the counter */
} hg_philox;

/* Ten rounds over a counter of four words. */
HG_INLINE void hg_philox_rounds(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)0xD2511F53u * c[0];
        uint64_t q = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t c0 = (uint32_t)(q >> 32) ^ c[1] ^ k0;
        uint32_t c2 = (uint32_t)(p >> 32) ^ c[3] ^ k1;
        c[1] = (uint32_t)q;
        c[3] = (uint32_t)p;
        c[0] = c0;
        c[2] = c2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

HG_INLINE hg_philox hg_philox_make(uint64_t seed, uint64_t domain,
                                   uint64_t sequence)
{
    hg_philox p = {{(uint32_t)seed, (uint32_t)(seed >> 32)},
                   {(uint32_t)sequence, (uint32_t)(sequence >> 32)}};
    p.key[1] ^= (uint32_t)domain * 0x85EBCA6Bu;
    return p;
}

/* Words 4 * block ... 4 * block + 3 of the sequence. */
HG_INLINE void hg_philox_block(const hg_philox *p, uint64_t block,
                               uint32_t out[4])
{
    out[0] = (uint32_t)block;
    out[1] = (uint32_t)(block >> 32);
    out[2] = p->sequence[0];
    out[3] = p->sequence[1];
    hg_philox_rounds(out, p->key[0], p->key[1]);
}

HG_INLINE uint32_t hg_philox_word(const hg_philox *p, uint64_t element)
{
    uint32_t w[4];
    hg_philox_block(p, element >> 2, w);
    return w[element & 3];
}

/* In [0, 1), 24 bits, exact in float: bit-equal on every device. */
HG_INLINE float hg_word_uniform(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

HG_INLINE uint64_t hg_sequence(uint64_t stream, uint64_t step)
{
    return stream << 32 | (step & 0xFFFFFFFFu);
}

/* FNV-1a, for streams named by a path. */
static inline uint64_t hg_hash_text(const char *text)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001B3u;
    return h;
}

/* Two standard normals of two words, in cuRAND's order (Box and Muller). */
HG_INLINE void hg_words_normal(uint32_t w0, uint32_t w1, float out[2])
{
    /* 2^-32 (w + 1/2) lies in (0, 1]: the logarithm is finite. */
    float u = (float)w0 * 0x1p-32f + 0x1p-33f;
    float angle = (float)w1 * (0x1p-32f * 6.2831855f) + 0x1p-33f * 6.2831855f;
    float radius = sqrtf(-2.0f * logf(u));
    out[0] = radius * sinf(angle);
    out[1] = radius * cosf(angle);
}

/* ---- Permutations ------------------------------------------------------- */

/* Of n things, chosen by (seed, stream): a bijection computed on the spot, with
 * no table. No padding: a GPU's queue compares it byte by byte. */
typedef struct {
    uint32_t key[8];
    int64_t n, half; /* bits of half a place */
} hg_permutation;

HG_INLINE hg_permutation hg_permutation_of(uint64_t seed, uint64_t stream,
                                           int64_t n)
{
    hg_permutation p;
    hg_philox philox = hg_philox_make(seed, HG_DOMAIN_DATA, stream);
    hg_philox_block(&philox, 0, p.key);
    hg_philox_block(&philox, 1, p.key + 4);
    p.n = n;
    for (p.half = 1; (int64_t)1 << (2 * p.half) < n;)
        p.half++;
    return p;
}

/* One round of mixing for a half of at most 31 bits. */
HG_INLINE uint32_t hg_mix_half(uint32_t half, uint32_t key)
{
    uint32_t h = (half ^ key) * 0x9E3779B1u;
    h ^= h >> 15;
    h *= 0x85EBCA77u;
    h ^= h >> 13;
    h *= 0xC2B2AE3Du;
    return h ^ h >> 16;
}

/* The place of `index`, 0 <= index < n. A Feistel network over the next even
 * power of two is a bijection whatever its round function; walking on until
 * the value falls below n makes it one of n things (Black and Rogaway,
 * "Ciphers with Arbitrary Finite Domains"). */
HG_INLINE int64_t hg_permutation_at(const hg_permutation *p, int64_t index)
{
    uint32_t mask = (uint32_t)(((uint64_t)1 << p->half) - 1);
    uint64_t value = (uint64_t)index;
    do {
        uint32_t left = (uint32_t)(value >> p->half);
        uint32_t right = (uint32_t)value & mask;
        for (int round = 0; round < 8; round++) {
            uint32_t next = left ^ (hg_mix_half(right, p->key[round]) & mask);
            left = right;
            right = next;
        }
        value = (uint64_t)left << p->half | right;
    } while (value >= (uint64_t)p->n);
    return (int64_t)value;
}

/* The same for one place. */
int64_t hg_permuted(uint64_t seed, uint64_t stream, int64_t n, int64_t index);

#endif
