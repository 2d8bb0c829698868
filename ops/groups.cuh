/* groups.cuh - the threads of a block in groups: a group makes one output (a
 * sum, a softmax, ...) out of many values, which its lanes share. What is
 * combined with what depends on shapes only. */
#ifndef HG_GROUPS_CUH
#define HG_GROUPS_CUH

#include "ops/kernels.cuh"

struct hg_groups {
    int lanes, width; /* threads a group, groups a block: powers of two */
    bool beside;      /* neighbouring threads are of neighbouring groups */
};

/* For `outputs` of n values each. `beside`: neighbours in memory belong to
 * different outputs. Either way neighbouring threads read neighbours. */
static inline hg_groups hg_groups_for(int64_t outputs, int64_t n, bool beside)
{
    hg_groups g = {1, 1, beside};
    while (beside && g.width < HG_WARP && g.width < outputs)
        g.width *= 2;
    while (g.lanes * g.width < HG_BLOCK && 4 * g.lanes < n)
        g.lanes *= 2;
    while (g.lanes * g.width < HG_BLOCK / 2 && g.width < outputs)
        g.width *= 2;
    return g;
}

static inline unsigned hg_group_blocks(hg_groups g, int64_t outputs)
{
    return (unsigned)((outputs + g.width - 1) / g.width);
}

/* Where this thread stands. */
struct hg_member {
    int lane;
    int64_t output;
    int apart; /* from a lane's thread to the next lane's */
};

/* Threads of the block beyond those of its groups stand nowhere. */
static __device__ inline hg_member hg_member_of(hg_groups g, int64_t block)
{
    int t = threadIdx.x;
    int64_t first = block * g.width;
    if (t >= g.lanes * g.width)
        return {g.lanes, INT64_MAX, 0};
    if (g.beside)
        return {t / g.width, first + t % g.width, g.width};
    return {t % g.lanes, first + t / g.lanes, 1};
}

static __device__ inline hg_member hg_member_of(hg_groups g)
{
    return hg_member_of(g, blockIdx.x);
}

/* Combines the values of a group by halving; lane 0 gets the result. `room`
 * holds a value a thread. Every thread of the block must call it, and a
 * barrier lie between this and the next use of the room. */
template <typename T, typename F>
static __device__ inline T hg_group_fold(hg_groups g, hg_member m, T x,
                                         F combine, T *room)
{
    int t = threadIdx.x;
    room[t] = x;
    for (int half = g.lanes / 2; half > 0; half /= 2) {
        __syncthreads();
        if (m.lane < half)
            room[t] = combine(room[t], room[t + half * m.apart]);
    }
    return room[t];
}

/* The same, and every lane gets the result. */
template <typename T, typename F>
static __device__ inline T hg_group_all(hg_groups g, hg_member m, T x,
                                        F combine, T *room)
{
    hg_group_fold(g, m, x, combine, room);
    __syncthreads();
    return room[threadIdx.x - m.lane * m.apart];
}

#endif
