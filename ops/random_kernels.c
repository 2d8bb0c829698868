/* random_kernels.c - draws by the hundred: many counters of Philox side by
 * side, so that the compiler turns lanes into SIMD lanes. Compiled once an
 * instruction set. The words and uniforms are those of tensor/random.h bit for
 * bit; normals and Gumbels differ from libm's by a few units in the last
 * place. In double the transforms are libm's. */
#include "ops/random_kernels.h"
#include "ops/vocabulary.h"

#define LANES 64

/* Word j of block i is w[j][i]. */
typedef uint32_t words[4][LANES];
typedef hg_real values[4][LANES];

/* The rounds of hg_philox_rounds, unrolled by the compiler over all lanes. */
static void fill_words(const hg_philox *stream, uint64_t block, words w)
{
    hg_philox s = *stream;
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t a = (uint32_t)block + i, b = (uint32_t)(block >> 32);
        uint32_t c = s.sequence[0], d = s.sequence[1];
        uint32_t k = s.key[0], l = s.key[1];
        b += a < i; /* the carry */
        for (int round = 0; round < 10; round++) {
            uint64_t p = (uint64_t)0xD2511F53u * a;
            uint64_t q = (uint64_t)0xCD9E8D57u * c;
            a = (uint32_t)(q >> 32) ^ b ^ k;
            c = (uint32_t)(p >> 32) ^ d ^ l;
            b = (uint32_t)q;
            d = (uint32_t)p;
            k += 0x9E3779B9u;
            l += 0xBB67AE85u;
        }
        w[0][i] = a;
        w[1][i] = b;
        w[2][i] = c;
        w[3][i] = d;
    }
}

static void to_uniform(const uint32_t *w, hg_real *out)
{
    for (int i = 0; i < LANES; i++)
        out[i] = R((float)(int32_t)(w[i] >> 8) * 0x1p-24f);
}

/* -log(-log u), u = 2^-32 (w + 1/2); from 1/2 on by way of 1 - u, which float
 * holds far better than u. */
static void to_gumbel(const uint32_t *w, hg_real *out)
{
    for (int i = 0; i < LANES; i++) {
        hg_real below = (R(w[i]) + R(0.5)) * R(0x1p-32);
        hg_real above = (R(~w[i]) + R(0.5)) * R(0x1p-32);
        out[i] = -LOG(-SELECT(w[i] >> 31, LOG1P(-above), LOG(below)));
    }
}

/* As hg_words_normal. */
static void to_normal(const uint32_t *v, const uint32_t *w, hg_real *sine,
                      hg_real *cosine)
{
    for (int i = 0; i < LANES; i++) {
#ifdef HG_DOUBLE
        float pair[2];
        hg_words_normal(v[i], w[i], pair);
        sine[i] = R(pair[0]);
        cosine[i] = R(pair[1]);
#else
        float u = (float)v[i] * 0x1p-32f + 0x1p-33f, s, c;
        float angle =
            (float)w[i] * (0x1p-32f * 6.2831855f) + 0x1p-33f * 6.2831855f;
        float radius = sqrtf(-2.0f * LOG(u));
        hg_sincos_turn(angle, &s, &c);
        sine[i] = radius * s;
        cosine[i] = radius * c;
#endif
    }
}

static void transform(words w, hg_draw kind, values v)
{
    if (kind == HG_DRAW_NORMAL) {
        to_normal(w[0], w[1], v[0], v[1]);
        to_normal(w[2], w[3], v[2], v[3]);
        return;
    }
    for (int j = 0; j < 4; j++)
        if (kind == HG_DRAW_UNIFORM)
            to_uniform(w[j], v[j]);
        else
            to_gumbel(w[j], v[j]);
}

static void fill(hg_real *out, const hg_philox *stream, uint64_t block,
                 int64_t n, hg_draw kind)
{
    words w;
    values v;
    for (; n > 0; n -= 4 * LANES, out += 4 * LANES, block += LANES) {
        fill_words(stream, block, w);
        transform(w, kind, v);
        if (n < 4 * LANES) {
            for (int64_t i = 0; i < n; i++)
                out[i] = v[i % 4][i / 4];
            return;
        }
        for (int i = 0; i < LANES; i++)
            for (int j = 0; j < 4; j++)
                out[4 * i + j] = v[j][i];
    }
}

const hg_draws HG_ISA_NAME(hg_draws) = {fill};
