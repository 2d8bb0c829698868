// The threads of one block. They are fibers, started one after the other on
// one stack; only when a thread waits does the next begin on another. Kernels
// without barriers never switch.
#include "block.h"

#include <stdio.h>
#include <string.h>

#include <algorithm>

// In a section of their own, which the checker skips.
#define BUILT_IN __attribute__((section("cuda_builtin")))
uint3 threadIdx BUILT_IN, blockIdx BUILT_IN;
dim3 blockDim BUILT_IN, gridDim BUILT_IN;

namespace cuda_on_cpu
{
Block block;
Position now;
alignas(256) char dynamic_memory[max_dynamic_shared];

static uint64_t random_state;

void seed_random(uint64_t seed)
{
    random_state = (seed + 1) * 0x9e3779b97f4a7c15ull;
}

uint32_t random_below(uint32_t n) // xorshift64
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 11) % n;
}

// ---- The ready queue

static int wrapped(int i)
{
    return i >= max_threads ? i - max_threads : i;
}

void push_ready(int thread)
{
    block.ready[wrapped(block.head + block.ready_count++)] = thread;
}

// The next thread to run, -1 where none can.
static int take_ready()
{
    if (block.ready_count == 0)
        return -1;
    if (settings().order == Order::random) {
        int k = (int)random_below((uint32_t)block.ready_count);
        std::swap(block.ready[wrapped(block.head + k)],
                  block.ready[block.head]);
    }
    int thread = block.ready[block.head];
    block.head = wrapped(block.head + 1);
    block.ready_count--;
    return thread;
}

// ---- Threads

static void resume(Thread *t)
{
    block.current = t;
    threadIdx = t->index;
    now.thread = (uint32_t)(t - block.threads);
}

static const char *name_of(State state)
{
    static const char *const names[] = {"not started", "ready",
                                        "at __syncthreads()",
                                        "in a warp operation", "done"};
    return names[(int)state];
}

static void report_deadlock()
{
    char text[800];
    size_t used = 0;
    text[0] = 0;
    for (int i = 0, told = 0; i < block.count && told < 4; i++) {
        const Thread &t = block.threads[i];
        if (t.state == State::done ||
            (i > 0 && t.state == block.threads[i - 1].state))
            continue;
        used += (size_t)snprintf(
            text + used, sizeof text - used,
            "; thread %d is %s at %s:%d (mask %#x)", i, name_of(t.state),
            t.place.file ? t.place.file : "-", t.place.line, t.mask);
        used = std::min(used, sizeof text - 1);
        told++;
    }
    problem("deadlock in %s, block %u: no thread can go on%s", now.kernel,
            now.block, text);
}

[[noreturn]] static void abandon_block()
{
    report_deadlock();
    block.abandoned = true;
    switch_fiber(main_fiber(), true);
    __builtin_unreachable();
}

void wait_turn()
{
    Thread *self = block.current;
    self->fiber = running_fiber();
    int next = take_ready();
    if (next < 0)
        abandon_block();
    if (&block.threads[next] != self) {
        Fiber *to = block.threads[next].fiber;
        if (!to) {
            to = take_fiber();
            first_thread(to) = next;
        }
        switch_fiber(to);
    }
    resume(self);
}

// ---- __syncthreads

static bool same_place(Place a, Place b)
{
    return a.line == b.line && (a.file == b.file || !strcmp(a.file, b.file));
}

static void release_barrier()
{
    block.results[(int)Vote::sum] = block.votes;
    block.results[(int)Vote::all] = block.votes == block.waiting;
    block.results[(int)Vote::any] = block.votes > 0;
    block.votes = block.waiting = 0;
    now.barriers++;
    for (int k = 0; k < block.count; k++) {
        Thread &t = block.threads[block.order[k]];
        if (t.state == State::in_barrier) {
            t.state = State::ready;
            push_ready(block.order[k]);
        }
    }
}

static void arrive(int predicate, Place place)
{
    if (block.waiting == 0)
        block.barrier = place;
    else if (!same_place(block.barrier, place))
        problem("%s, block %u: threads of one block wait at different "
                "__syncthreads(), %s:%d and %s:%d",
                now.kernel, now.block, block.barrier.file, block.barrier.line,
                place.file, place.line);
    block.current->state = State::in_barrier;
    block.current->place = place;
    block.votes += predicate != 0;
    block.waiting++;
}

int barrier(int predicate, Vote vote, Place place)
{
    if (!block.current) {
        problem("%s:%d: __syncthreads() outside a kernel", place.file,
                place.line);
        return 0;
    }
    if (passes(place))
        return predicate;
    arrive(predicate, place);
    if (block.waiting == block.count - block.done) {
        if (block.done > 0)
            problem("%s, block %u: __syncthreads() at %s:%d is reached by %d "
                    "threads after %d had exited",
                    now.kernel, now.block, place.file, place.line,
                    block.waiting, block.done);
        release_barrier();
    }
    wait_turn();
    return block.results[(int)vote];
}

// ---- The life of a thread

static void finish(Thread *t)
{
    int number = (int)(t - block.threads), first = number & ~(warp_size - 1);
    t->state = State::done;
    t->fiber = nullptr;
    block.done++;
    block.busy[number / warp_size]++;
    for (int i = 0; block.in_warp > 0 && i < lanes_of(first); i++)
        if (block.threads[first + i].state == State::in_warp)
            try_warp(first, block.threads[first + i].mask);
    if (block.waiting > 0 && block.waiting == block.count - block.done) {
        problem("%s, block %u: %d threads exited while %d wait at "
                "__syncthreads(), %s:%d",
                now.kernel, now.block, block.done, block.waiting,
                block.barrier.file, block.barrier.line);
        release_barrier();
    }
}

void fiber_body(Fiber *self)
{
    for (;;) {
        Thread *t = &block.threads[first_thread(self)];
        resume(t);
        block.arguments->call();
        finish(t);
        int next = take_ready();
        if (next < 0 && block.done < block.count)
            abandon_block();
        if (next >= 0 && !block.threads[next].fiber) {
            first_thread(self) = next; // starts on this stack: no switch
            continue;
        }
        give_fiber(self);
        switch_fiber(next < 0 ? main_fiber() : block.threads[next].fiber);
    }
}

// ---- The block

void prepare_block(dim3 grid, dim3 size, const Arguments &arguments)
{
    bool reverse = settings().order == Order::reverse;
    gridDim = grid;
    blockDim = size;
    block.arguments = &arguments;
    block.count = (int)(size.x * size.y * size.z);
    for (int i = 0; i < block.count; i++) {
        unsigned u = (unsigned)i;
        block.threads[i].index = {u % size.x, u / size.x % size.y,
                                  u / size.x / size.y};
        block.order[i] = reverse ? block.count - 1 - i : i;
    }
}

static void begin_block(uint32_t number)
{
    uint32_t width = gridDim.x, height = gridDim.y;
    blockIdx = {number % width, number / width % height,
                number / width / height};
    now.block = number;
    now.barriers = 0;
    block.done = block.waiting = block.votes = block.in_warp = 0;
    block.head = 0;
    block.ready_count = block.count;
    block.abandoned = false;
    memset(block.busy, 0, sizeof block.busy);
    for (int i = 0; i < block.count; i++) {
        block.threads[i].state = State::fresh;
        block.threads[i].fiber = nullptr;
        block.threads[i].place = {nullptr, 0};
        block.threads[i].mask = 0;
        now.warp_syncs[i] = 0;
        block.ready[i] = block.order[i];
    }
    // NaN, and not what the last block left
    memset(dynamic_memory, 0xff, now.shared_bytes);
}

bool run_block(uint32_t number)
{
    begin_block(number);
    Fiber *fiber = take_fiber();
    first_thread(fiber) = take_ready();
    now.in_kernel = true;
    switch_fiber(fiber);
    now.in_kernel = false;
    block.current = nullptr;
    if (block.abandoned)
        reset_fibers();
    return !block.abandoned;
}
} // namespace cuda_on_cpu
