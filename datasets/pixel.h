/* pixel.h - the numbers of the transforms, for the host and for a GPU: which
 * ones an item has in an epoch, and a pixel in it. */
#ifndef HG_PIXEL_H
#define HG_PIXEL_H

#include "tensor/random.h"

enum { HG_MOST_TRANSFORMS = 8, HG_QUANTILES = 4096 };

/* Those that spoil the input come last. */
typedef enum {
    HG_BINARIZE,      /* 1 with the pixel's value as probability, each epoch */
    HG_BINARIZE_ONCE, /* the same in every epoch */
    HG_DEQUANTIZE,    /* (255 x + u) / 256, u in [0, 1) */
    HG_FLIP,          /* left and right, with probability `amount` */
    HG_SHIFT,         /* up to `amount` pixels each way; black comes in */
    HG_GAUSSIAN,   /* of the input alone: + amount * normal, kept in [0, 1] */
    HG_MASK,       /* of the input alone: 0 with probability `amount` */
    HG_SALT_PEPPER /* of the input alone: 0 or 1 with that probability */
} hg_transform_kind;

/* Streams of HG_DOMAIN_DATA: 0 shuffles, the next ones draw synthetic data. */
enum { HG_TRANSFORM_STREAM = 64 };

/* One Philox block a transform (the `which`-th of its list), epoch and row is
 * the key of the item's numbers. */
HG_INLINE void hg_pixel_key(uint64_t seed, int which, hg_transform_kind kind,
                            uint64_t epoch, uint64_t row, uint32_t key[4])
{
    uint64_t stream = HG_TRANSFORM_STREAM + (uint64_t)which;
    uint64_t sequence =
        hg_sequence(stream, kind == HG_BINARIZE_ONCE ? 0 : epoch);
    hg_philox p = hg_philox_make(seed, HG_DOMAIN_DATA, sequence);
    hg_philox_block(&p, row, key);
}

/* A pixel's number is a hash of the key and its place, deep enough for noise
 * and cheap enough not to be seen beside a training step: murmur3's last
 * rounds. */
HG_INLINE uint32_t hg_pixel_number(uint32_t key, uint32_t place)
{
    uint32_t h = key + place * 0x9E3779B9u;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= h >> 13;
    h *= 0xC2B2AE35u;
    return h ^ h >> 16;
}

/* Pixels to move, from -most to most. */
HG_INLINE int64_t hg_pixel_step(uint32_t word, double most)
{
    int64_t n = 2 * (int64_t)most + 1;
    return (int64_t)(((uint64_t)word * (uint64_t)n) >> 32) - (int64_t)most;
}

#endif
