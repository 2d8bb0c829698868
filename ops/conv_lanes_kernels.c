/* conv_lanes_kernels.c - the loops of conv_lanes.h, compiled once an
 * instruction set. Tiles of rows by places (or rows by taps) of sums stay in
 * registers. */
#include "ops/conv_lanes.h"
#include "ops/lanes.h"

#include <string.h>

#if defined(__AVX512F__)
enum { MOST = 8, PLACES_8 = 3, PLACES_4 = 6, PLACES_2 = 9, PLACES_1 = 12 };
enum { TAPS_4 = 6, TAPS_2 = 9, TAPS_1 = 9 };
#else
enum { MOST = 4, PLACES_4 = 3, PLACES_2 = 5, PLACES_1 = 8 };
enum { TAPS_4 = 3, TAPS_2 = 5, TAPS_1 = 9 };
#endif

/* ---- Images into lanes and back ----------------------------------------- */

static void pack_rest(const hg_real *in, int64_t image, int64_t images,
                      int64_t from, int64_t size, const int32_t *at,
                      hg_real *out)
{
    for (int64_t i = from; i < size; i++)
        for (int64_t n = 0; n < LANES; n++)
            out[(int64_t)at[i] * LANES + n] =
                n < images ? in[n * image + i] : 0;
}

static void pack(const hg_real *in, int64_t image, int64_t images,
                 int64_t count, int64_t size, int64_t room, const int32_t *at,
                 hg_real *out)
{
    for (int64_t c = 0; c < count; c++, in += size, out += room * LANES) {
        int64_t i = 0;
        for (; images == LANES && i + LANES <= size; i += LANES) {
            vec v[LANES];
            UNROLL
            for (int n = 0; n < LANES; n++)
                v[n] = *(const vec *)(in + n * image + i);
            transpose_lanes(v);
            UNROLL
            for (int n = 0; n < LANES; n++)
                *(vec *)(out + (int64_t)at[i + n] * LANES) = v[n];
        }
        pack_rest(in, image, images, i, size, at, out);
    }
}

static void unpack(const hg_real *in, int64_t count, int64_t size, hg_real *out,
                   int64_t image, int64_t images)
{
    for (int64_t c = 0; c < count; c++, in += size * LANES, out += size) {
        int64_t i = 0;
        for (; images == LANES && i + LANES <= size; i += LANES) {
            vec v[LANES];
            UNROLL
            for (int n = 0; n < LANES; n++)
                v[n] = *(const vec *)(in + (i + n) * LANES);
            transpose_lanes(v);
            UNROLL
            for (int n = 0; n < LANES; n++)
                *(vec *)(out + n * image + i) = v[n];
        }
        for (; i < size; i++)
            for (int64_t n = 0; n < images; n++)
                out[n * image + i] = in[i * LANES + n];
    }
}

/* ---- Sums over taps ----------------------------------------------------- */

INLINE void gather_tile(const hg_gather *g, const hg_real *in,
                        const hg_real *weight, const hg_real *bias,
                        int64_t first, int64_t size, hg_real *out, int rows,
                        int places)
{
    vec sum[MOST][PLACES_1];
    const hg_real *from[PLACES_1];
    UNROLL
    for (int p = 0; p < places; p++)
        from[p] = in + (int64_t)g->base[first + p] * LANES;
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int p = 0; p < places; p++)
            sum[r][p] = (vec){0} + (bias ? bias[r] : 0);
    }
    for (int64_t t = 0; t < g->taps; t++, weight += rows) {
        int64_t tap = (int64_t)g->tap[t] * LANES;
        vec x[PLACES_1];
        UNROLL
        for (int p = 0; p < places; p++)
            x[p] = *(const vec *)(from[p] + tap);
        UNROLL
        for (int r = 0; r < rows; r++) {
            UNROLL
            for (int p = 0; p < places; p++)
                sum[r][p] += weight[r] * x[p];
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int p = 0; p < places; p++) {
            int64_t at = g->dest ? g->dest[first + p] : first + p;
            *(vec *)(out + (r * size + at) * LANES) = sum[r][p];
        }
    }
}

/* All places in tiles; the last full tile may begin earlier and compute some
 * places again, to the same values. */
#define GATHER(rows)                                                           \
    static void gather_##rows(const hg_gather *g, const hg_real *in,           \
                              const hg_real *weight, const hg_real *bias,      \
                              int64_t size, hg_real *out)                      \
    {                                                                          \
        int64_t p = 0, n = g->places;                                          \
        for (; n >= PLACES_##rows && p < n; p += PLACES_##rows)                \
            gather_tile(g, in, weight, bias,                                   \
                        p + PLACES_##rows > n ? n - PLACES_##rows : p, size,   \
                        out, rows, PLACES_##rows);                             \
        for (; p < n; p++)                                                     \
            gather_tile(g, in, weight, bias, p, size, out, rows, 1);           \
    }
GATHER(1)
GATHER(2)
GATHER(4)
#ifdef __AVX512F__
GATHER(8)
#endif

static void gather(const hg_gather *g, const hg_real *in, const hg_real *weight,
                   const hg_real *bias, int64_t rows, int64_t size,
                   hg_real *out)
{
    switch (rows) {
#ifdef __AVX512F__
    case 8:
        gather_8(g, in, weight, bias, size, out);
        break;
#endif
    case 4:
        gather_4(g, in, weight, bias, size, out);
        break;
    case 2:
        gather_2(g, in, weight, bias, size, out);
        break;
    default:
        gather_1(g, in, weight, bias, size, out);
    }
}

/* ---- Sums over places --------------------------------------------------- */

/* out[i] = the sum of the lanes of v[i], for up to LANES of them: columns of
 * the transpose, added in pairs. */
static void lane_sums(const vec *v, int count, hg_real *out)
{
    vec column[LANES];
    for (int i = 0; i < LANES; i++)
        column[i] = i < count ? v[i] : (vec){0};
    transpose_lanes(column);
    UNROLL
    for (int half = LANES / 2; half; half /= 2) {
        UNROLL
        for (int l = 0; l < half; l++)
            column[l] += column[l + half];
    }
    memcpy(out, column, (size_t)count * sizeof *out);
}

INLINE void correlate_tile(const hg_gather *g, const hg_real *in,
                           const hg_real *y, int64_t first, hg_real *out,
                           int rows, int taps)
{
    vec sum[4][9];
    const hg_real *from[9];
    UNROLL
    for (int t = 0; t < taps; t++)
        from[t] = in + (int64_t)g->tap[first + t] * LANES;
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int t = 0; t < taps; t++)
            sum[r][t] = (vec){0};
    }
    for (int64_t p = 0; p < g->places; p++, y += LANES) {
        int64_t base = (int64_t)g->base[p] * LANES;
        vec left[4];
        UNROLL
        for (int r = 0; r < rows; r++)
            left[r] = *(const vec *)(y + r * g->places * LANES);
        UNROLL
        for (int t = 0; t < taps; t++) {
            vec x = *(const vec *)(from[t] + base);
            UNROLL
            for (int r = 0; r < rows; r++)
                sum[r][t] += left[r] * x;
        }
    }
    vec all[4 * 9];
    hg_real total[4 * 9];
    int count = rows * taps;
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int t = 0; t < taps; t++)
            all[r * taps + t] = sum[r][t];
    }
    for (int i = 0; i < count; i += LANES)
        lane_sums(all + i, count - i < LANES ? count - i : LANES, total + i);
    for (int r = 0; r < rows; r++)
        memcpy(out + r * g->taps + first, total + r * taps,
               (size_t)taps * sizeof *out);
}

#define CORRELATE(rows)                                                        \
    static void correlate_##rows(const hg_gather *g, const hg_real *in,        \
                                 const hg_real *y, hg_real *out)               \
    {                                                                          \
        int64_t t = 0, n = g->taps;                                            \
        for (; n >= TAPS_##rows && t < n; t += TAPS_##rows)                    \
            correlate_tile(g, in, y,                                           \
                           t + TAPS_##rows > n ? n - TAPS_##rows : t, out,     \
                           rows, TAPS_##rows);                                 \
        for (; t < n; t++)                                                     \
            correlate_tile(g, in, y, t, out, rows, 1);                         \
    }
CORRELATE(1)
CORRELATE(2)
CORRELATE(4)

static void correlate(const hg_gather *g, const hg_real *in, const hg_real *y,
                      int64_t rows, hg_real *out)
{
    for (int64_t r = 0, group; r < rows; r += group) {
        const hg_real *from = y + r * g->places * LANES;
        group = hg_row_group(rows - r, 4);
        if (group == 4)
            correlate_4(g, in, from, out + r * g->taps);
        else if (group == 2)
            correlate_2(g, in, from, out + r * g->taps);
        else
            correlate_1(g, in, from, out + r * g->taps);
    }
}

const hg_conv_lanes HG_ISA_NAME(hg_lanes) = {
    .lanes = LANES,
    .rows = MOST,
    .pack = pack,
    .unpack = unpack,
    .gather = gather,
    .correlate = correlate,
};
