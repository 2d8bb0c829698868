/* product.cuh - the tiled product of two matrices, whatever they are read
 * from: arrays of any strides (gemm.cu) or the windows of images (conv.cu).
 *
 * A problem says what is multiplied:
 *
 *     struct P {
 *         typedef hg_tile<32, 32, 32> tile;
 *         int64_t m, n, k, count; // C [m, n] = A [m, k] B [k, n], count times
 *         P of(int64_t number);   // the one with this number
 *         bool a_along_k();       // is A dense along k, or along m?
 *         bool b_along_k();
 *         hg_real a(int64_t row, int64_t l);
 *         hg_real b(int64_t l, int64_t column);
 *         // writes it; returns its place in the output, -1 if it has none
 *         int64_t put(int64_t row, int64_t column, hg_real sum);
 *     };
 *
 * A block computes one tile of C. Its threads fall into teams, each of which
 * adds up its share of k for the whole tile, 4 x 4 results a thread, so that
 * small tiles keep all threads busy; the teams' sums are added in their order.
 * Where there are few tiles and k is long, k is cut into parts too. */
#ifndef HG_PRODUCT_CUH
#define HG_PRODUCT_CUH

#include "ops/kernels.cuh"

template <int ROWS, int COLUMNS, int DEPTH> struct hg_tile {
    enum {
        M = ROWS,
        N = COLUMNS,
        K = DEPTH,
        A_STEP = M + 4, /* spread over the banks, 16-byte aligned */
        B_STEP = N + 4,
        TEAM = M * N / 16,
        TEAMS = HG_BLOCK / TEAM,
        SHARE = K / TEAMS,
        OPERANDS = K * (A_STEP + B_STEP),
        SUMS = TEAMS * M * N,
        ROOM = +OPERANDS > +SUMS ? +OPERANDS : +SUMS
    };
};

/* Where the sums over parts of k wait: [count, parts, m, n]. In the joint
 * kernel a problem and its parts are one job. */
struct hg_parts {
    hg_real *sums; /* NULL: k is not cut */
    int64_t count, length;
};

template <typename P> struct hg_product_job {
    P all;
    hg_parts parts;
};

/* ---- Through registers into shared memory ------------------------------- */

/* Neighbouring threads take values that are neighbours in memory. */
template <int SIZE, int DEPTH, typename F>
static __device__ inline void hg_fetch(hg_real *held, bool along_k, F value)
{
#pragma unroll
    for (int i = 0; i < SIZE * DEPTH / HG_BLOCK; i++) {
        int e = i * HG_BLOCK + (int)threadIdx.x;
        held[i] =
            along_k ? value(e / DEPTH, e % DEPTH) : value(e % SIZE, e / SIZE);
    }
}

template <int SIZE, int DEPTH>
static __device__ inline void hg_store(hg_real *to, const hg_real *held,
                                       bool along_k)
{
#pragma unroll
    for (int i = 0; i < SIZE * DEPTH / HG_BLOCK; i++) {
        int e = i * HG_BLOCK + (int)threadIdx.x;
        int at = along_k ? e / DEPTH : e % SIZE;
        int l = along_k ? e % DEPTH : e / SIZE;
        to[l * (SIZE + 4) + at] = held[i];
    }
}

/* ---- A tile ------------------------------------------------------------- */

template <typename T>
static __device__ inline void hg_multiply(hg_real sum[4][4], const hg_real *a,
                                          const hg_real *b)
{
    int team = threadIdx.x / T::TEAM, at = threadIdx.x % T::TEAM;
    a += 4 * (at / (T::N / 4));
    b += 4 * (at % (T::N / 4));
#pragma unroll
    for (int l = 0; l < T::SHARE; l++) {
        hg_real x[4], y[4];
        for (int i = 0; i < 4; i++) {
            x[i] = a[(team * T::SHARE + l) * T::A_STEP + i];
            y[i] = b[(team * T::SHARE + l) * T::B_STEP + i];
        }
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                sum[i][j] += x[i] * y[j];
    }
}

/* Each thread's share of the tile's sum over [from, to). */
template <typename P>
static __device__ inline void hg_accumulate(const P &p, hg_real *room,
                                            int64_t row, int64_t column,
                                            int64_t from, int64_t to,
                                            hg_real sum[4][4])
{
    typedef typename P::tile T;
    hg_real *a = room, *b = room + T::K * T::A_STEP;
    hg_real held_a[T::M * T::K / HG_BLOCK], held_b[T::N * T::K / HG_BLOCK];
    auto fetch = [&](int64_t at) {
        hg_fetch<T::M, T::K>(held_a, p.a_along_k(), [&](int i, int l) {
            return row + i < p.m && at + l < to ? p.a(row + i, at + l)
                                                : hg_real(0);
        });
        hg_fetch<T::N, T::K>(held_b, p.b_along_k(), [&](int j, int l) {
            return column + j < p.n && at + l < to ? p.b(at + l, column + j)
                                                   : hg_real(0);
        });
    };
    fetch(from);
    for (int64_t at = from; at < to; at += T::K) {
        hg_store<T::M, T::K>(a, held_a, p.a_along_k());
        hg_store<T::N, T::K>(b, held_b, p.b_along_k());
        __syncthreads();
        fetch(at + T::K); /* arrives while this one is multiplied */
        hg_multiply<T>(sum, a, b);
        __syncthreads();
    }
}

/* Adds the teams' sums, and hands each result on once. */
template <typename T, typename F>
static __device__ inline void hg_join_teams(const hg_real sum[4][4],
                                            hg_real *room, F result)
{
    int team = threadIdx.x / T::TEAM, at = threadIdx.x % T::TEAM;
    int row = 4 * (at / (T::N / 4)), column = 4 * (at % (T::N / 4));
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            room[(team * T::M + row + i) * T::N + column + j] = sum[i][j];
    __syncthreads();
    for (int e = threadIdx.x; e < T::M * T::N; e += HG_BLOCK) {
        hg_real total = room[e];
        for (int t = 1; t < T::TEAMS; t++)
            total += room[t * T::M * T::N + e];
        result(e / T::N, e % T::N, total);
    }
}

/* The tile with this number, of the first product's, then of the second's; a
 * part of k. `made` is told of every result that is complete; `room` holds
 * tile::ROOM values. */
template <typename P, typename M>
static __device__ inline void hg_product_block(const P &all,
                                               const hg_parts &parts,
                                               int64_t block, int64_t part,
                                               hg_real *room, M made)
{
    typedef typename P::tile T;
    int64_t across = (all.n + T::N - 1) / T::N;
    int64_t tiles = across * ((all.m + T::M - 1) / T::M);
    int64_t number = block / tiles, tile = block % tiles;
    int64_t row = tile / across * T::M, column = tile % across * T::N;
    int64_t from = part * parts.length, to = from + parts.length;
    const P p = all.of(number);
    hg_real sum[4][4] = {};
    hg_accumulate(p, room, row, column, from, to < p.k ? to : p.k, sum);
    int64_t waiting = (number * parts.count + part) * p.m * p.n;
    hg_join_teams<T>(sum, room, [&](int i, int j, hg_real total) {
        if (row + i >= p.m || column + j >= p.n)
            return;
        if (parts.sums)
            parts.sums[waiting + (row + i) * p.n + column + j] = total;
        else
            made(p.put(row + i, column + j, total));
    });
}

/* Result i, from the sums over the parts of k. */
template <typename P>
static __device__ inline int64_t hg_add_parts_of(const P &all,
                                                 const hg_parts &parts,
                                                 int64_t i)
{
    int64_t size = all.m * all.n, number = i / size, at = i % size;
    const hg_real *from = parts.sums + number * parts.count * size + at;
    hg_real total = from[0];
    for (int64_t part = 1; part < parts.count; part++)
        total += from[part * size];
    return all.of(number).put(at / all.n, at % all.n, total);
}

template <typename P>
__global__ void __launch_bounds__(HG_BLOCK, 2) hg_product(P all, hg_parts parts)
{
    __shared__ __align__(16) hg_real room[P::tile::ROOM];
    hg_product_block(all, parts, blockIdx.x, blockIdx.y, room, [](int64_t) {});
}

template <typename P> __global__ void hg_add_parts(P all, hg_parts parts)
{
    for (HG_EACH(i, all.count * all.m * all.n))
        hg_add_parts_of(all, parts, i);
}

/* ---- Launching ---------------------------------------------------------- */

template <typename P> static int64_t hg_tiles_of(const P &p)
{
    typedef typename P::tile T;
    return p.count * ((p.m + T::M - 1) / T::M) * ((p.n + T::N - 1) / T::N);
}

enum { HG_LONG_SUM = 2048, HG_ENOUGH_TILES = 64, HG_MANY_TILES = 512 };

/* Depends on the shape only, as all that decides an order of sums. */
template <typename P> static hg_parts hg_parts_of(const P &p)
{
    int64_t tiles = hg_tiles_of(p), depth = P::tile::K, most = p.k / 256;
    hg_parts parts = {NULL, 1, p.k};
    if (tiles >= HG_ENOUGH_TILES || p.k < HG_LONG_SUM)
        return parts;
    int64_t wanted = HG_MANY_TILES / tiles;
    wanted = wanted < most ? wanted : most;
    parts.length = (p.k / wanted + depth) / depth * depth;
    parts.count = (p.k + parts.length - 1) / parts.length;
    return parts;
}

/* Bytes of the sums over parts of k. */
template <typename P>
static size_t hg_parts_room(const P &p, const hg_parts &parts)
{
    return (size_t)(p.count * parts.count * p.m * p.n) * sizeof(hg_real);
}

template <typename P> static void hg_run_product(const hg_kernel *k, const P &p)
{
    hg_parts parts = hg_parts_of(p);
    if (parts.count > 1) {
        parts.sums =
            (hg_real *)hg_device_scratch(k->context, hg_parts_room(p, parts));
        if (!parts.sums)
            return;
    }
    dim3 grid((unsigned)hg_tiles_of(p), (unsigned)parts.count);
    HG_RUN(hg_product<P>, grid, HG_BLOCK, 0, k, p, parts);
    if (parts.sums)
        HG_RUN(hg_add_parts<P>, hg_blocks(p.count * p.m * p.n, HG_BLOCK),
               HG_BLOCK, 0, k, p, parts);
}

#endif
