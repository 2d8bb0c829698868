/* gemm_kernels.c - a panel of a matrix product, compiled once an instruction
 * set.
 *
 * A tile of C, ROWS by two vectors, stays in registers while one column of A
 * after the other is broadcast against one row of B. A is read where it lies;
 * the panel of B is packed, DEPTH rows at a time, so that it stays in the
 * first caches while all row tiles pass over it. Every element is the same
 * chain of multiply-adds wherever its tile begins. */
#include "ops/gemm_kernels.h"

#include <string.h>

#define EXPAND(x) #x
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
enum { BYTES = 64, ROWS = 14 };
#elif defined(__AVX__)
enum { BYTES = 32, ROWS = 6 };
#else
enum { BYTES = 16, ROWS = 6 };
#endif
enum { LANES = BYTES / (int)sizeof(hg_real), WIDTH = 2 * LANES, DEPTH = 512 };
typedef hg_real vec
    __attribute__((vector_size(BYTES), aligned(sizeof(hg_real)), may_alias));

/* What a tile reads and writes. */
typedef struct {
    int64_t depth;
    const hg_real *a;
    int64_t a_row, a_col;
    const hg_real *b;     /* packed: rows of WIDTH */
    const hg_real *start; /* where the sums begin */
    int64_t start_row;
    hg_real *out;
    int64_t out_row;
} tile;

INLINE void multiply(const tile *t, int rows, int vecs)
{
    vec sum[ROWS][2];
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vecs; j++)
            sum[i][j] = *(const vec *)(t->start + i * t->start_row + j * LANES);
    }
    const hg_real *a = t->a, *b = t->b;
    int64_t row = t->a_row, col = t->a_col;
    for (int64_t l = t->depth; l > 0; l--) {
        vec right[2];
        UNROLL
        for (int j = 0; j < vecs; j++)
            right[j] = *(const vec *)(b + j * LANES);
        UNROLL
        for (int i = 0; i < rows; i++) {
            hg_real left = a[i * row];
            UNROLL
            for (int j = 0; j < vecs; j++)
                sum[i][j] += left * right[j];
        }
        a += col;
        b += WIDTH;
    }
    UNROLL
    for (int i = 0; i < rows; i++) {
        UNROLL
        for (int j = 0; j < vecs; j++)
            *(vec *)(t->out + i * t->out_row + j * LANES) = sum[i][j];
    }
}

#define TILES(rows)                                                            \
    static void multiply_##rows##_1(const tile *t)                             \
    {                                                                          \
        multiply(t, rows, 1);                                                  \
    }                                                                          \
    static void multiply_##rows##_2(const tile *t)                             \
    {                                                                          \
        multiply(t, rows, 2);                                                  \
    }
TILES(1)
TILES(2)
TILES(3)
TILES(4)
TILES(5)
TILES(6)
#ifdef __AVX512F__
TILES(7)
TILES(8)
TILES(9)
TILES(10)
TILES(11)
TILES(12)
TILES(13)
TILES(14)
#endif

#define BOTH(rows)                                                             \
    {                                                                          \
        multiply_##rows##_1, multiply_##rows##_2                               \
    }
static void (*const multiply_of[ROWS][2])(const tile *) = {
    BOTH(1), BOTH(2), BOTH(3), BOTH(4),  BOTH(5),  BOTH(6),
#ifdef __AVX512F__
    BOTH(7), BOTH(8), BOTH(9), BOTH(10), BOTH(11), BOTH(12), BOTH(13), BOTH(14),
#endif
};

/* ---- Packing
 * ----------------------------------------------------------------- */

/* Turns LANES rows of LANES values, `stride` apart, into columns. */
INLINE void transpose(const hg_real *in, int64_t stride, hg_real *out)
{
    for (int l = 0; l < LANES; l++)
        for (int i = 0; i < LANES; i++)
            out[l * WIDTH + i] = in[i * stride + l];
}

/* Rows first ... first + depth of columns at ... at + width of B. */
static void pack(const hg_gemm_job *job, int64_t first, int64_t depth,
                 int64_t at, int64_t width, hg_real *out)
{
    const hg_real *b = job->b + first * job->b_row + at * job->b_col;
    if (job->b_col == 1 && width == WIDTH) {
        for (int64_t l = 0; l < depth; l++)
            memcpy(out + l * WIDTH, b + l * job->b_row,
                   WIDTH * sizeof(hg_real));
        return;
    }
    int64_t l = 0;
    for (; job->b_row == 1 && width == WIDTH && l + LANES <= depth;
         l += LANES) {
        transpose(b + l, job->b_col, out + l * WIDTH);
        transpose(b + l + LANES * job->b_col, job->b_col,
                  out + l * WIDTH + LANES);
    }
    for (; l < depth; l++)
        for (int64_t j = 0; j < WIDTH; j++)
            out[l * WIDTH + j] =
                j < width ? b[l * job->b_row + j * job->b_col] : 0;
}

/* ---- One panel
 * ------------------------------------------------------------------ */

typedef struct {
    const hg_gemm_job *job;
    int64_t at, width;   /* columns */
    int64_t from, to;    /* of k */
    const hg_real *b;    /* packed */
    const hg_real *bias; /* of the columns */
} block;

static void copy_tile(const block *at, int64_t row, int64_t rows,
                      hg_real *buffer, bool out)
{
    const hg_gemm_job *job = at->job;
    hg_real *c = job->c + row * job->c_row + at->at * job->c_col;
    for (int64_t j = 0; j < at->width; j++)
        for (int64_t i = 0; i < rows; i++) {
            hg_real *here = c + i * job->c_row + j * job->c_col;
            if (out)
                *here = buffer[i * WIDTH + j];
            else
                buffer[i * WIDTH + j] = *here;
        }
}

/* A bias that differs from row to row. */
static void fill_rows(const hg_gemm_job *job, int64_t row, int64_t rows,
                      hg_real *buffer)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < WIDTH; j++)
            buffer[i * WIDTH + j] = job->bias[(row + i) * job->bias_row];
}

/* Tiles that C has no room for as they are pass through a buffer. */
static void multiply_tile(const block *at, int64_t row, int64_t rows)
{
    const hg_gemm_job *job = at->job;
    hg_real buffer[ROWS * WIDTH] = {0};
    bool direct = job->c_col == 1 && at->width == WIDTH, more = at->from > 0;
    hg_real *c = job->c + row * job->c_row + at->at * job->c_col;
    tile t = {
        .depth = at->to - at->from,
        .a = job->a + row * job->a_row + at->from * job->a_col,
        .a_row = job->a_row,
        .a_col = job->a_col,
        .b = at->b,
        .out = direct ? c : buffer,
        .out_row = direct ? job->c_row : WIDTH,
    };
    bool filled = job->bias && job->bias_row && !more;
    t.start = filled ? buffer : more ? t.out : at->bias;
    t.start_row = filled ? WIDTH : more ? t.out_row : 0;
    if (filled)
        fill_rows(job, row, rows, buffer);
    else if (more && !direct)
        copy_tile(at, row, rows, buffer, false);
    multiply_of[rows - 1][at->width > LANES](&t);
    if (!direct)
        copy_tile(at, row, rows, buffer, true);
}

/* Row tiles of nearly equal height. */
static void multiply_rows(const block *at, int64_t from, int64_t to)
{
    int64_t rows = to - from, tiles = (rows + ROWS - 1) / ROWS;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = from + rows * i / tiles;
        multiply_tile(at, first, from + rows * (i + 1) / tiles - first);
    }
}

static void run_panel(const hg_gemm_job *job, int64_t panel, int64_t from,
                      int64_t to)
{
    _Alignas(64) hg_real packed[DEPTH * WIDTH];
    hg_real bias[WIDTH] = {0};
    block at = {.job = job, .at = panel * WIDTH, .b = packed, .bias = bias};
    at.width = job->n - at.at < WIDTH ? job->n - at.at : WIDTH;
    for (int64_t j = 0; job->bias && j < at.width; j++)
        bias[j] = job->bias[(at.at + j) * job->bias_col];
    int64_t blocks = job->k ? (job->k + DEPTH - 1) / DEPTH : 1;
    for (int64_t i = 0; i < blocks; i++) {
        at.from = job->k * i / blocks;
        at.to = job->k * (i + 1) / blocks;
        pack(job, at.from, at.to - at.from, at.at, at.width, packed);
        multiply_rows(&at, from, to);
    }
}

const hg_gemm_kernels HG_ISA_NAME(hg_gemm) = {
    .width = WIDTH,
    .rows = ROWS,
    .panel = run_panel,
};
