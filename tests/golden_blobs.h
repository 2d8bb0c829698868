/* golden_blobs.h - the images of the golden runs, byte for byte: three soft
 * blobs each, as golden/README.md says. */
#ifndef HG_TEST_GOLDEN_BLOBS_H
#define HG_TEST_GOLDEN_BLOBS_H

#include "support.h"

#include "tensor/random.h"

static double data_uniform(uint64_t seed, uint64_t i)
{
    hg_philox p = hg_philox_make(seed, HG_DOMAIN_DATA, 1);
    return (double)hg_word_uniform(hg_philox_word(&p, i));
}

/* Adds blob k of image i to `sum`, [28, 28]. */
static void add_blob(uint64_t seed, int i, int k, double *sum)
{
    double u[4];
    for (int j = 0; j < 4; j++)
        u[j] = data_uniform(seed, (uint64_t)(12 * i + 4 * k + j));
    double x = 8 + 12 * u[0], y = 8 + 12 * u[1], w = 1.5 + 2.5 * u[2];
    for (int r = 0; r < 28; r++)
        for (int c = 0; c < 28; c++)
            sum[28 * r + c] +=
                (0.5 + 0.5 * u[3]) *
                exp(-((c - x) * (c - x) + (r - y) * (r - y)) / (2 * w * w));
}

/* The first `items` images, [items, 784]. */
static void golden_blobs(uint64_t seed, int items, uint8_t *image)
{
    for (int i = 0; i < items; i++) {
        double sum[784] = {0};
        for (int k = 0; k < 3; k++)
            add_blob(seed, i, k, sum);
        for (int p = 0; p < 784; p++)
            image[i * 784 + p] = (uint8_t)floor(255 * fmin(1, sum[p]) + 0.5);
    }
}

#endif
