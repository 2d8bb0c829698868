/* Internal to block.cpp and warp.cpp: the block being run. */
#ifndef CUDA_ON_CPU_BLOCK_H
#define CUDA_ON_CPU_BLOCK_H

#include "fiber.h"

namespace cuda_on_cpu
{
enum class State : uint8_t { fresh, ready, in_barrier, in_warp, done };

struct Thread {
    Fiber *fiber; /* null until started */
    State state;
    Warp operation; /* while in a warp operation: this, and the next three */
    uint8_t source;
    unsigned mask;
    uint64_t value; /* given, then received */
    Place place;    /* where it waits */
    uint3 index;
};

struct Block {
    Thread threads[max_threads];
    int count, done;
    /* Threads that can go on, a ring; order[] is the initial one. */
    int ready[max_threads], head, ready_count;
    int order[max_threads];
    Thread *current;
    const Arguments *arguments;
    bool abandoned;
    /* The barrier that threads wait at */
    int waiting, votes;
    Place barrier;
    int results[3]; /* of the last barrier, by Vote */
    /* Lanes of each warp that wait in an operation of it or are done: a cheap
     * test before the full one */
    int in_warp, busy[max_threads / warp_size];
};
extern Block block;

inline int lanes_of(int first)
{
    int n = block.count - first;
    return n < warp_size ? n : warp_size;
}

/* Is this barrier to be treated as if it were not there? (places.cpp) */
bool passes(Place place);
void push_ready(int thread);
/* The current thread waits until it is taken from the ready queue again. */
void wait_turn();
/* Completes what the lanes from `first` on wait for under `mask`, if all that
 * still run have arrived. */
void try_warp(int first, unsigned mask);
} // namespace cuda_on_cpu

#endif
