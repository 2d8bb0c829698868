/* gemm_kernels.c - a panel of a matrix product, compiled once an instruction
 * set.
 *
 * A tile of C, ROWS by two vectors, stays in registers while one column of A
 * after the other is broadcast against one row of B. A is read where it lies;
 * panels of B are packed, some rows at a time, so that they stay in the
 * caches while all row tiles pass over them. Every element is the same
 * chain of multiply-adds wherever its tile begins. */
#include "ops/gemm_kernels.h"
#include "ops/lanes.h"

#include <string.h>

#ifdef __AVX512F__
enum { ROWS = 14 };
#else
enum { ROWS = 6 };
#endif
/* Rows packed of a panel alone; panels packed together, of fewer rows. */
enum { WIDTH = 2 * LANES, DEPTH = 1024, GROUP = 4 };

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

/* ---- Packing ------------------------------------------------------------ */

/* LANES rows of LANES values, `stride` apart, as columns. */
INLINE void pack_square(const hg_real *in, int64_t stride, hg_real *out)
{
    vec v[LANES];
    UNROLL
    for (int i = 0; i < LANES; i++)
        v[i] = *(const vec *)(in + i * stride);
    transpose_lanes(v);
    UNROLL
    for (int i = 0; i < LANES; i++)
        *(vec *)(out + i * WIDTH) = v[i];
}

/* Rows first ... first + depth of columns at ... at + width of B. */
static void pack(const hg_gemm_job *job, int64_t first, int64_t depth,
                 int64_t at, int64_t width, hg_real *out)
{
    const hg_real *b = job->b + first * job->b_row + at * job->b_col;
    int64_t l = 0;
    for (; job->b_row == 1 && width == WIDTH && l + LANES <= depth;
         l += LANES) {
        pack_square(b + l, job->b_col, out + l * WIDTH);
        pack_square(b + l + LANES * job->b_col, job->b_col,
                    out + l * WIDTH + LANES);
    }
    for (; l < depth; l++)
        for (int64_t j = 0; j < WIDTH; j++)
            out[l * WIDTH + j] =
                j < width ? b[l * job->b_row + j * job->b_col] : 0;
}

/* The same for `count` whole panels whose rows are dense in B: row by row, as
 * memory likes it. */
static void pack_dense(const hg_gemm_job *job, int64_t first, int64_t depth,
                       int64_t at, int64_t count, hg_real *out)
{
    const hg_real *b = job->b + first * job->b_row + at;
    for (int64_t l = 0; l < depth; l++)
        for (int64_t q = 0; q < count; q++)
            memcpy(out + (q * depth + l) * WIDTH,
                   b + l * job->b_row + q * WIDTH, WIDTH * sizeof(hg_real));
}

/* ---- Panels ---------------------------------------------------------- */

typedef struct {
    const hg_gemm_job *job;
    int64_t at, width;   /* columns */
    int64_t from, to;    /* of k */
    const hg_real *b;    /* packed */
    const hg_real *bias; /* of the columns */
} block;

/* The first `count` values of a vector. */
INLINE void store_some(hg_real *out, const vec *v, int64_t count)
{
    const hg_real *from = (const hg_real *)v;
    for (int64_t piece = LANES / 2; piece; piece /= 2)
        if (count & piece) {
            memcpy(out, from, (size_t)piece * sizeof *out);
            out += piece;
            from += piece;
        }
}

/* Rows of the buffer to columns of C, which are dense. */
static void store_columns(const block *at, int64_t row, int64_t rows,
                          const hg_real *buffer)
{
    hg_real *c = at->job->c + row + at->at * at->job->c_col;
    for (int64_t j = 0; j < at->width; j += LANES) {
        vec v[LANES];
        UNROLL
        for (int i = 0; i < LANES; i++)
            v[i] = i < ROWS ? *(const vec *)(buffer + i * WIDTH + j) : (vec){0};
        transpose_lanes(v);
        for (int64_t l = 0; l < LANES && j + l < at->width; l++)
            store_some(c + (j + l) * at->job->c_col, &v[l], rows);
    }
}

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
    hg_real buffer[ROWS * WIDTH];
    bool direct = job->c_col == 1 && at->width % LANES == 0;
    bool more = at->from > 0 || job->add;
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
    if (!direct && job->c_row == 1 && (int)ROWS < (int)LANES)
        store_columns(at, row, rows, buffer);
    else if (!direct)
        copy_tile(at, row, rows, buffer, true);
}

/* Row tiles of nearly equal height, each through all panels. */
static void multiply_rows(block *panel, int64_t count, int64_t from, int64_t to)
{
    int64_t rows = to - from, tiles = (rows + ROWS - 1) / ROWS;
    for (int64_t i = 0; i < tiles; i++) {
        int64_t first = from + rows * i / tiles;
        int64_t height = from + rows * (i + 1) / tiles - first;
        for (int64_t q = 0; q < count; q++)
            multiply_tile(&panel[q], first, height);
    }
}

/* Rows [from, to) of `count` panels, or of one that needs care: narrow, or
 * transposed in B. */
static void run_group(const hg_gemm_job *job, int64_t at, int64_t count,
                      int64_t from, int64_t to)
{
    _Alignas(64) hg_real packed[DEPTH * WIDTH], bias[GROUP * WIDTH] = {0};
    block panel[GROUP];
    int64_t width = job->n - at < count * WIDTH ? job->n - at : count * WIDTH;
    for (int64_t j = 0; job->bias && j < width; j++)
        bias[j] = job->bias[(at + j) * job->bias_col];
    int64_t most = DEPTH / count;
    int64_t blocks = job->k ? (job->k + most - 1) / most : 1;
    for (int64_t i = 0; i < blocks; i++) {
        int64_t first = job->k * i / blocks, end = job->k * (i + 1) / blocks;
        if (job->b_col == 1 && width == count * WIDTH)
            pack_dense(job, first, end - first, at, count, packed);
        else
            pack(job, first, end - first, at, width, packed);
        for (int64_t q = 0; q < count; q++)
            panel[q] = (block){
                .job = job,
                .at = at + q * WIDTH,
                .width = width - q * WIDTH < WIDTH ? width - q * WIDTH : WIDTH,
                .from = first,
                .to = end,
                .b = packed + q * (end - first) * WIDTH,
                .bias = bias + q * WIDTH,
            };
        multiply_rows(panel, count, from, to);
    }
}

static void run_panels(const hg_gemm_job *job, int64_t first, int64_t last,
                       int64_t from, int64_t to)
{
    int64_t whole = job->b_col == 1 ? job->n / WIDTH : 0;
    for (int64_t i = first, count; i < last; i += count) {
        count = last < whole ? last - i : whole - i;
        count = count < 1 ? 1 : count > GROUP ? GROUP : count;
        run_group(job, i * WIDTH, count, from, to);
    }
}

static void run_packed(const hg_gemm_job *job)
{
    static const hg_real zero[WIDTH];
    for (int64_t at = 0; at < job->n; at += WIDTH) {
        block panel = {
            .job = job,
            .at = at,
            .width = job->n - at < WIDTH ? job->n - at : WIDTH,
            .to = job->k,
            .b = job->b + at / WIDTH * job->b_col,
            .bias = job->bias ? job->bias + at : zero,
        };
        multiply_rows(&panel, 1, 0, job->m);
    }
}

const hg_gemm_kernels HG_ISA_NAME(hg_gemm) = {
    .width = WIDTH,
    .rows = ROWS,
    .panels = run_panels,
    .packed = run_packed,
};
